"""Cypher that reads what the map colours by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from wnis_graph.query import Access, Query
from wnis_graph.values import native


@dataclass(frozen=True)
class MapRow:
    """A component as the map shows it."""

    id: str
    type: str
    name: str
    status: str
    health: str
    material: str | None
    diameter_m: float | None
    install_date: date | None
    zone: str | None
    shape: tuple[float, ...]


COMPONENTS = Query(
    "maps.components",
    Access.READ,
    """
    MATCH (c:Component) WHERE c.utility = $utility AND c.network = $id AND c.retired_at IS NULL
    RETURN c.id AS id, c.type AS type, c.name AS name, c.status AS status, c.health AS health,
      c.material AS material, c.diameter_m AS diameter, c.install_date AS installed,
      head([(c)-[:PART_OF]->(z:Zone) | z.id]) AS zone,
      coalesce(c.shape, CASE WHEN c.location IS NULL THEN [] ELSE [c.location.x, c.location.y] END) AS shape
    ORDER BY id
    """,
    lambda row: MapRow(
        row["id"], row["type"], row["name"], row["status"], row["health"], row["material"], row["diameter"],
        native(row["installed"]), row["zone"], tuple(row["shape"]),
    ),
    timeout_s=60,
)  # fmt: skip
