"""Cypher about networks and zones, and the rows it answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wnis_graph.placement import Plane
from wnis_graph.queries.components import RevisionRow, revision_row_of
from wnis_graph.query import Access, Query, RawRow, nothing
from wnis_graph.values import native


@dataclass(frozen=True)
class Network:
    """A network; `plane` is set when it has no coordinate reference system, `counts` are components by type."""

    id: str
    name: str
    title: str
    source_name: str | None
    source_sha256: str | None
    source_key: str | None
    flow_unit: str | None
    headloss_formula: str | None
    duration_s: float | None
    crs: str | None
    plane: Plane | None
    revision: int
    remarks: tuple[str, ...]
    created_at: datetime | None
    updated_at: datetime | None
    synthetic: bool
    counts: Mapping[str, int]
    connections_revision: int = 0
    segments_revision: int | None = None


@dataclass(frozen=True)
class Zone:
    """A zone with the number of its components."""

    id: str
    name: str
    kind: str
    network: str
    components: int


@dataclass(frozen=True)
class StoredComponent:
    """All properties of a component's node, and the ids of its zones."""

    properties: Mapping[str, Any]
    zones: tuple[str, ...]


@dataclass(frozen=True)
class Recorded:
    """All properties of a network's node, and what was recorded of its changes."""

    properties: Mapping[str, Any]
    revisions: tuple[RevisionRow, ...]


def network_of(properties: Mapping[str, Any], counts: Mapping[str, int]) -> Network:
    """The network whose node has `properties`."""
    p = properties
    plane = None
    if p.get("crs") is None and p.get("plane_scale") is not None:
        plane = Plane(p["plane_x"], p["plane_y"], p["plane_scale"])
    return Network(
        id=p["id"],
        name=p["name"],
        title=p.get("title") or "",
        source_name=p.get("source_name"),
        source_sha256=p.get("source_sha256"),
        source_key=p.get("source_key"),
        flow_unit=p.get("flow_unit"),
        headloss_formula=p.get("headloss_formula"),
        duration_s=p.get("duration_s"),
        crs=p.get("crs"),
        plane=plane,
        revision=p["revision"],
        remarks=tuple(p.get("remarks") or ()),
        created_at=native(p.get("created_at")),
        updated_at=native(p.get("updated_at")),
        synthetic=bool(p.get("synthetic")),
        counts=counts,
        connections_revision=p.get("connections_revision") or 0,
        segments_revision=p.get("segments_revision"),
    )


def _network(row: RawRow) -> Network:
    return network_of(row["network"], dict(row["counts"]))


_COUNTED = """
    CALL (n) {
      OPTIONAL MATCH (c:Component) WHERE c.utility = $utility AND c.network = n.id AND c.retired_at IS NULL
      WITH c.type AS type, count(c) AS number WHERE type IS NOT NULL
      RETURN collect([type, number]) AS counts
    }
    RETURN properties(n) AS network, counts ORDER BY n.id
"""

GET = Query(
    "networks.get", Access.READ, "MATCH (n:Network {utility: $utility, id: $id})" + _COUNTED, _network
)  # fmt: skip
LIST = Query("networks.list", Access.READ, "MATCH (n:Network {utility: $utility})" + _COUNTED, _network)

HEADS = Query(
    "networks.heads",
    Access.READ,
    """
    MATCH (n:Network {utility: $utility}) WHERE $id IS NULL OR n.id = $id
    RETURN properties(n) AS network, [] AS counts ORDER BY n.id
    """,
    _network,
)

RECORDED = Query(
    "networks.recorded",
    Access.READ,
    """
    MATCH (n:Network {utility: $utility, id: $id})
    OPTIONAL MATCH (r:Revision {utility: $utility, subject_id: $id})-[:CHANGED]->(n)
    RETURN properties(n) AS network, collect(properties(r)) AS revisions
    """,
    lambda row: Recorded(
        native(dict(row["network"])), tuple(revision_row_of({"revision": r}) for r in row["revisions"])
    ),
)

COUNTS_AT = Query(
    "networks.counts_at",
    Access.READ,
    # the first thing that happened to a component afterwards says whether it was there
    """
    MATCH (c:Component) WHERE c.utility = $utility AND c.network = $id AND c.created_at <= $at
    CALL (c) {
      OPTIONAL MATCH (r:Revision)-[:CHANGED]->(c)
      WHERE r.utility = $utility AND r.recorded_at > $at AND r.action IN ['retire', 'restore']
      RETURN r.action AS next ORDER BY r.recorded_at, r.id LIMIT 1
    }
    WITH c.type AS type, CASE next WHEN 'retire' THEN true WHEN 'restore' THEN false
      ELSE c.retired_at IS NULL END AS there
    WHERE there
    RETURN type, count(*) AS number ORDER BY type
    """,
    lambda row: (str(row["type"]), int(row["number"])),
    timeout_s=60,
)

