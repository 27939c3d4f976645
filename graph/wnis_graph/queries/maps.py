"""Cypher that reads what the map colours by, and how a network is drawn."""

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


@dataclass(frozen=True)
class DrawnComponent:
    """A component as it is drawn, to match registers against.

    Parameters
    ----------
    start, end : ids of the nodes at the ends of a link
    shape : flattened line or point; degrees (WGS 84), or source coordinates of a network without coordinate system
    """

    id: str
    type: str
    name: str
    source_id: str | None
    length_m: float | None
    start: str | None
    end: str | None
    shape: tuple[float, ...]


DRAWN = Query(
    "maps.drawn",
    Access.READ,
    """
    MATCH (c:Component) WHERE c.utility = $utility AND c.network = $id AND c.retired_at IS NULL
    RETURN c.id AS id, c.type AS type, c.name AS name, c.source_id AS source_id, c.length_m AS length,
      CASE WHEN c.type IN ['Pipe', 'Pump', 'Valve'] THEN head([(a:Component)-[:CONNECTED_TO]->(c) | a.id]) END AS start,
      CASE WHEN c.type IN ['Pipe', 'Pump', 'Valve'] THEN head([(c)-[:CONNECTED_TO]->(b:Component) | b.id]) END AS end,
      coalesce(c.shape, CASE WHEN c.location IS NULL THEN [] ELSE [c.location.x, c.location.y] END) AS shape
    ORDER BY id
    """,
    lambda row: DrawnComponent(
        row["id"], row["type"], row["name"], row["source_id"], row["length"], row["start"], row["end"],
        tuple(row["shape"]),
    ),
    timeout_s=60,
)  # fmt: skip
