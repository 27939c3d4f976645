"""Cypher about components, and the rows it answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from wnis_graph.query import Access, Query, RawRow, nothing
from wnis_graph.schema.ddl import text_index
from wnis_graph.schema.model import COMPONENT_LABELS
from wnis_graph.values import Location, native


@dataclass(frozen=True)
class ZoneReference:
    """A zone as components name it."""

    id: str
    name: str
    kind: str


@dataclass(frozen=True)
class Connected:
    """A component that shares a relationship with another; `outgoing` when it is the relationship's end."""

    id: str
    type: str
    name: str
    relationship: str
    outgoing: bool


@dataclass(frozen=True)
class Component:
    """A component: what every one has, and its other properties by their declared names."""

    id: str
    type: str
    name: str
    status: str
    health: str
    network: str
    revision: int
    zone: ZoneReference | None
    location: Location | None
    shape: tuple[tuple[float, float], ...]
    retired_at: datetime | None
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ComponentCounts:
    """How much hangs on a component."""

    incidents: int
    open_incidents: int
    predictions: int
    feedback: int
    service_connections: int
    customers: int


@dataclass(frozen=True)
class LatestSummary:
    """What the last run that succeeded says of a component: the summary's numbers by their declared names."""

    run_id: str
    finished_at: datetime | None
    numbers: Mapping[str, float]


@dataclass(frozen=True)
class ComponentPage:
    """A component with its surroundings, as one round trip reads it."""

    component: Component
    connected: tuple[Connected, ...]
    network_name: str
    counts: ComponentCounts
    latest_summary: LatestSummary | None = None


@dataclass(frozen=True)
class RevisionRow:
    """A recorded change; the old and new properties are JSON by declared kind."""

    id: str
    subject_id: str
    action: str
    old_json: str | None
    new_json: str | None
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True)
class ServedConnection:
    """Customers who take their water from a component."""

    id: str
    name: str
    customers: int
    critical: bool
    component_id: str


_HEADER = frozenset(
    {"id", "utility", "type", "name", "status", "health", "network", "revision", "location", "shape", "vertices",
     "retired_at"}
)  # fmt: skip


def component_of(properties: Mapping[str, Any], zone: Mapping[str, Any] | None) -> Component:
    """The component whose node has `properties`."""
    flat = properties.get("shape") or []
    return Component(
        id=properties["id"],
        type=properties["type"],
        name=properties["name"],
        status=properties["status"],
        health=properties["health"],
        network=properties["network"],
        revision=properties["revision"],
        zone=ZoneReference(zone["id"], zone["name"], zone["kind"]) if zone else None,
        location=native(properties.get("location")),
        shape=tuple(zip(flat[::2], flat[1::2], strict=True)),
        retired_at=native(properties.get("retired_at")),
        properties={k: native(v) for k, v in sorted(properties.items()) if k not in _HEADER},
    )


def _listed(row: RawRow) -> Component:
    return component_of(row["component"], row["zone"])


def _page(row: RawRow) -> ComponentPage:
    return ComponentPage(
        component=component_of(row["component"], row["zone"]),
        connected=tuple(Connected(*c) for c in sorted(row["connected"])),
        network_name=row["network_name"] or "",
        counts=ComponentCounts(*row["counts"]),
        latest_summary=_summary(row["latest"]),
    )


def _summary(latest: RawRow | None) -> LatestSummary | None:
    if latest is None:
        return None
    numbers = {name: value for name, value in latest["result"].items() if isinstance(value, float)}
    return LatestSummary(latest["run_id"], native(latest["finished_at"]), numbers)


def revision_row_of(row: RawRow) -> RevisionRow:
    r = row["revision"]
    return RevisionRow(
        r["id"], r["subject_id"], r["action"], r.get("old_json"), r.get("new_json"), r["recorded_by"],
        native(r["recorded_at"]),
    )  # fmt: skip


_ZONE = "head([(c)-[:PART_OF]->(z:Zone) | z {.id, .name, .kind}])"

GET = Query(
    "components.get",
    Access.READ,
    f"""
    MATCH (c:Component {{utility: $utility, id: $id}})
    RETURN properties(c) AS component, {_ZONE} AS zone,
      [(c)-[r:CONNECTED_TO|LOCATED_ON|MEASURES]->(o:Component) WHERE o.retired_at IS NULL
        | [o.id, o.type, o.name, type(r), true]]
      + [(c)<-[r:CONNECTED_TO|LOCATED_ON|MEASURES]-(o:Component) WHERE o.retired_at IS NULL
        | [o.id, o.type, o.name, type(r), false]] AS connected,
      head([(c)-[:PART_OF]->(n:Network) | n.name]) AS network_name,
      [COUNT {{ (c)<-[:AFFECTED]-(:Incident) }}, COUNT {{ (c)<-[:AFFECTED]-(:Incident {{status: 'open'}}) }},
       COUNT {{ (c)<-[:ABOUT]-(:Prediction) }}, COUNT {{ (c)<-[:ABOUT]-(:Feedback) }},
       COUNT {{ (c)<-[:SERVED_BY]-(:ServiceConnection) }},
       reduce(sum = 0, n IN [(c)<-[:SERVED_BY]-(s:ServiceConnection) | s.customers] | sum + n)] AS counts,
      head(COLLECT {{
        MATCH (c)<-[:ABOUT]-(s:SimulationResult)<-[:PRODUCED]-(r:SimulationRun)
        WHERE r.state = 'succeeded' AND r.kind = 'hydraulic'
        WITH s, r ORDER BY r.finished_at DESC, r.id DESC LIMIT 1
        RETURN {{run_id: r.id, finished_at: r.finished_at, result: properties(s)}}
      }}) AS latest
    """,
    _page,
)

