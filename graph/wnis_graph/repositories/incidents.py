"""Incidents: breaks, leaks, complaints, quality problems and outages, and the components they affected.

Every change writes what the index of words has to learn into the Outbox, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from wnis_core.clock import now
from wnis_core.errors import Conflict, FieldProblem, InvalidValue, NotFound
from wnis_core.ids import given_id, new_id

from wnis_graph.cursors import Position, decode_cursor, encode_cursor
from wnis_graph.queries import incidents as queries
from wnis_graph.queries.incidents import AffectedComponent, Incident
from wnis_graph.repositories.outbox import INCIDENT_INDEX, append, outbox_rows
from wnis_graph.runner import Runner, Transaction
from wnis_graph.schema.model import SCHEMA
from wnis_graph.scope import Scope
from wnis_graph.values import WGS84, Location, for_driver

__all__ = [
    "AffectedComponent", "Incident", "IncidentDraft", "IncidentFilter", "IncidentItem", "IncidentPage",
    "IncidentRepository", "Location", "Outcome", "UpsertReport",
]  # fmt: skip

WORDS_INDEX = "incident_text"

_ORDER = "newest"
_TRANSACTION_ROWS = 1_000
_WORDS = 10


@dataclass(frozen=True)
class IncidentDraft:
    """An incident as somebody states it.

    Parameters
    ----------
    components : what it happened to: ids, keys of the register (``source_id``) or unambiguous names
    source_id : key of the source record; gives the incident a lasting id, so that importing it again changes nothing
    available_at : when it was known; the moment it happened unless stated
    status : open unless stated when one is created, closed when history is imported
    """

    kind: str
    occurred_at: datetime
    components: tuple[str, ...] = ()
    id: str | None = None
    source_id: str | None = None
    narrative: str | None = None
    available_at: datetime | None = None
    severity: str | None = None
    status: str | None = None
    cause: str | None = None
    repair: str | None = None
    location: Location | None = None
    synthetic: bool | None = None


@dataclass(frozen=True)
class IncidentFilter:
    """Which incidents to list; `until` itself is outside, `words` must all occur."""

    kind: str | None = None
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    component_id: str | None = None
    zone: str | None = None
    words: str | None = None


@dataclass(frozen=True)
class IncidentPage:
    """Some incidents, newest first, and the cursor of those that follow."""

    incidents: tuple[Incident, ...]
    next_cursor: str | None


class Outcome(StrEnum):
    """What became of one item of an import."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(frozen=True)
class IncidentItem:
    """One item of an import: its position (from 0), its id, what became of it and, when rejected, why."""

    row: int
    id: str | None
    outcome: Outcome
    problems: tuple[FieldProblem, ...] = ()


@dataclass(frozen=True)
class UpsertReport:
    """What became of every item, in their order."""

    items: tuple[IncidentItem, ...]

    def count(self, outcome: Outcome) -> int:
        """How many items had this outcome."""
        return sum(item.outcome is outcome for item in self.items)

    @property
    def rejected(self) -> tuple[IncidentItem, ...]:
        """Items that were not written, with their reasons."""
        return tuple(item for item in self.items if item.outcome is Outcome.REJECTED)


@dataclass(frozen=True)
class _Record:
    """A checked draft: what is written when it is new, what when it is known, and what it affected."""

    row: int
    id: str
    components: tuple[str, ...]
    stated: Mapping[str, Any]
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def properties(self, before: Incident | None) -> dict[str, Any]:
        """What to write: everything when it is new, else what is stated and what follows from it."""
        if before is None:
            return for_driver({**self.defaults, **self.stated})
        occurred_at = self.stated["occurred_at"]
        known_at_once = before.available_at == before.occurred_at or before.available_at < occurred_at
        return for_driver({**({"available_at": occurred_at} if known_at_once else {}), **self.stated})


