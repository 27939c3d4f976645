"""Cypher that reads what belongs to a network beside its components, for the bundle."""

from __future__ import annotations

from typing import Any

from wnis_graph.query import Access, Query
from wnis_graph.values import native


def _row(*names: str) -> Any:
    return lambda record: {name: native(record[name]) for name in names}


CONNECTIONS: Query[dict[str, Any]] = Query(
    "exports.connections",
    Access.READ,
    """
    MATCH (a:Component {utility: $utility, network: $id})-[:CONNECTED_TO]->(b:Component {utility: $utility})
    WHERE a.retired_at IS NULL AND b.retired_at IS NULL
    RETURN a.id AS start, b.id AS end ORDER BY start, end
    """,
    _row("start", "end"),
    timeout_s=120,
)
SEATS: Query[dict[str, Any]] = Query(
    "exports.seats",
    Access.READ,
    """
    MATCH (v:Valve {utility: $utility, network: $id})-[on:LOCATED_ON]->(c:Component {utility: $utility})
    WHERE v.retired_at IS NULL AND c.retired_at IS NULL
    RETURN v.id AS valve, c.id AS link, on.near AS near, on.offset_m AS offset_m ORDER BY valve, link
    """,
    _row("valve", "link", "near", "offset_m"),
    timeout_s=120,
)
MEASUREMENTS: Query[dict[str, Any]] = Query(
    "exports.measurements",
    Access.READ,
    """
    MATCH (s:Sensor {utility: $utility, network: $id})-[m:MEASURES]->(c:Component {utility: $utility})
    WHERE s.retired_at IS NULL AND c.retired_at IS NULL
    RETURN s.id AS sensor, c.id AS component, m.quantity AS quantity ORDER BY sensor, component, quantity
    """,
    _row("sensor", "component", "quantity"),
    timeout_s=120,
)
SERVICE_CONNECTIONS: Query[dict[str, Any]] = Query(
    "exports.service_connections",
    Access.READ,
    """
    MATCH (s:ServiceConnection {utility: $utility})-[:SERVED_BY]->(c:Component {utility: $utility, network: $id})
    WHERE c.retired_at IS NULL
    WITH s, c ORDER BY c.id
    RETURN s.id AS id, s.name AS name, s.customers AS customers, s.critical AS critical,
      collect(c.id) AS served_by ORDER BY id
    """,
    _row("id", "name", "customers", "critical", "served_by"),
    timeout_s=120,
)
INCIDENTS: Query[dict[str, Any]] = Query(
    "exports.incidents",
    Access.READ,
    """
    MATCH (i:Incident {utility: $utility})-[:AFFECTED]->(c:Component {utility: $utility, network: $id})
    WITH i, c ORDER BY c.id
    RETURN i.id AS id, i.kind AS kind, i.occurred_at AS occurred_at, i.available_at AS available_at,
      i.severity AS severity, i.status AS status, i.cause AS cause, i.repair AS repair, i.narrative AS narrative,
      coalesce(i.synthetic, false) AS synthetic, collect(c.id) AS components ORDER BY id
    """,
    _row("id", "kind", "occurred_at", "available_at", "severity", "status", "cause", "repair", "narrative",
         "synthetic", "components"),
    timeout_s=120,
)  # fmt: skip
