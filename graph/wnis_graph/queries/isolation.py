"""Cypher of isolation: the components as pieces need them, who takes water where, and the kept segments."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Any

from wnis_graph.query import Access, Query, RawRow, nothing
from wnis_graph.values import Location, native

BLOCKED = frozenset({"closed", "out_of_service"})


@dataclass(frozen=True)
class Part:
    """A component as isolation sees it.

    Parameters
    ----------
    one_way : lets water through from its start to its end only: pump, check valve, PRV and PSV under control
    isolates : is an isolation valve between two nodes: gate, butterfly, ball or plug, or a TCV marked so
    demand_m3s : base demand of a junction before patterns
    volume_m3 : usable volume of a tank at its initial level
    """

    id: str
    type: str
    name: str
    status: str
    length_m: float
    one_way: bool = False
    isolates: bool = False
    demand_m3s: float = 0.0
    volume_m3: float = 0.0

    @property
    def blocked(self) -> bool:
        """Whether no water passes as it stands."""
        return self.status in BLOCKED


@dataclass(frozen=True)
class Seat:
    """A valve's place on a pipe: `offset_m` from the pipe's end node `near`."""

    valve: str
    pipe: str
    near: str
    offset_m: float


@dataclass(frozen=True)
class Connection:
    """Customers and where they take their water; `offset_m` is from the start of the pipe, when it is known."""

    id: str
    name: str
    customers: int
    critical: bool
    component: str
    offset_m: float | None = None


@dataclass(frozen=True)
class KeptSegment:
    """A Segment node."""

    id: str
    components: int
    length_m: float
    customers: int
    demand_m3s: float
    valves: tuple[str, ...]


def _volume_m3(tank: RawRow) -> float:
    """Usable volume above the lowest level, at the level the source states."""
    least = tank["min_volume"] or 0.0
    if tank["fraction"] is not None and tank["capacity"] is not None:
        return max(float(tank["capacity"] * tank["fraction"]) - least, 0.0)
    if None in (tank["diameter"], tank["init"]):
        return 0.0
    height = tank["init"] - (tank["min"] or 0.0)
    return float(max(height, 0.0) * pi * tank["diameter"] ** 2 / 4)


PARTS = Query(
    "isolation.parts",
    Access.READ,
    """
    MATCH (c:Component) WHERE c.utility = $utility AND c.network = $id AND c.retired_at IS NULL
    RETURN c.id AS id, c.type AS type, c.name AS name, c.status AS status, coalesce(c.length_m, 0.0) AS length,
      c.type = 'Pump' OR coalesce(c.check_valve, false) OR coalesce(c.valve_kind = 'check', false)
        OR (coalesce(c.valve_kind IN ['prv', 'psv'], false) AND c.status <> 'open') AS one_way,
      coalesce(c.valve_kind IN ['gate', 'butterfly', 'ball', 'plug'], false)
        OR coalesce(c.isolation, false) AS isolates,
      coalesce(c.base_demand_m3s, 0.0) AS demand,
      CASE c.type WHEN 'Tank' THEN {capacity: c.capacity_m3, fraction: c.level_fraction, diameter: c.diameter_m,
        init: c.init_level_m, min: c.min_level_m, min_volume: c.min_volume_m3} END AS tank
    ORDER BY id
    """,
    lambda row: Part(
        row["id"], row["type"], row["name"], row["status"], row["length"], row["one_way"], row["isolates"],
        row["demand"], _volume_m3(row["tank"]) if row["tank"] else 0.0,
    ),
    timeout_s=60,
)  # fmt: skip

SEATS = Query(
    "isolation.seats",
    Access.READ,
    """
    MATCH (v:Valve)-[l:LOCATED_ON]->(p:Pipe)
    WHERE v.utility = $utility AND v.network = $id AND v.retired_at IS NULL AND p.retired_at IS NULL
      AND v.valve_kind <> 'check'
    RETURN v.id AS valve, p.id AS pipe, l.near AS near, l.offset_m AS offset ORDER BY valve
    """,
    lambda row: Seat(row["valve"], row["pipe"], row["near"], row["offset"]),
    timeout_s=60,
)

CONNECTIONS = Query(
    "isolation.connections",
    Access.READ,
    """
    MATCH (s:ServiceConnection)-[l:SERVED_BY]->(c:Component)
    WHERE s.utility = $utility AND c.utility = $utility AND c.network = $id AND c.retired_at IS NULL
    RETURN s.id AS id, s.name AS name, s.customers AS customers, s.critical AS critical, c.id AS component,
      l.offset_m AS offset ORDER BY id, component
    """,
    lambda row: Connection(
        row["id"], row["name"], row["customers"], row["critical"], row["component"], row["offset"]
    ),
    timeout_s=60,
)  # fmt: skip

MEAN_DEMANDS = Query(
    "isolation.mean_demands",
    Access.READ,
    """
    MATCH (s:SimulationResult) WHERE s.utility = $utility AND s.run_id = $run AND s.demand_mean_m3s IS NOT NULL
    RETURN s.component_id AS id, s.demand_mean_m3s AS demand
    """,
    lambda row: (str(row["id"]), float(row["demand"])),
)

KEPT = Query(
    "isolation.kept",
    Access.READ,
    """
    MATCH (s:Segment) WHERE s.utility = $utility AND s.network = $id
    RETURN properties(s) AS segment, [(v:Valve)-[:BOUNDS]->(s) | v.id] AS valves ORDER BY s.id
    """,
    lambda row: _kept(row["segment"], row["valves"]),
    timeout_s=60,
)


def _kept(segment: RawRow, valves: list[Any]) -> KeptSegment:
    return KeptSegment(
        segment["id"],
        segment["components"],
        segment["length_m"],
        segment["customers"],
        segment["demand_m3s"],
        tuple(sorted(valves)),
    )


PUT = Query(
    "isolation.put",
    Access.WRITE,
    """
    UNWIND $rows AS row
    MERGE (s:Segment {utility: $utility, id: row.properties.id})
    SET s += row.properties
    WITH s, row
    CALL (s, row) {
      UNWIND row.components AS id
      MATCH (c:Component {utility: $utility, id: id})
      MERGE (c)-[:IN_SEGMENT]->(s)
    }
    CALL (s, row) {
      UNWIND row.valves AS id
      MATCH (v:Valve {utility: $utility, id: id})
      MERGE (v)-[:BOUNDS]->(s)
    }
    """,
    nothing,
    timeout_s=60,
)

SET_FIGURES = Query(
    "isolation.set_figures",
    Access.WRITE,
    """
    UNWIND $rows AS row
    MATCH (s:Segment {utility: $utility, id: row.id})
    SET s += row
    """,
    nothing,
    timeout_s=60,
)

DROP = Query(
    "isolation.drop",
    Access.WRITE,
    """
    UNWIND $rows AS id
    MATCH (s:Segment {utility: $utility, id: id})
    DETACH DELETE s
    """,
    nothing,
    timeout_s=60,
)

PLACE_VALVES = Query(
    "isolation.place_valves",
    Access.WRITE,
    """
    UNWIND $rows AS row
    MATCH (v:Valve {utility: $utility, id: row.valve})
    MATCH (p:Component {utility: $utility, id: row.link})
    OPTIONAL MATCH (v)-[old:LOCATED_ON]->(other) WHERE other <> p
    DELETE old
    WITH DISTINCT v, p, row
    MERGE (v)-[l:LOCATED_ON]->(p)
    SET l.near = row.near, l.offset_m = row.offset_m
    """,
    nothing,
    timeout_s=60,
)

LINK_ENDS = Query(
    "isolation.link_ends",
    Access.READ,
    """
    UNWIND $ids AS id
    MATCH (p:Component {utility: $utility, id: id}) WHERE p.type IN ['Pipe', 'Pump', 'Valve'] AND p.retired_at IS NULL
    RETURN p.id AS id, p.network AS network, coalesce(p.length_m, 0.0) AS length, p.diameter_m AS diameter,
      p.shape AS shape, p.location AS location,
      [(a:Component)-[:CONNECTED_TO]->(p) | [a.id, a.name]] AS starts,
      [(p)-[:CONNECTED_TO]->(b:Component) | [b.id, b.name]] AS ends
    """,
    lambda row: LinkEnds(
        row["id"], row["network"], row["length"], row["diameter"], tuple(row["shape"] or ()), native(row["location"]),
        tuple((a, b) for a, b in row["starts"]), tuple((a, b) for a, b in row["ends"]),
    ),
    timeout_s=60,
)  # fmt: skip

SEAT_OF = Query(
    "isolation.seat_of",
    Access.READ,
    """
    UNWIND $ids AS id
    MATCH (v:Valve {utility: $utility, id: id})
    OPTIONAL MATCH (v)-[l:LOCATED_ON]->(p)
    RETURN properties(v) AS valve, p.id AS pipe, l.near AS near, l.offset_m AS offset
    """,
    lambda row: PlacedValve(native(dict(row["valve"])), row["pipe"], row["near"], row["offset"]),
    timeout_s=60,
)


@dataclass(frozen=True)
class LinkEnds:
    """A link with (id, name) of what it is joined to, and its drawn line in the system of `location`."""

    id: str
    network: str
    length_m: float
    diameter_m: float | None
    shape: tuple[float, ...]
    location: Location | None
    starts: tuple[tuple[str, str], ...]
    ends: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PlacedValve:
    """All properties of a valve, and where it sits, if it does."""

    properties: dict[str, Any]
    pipe: str | None
    near: str | None
    offset_m: float | None
