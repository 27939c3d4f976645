"""Cypher of asset registers: attributes of known components, and service connections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wnis_graph.query import Access, Query
from wnis_graph.values import native


@dataclass(frozen=True)
class Registered:
    """All properties of a component that a register names."""

    properties: Mapping[str, Any]


LOCK_COMPONENTS = Query(
    "assets.lock_components",
    Access.WRITE,
    # one lock order (by id) for all, so that two registers at once wait instead of deadlocking
    """
    MATCH (c:Component) WHERE c.utility = $utility AND c.network = $network AND c.retired_at IS NULL
      AND (c.id IN $names OR c.name IN $names OR c.source_id IN $names)
    WITH c ORDER BY c.id
    SET c.id = c.id
    WITH c
    RETURN properties(c) AS properties
    """,
    lambda row: Registered(native(dict(row["properties"]))),
    timeout_s=60,
)

PUT_CONNECTIONS = Query(
    "assets.put_connections",
    Access.WRITE,
    """
    UNWIND $rows AS row
    MATCH (c:Component {utility: $utility, id: row.served_by})
    OPTIONAL MATCH (known:ServiceConnection {utility: $utility, id: row.id})
    WITH row, c, known IS NULL AS created
    MERGE (s:ServiceConnection {utility: $utility, id: row.id})
    SET s += row.properties
    WITH s, c, created, row
    OPTIONAL MATCH (s)-[old:SERVED_BY]->(other) WHERE other <> c
    DELETE old
    WITH DISTINCT s, c, created, row
    MERGE (s)-[l:SERVED_BY]->(c)
    SET l.offset_m = row.offset_m
    RETURN s.id AS id, created
    """,
    lambda row: (str(row["id"]), bool(row["created"])),
    timeout_s=60,
)
