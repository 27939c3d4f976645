"""Isolation valves of a register: each sits on a link, at a distance from one of its ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from wnis_core.clock import now
from wnis_core.errors import FieldProblem, InvalidValue
from wnis_core.ids import given_id

from wnis_graph.isolation.place import Place, place_on
from wnis_graph.queries import components, isolation, networks
from wnis_graph.queries.isolation import LinkEnds, PlacedValve
from wnis_graph.repositories.assets import AssetReport, RejectedRow, find_components
from wnis_graph.repositories.components import FIXED
from wnis_graph.revisions import difference, revision_row
from wnis_graph.runner import Runner, Transaction
from wnis_graph.schema.model import SCHEMA
from wnis_graph.scope import Scope
from wnis_graph.values import for_driver

__all__ = ["NewIsolationValve", "ValveRegister"]

_TIMEOUT_S = 240.0
_LINKS = frozenset({"Pipe", "Pump", "Valve"})


@dataclass(frozen=True)
class NewIsolationValve:
    """An isolation valve that sits on a link.

    Parameters
    ----------
    pipe : id, source id or source name of the pipe (or pump or control valve)
    near : id or name of the node that `offset_m` counts from; the link's start unless given
    offset_m : distance from there; 0 is at the node
    properties : of the valve; a gate valve of the pipe's diameter that is open, unless they say otherwise
    """

    id: str
    pipe: str
    near: str | None = None
    offset_m: float = 0.0
    name: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


class ValveRegister:
    """Bulk isolation valves."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def put(self, scope: Scope, network_id: str, rows: Sequence[NewIsolationValve]) -> AssetReport:
        """Make isolation valves on links, or move and change those that are there, by id, in one transaction.

        A row that is wrong is reported and the others are taken. A valve is a component like any other: it gets a
        Revision when it is made, moved or changed.

        Raises
        ------
        NotFound
            no such network
        """

        def work(tx: Transaction) -> AssetReport:
            # node and link may have one name in EPANET
            found = find_components(tx, network_id, [row.pipe for row in rows], _LINKS)
            wanted = sorted({found[row.pipe]["id"] for row in rows if row.pipe in found})
            ids = sorted({row.id for row in rows})
            links = {link.id: link for link in tx.run(isolation.LINK_ENDS, ids=wanted)}
            known = {valve.properties["id"]: valve for valve in tx.run(isolation.SEAT_OF, ids=ids)}
            taken = {c.id for c in tx.run(components.BY_IDS, ids=ids)} - known.keys()
            changes = _Changes(scope, network_id, now())
            unmatched: list[str] = []
            rejected: list[RejectedRow] = []
            for number, row in enumerate(rows, start=1):
                if row.pipe not in found:
                    unmatched.append(row.pipe)
                    continue
                try:
                    link = links.get(found[row.pipe]["id"])
                    if link is None:
                        raise _fault("pipe", f"{row.pipe!r} is joined to nothing")
                    if row.id in taken:
                        raise _fault("id", "belongs to another component")
                    changes.take(row, link, place_on(link, row.near, row.offset_m), known.get(row.id))
                except InvalidValue as error:
                    rejected.append(RejectedRow(number, error.fields))
            changes.write(tx)
            return AssetReport(
                len(changes.changed), len(changes.made), changes.unchanged, tuple(unmatched), tuple(rejected)
            )

        return self._runner.write(scope, work, timeout_s=_TIMEOUT_S)


class _Changes:
    """What a list of valves changes."""

    def __init__(self, scope: Scope, network_id: str, at: datetime) -> None:
        self._scope = scope
        self._network = network_id
        self._at = at
        self._seen: set[str] = set()
        self._seats: list[dict[str, Any]] = []
        self._revisions: list[dict[str, Any]] = []
        self.made: list[dict[str, Any]] = []
        self.changed: list[dict[str, Any]] = []
        self.unchanged = 0

    def take(self, row: NewIsolationValve, link: LinkEnds, place: Place, known: PlacedValve | None) -> None:
        """Note what `row` makes or changes; raises `InvalidValue` and then notes nothing."""
        given_id(row.id)
        if row.id in self._seen:
            raise _fault("id", "is in an earlier row too")
        stated = {k: v for k, v in row.properties.items() if v is not None}
        if fixed := sorted((FIXED - {"synthetic"}) & stated.keys()):
            raise InvalidValue("", fields=[FieldProblem(name, "cannot be set") for name in fixed])
        stated["located_on"] = place.words
        if row.name:
            stated["name"] = row.name
        if place.location is not None:
            stated["location"] = place.location
        if known is None:
            stated = self._fresh(row, link) | stated
        elif known.properties["network"] != self._network:
            raise _fault("id", "belongs to another network")
        SCHEMA.require("Valve", {**stated, "utility": self._scope.utility}, partial=known is not None)
        self._seen.add(row.id)
        if known is None:
            self.made.append(for_driver(stated))
            said = {k: v for k, v in stated.items() if k not in FIXED or k == "located_on"}
            self._record(row.id, "create", dict.fromkeys(said), said)
        else:
            old, new = difference(known.properties, stated)
            if not new and (known.pipe, known.near, known.offset_m) == (link.id, place.near, place.offset_m):
                self.unchanged += 1
                return
            bookkeeping = {"revision": known.properties["revision"] + 1, "updated_at": self._at}
            self.changed.append({"id": row.id, "properties": for_driver(new) | bookkeeping})
            self._record(row.id, "update", old, new)
        self._seats.append(place.row(row.id))

    def write(self, tx: Transaction) -> None:
        """Write everything noted."""
        tx.run_batches(components.CREATE["Valve"], self.made, network=self._network, at=self._at)
        tx.run_batches(components.SET, self.changed)
        tx.run_batches(isolation.PLACE_VALVES, self._seats)
        tx.run_batches(components.RECORD_REVISIONS, self._revisions)
        if self._seats:
            tx.run(networks.BUMP, id=self._network, at=self._at)

    def _record(self, identifier: str, action: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        self._revisions.append(revision_row(self._scope, identifier, action, old, new, self._at))

    def _fresh(self, row: NewIsolationValve, link: LinkEnds) -> dict[str, Any]:
        return {
            "valve_kind": "gate",
            "diameter_m": link.diameter_m,
            "status": "open",
            "name": row.properties.get("source_id") or row.id,
            "origin": "register",
            "id": row.id,
            "type": "Valve",
            "network": self._network,
            "health": "unknown",
            "revision": 1,
            "created_at": self._at,
            "updated_at": self._at,
        }


def _fault(name: str, message: str) -> InvalidValue:
    return InvalidValue(f"{name} {message}.", fields=[FieldProblem(name, message)])
