"""Cypher of the Outbox: what a derived store still has to learn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from wnis_graph.query import Access, Query, RawRow, nothing


@dataclass(frozen=True)
class OutboxEntry:
    """One change that a derived store has to follow; `action` is ``upsert`` or ``delete``."""

    id: str
    store: str
    subject_id: str
    action: str
    recorded_at: datetime


def _entry(row: RawRow) -> OutboxEntry:
    return OutboxEntry(row["id"], row["store"], row["subject_id"], row["action"], row["recorded_at"].to_native())


# Ids are made by the caller before the transaction begins, so a transaction that the driver runs again after a
# transient error leaves one entry, not two.
APPEND = Query(
    "outbox.append",
    Access.WRITE,
    """
    UNWIND $rows AS row
    MERGE (o:Outbox {utility: $utility, id: row.id})
    ON CREATE SET o.store = row.store, o.subject_id = row.subject_id, o.action = row.action,
                  o.recorded_at = row.recorded_at
    """,
    nothing,
)

PENDING = Query(
    "outbox.pending",
    Access.READ,
    """
    MATCH (o:Outbox {utility: $utility, store: $store})
    WITH o.id AS id, o.store AS store, o.subject_id AS subject_id, o.action AS action, o.recorded_at AS recorded_at
    // one that is acknowledged at this moment is found without its properties: reads do not wait for writes
    WHERE id IS NOT NULL AND subject_id IS NOT NULL AND action IS NOT NULL AND recorded_at IS NOT NULL
    RETURN id, store, subject_id, action, recorded_at
    ORDER BY recorded_at, id
    LIMIT $limit
    """,
    _entry,
)

COUNT = Query(
    "outbox.count",
    Access.READ,
    "MATCH (o:Outbox {utility: $utility, store: $store}) RETURN count(o) AS pending",
    lambda row: int(row["pending"]),
)

ACKNOWLEDGE = Query(
    "outbox.acknowledge",
    Access.WRITE,
    """
    UNWIND $ids AS id
    MATCH (o:Outbox {utility: $utility, id: id})
    DELETE o
    RETURN count(*) AS acknowledged
    """,
    lambda row: int(row["acknowledged"]),
)

UTILITIES = Query(
    "outbox.utilities",
    Access.READ,
    """
    MATCH (u:Utility)
    WHERE EXISTS { (:Outbox {utility: u.id, store: $store}) }
    RETURN u.id AS utility ORDER BY utility
    """,
    lambda row: str(row["utility"]),
    platform=True,
)
