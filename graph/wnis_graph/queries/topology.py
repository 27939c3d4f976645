"""Cypher that fills the cached topology and geometry of a network revision, and reads display fields for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from wnis_graph.queries.simulations import FedBy
from wnis_graph.query import Access, Query
from wnis_graph.values import native


@dataclass(frozen=True)
class Place:
    """The network a component is in, and that network's revision."""

    network: str
    revision: int


@dataclass(frozen=True)
class Vertex:
    """What connectivity needs of a component.

    Parameters
    ----------
    blocked : lets nothing through: closed or out of service itself, or by a closed isolation valve that sits on it
    one_way : lets water through from its start to its end only
    """

    id: str
    type: str
    name: str
    status: str
    length_m: float
    one_way: bool
    blocked: bool


class Display(NamedTuple):
    """What lists and maps show of a component. A tuple: a trace makes ten thousand of them while somebody waits."""

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
    finished_at: datetime | None


@dataclass(frozen=True)
class SourceTrace:
    """What a network's last source trace says of one component.

    Parameters
    ----------
    initial_share : None when the component was not in the run
    fed_by : each source as it is now, and its share
    traced : which of the sources that were asked about were in the run
    """

    run: LatestRun
    duration_s: float
    initial_share: float | None
    fed_by: tuple[tuple[Display, FedBy], ...]
    traced: frozenset[str]


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
    RETURN c.id AS id, c.type AS type, c.name AS name, c.status AS status, coalesce(c.length_m, 0.0) AS length,
      c.type = 'Pump' OR coalesce(c.check_valve, false) OR coalesce(c.valve_kind = 'check', false)
        OR (coalesce(c.valve_kind IN ['prv', 'psv'], false) AND c.status <> 'open') AS one_way,
      c.status IN ['closed', 'out_of_service']
        OR EXISTS { (c)<-[:LOCATED_ON]-(v:Valve) WHERE v.status = 'closed' AND v.retired_at IS NULL } AS blocked
    ORDER BY id
    """,
    lambda row: Vertex(
        row["id"], row["type"], row["name"], row["status"], row["length"], row["one_way"], row["blocked"]
    ),
    timeout_s=60,
)  # fmt: skip

HEALTHS = Query(
    "topology.healths",
    Access.READ,
    # all but the most frequent health by ids: the driver spends its time on rows and texts
    """
    MATCH (c:Component) WHERE c.utility = $utility AND c.network = $id AND c.retired_at IS NULL
    WITH c.health AS health, collect(c.id) AS ids ORDER BY size(ids) DESC, health
    WITH collect([health, ids]) AS groups
    RETURN groups[0][0] AS most, groups[1..] AS others
    """,
    lambda row: Healths(
        row["most"] or "unknown", {str(i): str(health) for health, ids in row["others"] or () for i in ids}
    ),
)


@dataclass(frozen=True)
class Healths:
    """Health of a network's components: `others` by id, all the rest `most`."""

    most: str
    others: dict[str, str]


LATEST_RUN = Query(
    "topology.latest_run",
    Access.READ,
    """
    MATCH (r:SimulationRun)-[:OF]->(:Network {utility: $utility, id: $id})
    WHERE r.utility = $utility AND r.state = 'succeeded' AND r.kind = 'hydraulic'
    RETURN r.id AS id, r.network_revision AS network_revision, r.finished_at AS finished_at
    ORDER BY r.finished_at DESC, r.id DESC LIMIT 1
    """,
    lambda row: LatestRun(row["id"], row["network_revision"], native(row["finished_at"])),
)


LATEST_SOURCE_TRACE = Query(
    "topology.latest_source_trace",
    Access.READ,
    """
    MATCH (r:SimulationRun)-[:OF]->(:Network {utility: $utility, id: $id})
    WHERE r.utility = $utility AND r.state = 'succeeded' AND r.kind = 'source-trace'
    WITH r ORDER BY r.finished_at DESC, r.id DESC LIMIT 1
    OPTIONAL MATCH (s:SimulationResult {utility: $utility, id: r.id + ':' + $component_id})
    RETURN r.id AS id, r.network_revision AS network_revision, r.finished_at AS finished_at, r.duration_s AS duration_s,
      s.initial_share AS initial_share,
      [(s)-[f:FED_BY]->(c:Component) | [c.id, c.type, c.name, c.status, c.health, f.share, f.share_min, f.share_max]]
        AS fed_by,
      [id IN $sources WHERE EXISTS { (:SimulationResult {utility: $utility, id: r.id + ':' + id}) }] AS traced
    """,
    lambda row: SourceTrace(
        LatestRun(row["id"], row["network_revision"], native(row["finished_at"])),
        row["duration_s"],
        row["initial_share"],
        tuple((Display(*one[:5]), FedBy(one[0], *one[5:])) for one in row["fed_by"] or ()),
        frozenset(row["traced"]),
    ),
)

FLOW_RANGES = Query(
    "topology.flow_ranges",
    Access.READ,
    """
    MATCH (s:SimulationResult) WHERE s.utility = $utility AND s.run_id = $run AND s.flow_mean_m3s IS NOT NULL
    RETURN collect([s.component_id, coalesce(s.flow_min_m3s, s.flow_mean_m3s),
      coalesce(s.flow_max_m3s, s.flow_mean_m3s)]) AS flows
    """,
    lambda row: {str(i): (float(least), float(greatest)) for i, least, greatest in row["flows"]},
)

SERVED = Query(
    "topology.served",
    Access.READ,
    """
    MATCH (s:ServiceConnection)-[:SERVED_BY]->(c:Component)
    WHERE s.utility = $utility AND c.utility = $utility AND c.network = $id
    RETURN c.id AS id, sum(s.customers) AS customers ORDER BY id
    """,
    lambda row: (str(row["id"]), int(row["customers"])),
    timeout_s=60,
)
