"""Cypher about simulation runs and what they say of each component."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import NamedTuple

from wnis_graph.query import Access, Query, RawRow, nothing
from wnis_graph.values import native


@dataclass(frozen=True)
class SimulationRun:
    """One run of a network in the hydraulic engine."""

    id: str
    network: str
    kind: str
    engine: str
    engine_version: str
    state: str
    demand_model: str | None = None
    input_sha256: str | None = None
    network_revision: int | None = None
    warnings: tuple[str, ...] = ()
    error: str | None = None
    requested_by: str | None = None
    job_id: str | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    duration_s: float | None = None
    steps: int | None = None
    nodes_key: str | None = None
    links_key: str | None = None


class FedBy(NamedTuple):
    """Share of a component's water, 0 to 1, that came from a source: mean and extremes; see `FED_BY` of the schema."""

    source: str
    share: float
    share_min: float
    share_max: float


@dataclass(frozen=True)
class SimulationResult:
    """What one run says of one component; means are over time.

    Of a node: pressure, head, demand. Of a link: flow, velocity, head loss. None where the run has no value, as for
    the pressure of a junction that was cut off from every source. Of both, by a source trace: the sources that feed
    it, and the share of water that was in the network when the run began.
    """

    run_id: str
    component_id: str
    pressure_min_m: float | None = None
    pressure_mean_m: float | None = None
    pressure_max_m: float | None = None
    head_min_m: float | None = None
    head_mean_m: float | None = None
    head_max_m: float | None = None
    demand_mean_m3s: float | None = None
    low_pressure_s: float | None = None
    low_pressure_threshold_m: float | None = None
    flow_min_m3s: float | None = None
    flow_mean_m3s: float | None = None
    flow_max_m3s: float | None = None
    velocity_mean_ms: float | None = None
    velocity_max_ms: float | None = None
    headloss_mean_m: float | None = None
    headloss_max_m: float | None = None
    initial_share: float | None = None
    fed_by: tuple[FedBy, ...] = ()


@dataclass(frozen=True)
class ComponentKey:
    """How a run's own names map to components."""

    id: str
    type: str
    name: str


def _run(row: RawRow) -> SimulationRun:
    properties = {name: native(value) for name, value in row["run"].items()}
    known = {f.name: properties[f.name] for f in fields(SimulationRun) if f.name in properties}
    return SimulationRun(**{**known, "warnings": tuple(properties.get("warnings") or ())})


def _result(row: RawRow) -> SimulationResult:
    properties = row["result"]
    known = {f.name: properties.get(f.name) for f in fields(SimulationResult) if f.name != "fed_by"}
    return SimulationResult(**known, fed_by=tuple(FedBy(*one) for one in row["fed_by"]))


FED_BY = "[(s)-[f:FED_BY]->(c:Component) | [c.id, f.share, f.share_min, f.share_max]]"
"""The shares of a result `s`, as rows that `FedBy` takes."""

REQUEST = Query(
    "simulations.request",
    Access.WRITE,
    """
    MATCH (n:Network {utility: $utility, id: $network})
    MERGE (r:SimulationRun {utility: $utility, id: $id})
    ON CREATE SET r += $properties, r.network = $network
    WITH n, r WHERE r.network = $network
    MERGE (r)-[:OF]->(n)
    RETURN properties(r) AS run
    """,
    _run,
)

# a run that has ended stays as it ended
START = Query(
    "simulations.start",
    Access.WRITE,
    """
    MATCH (r:SimulationRun {utility: $utility, id: $id}) WHERE r.state IN ['queued', 'running']
    SET r.state = 'running', r.started_at = $at
    """,
    nothing,
)

END_OF_JOB = Query(
    "simulations.end_of_job",
    Access.WRITE,
    """
    MATCH (r:SimulationRun) WHERE r.utility = $utility AND r.job_id = $job_id AND r.state IN ['queued', 'running']
    SET r.state = $state, r.error = $error, r.finished_at = $at
    """,
    nothing,
)

# takes the write lock that keeps two finishers of one run apart
OPEN_TO_FINISH = Query(
    "simulations.open_to_finish",
    Access.WRITE,
    """
    MATCH (r:SimulationRun {utility: $utility, id: $id})
    SET r.id = r.id
    WITH r WHERE r.state IN ['queued', 'running']
    RETURN r.id AS id
    """,
    lambda row: str(row["id"]),
)