class IncidentRepository:
    """Reads and writes incidents."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def create(self, scope: Scope, draft: IncidentDraft) -> Incident:
        """Record a new incident.

        Raises
        ------
        InvalidValue
            naming the field: a value outside its set, a component that does not exist, known before it happened
        Conflict
            an incident of that id is known
        """
        known = self._known_components(scope, [draft], None)
        record = _checked(0, draft, known, status="open")
        outbox = outbox_rows(INCIDENT_INDEX, "upsert", [record.id])

        def work(transaction: Transaction) -> None:
            if transaction.run_one(queries.GET, id=record.id) is not None:
                raise Conflict(f"Incident {record.id} is known.", mend="Leave out id and source_id, or state new ones.")
            rows = [{"id": record.id, "properties": record.properties(None), "components": list(record.components)}]
            transaction.run(queries.CREATE, rows=rows)
            transaction.run(queries.LINK, rows=rows)
            append(transaction, outbox)

        self._runner.write(scope, work)
        return self.get(scope, record.id)

    def upsert_many(self, scope: Scope, drafts: Sequence[IncidentDraft], *, network: str | None = None) -> UpsertReport:
        """Write `drafts`, each on its own merits; the same drafts again change nothing.

        What a draft leaves out keeps its value; its components replace the former ones.

        Parameters
        ----------
        network : look up register keys and names in this network only
        """
        known = self._known_components(scope, drafts, network)
        items: dict[int, IncidentItem] = {}
        records: list[_Record] = []
        row_of: dict[str, int] = {}
        for row, draft in enumerate(drafts):
            try:
                record = _checked(row, draft, known, status="closed")
                if record.id in row_of:
                    fault = f"is the same as in item {row_of[record.id]}"
                    named = "id" if draft.id else "source_id"
                    raise InvalidValue(f"Item {row}: {named} {fault}.", fields=[FieldProblem(named, fault)])
            except InvalidValue as error:
                items[row] = IncidentItem(row, draft.id, Outcome.REJECTED, error.fields)
                continue
            row_of[record.id] = row
            records.append(record)
        for start in range(0, len(records), _TRANSACTION_ROWS):
            written = self._write(scope, records[start : start + _TRANSACTION_ROWS])
            items.update((item.row, item) for item in written)
        return UpsertReport(tuple(items[row] for row in range(len(drafts))))

    def get(self, scope: Scope, incident_id: str) -> Incident:
        """One incident with its components; raises `NotFound`."""
        incident = self._runner.run_one(scope, queries.GET, id=incident_id)
        if incident is None:
            raise NotFound(f"There is no incident {incident_id}.")
        return incident

    def get_many(self, scope: Scope, incident_ids: Sequence[str]) -> dict[str, Incident]:
        """Those of `incident_ids` that exist, by id."""
        return {i.id: i for i in self._runner.run(scope, queries.GET_MANY, ids=list(incident_ids))}

    def list_incidents(
        self, scope: Scope, wanted: IncidentFilter | None = None, *, limit: int = 50, cursor: str | None = None
    ) -> IncidentPage:
        """A page of incidents, newest first and by id among equals.

        Raises
        ------
        BadRequest
            the cursor is none of ours
        """
        wanted = wanted or IncidentFilter()
        after = decode_cursor(cursor, _ORDER) if cursor is not None else None
        found = self._runner.run(
            scope,
            queries.LIST,
            kind=wanted.kind,
            status=wanted.status,
            since=wanted.since,
            until=wanted.until,
            component_id=wanted.component_id,
            zone=wanted.zone,
            words=wanted.words.lower().split()[:_WORDS] if wanted.words else None,
            after_occurred_at=after.key if after else None,
            after_id=after.id if after else None,
            limit=limit + 1,
        )
        page = tuple(found[:limit])
        more = len(found) > limit and page
        return IncidentPage(page, encode_cursor(Position(_ORDER, page[-1].occurred_at, page[-1].id)) if more else None)

    def of_component(self, scope: Scope, component_id: str) -> list[Incident]:
        """All incidents that affected the component, newest first."""
        return self._runner.run(scope, queries.OF_COMPONENT, component_id=component_id)

    def list_ids(self, scope: Scope) -> list[str]:
        """Ids of all incidents of the utility, in order."""
        return self._runner.run(scope, queries.IDS)

    def utilities_with_incidents(self, scope: Scope) -> list[str]:
        """Utilities that have incidents; about the platform, hence for the index keeper's own use only."""
        return self._runner.run(scope, queries.UTILITIES)

    def delete(self, scope: Scope, incident_id: str) -> None:
        """Remove an incident that was recorded by mistake.

        Raises
        ------
        NotFound
            there is none
        Conflict
            a prediction was computed from it, and must stay traceable to it
        """
        outbox = outbox_rows(INCIDENT_INDEX, "delete", [incident_id])

        def work(transaction: Transaction) -> None:
            if transaction.run_one(queries.GET, id=incident_id) is None:
                raise NotFound(f"There is no incident {incident_id}.")
            if uses := transaction.run_one(queries.USES, id=incident_id):
                raise Conflict(
                    f"Incident {incident_id} was used by {uses} predictions, which point to it.",
                    mend="Correct it by importing it again under its source_id instead.",
                )
            transaction.run(queries.DELETE, id=incident_id)
            append(transaction, outbox)

        self._runner.write(scope, work)

    def find_words(
        self,
        scope: Scope,
        lucene: str,
        *,
        kind: str | None = None,
        since: datetime | None = None,
        components: Sequence[str] | None = None,
        limit: int = 50,
    ) -> list[tuple[str, float]]:
        """Ids and scores of incidents whose words match the Lucene query, best first."""
        return self._runner.run(
            scope,
            queries.FIND_WORDS,
            index=WORDS_INDEX,
            lucene=lucene,
            kind=kind,
            since=since,
            components=None if components is None else list(components),
            limit=limit,
        )

    def components_of_zone(self, scope: Scope, zone: str) -> list[str]:
        """Ids of the components in the zone; raises `NotFound` when there is no such zone."""
        found = self._runner.run_one(scope, queries.COMPONENTS_OF_ZONE, zone=zone)
        if found is None:
            raise NotFound(f"There is no zone {zone}.")
        return found

    def _write(self, scope: Scope, records: Sequence[_Record]) -> list[IncidentItem]:
        outbox = {row["subject_id"]: row for row in outbox_rows(INCIDENT_INDEX, "upsert", [r.id for r in records])}

        def work(transaction: Transaction) -> list[IncidentItem]:
            before = {i.id: i for i in transaction.run(queries.GET_MANY, ids=[r.id for r in records])}
            items = [IncidentItem(r.row, r.id, _outcome(r, before.get(r.id))) for r in records]
            rows = [
                {
                    "id": record.id,
                    "properties": record.properties(before.get(record.id)),
                    "components": list(record.components),
                }
                for record, item in zip(records, items, strict=True)
                if item.outcome is not Outcome.UNCHANGED
            ]
            transaction.run_batches(queries.UPSERT, rows)
            transaction.run_batches(queries.UNLINK, rows)
            transaction.run_batches(queries.LINK, rows)
            append(transaction, [outbox[row["id"]] for row in rows])
            return items

        return self._runner.write(scope, work)

    def _known_components(
        self, scope: Scope, drafts: Sequence[IncidentDraft], network: str | None
    ) -> dict[str, tuple[str, ...]]:
        """For each reference the ids it may mean: by id, else by the register's key, else by name."""
        references = sorted({reference for draft in drafts for reference in draft.components})
        best: dict[str, tuple[int, list[str]]] = {}
        for start in range(0, len(references), _TRANSACTION_ROWS):
            part = references[start : start + _TRANSACTION_ROWS]
            for found in self._runner.run(scope, queries.REFERENCES, references=part, network=network):
                rank, ids = best.setdefault(found.reference, (found.rank, []))
                if found.rank == rank:
                    ids.append(found.id)
        return {reference: tuple(ids) for reference, (_, ids) in best.items()}