WRITES_SINCE = Query(
    "networks.writes_since",
    Access.READ,
    # everything that one transaction records has one moment
    """
    CALL () {
      MATCH (r:Revision)-[:CHANGED]->(:Network {utility: $utility, id: $id})
      WHERE r.utility = $utility AND r.recorded_at > $at
      RETURN r.recorded_at AS moment
      UNION
      MATCH (c:Component) WHERE c.utility = $utility AND c.network = $id
      MATCH (r:Revision)-[:CHANGED]->(c) WHERE r.utility = $utility AND r.recorded_at > $at
      RETURN r.recorded_at AS moment
    }
    RETURN count(DISTINCT moment) AS writes
    """,
    lambda row: int(row["writes"]),
    timeout_s=60,
)

LOCK = Query(
    "networks.lock",
    Access.WRITE,
    # MERGE, then a write before the read: importers of one network follow one another
    """
    MERGE (u:Utility {id: $utility}) ON CREATE SET u.name = $utility, u.created_at = datetime()
    MERGE (n:Network {utility: $utility, id: $id})
    ON CREATE SET n.name = $id, n.revision = 0, n.created_at = datetime()
    MERGE (n)-[:OPERATED_BY]->(u)
    SET n.id = n.id
    WITH n
    RETURN properties(n) AS properties
    """,
    lambda row: native(dict(row["properties"])),
)

SET = Query(
    "networks.set",
    Access.WRITE,
    "MATCH (n:Network {utility: $utility, id: $id}) SET n += $properties",
    nothing,
)

BUMP = Query(
    "networks.bump",
    Access.WRITE,
    """
    MATCH (n:Network {utility: $utility, id: $id})
    SET n.revision = n.revision + 1, n.updated_at = $at
    RETURN n.revision AS revision
    """,
    lambda row: int(row["revision"]),
)

BUMP_CONNECTIONS = Query(
    "networks.bump_connections",
    Access.WRITE,
    """
    MATCH (n:Network {utility: $utility, id: $id})
    SET n.connections_revision = coalesce(n.connections_revision, 0) + 1
    """,
    nothing,
)

RECORD_REVISION = Query(
    "networks.record_revision",
    Access.WRITE,
    """
    MATCH (n:Network {utility: $utility, id: $id})
    CREATE (r:Revision) SET r = $row, r.utility = $utility
    CREATE (r)-[:CHANGED]->(n)
    """,
    nothing,
)

STORED_COMPONENTS = Query(
    "networks.stored_components",
    Access.READ,
    """
    MATCH (c:Component) WHERE c.utility = $utility AND c.network = $id
    // the two times are of no use here, and making them costs the driver a quarter of the reading
    RETURN c {.*, created_at: null, updated_at: null} AS properties, [(c)-[:PART_OF]->(z:Zone) | z.id] AS zones
    ORDER BY c.id
    """,
    lambda row: StoredComponent(native(dict(row["properties"])), tuple(row["zones"])),
    timeout_s=60,
)

JOINTS = Query(
    "networks.joints",
    Access.READ,
    """
    MATCH (a:Component)-[:CONNECTED_TO]->(b:Component) WHERE a.utility = $utility AND a.network = $id
    RETURN a.id AS start, b.id AS end ORDER BY start, end
    """,
    lambda row: (str(row["start"]), str(row["end"])),
    timeout_s=60,
)

FOREIGN_IDS = Query(
    "networks.foreign_ids",
    Access.READ,
    """
    UNWIND $ids AS id
    MATCH (c:Component {utility: $utility, id: id}) WHERE c.network <> $network
    RETURN c.id AS id ORDER BY id LIMIT 5
    """,
    lambda row: str(row["id"]),
    timeout_s=60,
)

ZONES = Query(
    "networks.zones",
    Access.READ,
    """
    MATCH (z:Zone)-[:PART_OF]->(n:Network {utility: $utility})
    WHERE z.utility = $utility AND ($id IS NULL OR n.id = $id)
    RETURN z.id AS id, z.name AS name, z.kind AS kind, n.id AS network,
      COUNT { (z)<-[:PART_OF]-(c:Component) WHERE c.retired_at IS NULL } AS components
    ORDER BY network, id
    """,
    lambda row: Zone(row["id"], row["name"], row["kind"], row["network"], row["components"]),
)

PUT_ZONES = Query(
    "networks.put_zones",
    Access.WRITE,
    """
    MATCH (n:Network {utility: $utility, id: $id})
    UNWIND $rows AS row
    MERGE (z:Zone {utility: $utility, id: row.id})
    SET z.name = row.name, z.kind = row.kind
    MERGE (z)-[:PART_OF]->(n)
    """,
    nothing,
)

DROP_ZONES = Query(
    "networks.drop_zones",
    Access.WRITE,
    """
    UNWIND $rows AS zone
    MATCH (z:Zone {utility: $utility, id: zone})-[:PART_OF]->(:Network {utility: $utility, id: $id})
    DETACH DELETE z
    """,
    nothing,
)
