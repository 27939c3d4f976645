"""Connectivity, health and maps of a network in the graph."""

from __future__ import annotations

import neo4j
import pytest
from wnis_core.errors import Conflict, InvalidValue, NotFound
from wnis_graph.repositories.components import ComponentRepository, NewComponent
from wnis_graph.repositories.health import HealthRepository
from wnis_graph.repositories.maps import MapRepository
from wnis_graph.repositories.networks import NetworkRepository
from wnis_graph.repositories.simulations import FedBy
from wnis_graph.repositories.topology import Direction, TopologyRepository
from wnis_graph.repositories.valve_register import NewIsolationValve, ValveRegister
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope

from tests.component.graph.samples import SOURCE, line_network

RUN = """
    MATCH (n:Network {utility: $utility, id: 'net'})
    CREATE (r:SimulationRun {utility: $utility, id: 'run', kind: 'hydraulic', state: 'succeeded',
      network_revision: n.revision, finished_at: datetime()})-[:OF]->(n)
    WITH r
    UNWIND $results AS row
    MATCH (c:Component {utility: $utility, id: row.component_id})
    CREATE (r)-[:PRODUCED]->(s:SimulationResult {utility: $utility, id: 'result:' + row.component_id, run_id: 'run'})
    SET s += row
    CREATE (s)-[:ABOUT]->(c)
"""
SOURCE_TRACE = """
    MATCH (n:Network {utility: $utility, id: 'net'}) MATCH (r:Reservoir {utility: $utility, id: 'net:reservoir:R'})
    CREATE (run:SimulationRun {utility: $utility, id: 'trace', kind: 'source-trace', state: 'succeeded',
      duration_s: 86400.0, network_revision: n.revision, finished_at: datetime()})-[:OF]->(n)
    CREATE (run)-[:PRODUCED]->(s:SimulationResult {utility: $utility, id: 'trace:net:junction:C', run_id: 'trace',
      component_id: 'net:junction:C', initial_share: 0.25})
    CREATE (s)-[:FED_BY {share: 0.75, share_min: 0.5, share_max: 1.0}]->(r)
    CREATE (own:SimulationResult {utility: $utility, id: 'trace:net:reservoir:R', run_id: 'trace',
      component_id: 'net:reservoir:R', initial_share: 0.0})-[:FED_BY {share: 1.0, share_min: 1.0, share_max: 1.0}]->(r)
    CREATE (:SimulationResult {utility: $utility, id: 'trace:net:junction:A', run_id: 'trace',
      component_id: 'net:junction:A', initial_share: 1.0})
"""
INCIDENT = """
    MATCH (c:Component {utility: $utility, id: $component})
    CREATE (:Incident {utility: $utility, id: 'incident', kind: $kind, status: $status})-[:AFFECTED]->(c)
"""
PREDICTION = """
    MATCH (c:Component {utility: $utility, id: $component})
    CREATE (:Prediction {utility: $utility, id: $id, created_at: datetime.realtime(), knot_days: [365.0],
      knot_probability: [$probability], knot_low: [0.0], knot_high: [1.0]})-[:ABOUT]->(c)
"""


@pytest.fixture
def line(runner: Runner, scope: Scope) -> Scope:
    NetworkRepository(runner).persist(scope, "net", line_network(), SOURCE)
    return scope


def ids(reached: object) -> list[str]:
    return [r.component.id.split(":")[-1] for r in reached]  # type: ignore[attr-defined]


def test_neighbours_are_counted_in_joints(runner: Runner, line: Scope) -> None:
    topology = TopologyRepository(runner)

    assert ids(topology.neighbours(line, "net:junction:B", 1)) == ["AB", "BC"]
    assert ids(topology.neighbours(line, "net:junction:B", 2)) == ["AB", "BC", "A", "C"]
    assert topology.within(line, "net:junction:B", 0) == {"net:junction:B": 0}
    with pytest.raises(NotFound):
        topology.neighbours(line, "nobody", 1)
    with pytest.raises(InvalidValue):
        topology.neighbours(line, "net:junction:B", 1_000)


def test_without_a_run_the_trace_follows_the_way_from_the_source(runner: Runner, line: Scope) -> None:
    topology = TopologyRepository(runner)

    downstream = topology.trace(line, "net:junction:B", Direction.DOWNSTREAM)
    upstream = topology.trace(line, "net:junction:B", Direction.UPSTREAM)

    assert (downstream.method, ids(downstream.reached)) == ("topology", ["BC", "C", "CD", "D"])
    assert ids(upstream.reached) == ["AB", "A", "RA", "R"]


