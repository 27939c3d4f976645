"""Cypher of incidents: what happened, when it was known, and which components it affected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from wnis_graph.query import Access, Query, RawRow, nothing
from wnis_graph.values import Location, native


@dataclass(frozen=True)
class AffectedComponent:
    """A component that an incident happened to."""

    id: str
    type: str
    name: str


@dataclass(frozen=True)
class Incident:
    """Something that happened; `available_at` is when it was known and may be used by a prediction."""

    id: str
    kind: str
    occurred_at: datetime
    available_at: datetime
    status: str
    source_id: str | None
    narrative: str | None
    severity: str | None
    cause: str | None
    repair: str | None
    location: Location | None
    created_at: datetime | None
    synthetic: bool
    components: tuple[AffectedComponent, ...]

    @property
    def text(self) -> str:
        """The words about it: narrative, cause and repair, each once."""
        return ". ".join(dict.fromkeys(part.strip(" .") for part in (self.narrative, self.cause, self.repair) if part))


@dataclass(frozen=True)
class Reference:
    """A component that a person's reference may mean; `rank` 0 by id, 1 by the register's key, 2 by name."""

    reference: str
    rank: int
    id: str


def _incident(row: RawRow) -> Incident:
    node = native(row["incident"])
    return Incident(
        id=node["id"],
        kind=node["kind"],
        occurred_at=node["occurred_at"],
        available_at=node["available_at"],
        status=node["status"],
        source_id=node.get("source_id"),
        narrative=node.get("narrative"),
        severity=node.get("severity"),
        cause=node.get("cause"),
        repair=node.get("repair"),
        location=node.get("location"),
        created_at=node.get("created_at"),
        synthetic=bool(node.get("synthetic")),
        components=tuple(AffectedComponent(c["id"], c["type"], c["name"]) for c in row["components"]),
    )


# what every query that answers incidents returns
_ANSWER = """
    i {.*} AS incident,
    COLLECT {
        MATCH (i)-[:AFFECTED]->(c:Component {utility: $utility})
        RETURN c {.id, .type, .name} ORDER BY c.id
    } AS components
