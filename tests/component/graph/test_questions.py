"""Every question that comes with the system, on a graph whose answers are known.

Two mains meet at node A, which feeds the hospital; B hangs on one of them and feeds the school::

    R --old (1930, cast iron)--> A --young (2010, PVC)--> B --stub (no date)--> C
"""

from __future__ import annotations

import uuid
from typing import Any

import neo4j
import pytest
from wnis_core.errors import BadRequest, InvalidValue, NotFound
from wnis_graph.queries.questions import QUESTIONS
from wnis_graph.repositories.questions import QuestionRepository
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope

_TOWN = """
CREATE (n:Network {utility: $u, id: 'net', name: 'Town', revision: 5})
CREATE (north:Zone {utility: $u, id: 'north', name: 'North', kind: 'district'})
CREATE (r:Component:Reservoir {utility: $u, id: 'R', name: 'R', type: 'Reservoir', network: 'net', status: 'active'})
CREATE (a:Component:Junction {utility: $u, id: 'A', name: 'A', type: 'Junction', network: 'net', status: 'active'})
CREATE (b:Component:Junction {utility: $u, id: 'B', name: 'B', type: 'Junction', network: 'net', status: 'active'})
CREATE (c:Component:Junction {utility: $u, id: 'C', name: 'C', type: 'Junction', network: 'net', status: 'active'})
CREATE (old:Component:Pipe {utility: $u, id: 'old', name: 'old', type: 'Pipe', network: 'net', status: 'open',
  install_date: date('1930-05-01'), material: 'cast_iron', diameter_m: 0.2, length_m: 1500.0})
CREATE (young:Component:Pipe {utility: $u, id: 'young', name: 'young', type: 'Pipe', network: 'net', status: 'open',
  install_date: date('2010-05-01'), material: 'pvc', diameter_m: 0.15, length_m: 500.0})
CREATE (stub:Component:Pipe {utility: $u, id: 'stub', name: 'stub', type: 'Pipe', network: 'net', status: 'closed',
  material: 'pvc', diameter_m: 0.1, length_m: 250.0})
CREATE (gate:Component:Valve {utility: $u, id: 'gate', name: 'gate', type: 'Valve', network: 'net', status: 'active',
  valve_kind: 'gate', diameter_m: 0.2})
CREATE (shut:Component:Valve {utility: $u, id: 'shut', name: 'shut', type: 'Valve', network: 'net', status: 'closed',
  valve_kind: 'gate', diameter_m: 0.2})
CREATE (pump:Component:Pump {utility: $u, id: 'pump', name: 'PU7', type: 'Pump', network: 'net', status: 'open'})
CREATE (mute:Component:Sensor {utility: $u, id: 'mute', name: 'mute', type: 'Sensor', network: 'net',
  status: 'active', quantity: 'pressure'})
CREATE (ear:Component:Sensor {utility: $u, id: 'ear', name: 'ear', type: 'Sensor', network: 'net', status: 'active'})
CREATE (ear)-[:MEASURES {quantity: 'flow'}]->(old)
CREATE (r)-[:CONNECTED_TO]->(old)-[:CONNECTED_TO]->(a)-[:CONNECTED_TO]->(young)-[:CONNECTED_TO]->(b),
       (b)-[:CONNECTED_TO]->(stub)-[:CONNECTED_TO]->(c)
CREATE (old)-[:PART_OF]->(north), (young)-[:PART_OF]->(north)
CREATE (:ServiceConnection {utility: $u, id: 's1', name: 'hospital', customers: 60, critical: true})-[:SERVED_BY]->(a),
       (:ServiceConnection {utility: $u, id: 's2', name: 'school', customers: 20, critical: true})-[:SERVED_BY]->(b),
       (:ServiceConnection {utility: $u, id: 's3', name: 'street', customers: 90, critical: false})-[:SERVED_BY]->(b)
CREATE (i1:Incident {utility: $u, id: 'i1', kind: 'break', occurred_at: datetime('2024-02-01T10:00:00Z'),
  repair: 'clamp', narrative: 'crack'})-[:AFFECTED]->(old),
  (i2:Incident {utility: $u, id: 'i2', kind: 'leak', occurred_at: datetime('2024-08-01T10:00:00Z')})-[:AFFECTED]->(old),
  (:Incident {utility: $u, id: 'i3', kind: 'complaint', occurred_at: datetime('2025-03-01T10:00:00Z')})
    -[:AFFECTED]->(old),
  (:Incident {utility: $u, id: 'i4', kind: 'complaint', occurred_at: datetime('2025-04-01T10:00:00Z')})
    -[:AFFECTED]->(young),
  (:Incident {utility: $u, id: 'i5', kind: 'break', occurred_at: datetime('2020-01-01T10:00:00Z')})-[:AFFECTED]->(old)
CREATE (p0:Prediction {utility: $u, id: 'p0', component_id: 'old', created_at: datetime('2025-01-01T00:00:00Z'),
  model_version: '1', knot_days: [30.0, 365.0, 1825.0], knot_probability: [0.01, 0.02, 0.03]})-[:ABOUT]->(old)
CREATE (p1:Prediction {utility: $u, id: 'p1', component_id: 'old', created_at: datetime('2025-02-01T00:00:00Z'),
  model_version: '2', knot_days: [30.0, 365.0, 1825.0], knot_probability: [0.1, 0.4, 0.8]})-[:ABOUT]->(old)
CREATE (p2:Prediction {utility: $u, id: 'p2', component_id: 'young', created_at: datetime('2025-02-01T00:00:00Z'),
  model_version: '2', knot_days: [30.0, 365.0, 1825.0], knot_probability: [0.01, 0.02, 0.3]})-[:ABOUT]->(young)
CREATE (:Feedback {utility: $u, id: 'f1', rating: 1, content: 'we replaced it last year', status: 'new',
  submitted_at: datetime('2025-03-01T00:00:00Z')})-[:ABOUT]->(p1),
  (:Feedback {utility: $u, id: 'f2', rating: 5, content: 'right', status: 'closed',
  submitted_at: datetime('2025-03-02T00:00:00Z')})-[:ABOUT]->(p2),
  (:Feedback {utility: $u, id: 'f3', content: 'stuck', status: 'in_progress',
  submitted_at: datetime('2025-03-03T00:00:00Z')})-[:ABOUT]->(old)
CREATE (:SimulationRun {utility: $u, id: 'run0', network: 'net', kind: 'hydraulic', state: 'succeeded',
  network_revision: 5, warnings: [], finished_at: datetime('2025-01-01T00:00:00Z')}),
  (:SimulationRun {utility: $u, id: 'run1', network: 'net', kind: 'hydraulic', state: 'succeeded', network_revision: 3,
  warnings: ['Pump PU7 was off for want of head at 3:00'], finished_at: datetime('2025-02-01T00:00:00Z')}),
  (:SimulationRun {utility: $u, id: 'run2', network: 'net', kind: 'hydraulic', state: 'failed', network_revision: 5,
  finished_at: datetime('2025-03-01T00:00:00Z')}),
  (:SimulationRun {utility: $u, id: 'run3', network: 'net', kind: 'source-trace', state: 'succeeded',
  network_revision: 5, warnings: [], finished_at: datetime('2025-04-01T00:00:00Z')}),
  (:SimulationResult {utility: $u, id: 'res1', run_id: 'run1', component_id: 'old', flow_mean_m3s: 0.02}),
  (:SimulationResult {utility: $u, id: 'res2', run_id: 'run1', component_id: 'young', flow_mean_m3s: 0.01})
"""
_DAY = {"as_of": "2025-06-01"}
KNOWN: dict[str, tuple[dict[str, Any], tuple[str, ...], list[tuple[Any, ...]]]] = {
    "old-pipes-feeding-critical-customers": (
        _DAY, ("pipe", "age_years", "flow_mean_m3s", "critical_customers"), [("old", 95, 0.02, ["hospital"])],
    ),
    "components-with-repeated-incidents": (_DAY, ("component", "incidents"), [("old", 3)]),
    "predictions-contradicted-by-feedback": (
        {}, ("prediction", "component", "rating", "content"), [("p1", "old", 1, "we replaced it last year")],
    ),
    "pipes-without-install-date-by-zone": (
        {}, ("zone", "pipes", "without_install_date", "share"), [(None, 1, 1, 1.0), ("north", 2, 0, 0.0)],
    ),
    "critical-customers-on-one-feed": (
        {}, ("connection", "name", "component", "open_links"), [("s2", "school", "B", 1)],
    ),
    "mains-broken-again": (
        {}, ("pipe", "first_incident", "first_repair", "second_incident", "days_between"),
        [("old", "i1", "clamp", "i2", 182)],
    ),
    "likely-failures-with-many-customers": (
        {"customers": 60}, ("component", "probability", "within_days", "customers"), [("old", 0.4, 365.0, 60)],
    ),
    "valves-of-unknown-position": ({}, ("valve", "status"), [("gate", "active")]),
    "runs-older-than-the-network": (
        {}, ("network", "network_revision", "run", "run_revision", "behind"), [("net", 5, "run1", 3, 2)],
    ),
    "incidents-near-a-component": (
        {"component": "young"}, ("incident", "joints"), [("i4", 0), ("i3", 2), ("i2", 2), ("i1", 2), ("i5", 2)],
    ),
    "sensors-without-measurements": ({}, ("sensor", "quantity"), [("mute", "pressure")]),
    "pipes-by-material-and-age": (
        _DAY, ("material", "from_age_years", "pipes", "length_km", "breaks_and_leaks"),
        [("cast_iron", 80, 1, 1.5, 3), ("pvc", 0, 1, 0.5, 0), ("pvc", None, 1, 0.25, 0)],
    ),
    "repeat-complaints-by-zone": (_DAY, ("zone", "incidents", "components"), [("north", 2, 2)]),
    "pumps-with-warnings-in-the-last-run": (
        {}, ("pump", "run", "named_in"), [("pump", "run1", ["Pump PU7 was off for want of head at 3:00"])],
    ),
    "open-feedback-by-component": (
        {}, ("component", "open_feedback", "contents"), [("old", 2, ["we replaced it last year", "stuck"])],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def town(driver: neo4j.Driver) -> Scope:
    scope = Scope(f"questions-{uuid.uuid4().hex[:12]}", "tester")
    with driver.session() as session:
        session.run(_TOWN, u=scope.utility).consume()
    return scope


def test_every_question_has_a_known_answer() -> None:
    assert set(KNOWN) == set(QUESTIONS)
    assert len(QUESTIONS) >= 15


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_a_question_is_answered(runner: Runner, town: Scope, name: str) -> None:
    given, columns, expected = KNOWN[name]

    answer = QuestionRepository(runner).ask(town, name, given)

    places = [answer.columns.index(column) for column in columns]
    assert [tuple(row[place] for place in places) for row in answer.rows] == expected
    assert not answer.truncated


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_a_question_finds_nothing_in_another_utility(runner: Runner, town: Scope, scope: Scope, name: str) -> None:
    assert QuestionRepository(runner).ask(scope, name, KNOWN[name][0]).rows == ()


@pytest.mark.parametrize(
    ("name", "given", "error"),
    [
        ("no-such-question", {}, NotFound),
        ("incidents-near-a-component", {}, BadRequest),
        ("mains-broken-again", {"utility": "another"}, BadRequest),
        ("mains-broken-again", {"most": 5}, BadRequest),
        ("mains-broken-again", {"days": "365"}, InvalidValue),
        ("mains-broken-again", {"days": True}, InvalidValue),
        ("mains-broken-again", {"days": -1}, InvalidValue),
        ("mains-broken-again", {"days": 10**12}, InvalidValue),
        ("pipes-by-material-and-age", {"band_years": 0}, InvalidValue),
        ("pipes-by-material-and-age", {"as_of": "yesterday"}, InvalidValue),
        ("likely-failures-with-many-customers", {"probability": float("nan")}, InvalidValue),
        ("valves-of-unknown-position", {"kinds": [1]}, InvalidValue),
    ],
)
def test_a_wrong_parameter_is_named(
    runner: Runner, town: Scope, name: str, given: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        QuestionRepository(runner).ask(town, name, given)