def test_with_a_run_the_trace_follows_its_flows(runner: Runner, driver: neo4j.Driver, line: Scope) -> None:
    flows = [{"component_id": f"net:pipe:{pipe}", "flow_mean_m3s": -0.01} for pipe in ("RA", "AB", "BC", "CD")]
    driver.execute_query(RUN, utility=line.utility, results=flows)

    trace = TopologyRepository(runner).trace(line, "net:junction:B", Direction.DOWNSTREAM)

    assert trace.run is not None
    assert (trace.method, trace.run.id, trace.run.stale) == ("run", "run", False)
    assert ids(trace.reached) == ["AB", "A", "RA", "R"]


def test_a_trace_says_that_its_run_is_older_than_the_network(runner: Runner, driver: neo4j.Driver, line: Scope) -> None:
    flows = [{"component_id": f"net:pipe:{pipe}", "flow_mean_m3s": 0.01} for pipe in ("RA", "AB", "BC", "CD")]
    driver.execute_query(RUN, utility=line.utility, results=flows)
    ComponentRepository(runner).patch(line, "net:pipe:CD", {"material": "pvc"})

    trace = TopologyRepository(runner).trace(line, "net:junction:B", Direction.UPSTREAM)

    assert trace.run is not None
    assert (trace.run.stale, trace.run.network_revision, trace.revision) == (True, 1, 2)
    assert ids(trace.reached) == ["AB", "A", "RA", "R"]


def test_flows_of_a_time_are_asked_for_by_it(runner: Runner, driver: neo4j.Driver, line: Scope) -> None:
    topology = TopologyRepository(runner)
    with pytest.raises(Conflict):
        topology.trace(line, "net:junction:B", Direction.UPSTREAM, time_s=60)
    driver.execute_query(RUN, utility=line.utility, results=[])
    asked = []

    def flows_at(run: str, time_s: int) -> tuple[int, dict[str, float]]:
        asked.append((run, time_s))
        return 3600, {"BC": -0.01, "CD": -0.01, "AB": 0.0}

    trace = topology.trace(line, "net:junction:B", Direction.UPSTREAM, time_s=4000, flows_at=flows_at)

    assert asked == [("run", 4000)]
    assert trace.run is not None
    assert trace.run.time_s == 3600
    assert ids(trace.reached) == ["BC", "C", "CD", "D"]


def test_the_sources_and_the_way_from_them_are_told(runner: Runner, line: Scope) -> None:
    feed = TopologyRepository(runner).feed(line, "net:junction:C")

    assert ids(feed.sources) == ["R"]
    assert feed.route is not None
    assert (feed.route.length_m, feed.route.components[0]) == (30.0, "net:reservoir:R")


def test_shares_are_told_where_the_sources_have_been_traced(runner: Runner, driver: neo4j.Driver, line: Scope) -> None:
    topology = TopologyRepository(runner)
    assert topology.feed(line, "net:junction:C").shares is None
    driver.execute_query(SOURCE_TRACE, utility=line.utility)
    # flows of a run in which nothing came from R: the trace knows better
    driver.execute_query(RUN, utility=line.utility, results=[{"component_id": "net:pipe:CD", "flow_mean_m3s": 0.01}])

    traced = topology.feed(line, "net:junction:C")
    unknown = topology.feed(line, "net:junction:B")
    assert topology.feed(line, "net:reservoir:R").sources == ()

    assert [(one.component.id, one.hops, one.shares) for one in traced.sources] == [
        ("net:reservoir:R", None, FedBy("net:reservoir:R", 0.75, 0.5, 1.0))
    ]
    assert traced.shares is not None
    assert (traced.shares.initial, traced.shares.run.id, traced.shares.run.stale) == (0.25, "trace", False)
    assert unknown.shares is not None
    assert (unknown.sources, unknown.shares.initial, unknown.shares.duration_s) == ((), None, 86_400)