WRITE_RESULTS = Query(
    "simulations.write_results",
    Access.WRITE,
    """
    MATCH (r:SimulationRun {utility: $utility, id: $id})
    UNWIND $rows AS row
    MATCH (c:Component {utility: $utility, id: row.component_id})
    CREATE (s:SimulationResult {utility: $utility, id: row.id, run_id: $id, component_id: row.component_id})
    SET s += row.properties
    CREATE (r)-[:PRODUCED]->(s)
    CREATE (s)-[:ABOUT]->(c)
    """,
    nothing,
    timeout_s=120,
)

WRITE_SHARES = Query(
    "simulations.write_shares",
    Access.WRITE,
    """
    UNWIND $rows AS row
    MATCH (s:SimulationResult {utility: $utility, id: row.id})
    MATCH (source:Component {utility: $utility, id: row.source})
    CREATE (s)-[f:FED_BY]->(source) SET f = row.properties
    """,
    nothing,
    timeout_s=120,
)

FINISH = Query(
    "simulations.finish",
    Access.WRITE,
    """
    MATCH (r:SimulationRun {utility: $utility, id: $id})
    SET r += $properties, r.state = 'succeeded'
    WITH r
    OPTIONAL MATCH (j:Job {utility: $utility, id: r.job_id})
    FOREACH (_ IN CASE WHEN j IS NULL THEN [] ELSE [1] END | MERGE (j)-[:PRODUCED]->(r))
    """,
    nothing,
)

IMPORTED_BY = Query(
    "simulations.imported_by",
    Access.WRITE,
    """
    MATCH (j:Job {utility: $utility, id: $job_id}) MATCH (n:Network {utility: $utility, id: $network})
    MERGE (j)-[:PRODUCED]->(n)
    """,
    nothing,
)

GET = Query(
    "simulations.get",
    Access.READ,
    "MATCH (r:SimulationRun {utility: $utility, id: $id}) RETURN properties(r) AS run",
    _run,
)

LIST = Query(
    "simulations.list",
    Access.READ,
    """
    MATCH (r:SimulationRun) WHERE r.utility = $utility
      AND ($network IS NULL OR r.network = $network) AND ($state IS NULL OR r.state = $state)
      AND ($after_id IS NULL OR r.created_at < $after_key OR (r.created_at = $after_key AND r.id < $after_id))
    RETURN properties(r) AS run ORDER BY r.created_at DESC, r.id DESC LIMIT $limit
    """,
    _run,
)

RESULTS = Query(
    "simulations.results",
    Access.READ,
    f"""
    MATCH (s:SimulationResult) WHERE s.utility = $utility AND s.run_id = $id
    RETURN properties(s) AS result, {FED_BY} AS fed_by ORDER BY s.component_id
    """,
    _result,
    timeout_s=60,
)

RESULT = Query(
    "simulations.result",
    Access.READ,
    f"""
    MATCH (s:SimulationResult) WHERE s.utility = $utility AND s.run_id = $id AND s.component_id = $component_id
    RETURN properties(s) AS result, {FED_BY} AS fed_by
    """,
    _result,
)

COMPONENT_KEYS = Query(
    "simulations.component_keys",
    Access.READ,
    """
    MATCH (c:Component) WHERE c.utility = $utility AND c.network = $network AND c.retired_at IS NULL
      AND c.type IN ['Junction', 'Reservoir', 'Tank', 'Pipe', 'Pump', 'Valve']
      // an isolation valve on a pipe is no link of the engine, though it may bear the name of one
      AND c.located_on IS NULL
    RETURN c.id AS id, c.type AS type, c.name AS name ORDER BY c.id
    """,
    lambda row: ComponentKey(row["id"], row["type"], row["name"]),
    timeout_s=60,
)

COMPONENT_KEY = Query(
    "simulations.component_key",
    Access.READ,
    """
    MATCH (c:Component {utility: $utility, id: $component_id})
    RETURN c.id AS id, c.type AS type, c.name AS name
    """,
    lambda row: ComponentKey(row["id"], row["type"], row["name"]),
)
