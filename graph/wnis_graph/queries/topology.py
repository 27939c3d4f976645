"""Cypher that fills the cached topology and geometry of a network revision, and reads display fields for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wnis_graph.query import Access, Query


@dataclass(frozen=True)
class Place:
    """The network a component is in, and that network's revision."""

    network: str
    revision: int


@dataclass(frozen=True)
class Vertex:
    """What topology and drawing need of a component."""

    id: str
    type: str
    status: str
    length_m: float
    one_way: bool
    shape: tuple[float, ...]


@dataclass(frozen=True)
class Display:
    """What lists and maps show of a component."""

    id: str
    type: str
    name: str
    status: str
    health: str


@dataclass(frozen=True)
class LatestRun:
    """The last hydraulic run of a network that succeeded."""

    id: str
    network_revision: int | None


PLACE = Query(
    "topology.place",
    Access.READ,
    """
    MATCH (c:Component {utility: $utility, id: $id})
    MATCH (n:Network {utility: $utility, id: c.network})
    RETURN n.id AS network, n.revision AS revision
    """,
    lambda row: Place(row["network"], row["revision"]),
)

VERTICES = Query(
    "topology.vertices",
    Access.READ,
    """
    MATCH (c:Component) WHERE c.utility = $utility AND c.network = $id AND c.retired_at IS NULL
    RETURN c.id AS id, c.type AS type, c.status AS status, coalesce(c.length_m, 0.0) AS length,
      c.type = 'Pump' OR coalesce(c.check_valve, false) OR coalesce(c.valve_kind = 'check', false) AS one_way,
      coalesce(c.shape, CASE WHEN c.location IS NULL THEN [] ELSE [c.location.x, c.location.y] END) AS shape
    ORDER BY id
    """,
    lambda row: Vertex(
        row["id"], row["type"], row["status"], row["length"], row["one_way"], tuple(row["shape"])
    ),
    timeout_s=60,
)  # fmt: skip

DISPLAY = Query(
    "topology.display",
    Access.READ,
    """
    UNWIND $ids AS id
    MATCH (c:Component {utility: $utility, id: id})
    RETURN c.id AS id, c.type AS type, c.name AS name, c.status AS status, c.health AS health
    """,
    lambda row: Display(row["id"], row["type"], row["name"], row["status"], row["health"]),
)

LATEST_RUN = Query(
    "topology.latest_run",
    Access.READ,
    """
    MATCH (r:SimulationRun)-[:OF]->(:Network {utility: $utility, id: $id})
    WHERE r.utility = $utility AND r.state = 'succeeded' AND r.kind = 'hydraulic'
    RETURN r.id AS id, r.network_revision AS network_revision ORDER BY r.finished_at DESC, r.id DESC LIMIT 1
    """,
    lambda row: LatestRun(row["id"], row["network_revision"]),
)


def _flow(row: Mapping[str, object]) -> tuple[str, float]:
    return str(row["id"]), float(row["flow"])  # type: ignore[arg-type]  # the statement returns numbers only


MEAN_FLOWS = Query(
    "topology.mean_flows",
    Access.READ,
    """
    MATCH (s:SimulationResult) WHERE s.utility = $utility AND s.run_id = $run AND s.flow_mean_m3s IS NOT NULL
    RETURN s.component_id AS id, s.flow_mean_m3s AS flow
    """,
    _flow,
)