def test_no_water_from_a_source_and_a_source_of_after_the_trace_are_told_apart(
    runner: Runner, driver: neo4j.Driver, line: Scope
) -> None:
    topology = TopologyRepository(runner)
    driver.execute_query(SOURCE_TRACE, utility=line.utility)
    well = NewComponent(id="well", type="Reservoir", network="net", properties={"head_m": 99.0})
    pipe = NewComponent(id="way", type="Pipe", network="net", start="well", end="net:junction:A",
                        properties={"length_m": 1.0, "diameter_m": 0.1})  # fmt: skip
    for new in (well, pipe):
        ComponentRepository(runner).create(line, new)
    # without flows the nearest source is the one: for A the well, for C the reservoir once the well's pipe is shut
    shares = {one.component.id: one.shares for one in topology.feed(line, "net:junction:A").sources}
    ComponentRepository(runner).retire(line, "way")
    before = {one.component.id: one.shares for one in topology.feed(line, "net:junction:A").sources}

    assert shares["well"] is None
    assert before == {"net:reservoir:R": FedBy("net:reservoir:R", 0.0, 0.0, 0.0)}
    ComponentRepository(runner).retire(line, "net:reservoir:R")
    retired = topology.feed(line, "net:junction:C").sources
    assert [(one.component.id, one.hops, one.shares and one.shares.share) for one in retired] == [
        ("net:reservoir:R", None, 0.75)
    ]


def test_a_closed_isolation_valve_closes_its_pipe_for_the_water(runner: Runner, line: Scope) -> None:
    ValveRegister(runner).put(line, "net", [NewIsolationValve("V", "BC", properties={"status": "closed"})])

    downstream = TopologyRepository(runner).trace(line, "net:junction:A", Direction.DOWNSTREAM)

    assert ids(downstream.reached) == ["AB", "B"]


def test_a_change_of_the_network_is_seen_by_the_cached_topology(runner: Runner, line: Scope) -> None:
    topology = TopologyRepository(runner)
    topology.neighbours(line, "net:junction:B", 1)

    ComponentRepository(runner).retire(line, "net:pipe:BC")

    assert ids(topology.neighbours(line, "net:junction:B", 5)) == ["AB", "A", "RA", "R"]
    assert ids(topology.trace(line, "net:junction:B", Direction.DOWNSTREAM).reached) == []


def test_health_follows_the_evidence(runner: Runner, driver: neo4j.Driver, line: Scope) -> None:
    health, components = HealthRepository(runner), ComponentRepository(runner)
    assert health.refresh(line, "net").unknown == 9

    components.patch(line, "net:junction:C", {"base_demand_m3s": 0.001})
    pressures = [("A", 30.0), ("B", 5.0), ("C", 10.0), ("D", -1.0)]
    driver.execute_query(
        RUN, utility=line.utility,
        results=[{"component_id": f"net:junction:{n}", "pressure_min_m": p} for n, p in pressures],
    )  # fmt: skip
    driver.execute_query(INCIDENT, utility=line.utility, component="net:pipe:AB", kind="leak", status="open")
    driver.execute_query(PREDICTION, utility=line.utility, component="net:pipe:CD", id="older", probability=0.9)
    driver.execute_query(PREDICTION, utility=line.utility, component="net:pipe:CD", id="newer", probability=0.06)

    summary = health.refresh(line, "net")

    found = {c.id.split(":")[-1]: (c.health, c.properties.get("health_reason")) for c in components.stream(line)}
    assert found == {
        "R": ("unknown", "no open incident, no run and no prediction yet"),
        "A": ("normal", "lowest pressure 30.0 m in the last run"),
        "B": ("normal", "lowest pressure 5.0 m in the last run"),
        "C": ("warning", "lowest pressure 10.0 m in the last run, below 14.06 m"),
        "D": ("critical", "lowest pressure -1.0 m in the last run"),
        "RA": ("unknown", "no open incident, no run and no prediction yet"),
        "AB": ("warning", "open leak"),
        "BC": ("unknown", "no open incident, no run and no prediction yet"),
        "CD": ("warning", "failure probability 6.0% within a year"),
    }
    assert (summary.changed, summary.critical, summary.warning, summary.normal) == (6, 1, 3, 2)
    assert health.refresh(line, "net").changed == 0
    assert {(c.type, c.health): c.components for c in health.counts(line)}["Junction", "normal"] == 2


def test_the_map_places_components_and_finds_them_by_box(runner: Runner, driver: neo4j.Driver, line: Scope) -> None:
    driver.execute_query(
        RUN, utility=line.utility, results=[{"component_id": "net:junction:C", "pressure_min_m": 10.0}]
    )

    network_map = MapRepository(runner).get(line, "net")

    by_id = {f.id: f for f in network_map.features}
    assert network_map.extent == pytest.approx((-0.05, 0, 0.05, 0))
    assert by_id["net:reservoir:R"].line == (pytest.approx((-0.05, 0)),)
    assert by_id["net:junction:C"].pressure_min_m == 10.0
    assert {f.id for f in network_map.within(0.04, -1, 1, 1)} == {"net:junction:D", "net:pipe:CD"}
    assert network_map.within(10, 10, 11, 11) == []
