"""What the graph's exporter tells of a real server is what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import neo4j
import pytest
from prometheus_client.parser import text_string_to_metric_families
from wnis_core.figures import Figures
from wnis_core.metrics import exposition
from wnis_graph.exporter import GraphFigures
from wnis_graph.repositories.outbox import INCIDENT_INDEX, append
from wnis_graph.runner import Runner, open_driver
from wnis_graph.scope import Scope

from tests.conftest import Neo4jServer

Told = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def driver(neo4j_server: Neo4jServer, runner: Runner) -> Iterator[neo4j.Driver]:
    with open_driver(neo4j_server.uri, neo4j_server.user, neo4j_server.password) as opened:
        yield opened


def told(driver: neo4j.Driver, at_least: float = 60.0) -> Told:
    """Samples by name and labels, at a first look that is waited for."""
    body, _ = exposition((Figures(GraphFigures(driver).look_ups(), patience_s=at_least),))
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def value(known: Told, name: str, **labels: str) -> float:
    return known[name, frozenset(labels.items())]


def test_every_part_can_be_looked_up_and_the_server_tells_of_itself(driver: neo4j.Driver) -> None:
    known = told(driver)
    assert {v for (name, _), v in known.items() if name == "wnis_figures_up"} == {1.0}
    assert 0 < value(known, "neo4j_jvm_heap_used_bytes") <= value(known, "neo4j_jvm_heap_max_bytes")
    assert value(known, "neo4j_page_cache_size_bytes") >= 1_000_000
    assert value(known, "neo4j_process_cpu_seconds_total") > 0
    assert value(known, "neo4j_jvm_threads") > 5
    # the test's server shares this machine
    assert value(known, "neo4j_store_size_bytes", part="databases") > 100_000
    assert sum(v for (name, _), v in known.items() if name == "neo4j_jvm_gc_collections_total") > 0


def test_health_incidents_and_what_the_index_lacks_are_counted(
    driver: neo4j.Driver, runner: Runner, scope: Scope
) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=3)
    with driver.session() as session:
        session.run(
            """
            CREATE (z:Zone {utility: $u, id: 'east'})
            FOREACH (i IN range(1, 3) | CREATE (:Component:Pipe {utility: $u, id: 'p' + i, type: 'Pipe',
              network: 'n', health: 'critical'})-[:PART_OF]->(z))
            CREATE (:Component:Pipe {utility: $u, id: 'lonely', type: 'Pipe', network: 'n', health: 'normal'})
            CREATE (:Component:Pipe {utility: $u, id: 'gone', type: 'Pipe', network: 'n', health: 'critical',
              retired_at: datetime()})
            CREATE (:Incident {utility: $u, id: 'i1', kind: 'leak', severity: 'high', status: 'open'})
            CREATE (:Incident {utility: $u, id: 'i2', kind: 'leak', severity: 'high', status: 'closed'})
            """,
            u=scope.utility,
        ).consume()
    row = {"id": f"{scope.utility}-1", "store": INCIDENT_INDEX, "subject_id": "i1", "action": "upsert"}
    runner.write(scope, lambda transaction: append(transaction, [{**row, "recorded_at": long_ago}]))
    try:
        known = told(driver)
    finally:
        with driver.session() as session:
            session.run("MATCH (n {utility: $u}) DETACH DELETE n", u=scope.utility).consume()
    place = {"utility": scope.utility, "network": "n"}
    assert value(known, "wnis_components", **place, zone="east", health="critical") == 3
    assert value(known, "wnis_components", **place, zone="", health="normal") == 1
    assert value(known, "wnis_open_incidents", utility=scope.utility, kind="leak", severity="high") == 1
    assert value(known, "wnis_index_pending", store=INCIDENT_INDEX) >= 1
    assert value(known, "wnis_index_lag_seconds", store=INCIDENT_INDEX) >= 3 * 3600
    assert value(known, "neo4j_nodes", label="Pipe") >= 5
    assert value(known, "neo4j_relationships", type="PART_OF") >= 3
    assert value(known, "neo4j_probe_page_cache_hits_total") > 0


def test_a_model_tells_its_judgement_and_one_without_any_hides_no_other(driver: neo4j.Driver, scope: Scope) -> None:
    judged = (
        '{"underperforming": false, "judgement": {"model": {"auc": 0.8}, "baselines": {"age": {"auc": 0.7}},'
        ' "brier": 0.04, "brier_constant": 0.05, "expected": 40.5, "broke": 42}}'
    )
    with driver.session() as session:
        session.run(
            """
            UNWIND [['a', $judged], ['b', 'no judgement']] AS one
            CREATE (m:Model {utility: $u, id: one[0], name: one[0]})
            CREATE (v:ModelVersion {utility: $u, id: one[0], model_name: one[0], version: '1', state: 'current',
              metrics_json: one[1], created_at: datetime('2026-01-02T00:00:00Z'), train_to: date('2026-01-01')})
            CREATE (v)-[:VERSION_OF]->(m)
            CREATE (p:Component:Pipe {utility: $u, id: 'p' + one[0], type: 'Pipe', network: 'n'})
            CREATE (q:Prediction {utility: $u, id: 'q' + one[0], model_version: '1', as_of: datetime(),
              created_at: datetime('2026-01-03T00:00:00Z'), knot_days: [30.0, 60.0], knot_probability: [0.25, 0.4]})
            CREATE (v)-[:MADE]->(q)-[:ABOUT]->(p)
            CREATE (:Incident {utility: $u, id: 'i' + one[0], kind: 'break', occurred_at: datetime()})-[:AFFECTED]->(p)
            """,
            u=scope.utility,
            judged=judged,
        ).consume()
    try:
        known = told(driver)
    finally:
        with driver.session() as session:
            session.run("MATCH (n {utility: $u}) DETACH DELETE n", u=scope.utility).consume()
    a, b = ({"utility": scope.utility, "model_name": name} for name in "ab")
    assert value(known, "wnis_model_judged_auc", **a, ranking="model") == 0.8
    assert value(known, "wnis_model_judged_auc", **a, ranking="age") == 0.7
    assert value(known, "wnis_model_judged_assets", **a, which="expected") == 40.5
    assert value(known, "wnis_model_underperforming", **a) == 0
    assert value(known, "wnis_model_underperforming", **b) == 1
    assert value(known, "wnis_model_expected_failures_30d", **a) == 0.5
    assert value(known, "wnis_model_observed_failures_30d", **a) == 2
    assert value(known, "wnis_model_outdated_components", **a) == 0
    newest = value(known, "wnis_model_newest_prediction_timestamp_seconds", **a)
    assert newest == datetime(2026, 1, 3, tzinfo=UTC).timestamp()


def test_a_server_that_is_away_leaves_no_figures_and_delays_nobody() -> None:
    with open_driver("bolt://127.0.0.1:1", "neo4j", "none") as nowhere:
        known = told(nowhere, at_least=0.2)
    assert {v for (name, _), v in known.items() if name == "wnis_figures_up"} == {0.0}
    assert [name for name, _ in known if name.startswith("neo4j_nodes")] == []