def incident_id_of(source_id: str) -> str:
    """The lasting id of the record with this key in its source."""
    return given_id(f"incident:{quote(source_id, safe='', errors='replace')}", "source_id")


def _checked(row: int, draft: IncidentDraft, known: Mapping[str, tuple[str, ...]], *, status: str) -> _Record:
    """`draft` with its id and components, when all of it may be written; InvalidValue names every field at fault."""
    problems: list[FieldProblem] = []
    components: list[str] = []
    for reference in draft.components:
        ids = known.get(reference, ())
        if len(ids) == 1:
            components.append(ids[0])
        else:
            fault = f"{reference!r} means {len(ids)} components" if ids else f"there is no component {reference!r}"
            problems.append(FieldProblem("components", fault))
    stated = {
        "kind": draft.kind,
        "occurred_at": draft.occurred_at,
        "available_at": draft.available_at,
        "source_id": draft.source_id,
        "narrative": _words(draft.narrative),
        "severity": draft.severity,
        "status": draft.status,
        "cause": _words(draft.cause),
        "repair": _words(draft.repair),
        "location": draft.location,
        "synthetic": draft.synthetic,
    }
    stated = {name: value for name, value in stated.items() if value is not None}
    defaults = {"status": status, "available_at": draft.occurred_at, "created_at": now()}
    problems += _faults_of_place(draft.location)
    problems += [FieldProblem(n, "is not valid text") for n, v in stated.items() if isinstance(v, str) and _broken(v)]
    incident_id = ""
    try:
        incident_id = _id_of(draft)
        SCHEMA.require("Incident", {**defaults, **stated, "id": incident_id, "utility": "-"})
        if draft.available_at is not None and draft.available_at < draft.occurred_at:
            problems.append(FieldProblem("available_at", "is before occurred_at"))
    except InvalidValue as error:
        # a fault of occurred_at shows again in the available_at that follows from it
        problems += [f for f in error.fields if f.field in stated or f.field not in defaults]
    if problems:
        said = "; ".join(f"{p.field}: {p.message}" for p in problems)
        raise InvalidValue(
            f"Incident {incident_id or draft.source_id or row}: {said}.",
            mend="Correct these fields; components are ids, register keys or names of known components.",
            fields=problems,
        )
    return _Record(row, incident_id, tuple(dict.fromkeys(components)), stated, defaults)


