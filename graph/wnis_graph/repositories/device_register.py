"""Hydrants and sensors of a register: components that stand at a place and are joined to nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from wnis_core.clock import now
from wnis_core.errors import FieldProblem, InvalidValue, NotFound
from wnis_core.ids import given_id

from wnis_graph.queries import components, networks
from wnis_graph.repositories.assets import AssetReport, RejectedRow
from wnis_graph.repositories.components import FIXED, placed_at
from wnis_graph.revisions import difference, revision_row
from wnis_graph.runner import Runner, Transaction
from wnis_graph.schema.model import SCHEMA
from wnis_graph.scope import Scope
from wnis_graph.values import for_driver

__all__ = ["DEVICE_TYPES", "DeviceRegister", "NewDevice"]

DEVICE_TYPES = ("Hydrant", "Sensor")

_TIMEOUT_S = 240.0


@dataclass(frozen=True)
class NewDevice:
    """A hydrant or sensor.

    Parameters
    ----------
    type : one of `DEVICE_TYPES`
    properties : of the component; `x` and `y`, in the source coordinates of its network, place it
    """

    id: str
    type: str
    name: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


class DeviceRegister:
    """Bulk hydrants and sensors."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def put(self, scope: Scope, network_id: str, rows: Sequence[NewDevice]) -> AssetReport:
        """Make hydrants and sensors, or change those that are there, by id, in one transaction.

        A row that is wrong is reported and the others are taken. Each change leaves a Revision.

        Raises
        ------
        NotFound
            no such network
        """

        def work(tx: Transaction) -> AssetReport:
            head = tx.run_one(networks.HEADS, id=network_id)
            if head is None:
                raise NotFound(f"There is no network {network_id!r}.")
            ids = sorted({row.id for row in rows})
            known = {found["id"]: found for found in tx.run(components.LOCK_MANY, ids=ids)}
            at = now()
            made: dict[str, list[dict[str, Any]]] = {label: [] for label in DEVICE_TYPES}
            changed: list[dict[str, Any]] = []
            revisions: list[dict[str, Any]] = []
            rejected: list[RejectedRow] = []
            seen: set[str] = set()
            unchanged = 0
            for number, row in enumerate(rows, start=1):
                before = known.get(row.id)
                try:
                    stated = self._stated(scope, row, before, network_id, head.crs, seen)
                except InvalidValue as error:
                    rejected.append(RejectedRow(number, error.fields))
                    continue
                seen.add(row.id)
                if before is None:
                    whole = self._fresh(row, network_id, at) | stated
                    made[row.type].append(for_driver(whole))
                    said = {k: v for k, v in whole.items() if k not in FIXED}
                    revisions.append(revision_row(scope, row.id, "create", dict.fromkeys(said), said, at))
                    continue
                old, new = difference(before, stated)
                if not new:
                    unchanged += 1
                    continue
                bookkeeping = {"revision": before["revision"] + 1, "updated_at": at}
                changed.append({"id": row.id, "properties": for_driver(new) | bookkeeping})
                revisions.append(revision_row(scope, row.id, "update", old, new, at))
            for label, fresh in made.items():
                tx.run_batches(components.CREATE[label], fresh, network=network_id, at=at)
            tx.run_batches(components.SET, changed)
            tx.run_batches(components.RECORD_REVISIONS, revisions)
            if revisions:
                tx.run(networks.BUMP, id=network_id, at=at)
            created = sum(len(fresh) for fresh in made.values())
            return AssetReport(len(changed), created, unchanged, (), tuple(rejected))

        return self._runner.write(scope, work, timeout_s=_TIMEOUT_S)

    def _stated(
        self,
        scope: Scope,
        row: NewDevice,
        before: Mapping[str, Any] | None,
        network_id: str,
        crs: str | None,
        seen: set[str],
    ) -> dict[str, Any]:
        """What the row says, checked, with its place; raises `InvalidValue`."""
        given_id(row.id)
        if row.id in seen:
            raise _fault("id", "is in an earlier row too")
        if row.type not in DEVICE_TYPES:
            raise _fault("type", f"must be one of {', '.join(DEVICE_TYPES)}")
        if before is not None and (before["network"], before["type"]) != (network_id, row.type):
            raise _fault("id", f"belongs to a {before['type']} of network {before['network']}")
        stated = {k: v for k, v in row.properties.items() if v is not None}
        if fixed := sorted((FIXED - {"synthetic"}) & stated.keys()):
            raise InvalidValue("", fields=[FieldProblem(name, "cannot be set") for name in fixed])
        if ("x" in stated) != ("y" in stated):
            raise _fault("y" if "x" in stated else "x", "is needed together with the other coordinate")
        if row.name:
            stated["name"] = row.name
        SCHEMA.require(row.type, {**stated, "utility": scope.utility}, partial=True)
        return stated | placed_at(stated, crs, [])

    def _fresh(self, row: NewDevice, network_id: str, at: datetime) -> dict[str, Any]:
        return {
            "status": "active",
            "name": row.id,
            "origin": "register",
            "id": row.id,
            "type": row.type,
            "network": network_id,
            "health": "unknown",
            "revision": 1,
            "created_at": at,
            "updated_at": at,
        }


def _fault(name: str, message: str) -> InvalidValue:
    return InvalidValue(f"{name} {message}.", fields=[FieldProblem(name, message)])
