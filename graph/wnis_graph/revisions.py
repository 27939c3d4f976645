"""Recorded changes: what a write leaves behind, and how the past is read from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wnis_core.clock import now
from wnis_core.ids import new_id

from wnis_graph.queries.components import RevisionRow
from wnis_graph.schema.declaration import Kind, Property
from wnis_graph.schema.model import SCHEMA
from wnis_graph.scope import Scope
from wnis_graph.values import properties_from_json, properties_to_json

UNRECORDED = frozenset({"revision", "updated_at", "health", "health_reason"})
"""Bookkeeping and derived properties: changes of these leave no Revision."""

ENDS = frozenset({"start", "end"})
"""What a Revision also records of a link and no property holds: the ids of the nodes that it joins."""
_JOINED = Property("end", Kind.STRING, "id of a node that a link joins")


@dataclass(frozen=True)
class Change:
    """One change of a component: its properties before and after, only those that differ."""

    id: str
    action: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    recorded_by: str
    recorded_at: datetime


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What of `after` differs from `before`, as (old, new); absent counts as None."""
    changed = sorted(k for k in after if before.get(k) != after[k])
    return {k: before.get(k) for k in changed}, {k: after[k] for k in changed}


def revision_row(
    scope: Scope,
    subject_id: str,
    action: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    at: datetime | None = None,
) -> dict[str, Any]:
    """Properties of a Revision node: what `scope`'s user did to `subject_id`."""
    return SCHEMA.require(
        "Revision",
        {
            "id": new_id("revision"),
            "utility": scope.utility,
            "subject_id": subject_id,
            "action": action,
            "old_json": properties_to_json({k: v for k, v in old.items() if k not in UNRECORDED}),
            "new_json": properties_to_json({k: v for k, v in new.items() if k not in UNRECORDED}),
            "recorded_by": scope.user,
            "recorded_at": at or now(),
        },
    )


def change_of(row: RevisionRow, label: str) -> Change:
    """The change that a Revision records, its values typed by the schema."""
    declared = SCHEMA.properties_of(label)
    joined = dict.fromkeys(ENDS, _JOINED)
    return Change(
        id=row.id,
        action=row.action,
        old=properties_from_json(row.old_json, {**joined, **declared}),
        new=properties_from_json(row.new_json, {**joined, **declared}),
        recorded_by=row.recorded_by,
        recorded_at=row.recorded_at,
    )


def rewind(properties: Mapping[str, Any], changes: Iterable[Change], moment: datetime) -> dict[str, Any]:
    """`properties` as they were at `moment`: every later change undone, newest first."""
    past = dict(properties)
    for change in sorted(changes, key=lambda c: (c.recorded_at, c.id), reverse=True):
        if change.recorded_at <= moment:
            break
        past.update({name: value for name, value in change.old.items() if name not in ENDS})
    return {k: v for k, v in past.items() if v is not None}
