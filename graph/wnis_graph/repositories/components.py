"""Components: read, listed, changed with a record of it, retired, and seen as they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from wnis_core.clock import now
from wnis_core.errors import Conflict, FieldProblem, InvalidValue, NotFound, StaleVersion
from wnis_core.ids import given_id

from wnis_graph.isolation.place import Place, place_on
from wnis_graph.paging import Page, checked_limit, page_of, start_after
from wnis_graph.placement import Placement, middle
from wnis_graph.queries import components, isolation, networks
from wnis_graph.queries.components import (
    LAST_TEXT,
    SORTS,
    Component,
    ComponentCounts,
    ComponentPage,
    Connected,
    ServedConnection,
    component_of,
)
from wnis_graph.revisions import Change, change_of, difference, revision_row, rewind
from wnis_graph.runner import Runner, Transaction
from wnis_graph.schema.model import COMPONENT_LABELS, SCHEMA
from wnis_graph.scope import Scope
from wnis_graph.values import Location, for_driver

__all__ = [
    "Change",
    "Component",
    "ComponentCounts",
    "ComponentFilter",
    "ComponentPage",
    "ComponentRepository",
    "Connected",
    "NewComponent",
    "ServedConnection",
    "placed_at",
]

DEFAULT_NETWORK = "default"
"""The network that a component posted without one joins; made when first needed."""

FIXED = frozenset(
    {"id", "utility", "type", "network", "origin", "health", "health_reason", "revision", "retired_at", "created_at",
     "updated_at", "location", "shape", "vertices", "synthetic", "located_on"}
)  # fmt: skip
"""Properties that no person sets: identity, bookkeeping, and what is derived from others."""

_STREAM_PAGE = 2_000
_INITIAL_STATUS = {"Pipe": "open", "Pump": "open", "Valve": "open"}


@dataclass(frozen=True)
class ComponentFilter:
    """Which components a list holds; None does not restrict.

    Parameters
    ----------
    q : words anywhere in name, description, material or source id, or the beginning of a name or id
    bbox : west, south, east, north in display coordinates (degrees on the map); by a component's location
    retired : whether retired components are listed too
    """

    type: str | None = None
    zone: str | None = None
    status: str | None = None
    health: str | None = None
    network: str | None = None
    material: str | None = None
    q: str | None = None
    bbox: tuple[float, float, float, float] | None = None
    retired: bool = False


@dataclass(frozen=True)
class NewComponent:
    """A component somebody adds.

    Parameters
    ----------
    start, end : ids of the components before and after a link
    zone : id of a zone of the network
    located_on : of an isolation valve: (pipe, near, offset_m), the link it sits on by id, the end node that the offset
        counts from (None: the link's start) and the offset
    """

    id: str
    type: str
    name: str | None = None
    network: str | None = None
    zone: str | None = None
    start: str | None = None
    end: str | None = None
    properties: Mapping[str, Any] | None = None
    located_on: tuple[str, str | None, float] | None = None


class ComponentRepository:
    """Components of a utility."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def get(self, scope: Scope, component_id: str) -> ComponentPage:
        """The component with its zone, neighbours, network and counts in one round trip, or NotFound."""
        found = self._runner.run_one(scope, components.GET, id=component_id)
        if found is None:
            raise _missing(component_id)
        return found

    def by_ids(self, scope: Scope, ids: Sequence[str]) -> list[Component]:
        """The components with these ids, by id; unknown ids are left out."""
        return self._runner.run(scope, components.BY_IDS, ids=list(ids))

    def ids_by_name(self, scope: Scope, name: str, network_id: str | None = None) -> list[str]:
        """Ids of the components that their source calls `name`; several when the name is ambiguous."""
        return self._runner.run(scope, components.IDS_BY_NAME, name=name, network=network_id)

    def service_connections(self, scope: Scope, component_id: str) -> list[ServedConnection]:
        """Who takes water from the component: critical customers first."""
        return self._runner.run(scope, components.SERVICE_CONNECTIONS, id=component_id)

    def stream(self, scope: Scope, wanted: ComponentFilter | None = None) -> Iterator[Component]:
        """Every component that `wanted` lets through, by id; read in pages, so memory stays small."""
        wanted = wanted or ComponentFilter()
        after: str | None = None
        while rows := self._rows(scope, wanted, "id", False, _STREAM_PAGE, {"after_key": None, "after_id": after}):
            yield from rows
            after = rows[-1].id

    def create(self, scope: Scope, new: NewComponent) -> ComponentPage:
        """Add a component, joined to its network, its neighbours and its zone, with a Revision.

        Raises
        ------
        Conflict
            the id is taken
        InvalidValue
            a property the schema refuses, or an unknown type, network, zone or neighbour
        """
        if new.type not in COMPONENT_LABELS:
            raise _wrong("type", f"must be one of {', '.join(COMPONENT_LABELS)}")
        identifier = given_id(new.id)
        stated = dict(new.properties or {})
        _refuse_fixed(stated)
        at = now()
        network_id = new.network or DEFAULT_NETWORK
        properties: dict[str, Any] = {
            "status": _INITIAL_STATUS.get(new.type, "active"),
            **{k: v for k, v in stated.items() if v is not None},
            "id": identifier,
            "type": new.type,
            "name": new.name or identifier,
            "network": network_id,
            "origin": "hand",
            "health": "unknown",
            "revision": 1,
            "created_at": at,
            "updated_at": at,
        }
        SCHEMA.require(new.type, properties | {"utility": scope.utility})
        neighbours = [n for n in (new.start, new.end) if n]
        if new.located_on and (new.type != "Valve" or neighbours):
            raise _wrong("located_on", "is for a valve without start and end")

        def work(tx: Transaction) -> None:
            if new.network is None:
                tx.run(networks.LOCK, id=DEFAULT_NETWORK)
            head = tx.run_one(networks.HEADS, id=network_id)
            if head is None:
                raise _wrong("network", f"{network_id!r} does not exist")
            if tx.run(components.BY_IDS, ids=[identifier]):
                raise Conflict(f"The id {identifier!r} is taken.", mend="Choose another id.")
            known = {c.id: c for c in tx.run(components.BY_IDS, ids=neighbours)}
            for end in neighbours:
                if end not in known:
                    raise _wrong("start" if end == new.start else "end", f"{end!r} does not exist")
            line = [known[n].location for n in neighbours]
            placed = placed_at(properties, head.crs, [p for p in line if p is not None])
            seat = _seat(tx, network_id, new.located_on) if new.located_on else None
            if seat is not None:
                placed = {"located_on": seat.words} | ({"location": seat.location} if seat.location else {}) | placed
            tx.run(components.CREATE[new.type], rows=[for_driver(properties | placed)], network=network_id, at=at)
            if seat is not None:
                tx.run(isolation.PLACE_VALVES, rows=[seat.row(identifier)])
            pairs = [[new.start, identifier]] if new.start else []
            pairs += [[identifier, new.end]] if new.end else []
            tx.run(components.CONNECT, rows=pairs)
            if new.zone and tx.run(components.PLACE_IN_ZONE, rows=[[identifier, new.zone]]) != [1]:
                raise _wrong("zone", f"{new.zone!r} does not exist")
            recorded = {k: v for k, v in properties.items() if k not in FIXED}
            row = revision_row(scope, identifier, "create", dict.fromkeys(recorded), recorded, at)
            tx.run(components.RECORD_REVISIONS, rows=[row])
            tx.run(networks.BUMP, id=network_id, at=at)

        self._runner.write(scope, work)
        return self.get(scope, identifier)

    def patch(
        self, scope: Scope, component_id: str, changes: Mapping[str, Any], *, expected_revision: int | None = None
    ) -> ComponentPage:
        """Change properties and record what they were; None removes one that is not required.

        The status ``retired`` retires the component, and another one brings a retired component back.

        Raises
        ------
        StaleVersion
            the component is no longer at `expected_revision`
        InvalidValue
            a property nobody sets, or a value the schema refuses
        NotFound
            no such component
        """
        _refuse_fixed(changes)

        def work(tx: Transaction) -> None:
            before = self._locked(tx, component_id, expected_revision)
            old, new = difference(before, _with_retirement(before, changes))
            if not new:
                return
            action = "update" if "retired_at" not in new else "retire" if new["retired_at"] else "restore"
            after = {k: v for k, v in (before | new).items() if v is not None}
            SCHEMA.require(before["type"], after)
            if {"x", "y"} & new.keys():
                head = tx.run_one(networks.HEADS, id=before["network"])
                moved = placed_at(after, head.crs if head else None, [])
                old |= {k: before.get(k) for k in moved}
                new |= moved
            self._record(tx, scope, before, action, old, new)

        self._runner.write(scope, work)
        return self.get(scope, component_id)

    def retire(self, scope: Scope, component_id: str, *, expected_revision: int | None = None) -> ComponentPage:
        """Take the component out of the network; its node and history stay. Again changes nothing."""

        def work(tx: Transaction) -> None:
            before = self._locked(tx, component_id, expected_revision)
            if before.get("retired_at") is None:
                old, new = difference(before, {"status": "retired", "retired_at": now()})
                self._record(tx, scope, before, "retire", old, new)

        self._runner.write(scope, work)
        return self.get(scope, component_id)

    def history(self, scope: Scope, component_id: str) -> list[Change]:
        """Recorded changes, the latest first; NotFound for an unknown id."""
        label = self.get(scope, component_id).component.type
        return [change_of(row, label) for row in self._runner.run(scope, components.HISTORY, id=component_id)]

    def get_as_of(self, scope: Scope, component_id: str, moment: datetime) -> Component:
        """The component's own properties as they were recorded at `moment`.

        Raises
        ------
        NotFound
            it was not there yet
        """
        page = self.get(scope, component_id)
        present = page.component
        created_at = present.properties.get("created_at")
        if created_at is None or created_at > moment:
            raise NotFound(f"{component_id!r} was not recorded yet at {moment.isoformat()}.")
        changes = [change_of(r, present.type) for r in self._runner.run(scope, components.HISTORY, id=component_id)]
        later = sum(1 for change in changes if change.recorded_at > moment)
        flat = [value for point in present.shape for value in point]
        header = {
            "id": present.id,
            "type": present.type,
            "name": present.name,
            "status": present.status,
            "health": present.health,
            "network": present.network,
            "revision": present.revision - later,
            "location": present.location,
            "shape": flat or None,
            "retired_at": present.retired_at,
        }
        past = rewind({**present.properties, **header}, changes, moment)
        # health is derived from evidence of its own time and is not recorded
        past = past | {"health": "unknown"} if later else past
        past.pop("health_reason", None) if later else None
        return component_of(past, asdict(present.zone) if present.zone else None)

    def _rows(
        self,
        scope: Scope,
        wanted: ComponentFilter,
        sort: str,
        descending: bool,
        limit: int,
        start: Mapping[str, Any],
    ) -> Sequence[Component]:
        query = components.LISTS[sort, descending, bool(wanted.q)]
        parameters: dict[str, Any] = {
            "type": wanted.type,
            "zone": wanted.zone,
            "status": wanted.status,
            "health": wanted.health,
            "network": wanted.network,
            "material": wanted.material,
            "retired": wanted.retired or wanted.status == "retired",
            "boxes": self._boxes(scope, wanted),
            "limit": limit,
        }
        # texts have a least and a greatest, so that the first page is one like the others to the index
        edge = LAST_TEXT if descending else ""
        parameters["after_id"] = edge if start["after_id"] is None else start["after_id"]
        if sort != "id":
            first = edge if sort == "name" else None
            parameters["after_key"] = first if start["after_id"] is None else start["after_key"]
        if wanted.q:
            parameters |= {"text": full_text(wanted.q), "prefix": wanted.q.strip()}
        return self._runner.run(scope, query, **parameters)

    def _boxes(self, scope: Scope, wanted: ComponentFilter) -> dict[str, list[float]] | None:
        """The bounding box in each network's own coordinates."""
        if wanted.bbox is None:
            return None
        west, south, east, north = wanted.bbox
        if not (west <= east and south <= north):
            raise _wrong("bbox", "must be west,south,east,north")
        boxes = {}
        for network in self._runner.run(scope, networks.HEADS, id=wanted.network):
            if network.plane is None:
                boxes[network.id] = [west, south, east, north]
            else:
                boxes[network.id] = [*network.plane.to_source(west, south), *network.plane.to_source(east, north)]
        return boxes

    def _locked(self, tx: Transaction, component_id: str, expected_revision: int | None) -> dict[str, Any]:
        found: list[dict[str, Any]] = tx.run(components.LOCK, id=component_id)
        if not found:
            raise _missing(component_id)
        revision = found[0]["revision"]
        if expected_revision is not None and revision != expected_revision:
            raise StaleVersion(
                f"{component_id!r} is at revision {revision}, not {expected_revision}.",
                mend="Read it again and repeat the change.",
            )
        return found[0]

    def _record(
        self,
        tx: Transaction,
        scope: Scope,
        before: Mapping[str, Any],
        action: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
    ) -> None:
        at = now()
        written = for_driver(new) | {"revision": before["revision"] + 1, "updated_at": at}
        tx.run(components.SET, rows=[{"id": before["id"], "properties": written}])
        tx.run(components.RECORD_REVISIONS, rows=[revision_row(scope, before["id"], action, old, new, at)])
        tx.run(networks.BUMP, id=before["network"], at=at)

    def list(
        self,
        scope: Scope,
        wanted: ComponentFilter | None = None,
        *,
        sort: str = "id",
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Component]:
        """A page of components in a total order; a leading ``-`` of `sort` reverses it.

        Raises
        ------
        InvalidValue
            unknown sort key or a page too long
        BadRequest
            a cursor of another list
        """
        key, descending = sort.removeprefix("-"), sort.startswith("-")
        if key not in SORTS:
            raise _wrong("sort", f"must be one of {', '.join(SORTS)}, with - before it to reverse")
        limit = checked_limit(limit)
        start = start_after(cursor, sort)
        rows = self._rows(scope, wanted or ComponentFilter(), key, descending, limit + 1, start)
        return page_of(rows, limit, sort, lambda c: (_sort_value(c, key), c.id))


def _seat(tx: Transaction, network_id: str, located_on: tuple[str, str | None, float]) -> Place:
    identifier, near, offset_m = located_on
    links = tx.run(isolation.LINK_ENDS, ids=[identifier])
    if not links or links[0].network != network_id:
        raise _wrong("located_on", f"{identifier!r} is no pipe, pump or valve of the network")
    return place_on(links[0], near, offset_m)


def full_text(words: str) -> str:
    """`words` as a Lucene query that wants every word, each as the beginning of one; nothing of it is syntax."""
    terms = "".join(c if c.isalnum() else " " for c in words.lower()).split()
    return " AND ".join(f"{term}*" for term in terms[:20]) or '""'


def _sort_value(component: Component, key: str) -> Any:
    value = getattr(component, key) if key in _COLUMNS else component.properties.get(key)
    return _LOWEST[key] if value is None else value


_COLUMNS = frozenset({"id", "name", "type", "status", "health", "network"})
_LOWEST: dict[str, Any] = {
    "material": "",
    "install_date": datetime(1, 1, 1).date(),  # noqa: DTZ001  # a calendar day has no zone
    "updated_at": datetime.fromisoformat("0001-01-01T00:00:00+00:00"),
    "diameter_m": -1.0,
    "length_m": -1.0,
}


def placed_at(properties: Mapping[str, Any], crs: str | None, ends: Sequence[Location]) -> dict[str, Any]:
    """Location (and line) from source coordinates `x` and `y` of `properties`, else from the ends of a link."""
    x, y = properties.get("x"), properties.get("y")
    if x is not None and y is not None:
        return {"location": Placement(crs, [(x, y)]).point((x, y))}
    if not ends:
        return {}
    flat = [value for end in ends for value in (end.x, end.y)]
    middle_x, middle_y = middle(flat)
    return {"shape": flat, "location": Location(middle_x, middle_y, ends[0].srid)}


def _with_retirement(before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`changes`, and whether the component is in the ground: its status and `retired_at` say the same."""
    retired = before.get("retired_at") is not None
    if "status" not in changes or (changes["status"] == "retired") == retired:
        return dict(changes)
    return {**changes, "retired_at": None if retired else now()}


def _refuse_fixed(changes: Mapping[str, Any]) -> None:
    fixed = sorted(FIXED & changes.keys())
    if fixed:
        raise InvalidValue(
            f"{', '.join(fixed)} cannot be set.",
            mend="Leave it out.",
            fields=[FieldProblem(name, "cannot be set") for name in fixed],
        )


def _wrong(name: str, message: str) -> InvalidValue:
    return InvalidValue(f"{name} {message}.", fields=[FieldProblem(name, message)])


def _missing(component_id: str) -> NotFound:
    return NotFound(f"There is no component {component_id!r}.", mend="Look for it in the list of components.")
