"""Write a network model into the graph: one transaction, only what differs from what is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wnis_core.clock import now
from wnis_core.errors import Conflict

from wnis_graph.desired import DesiredNetwork, IdOf, desired_network, imported_ids
from wnis_graph.import_difference import ComponentDifference, ImportDifference, compared
from wnis_graph.network_model import NetworkModel
from wnis_graph.queries import components, networks
from wnis_graph.queries.networks import StoredComponent
from wnis_graph.revisions import difference, revision_row
from wnis_graph.runner import Runner, Transaction
from wnis_graph.schema.model import COMPONENT_LABELS, SCHEMA
from wnis_graph.scope import Scope
from wnis_graph.values import for_driver

IMPORT_TIMEOUT_S = 240.0


@dataclass(frozen=True)
class SourceFile:
    """The file a network came from, and its key in the object store."""

    name: str
    sha256: str
    key: str


@dataclass(frozen=True)
class ImportSummary:
    """What an import did, or of a dry run would do; `removed` components are retired, never deleted.

    `components` is what it did to each, `revision` the network's afterwards.
    """

    created: int
    updated: int
    removed: int
    unchanged: int
    revision: int
    components: tuple[ComponentDifference, ...] = ()


def persist_network(
    runner: Runner,
    scope: Scope,
    network_id: str,
    model: NetworkModel,
    source: SourceFile | None,
    *,
    crs: str | None = None,
    name: str | None = None,
    synthetic: bool = False,
    id_of: IdOf = imported_ids,
) -> ImportSummary:
    """Make the graph hold `model` as network `network_id`; see `NetworkRepository.persist`."""
    desired = desired_network(network_id, model, crs, id_of)
    heading = _heading(network_id, model, source, desired, name, synthetic)

    def work(tx: Transaction) -> ImportSummary:
        at = now()
        held = tx.run(networks.LOCK, id=network_id)[0]
        stored, joints = _stored(tx, network_id)
        found = compared(scope, desired, stored, joints, at)
        new_ids = [c.id for c in found.created]
        if foreign := tx.run(networks.FOREIGN_IDS, ids=new_ids, network=network_id):
            raise Conflict(
                f"Ids of this model are taken by another network: {', '.join(foreign)}.",
                mend="Import it under other ids.",
            )
        _write_components(tx, network_id, found, at)
        changed = _write_joints(tx, desired, joints)
        changed |= _write_zones(tx, network_id, desired, stored)
        old, new = difference(held, heading)
        revision = int(held["revision"])
        if changed or new or not found.empty:
            revision += 1
            tx.run(networks.SET, id=network_id, properties=for_driver(new) | {"revision": revision, "updated_at": at})
            counts = {"created": len(found.created), "updated": len(found.updated) - found.retired,
                      "removed": found.retired}  # fmt: skip
            row = revision_row(scope, network_id, "import", old, new | counts, at)
            tx.run(networks.RECORD_REVISION, id=network_id, row=row)
        return _summary(found, revision)

    return runner.write(scope, work, timeout_s=IMPORT_TIMEOUT_S)


def compare_network(
    runner: Runner, scope: Scope, network_id: str, model: NetworkModel, *, crs: str | None = None,
    id_of: IdOf = imported_ids,
) -> ImportSummary:  # fmt: skip
    """What `persist_network` would do; nothing is written. See `NetworkRepository.compare`."""
    desired = desired_network(network_id, model, crs, id_of)

    def work(tx: Transaction) -> ImportSummary:
        head = tx.run_one(networks.HEADS, id=network_id)
        stored, joints = _stored(tx, network_id)
        found = compared(scope, desired, stored, joints, now())
        return _summary(found, head.revision if head else 0)

    return runner.read(scope, work)


def _stored(tx: Transaction, network_id: str) -> tuple[dict[str, StoredComponent], set[tuple[str, str]]]:
    stored = {s.properties["id"]: s for s in tx.run(networks.STORED_COMPONENTS, id=network_id)}
    return stored, set(tx.run(networks.JOINTS, id=network_id)) if stored else set()


def _summary(found: ImportDifference, revision: int) -> ImportSummary:
    return ImportSummary(
        created=len(found.created),
        updated=len(found.updated) - found.retired,
        removed=found.retired,
        unchanged=found.unchanged,
        revision=revision,
        components=found.components,
    )


def _heading(
    network_id: str,
    model: NetworkModel,
    source: SourceFile | None,
    desired: DesiredNetwork,
    name: str | None,
    synthetic: bool,
) -> dict[str, Any]:
    plane = desired.placement.plane
    heading: dict[str, Any] = {
        "title": model.title,
        "source_sha256": source.sha256 if source else None,
        "source_name": source.name if source else None,
        "source_key": source.key if source else None,
        "flow_unit": model.flow_unit,
        "headloss_formula": model.headloss_formula,
        "duration_s": float(model.duration_s),
        "crs": desired.placement.crs,
        "plane_x": plane.x if plane else None,
        "plane_y": plane.y if plane else None,
        "plane_scale": plane.scale if plane else None,
        "remarks": [remark.message for remark in model.remarks],
        "synthetic": True if synthetic else None,
    }
    if name:
        heading["name"] = name
    SCHEMA.require("Network", heading, partial=True)
    return heading


def _write_components(tx: Transaction, network_id: str, found: ImportDifference, at: datetime) -> None:
    for label in COMPONENT_LABELS:
        rows = [
            for_driver({name: value for name, value in {**c.initial, **c.stated}.items() if value is not None})
            for c in found.created
            if c.label == label
        ]
        tx.run_batches(components.CREATE[label], rows, network=network_id, at=at)
    changes = [{"id": identifier, "properties": for_driver(new)} for identifier, new in found.updated]
    tx.run_batches(components.SET, changes)
    tx.run_batches(components.RECORD_REVISIONS, found.revisions)


def _write_joints(tx: Transaction, desired: DesiredNetwork, present: set[tuple[str, str]]) -> bool:
    # joints of what a person added or what is retired are not the file's to remove
    of_file = {pair for pair in present if pair[0] in desired.components and pair[1] in desired.components}
    missing, gone = sorted(desired.joints - present), sorted(of_file - desired.joints)
    tx.run_batches(components.CONNECT, [list(pair) for pair in missing])
    tx.run_batches(components.DISCONNECT, [list(pair) for pair in gone])
    return bool(missing or gone)


def _write_zones(
    tx: Transaction, network_id: str, desired: DesiredNetwork, stored: Mapping[str, StoredComponent]
) -> bool:
    known = {zone.id: zone for zone in tx.run(networks.ZONES, id=network_id)}
    gone = sorted(known.keys() - desired.zones.keys())
    put = [
        {"id": z.id, "name": z.name, "kind": z.kind}
        for z in desired.zones.values()
        if z.id not in known or (known[z.id].name, known[z.id].kind) != (z.name, z.kind)
    ]
    present = {
        (identifier, zone)
        for identifier, node in stored.items()
        if identifier in desired.components
        for zone in node.zones
    }
    wanted = {(member, zone.id) for zone in desired.zones.values() for member in zone.members}
    missing, surplus = sorted(wanted - present), sorted(present - wanted)
    if gone:
        tx.run_batches(networks.DROP_ZONES, gone, id=network_id)
    if put:
        tx.run_batches(networks.PUT_ZONES, put, id=network_id)
    tx.run_batches(components.PLACE_IN_ZONE, [list(pair) for pair in missing])
    tx.run_batches(components.TAKE_FROM_ZONE, [list(pair) for pair in surplus if pair[1] not in gone])
    return bool(gone or put or missing or surplus)