def _id_of(draft: IncidentDraft) -> str:
    if draft.id is not None:
        return given_id(draft.id)
    return incident_id_of(draft.source_id) if draft.source_id else new_id("incident")


def _words(text: str | None) -> str | None:
    return (text.strip() or None) if isinstance(text, str) else text


def _broken(text: str) -> bool:
    """Whether it holds half of a character, which JSON can carry and the graph cannot."""
    return any("\ud800" <= c <= "\udfff" for c in text)


def _faults_of_place(location: Location | None) -> list[FieldProblem]:
    if location is None or location.srid != WGS84 or (abs(location.x) <= 180 and abs(location.y) <= 90):
        return []
    return [FieldProblem("location", "must be a longitude of -180 to 180 and a latitude of -90 to 90")]


def _outcome(record: _Record, before: Incident | None) -> Outcome:
    if before is None:
        return Outcome.CREATED
    stored = {
        "kind": before.kind, "occurred_at": before.occurred_at, "available_at": before.available_at,
        "source_id": before.source_id, "narrative": before.narrative, "severity": before.severity,
        "status": before.status, "cause": before.cause, "repair": before.repair,
        "location": before.location, "synthetic": before.synthetic,
    }  # fmt: skip
    same = all(stored[name] == value for name, value in record.stated.items())
    same = same and {c.id for c in before.components} == set(record.components)
    return Outcome.UNCHANGED if same else Outcome.UPDATED