"""

GET = Query(
    "incidents.get",
    Access.READ,
    f"MATCH (i:Incident {{utility: $utility, id: $id}}) RETURN {_ANSWER}",
    _incident,
)

GET_MANY = Query(
    "incidents.get_many",
    Access.READ,
    f"UNWIND $ids AS id MATCH (i:Incident {{utility: $utility, id: id}}) RETURN {_ANSWER}",
    _incident,
)

LIST = Query(
    "incidents.list",
    Access.READ,
    f"""
    MATCH (i:Incident {{utility: $utility}})
    WHERE i.occurred_at IS NOT NULL
      AND ($kind IS NULL OR i.kind = $kind)
      AND ($since IS NULL OR i.occurred_at >= $since)
      AND ($zone IS NULL OR EXISTS {{
          (i)-[:AFFECTED]->(:Component {{utility: $utility}})-[:PART_OF]->(:Zone {{utility: $utility, id: $zone}})
      }})
      AND ($status IS NULL OR i.status = $status)
      AND ($until IS NULL OR i.occurred_at < $until)
      AND ($words IS NULL
           OR all(word IN $words WHERE toLower(coalesce(i.narrative, '') + ' ' + coalesce(i.cause, '') + ' '
                                               + coalesce(i.repair, '')) CONTAINS word))
      AND ($component_id IS NULL
           OR EXISTS {{ (i)-[:AFFECTED]->(:Component {{utility: $utility, id: $component_id}}) }})
      AND ($after_occurred_at IS NULL OR i.occurred_at < $after_occurred_at
           OR (i.occurred_at = $after_occurred_at AND i.id > $after_id))
    WITH i ORDER BY i.occurred_at DESC, i.id LIMIT $limit
    RETURN {_ANSWER} ORDER BY i.occurred_at DESC, i.id
    """,
    _incident,
)

OF_COMPONENT = Query(
    "incidents.of_component",
    Access.READ,
    f"""
    MATCH (:Component {{utility: $utility, id: $component_id}})<-[:AFFECTED]-(i:Incident {{utility: $utility}})
    RETURN {_ANSWER} ORDER BY i.occurred_at DESC, i.id
    """,
    _incident,
)

# "IS NOT NULL" lets the planner take the index on (utility, id) instead of reading every tenant's incidents
IDS = Query(
    "incidents.ids",
    Access.READ,
    "MATCH (i:Incident {utility: $utility}) WHERE i.id IS NOT NULL RETURN i.id AS id ORDER BY id",
    lambda row: str(row["id"]),
)

UTILITIES = Query(
    "incidents.utilities",
    Access.READ,
    """
    MATCH (u:Utility)
    WHERE EXISTS { (i:Incident {utility: u.id}) WHERE i.id IS NOT NULL }
    RETURN u.id AS utility ORDER BY utility
    """,
    lambda row: str(row["utility"]),
    platform=True,
)

REFERENCES = Query(
    "incidents.references",
    Access.READ,
    """
    UNWIND $references AS reference
    CALL (reference) {
        MATCH (c:Component {utility: $utility, id: reference}) RETURN c, 0 AS rank
        UNION
        MATCH (c:Component {utility: $utility, source_id: reference})
        WHERE $network IS NULL OR c.network = $network RETURN c, 1 AS rank
        UNION
        MATCH (c:Component {utility: $utility, name: reference})
        WHERE $network IS NULL OR c.network = $network RETURN c, 2 AS rank
    }
    RETURN reference, rank, c.id AS id ORDER BY reference, rank, id
    """,
    lambda row: Reference(row["reference"], row["rank"], row["id"]),
)

CREATE = Query(
    "incidents.create",
    Access.WRITE,
    """
    UNWIND $rows AS row
    CREATE (i:Incident {utility: $utility, id: row.id})
    SET i += row.properties
    """,
    nothing,
)

UPSERT = Query(
    "incidents.upsert",
    Access.WRITE,
    """
    UNWIND $rows AS row
    MERGE (i:Incident {utility: $utility, id: row.id})
    SET i += row.properties
    """,
    nothing,
)

UNLINK = Query(
    "incidents.unlink",
    Access.WRITE,
    """
    UNWIND $rows AS row
    MATCH (:Incident {utility: $utility, id: row.id})-[old:AFFECTED]->(c:Component)
    WHERE NOT c.id IN row.components
    DELETE old
    """,
    nothing,
)

LINK = Query(
    "incidents.link",
    Access.WRITE,
    """
    UNWIND $rows AS row
    MATCH (i:Incident {utility: $utility, id: row.id})
    UNWIND row.components AS component
    MATCH (c:Component {utility: $utility, id: component})
    MERGE (i)-[:AFFECTED]->(c)
    """,
    nothing,
)

USES = Query(
    "incidents.uses",
    Access.READ,
    """
    MATCH (:Incident {utility: $utility, id: $id})-[:USED_IN]->(p:Prediction {utility: $utility})
    RETURN count(p) AS uses
    """,
    lambda row: int(row["uses"]),
)

DELETE = Query(
    "incidents.delete",
    Access.WRITE,
    "MATCH (i:Incident {utility: $utility, id: $id}) DETACH DELETE i",
    nothing,
)

FIND_WORDS = Query(
    "incidents.find_words",
    Access.READ,
    """
    CALL db.index.fulltext.queryNodes($index, $lucene) YIELD node AS i, score
    WHERE i.utility = $utility
      AND ($kind IS NULL OR i.kind = $kind)
      AND ($since IS NULL OR i.occurred_at >= $since)
      AND ($components IS NULL
           OR EXISTS { (i)-[:AFFECTED]->(c:Component {utility: $utility}) WHERE c.id IN $components })
    RETURN i.id AS id, score ORDER BY score DESC, id LIMIT $limit
    """,
    lambda row: (str(row["id"]), float(row["score"])),
)

COMPONENTS_OF_ZONE = Query(
    "incidents.components_of_zone",
    Access.READ,
    """
    MATCH (z:Zone {utility: $utility, id: $zone})
    RETURN COLLECT { MATCH (z)<-[:PART_OF]-(c:Component {utility: $utility}) RETURN c.id } AS ids
    """,
    lambda row: [str(component) for component in row["ids"]],
)