BY_IDS = Query(
    "components.by_ids",
    Access.READ,
    f"""
    UNWIND $ids AS id
    MATCH (c:Component {{utility: $utility, id: id}})
    RETURN properties(c) AS component, {_ZONE} AS zone ORDER BY id
    """,
    _listed,
)

IDS_BY_NAME = Query(
    "components.ids_by_name",
    Access.READ,
    """
    MATCH (c:Component {utility: $utility, name: $name})
    WHERE ($network IS NULL OR c.network = $network) AND c.retired_at IS NULL
    RETURN c.id AS id ORDER BY id LIMIT 50
    """,
    lambda row: str(row["id"]),
)

SORTS: dict[str, str] = {
    "id": "c.id",
    "name": "c.name",
    "type": "c.type",
    "status": "c.status",
    "health": "c.health",
    "network": "c.network",
    "material": "coalesce(c.material, '')",
    "install_date": "coalesce(c.install_date, date('0001-01-01'))",
    "updated_at": "coalesce(c.updated_at, datetime('0001-01-01T00:00:00Z'))",
    "diameter_m": "coalesce(c.diameter_m, -1.0)",
    "length_m": "coalesce(c.length_m, -1.0)",
}
"""Sort keys as Cypher; what is not known sorts lowest. Ties are broken by id, so every order is total."""

# a composite index serves only a statement that says something about each of its properties
_SCAN = "MATCH (c:Component) WHERE c.utility = $utility AND c.id IS NOT NULL"
_BY_NAME = "MATCH (c:Component) WHERE c.utility = $utility AND c.name IS NOT NULL"
_SEARCH = f"""
    CALL () {{
      CALL db.index.fulltext.queryNodes('{text_index("Component")}', $text) YIELD node
      WHERE node.utility = $utility RETURN node AS c
      UNION
      MATCH (c:Component) WHERE c.utility = $utility AND c.name STARTS WITH $prefix RETURN c
      UNION
      MATCH (c:Component) WHERE c.utility = $utility AND c.id STARTS WITH $prefix RETURN c
    }}
    WITH c WHERE c.utility = $utility"""
_FILTERS = """
      AND ($type IS NULL OR c.type = $type)
      AND ($network IS NULL OR c.network = $network)
      AND ($status IS NULL OR c.status = $status)
      AND ($health IS NULL OR c.health = $health)
      AND ($material IS NULL OR c.material = $material)
      AND ($retired OR c.retired_at IS NULL)
      AND ($zone IS NULL OR EXISTS { (c)-[:PART_OF]->(:Zone {utility: $utility, id: $zone}) })
      AND ($boxes IS NULL OR (c.location.x >= $boxes[c.network][0] AND c.location.y >= $boxes[c.network][1]
        AND c.location.x <= $boxes[c.network][2] AND c.location.y <= $boxes[c.network][3]))"""


def _list_query(sort: str, descending: bool, search: bool) -> Query[Component]:
    name = f"components.{'search' if search else 'list'}_by_{sort}{'_desc' if descending else ''}"
    key, beyond, order = SORTS[sort], "<" if descending else ">", "DESC" if descending else "ASC"
    if sort == "id":
        # naming the index's first property too lets the index itself give the order, so a page stops early
        keyset, ordering = f"c.id {beyond} $after_id", f"c.utility {order}, c.id {order}"
    else:
        # the first half lets the index start at the key, the second tells equal keys apart
        keyset = f"{key} {beyond}= $after_key AND ({key} {beyond} $after_key OR c.id {beyond} $after_id)"
        keyset = f"($after_key IS NULL OR ({keyset}))" if sort != "name" else keyset
        ordering = f"{key} {order}, c.id {order}"
    scan = _BY_NAME if sort == "name" else _SCAN
    return Query(
        name,
        Access.READ,
        f"""{_SEARCH if search else scan}{_FILTERS}
      AND {keyset}
    WITH c ORDER BY {ordering} LIMIT $limit
    RETURN properties(c) AS component, {_ZONE} AS zone
    ORDER BY {ordering}""",
        _listed,
    )


