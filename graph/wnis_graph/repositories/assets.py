"""Asset registers: what a utility knows of its components beyond the model, and who is connected where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wnis_core.clock import now
from wnis_core.errors import FieldProblem, InvalidValue, NotFound
from wnis_core.ids import given_id

from wnis_graph.queries import assets, components, networks
from wnis_graph.repositories.components import FIXED
from wnis_graph.revisions import difference, revision_row
from wnis_graph.runner import Runner, Transaction
from wnis_graph.schema.model import COMPONENT_LABELS, SCHEMA
from wnis_graph.scope import Scope
from wnis_graph.values import for_driver

__all__ = ["AssetAttributes", "AssetReport", "AssetRepository", "NewConnection", "RejectedRow"]

_TIMEOUT_S = 240.0
_PLACED = frozenset({"x", "y"})


@dataclass(frozen=True)
class AssetAttributes:
    """Properties of the component that a register calls `key`: its id, source id, or source name."""

    key: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class NewConnection:
    """A service connection; `served_by` is the id, source id or source name of a component.

    Parameters
    ----------
    offset_m : its place on a pipe, from the pipe's start node, when it is known
    """

    id: str
    name: str
    customers: int
    served_by: str
    critical: bool = False
    synthetic: bool = False
    offset_m: float | None = None


@dataclass(frozen=True)
class RejectedRow:
    """A row (numbered from 1) that was refused, and why."""

    row: int
    errors: tuple[FieldProblem, ...]


@dataclass(frozen=True)
class AssetReport:
    """What became of each row: `unmatched` keys name nothing, or more than one component."""

    updated: int
    created: int
    unchanged: int
    unmatched: tuple[str, ...]
    rejected: tuple[RejectedRow, ...]


class AssetRepository:
    """Bulk attributes of components and service connections."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def update_attributes(self, scope: Scope, network_id: str, rows: Sequence[AssetAttributes]) -> AssetReport:
        """Set properties of many components in one transaction, each change with its Revision.

        A row that is wrong is reported and the others are taken. An empty value says nothing and changes nothing.
        """

        def work(tx: Transaction) -> AssetReport:
            found = find_components(tx, network_id, [row.key for row in rows])
            at = now()
            changes: dict[str, dict[str, Any]] = {}
            known_revision: dict[str, int] = {}
            revisions: list[dict[str, Any]] = []
            unmatched: list[str] = []
            rejected: list[RejectedRow] = []
            matched: set[str] = set()
            for number, row in enumerate(rows, start=1):
                before = found.get(row.key)
                if before is None:
                    unmatched.append(row.key)
                    continue
                stated = {k: v for k, v in row.properties.items() if v is not None}
                faults = _faults(before, stated)
                if faults:
                    rejected.append(RejectedRow(number, faults))
                    continue
                matched.add(before["id"])
                old, new = difference(before, stated)
                if not new:
                    continue
                revisions.append(revision_row(scope, before["id"], "update", old, new, at))
                # two rows about one component follow each other
                before.update(new)
                changes.setdefault(before["id"], {}).update(for_driver(new))
                known_revision[before["id"]] = before["revision"]
            written = [
                {"id": i, "properties": {**new, "updated_at": at, "revision": known_revision[i] + 1}}
                for i, new in changes.items()
            ]
            tx.run_batches(components.SET, written)
            tx.run_batches(components.RECORD_REVISIONS, revisions)
            if written:
                tx.run(networks.BUMP, id=network_id, at=at)
            unchanged = len(matched) - len(changes)
            return AssetReport(len(changes), 0, unchanged, tuple(unmatched), tuple(rejected))

        return self._runner.write(scope, work, timeout_s=_TIMEOUT_S)

    def put_connections(self, scope: Scope, network_id: str, rows: Sequence[NewConnection]) -> AssetReport:
        """Make or update service connections by id, in one transaction; one component serves each."""

        def work(tx: Transaction) -> AssetReport:
            found = find_components(tx, network_id, [row.served_by for row in rows])
            unmatched: list[str] = []
            rejected: list[RejectedRow] = []
            written: dict[str, dict[str, Any]] = {}
            for number, row in enumerate(rows, start=1):
                properties = {"name": row.name, "customers": row.customers, "critical": row.critical}
                if row.synthetic:
                    properties["synthetic"] = True
                try:
                    given_id(row.id)
                    SCHEMA.require("ServiceConnection", properties | {"id": row.id, "utility": scope.utility})
                    if row.customers < 0:
                        raise InvalidValue("", fields=[FieldProblem("customers", "must not be negative")])
                except InvalidValue as error:
                    rejected.append(RejectedRow(number, error.fields))
                    continue
                serving = found.get(row.served_by)
                if serving is None:
                    unmatched.append(row.served_by)
                    continue
                written[row.id] = {
                    "id": row.id,
                    "served_by": serving["id"],
                    "offset_m": row.offset_m,
                    "properties": properties,
                }
            sent = list(written.values())
            results: list[tuple[str, bool]] = []
            for start in range(0, len(sent), 5_000):
                results += tx.run(assets.PUT_CONNECTIONS, rows=sent[start : start + 5_000])
            made = sum(1 for _, created in results if created)
            if results:
                tx.run(networks.BUMP_CONNECTIONS, id=network_id)
            return AssetReport(len(results) - made, made, 0, tuple(unmatched), tuple(rejected))

        return self._runner.write(scope, work, timeout_s=_TIMEOUT_S)


def find_components(
    tx: Transaction, network_id: str, keys: Sequence[str], types: Collection[str] = COMPONENT_LABELS
) -> dict[str, dict[str, Any]]:
    """Properties of the one component of these types that each key names: by id, else by source id, else by name."""
    if tx.run_one(networks.HEADS, id=network_id) is None:
        raise NotFound(f"There is no network {network_id!r}.")
    rows = tx.run(assets.LOCK_COMPONENTS, network=network_id, names=sorted(set(keys)))
    by: dict[str, dict[str, list[dict[str, Any]]]] = {k: defaultdict(list) for k in ("id", "source_id", "name")}
    for row in rows:
        properties = dict(row.properties)
        if properties["type"] not in types:
            continue
        for name, known in by.items():
            if properties.get(name) is not None:
                known[properties[name]].append(properties)
    found: dict[str, dict[str, Any]] = {}
    for key in keys:
        for known in by.values():
            if key in known:
                if len(known[key]) == 1:
                    found[key] = known[key][0]
                break
    return found


def _faults(before: Mapping[str, Any], stated: Mapping[str, Any]) -> tuple[FieldProblem, ...]:
    refused = tuple(FieldProblem(k, "cannot be set") for k in sorted((FIXED - {"synthetic"} | _PLACED) & stated.keys()))
    try:
        SCHEMA.require(before["type"], dict(stated), partial=True)
    except InvalidValue as error:
        return (*refused, *error.fields)
    return refused