LAST_TEXT = "\U0010ffff"
"""Sorts after every id and name."""

LISTS: dict[tuple[str, bool, bool], Query[Component]] = {
    (sort, descending, search): _list_query(sort, descending, search)
    for sort in SORTS
    for descending in (False, True)
    for search in (False, True)
}
"""By sort key, descending, and whether words are searched for."""

CREATE: dict[str, Query[None]] = {
    label: Query(
        f"components.create_{label.lower()}",
        Access.WRITE,
        f"""
        MATCH (n:Network {{utility: $utility, id: $network}})
        UNWIND $rows AS row
        // with its utility from the start: set afterwards it would enter every index a second time
        CREATE (c:Component:{label} {{utility: $utility, network: $network}})
        SET c += row, c.utility = $utility, c.network = $network, c.created_at = $at, c.updated_at = $at
        CREATE (c)-[:PART_OF]->(n)
        """,
        nothing,
        timeout_s=60,
    )
    for label in COMPONENT_LABELS
}
"""By label: nodes from their properties, each joined to its network; the moment goes over the wire once, not by row."""

SET = Query(
    "components.set",
    Access.WRITE,
    """
    UNWIND $rows AS row
    MATCH (c:Component {utility: $utility, id: row.id})
    SET c += row.properties
    """,
    nothing,
    timeout_s=60,
)

LOCK = Query(
    "components.lock",
    Access.WRITE,
    # the write takes the node's lock before its properties are read
    """
    MATCH (c:Component {utility: $utility, id: $id})
    SET c.id = c.id
    WITH c
    RETURN properties(c) AS properties
    """,
    lambda row: native(dict(row["properties"])),
)

LOCK_MANY = Query(
    "components.lock_many",
    Access.WRITE,
    # `ids` in order, so that two writers at once wait instead of locking each other out
    """
    UNWIND $ids AS id
    MATCH (c:Component {utility: $utility, id: id})
    SET c.id = c.id
    WITH c
    RETURN properties(c) AS properties
    """,
    lambda row: native(dict(row["properties"])),
    timeout_s=60,
)

CONNECT = Query(
    "components.connect",
    Access.WRITE,
    """
    UNWIND $rows AS row
    MATCH (a:Component {utility: $utility, id: row[0]}), (b:Component {utility: $utility, id: row[1]})
    MERGE (a)-[:CONNECTED_TO]->(b)
    RETURN count(*) AS joined
    """,
    lambda row: int(row["joined"]),
    timeout_s=60,
)

DISCONNECT = Query(
    "components.disconnect",
    Access.WRITE,
    """
    UNWIND $rows AS row
    MATCH (:Component {utility: $utility, id: row[0]})-[r:CONNECTED_TO]->(:Component {utility: $utility, id: row[1]})
    DELETE r
    """,
    nothing,
    timeout_s=60,
)

PLACE_IN_ZONE = Query(
    "components.place_in_zone",
    Access.WRITE,
    """
    UNWIND $rows AS row
    MATCH (c:Component {utility: $utility, id: row[0]}), (z:Zone {utility: $utility, id: row[1]})
    MERGE (c)-[:PART_OF]->(z)
    RETURN count(*) AS placed
    """,
    lambda row: int(row["placed"]),
    timeout_s=60,
)

TAKE_FROM_ZONE = Query(
    "components.take_from_zone",
    Access.WRITE,
    """
    UNWIND $rows AS row
    MATCH (:Component {utility: $utility, id: row[0]})-[r:PART_OF]->(:Zone {utility: $utility, id: row[1]})
    DELETE r
    """,
    nothing,
    timeout_s=60,
)

RECORD_REVISIONS = Query(
    "components.record_revisions",
    Access.WRITE,
    """
    UNWIND $rows AS row
    MATCH (c:Component {utility: $utility, id: row.subject_id})
    CREATE (r:Revision) SET r = row, r.utility = $utility
    CREATE (r)-[:CHANGED]->(c)
    """,
    nothing,
    timeout_s=60,
)

HISTORY = Query(
    "components.history",
    Access.READ,
    """
    MATCH (r:Revision {utility: $utility, subject_id: $id})-[:CHANGED]->(:Component {utility: $utility, id: $id})
    RETURN properties(r) AS revision ORDER BY r.recorded_at DESC, r.id DESC
    """,
    revision_row_of,
)

SERVICE_CONNECTIONS = Query(
    "components.service_connections",
    Access.READ,
    """
    MATCH (:Component {utility: $utility, id: $id})<-[:SERVED_BY]-(s:ServiceConnection)
    RETURN s.id AS id, s.name AS name, s.customers AS customers, s.critical AS critical, $id AS component_id
    ORDER BY s.critical DESC, s.customers DESC, s.id
    """,
    lambda row: ServedConnection(*(row[k] for k in ("id", "name", "customers", "critical", "component_id"))),
)
