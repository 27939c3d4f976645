"""Isolation of a network in the graph: valves on pipes, kept segments, customers, and what changes them."""

from __future__ import annotations

import neo4j
import pytest
from wnis_core.errors import InvalidValue, NotFound
from wnis_graph.repositories.assets import AssetRepository, NewConnection
from wnis_graph.repositories.components import ComponentRepository, NewComponent
from wnis_graph.repositories.isolation import IsolationRepository
from wnis_graph.repositories.networks import NetworkRepository
from wnis_graph.repositories.valve_register import NewIsolationValve, ValveRegister
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope

from tests.component.graph.samples import SOURCE, line_network

KEPT = """
    MATCH (s:Segment {utility: $utility})
    RETURN s.id AS id, [(c:Component)-[:IN_SEGMENT]->(s) | c.name] AS components,
      [(v:Valve)-[:BOUNDS]->(s) | v.name] AS valves
"""


@pytest.fixture
def line(runner: Runner, scope: Scope) -> Scope:
    """R -x- A ---- B ---x--- C ---- D: a valve at R on RA, another in the middle of BC; ten customers at each node."""
    NetworkRepository(runner).persist(scope, "net", line_network(), SOURCE)
    report = ValveRegister(runner).put(
        scope,
        "net",
        [
            NewIsolationValve("V1", "RA", "R"),
            NewIsolationValve("V2", "BC", "C", 4.0, properties={"valve_kind": "ball"}),
        ],
    )
    assert (report.created, report.rejected, report.unmatched) == (2, (), ())
    AssetRepository(runner).put_connections(
        scope,
        "net",
        [NewConnection(f"at-{n}", f"Mill {n}", 10, f"net:junction:{n}", critical=n == "D") for n in "ABCD"],
    )
    return scope


def short(ids: tuple[str, ...] | list[str]) -> list[str]:
    return [i.split(":")[-1] for i in ids]


def test_a_break_is_answered_with_valves_customers_and_demand(runner: Runner, line: Scope) -> None:
    found = IsolationRepository(runner).isolate(line, "net", "net:pipe:AB")
    answer = found.isolation

    assert [(v.id, v.distance_m, v.pipe, v.near, v.offset_m) for v in answer.valves] == [
        ("V2", 11.0, "net:pipe:BC", "net:junction:C", 4.0),
        ("V1", 15.0, "net:pipe:RA", "net:reservoir:R", 0.0),
    ]
    assert short(answer.components) == ["A", "B", "AB", "BC", "RA"]
    assert short(answer.unintended) == ["C", "D", "CD"]
    assert (answer.without.customers, answer.without.critical) == (40, ("Mill D",))
    assert (found.demands.run_id, found.demands.stale) == (None, False)
    with pytest.raises(NotFound):
        IsolationRepository(runner).isolate(line, "nowhere", "net:pipe:AB")
    with pytest.raises(InvalidValue):
        IsolationRepository(runner).isolate(line, "net", "net:pipe:AB", 11.0)


def test_a_point_on_a_split_pipe_is_in_one_segment(runner: Runner, line: Scope) -> None:
    isolation = IsolationRepository(runner)
    assert short(isolation.isolate(line, "net", "net:pipe:BC", 5.0).isolation.components) == [
        "A",
        "B",
        "AB",
        "BC",
        "RA",
    ]
    assert short(isolation.isolate(line, "net", "net:pipe:BC", 7.0).isolation.components) == ["C", "D", "BC", "CD"]


def test_segments_are_kept_as_nodes_and_follow_the_network(runner: Runner, driver: neo4j.Driver, line: Scope) -> None:
    isolation = IsolationRepository(runner)

    def kept() -> dict[str, tuple[list[str], list[str]]]:
        records = driver.execute_query(KEPT, utility=line.utility).records
        return {r["id"]: (sorted(r["components"]), sorted(r["valves"])) for r in records}

    found = isolation.segments(line, "net")

    assert sorted(kept().values()) == [
        (["A", "AB", "B", "BC", "RA"], ["V1", "V2"]),
        (["BC", "C", "CD", "D"], ["V2"]),
        (["R"], ["V1"]),
    ]
    assert sorted((s.length_m, s.customers, s.valves) for s in found) == [
        (0.0, 0, ("V1",)), (14.0, 20, ("V2",)), (26.0, 20, ("V1", "V2")),
    ]  # fmt: skip
    before = set(kept())
    # another valve changes one segment alone
    ValveRegister(runner).put(line, "net", [NewIsolationValve("V3", "net:pipe:CD", offset_m=2.0)])
    isolation.segments(line, "net")
    assert len(before & set(kept())) == 2
    assert len(kept()) == 4
    # and goes with it
    ComponentRepository(runner).retire(line, "V3")
    isolation.segments(line, "net")
    assert set(kept()) == before
    assert isolation.refresh(line, "net") == 3


def test_new_customers_count_at_once(runner: Runner, line: Scope) -> None:
    isolation = IsolationRepository(runner)
    assert isolation.isolate(line, "net", "net:junction:D").isolation.without.customers == 20

    AssetRepository(runner).put_connections(line, "net", [NewConnection("new", "new", 7, "net:pipe:BC", offset_m=9.0)])
    AssetRepository(runner).put_connections(
        line, "net", [NewConnection("left", "left", 5, "net:pipe:BC", offset_m=1.0)]
    )

    assert isolation.isolate(line, "net", "net:junction:D").isolation.without.customers == 27


def test_valves_of_a_register_are_moved_and_changed_with_a_record(runner: Runner, line: Scope) -> None:
    valves, components = ValveRegister(runner), ComponentRepository(runner)
    same = valves.put(line, "net", [NewIsolationValve("V1", "RA", "R")])
    assert (same.created, same.updated, same.unchanged) == (0, 0, 1)

    moved = valves.put(line, "net", [NewIsolationValve("V1", "AB", "B", 3.0, properties={"status": "closed"})])

    assert (moved.updated, moved.unchanged) == (1, 0)
    page = components.get(line, "V1")
    assert [(c.id, c.relationship) for c in page.connected] == [("net:pipe:AB", "LOCATED_ON")]
    assert page.component.location is not None
    assert page.component.location.x == pytest.approx(1.7)
    latest = components.history(line, "V1")[0]
    assert latest.new["located_on"] == "net:pipe:AB, 3 m from net:junction:B"
    assert latest.old["located_on"] == "net:pipe:RA, 0 m from net:reservoir:R"
    assert latest.new["status"] == "closed"


def test_a_wrong_row_is_named_and_the_others_are_taken(runner: Runner, line: Scope) -> None:
    rows = [
        NewIsolationValve("good", "AB"),
        NewIsolationValve("far", "AB", offset_m=11.0),
        NewIsolationValve("elsewhere", "AB", near="D"),
        NewIsolationValve("net:junction:A", "AB"),
        NewIsolationValve("good", "CD"),
        NewIsolationValve("nowhere", "XY"),
        NewIsolationValve("odd", "AB", properties={"valve_kind": "cheese"}),
    ]

    report = ValveRegister(runner).put(line, "net", rows)

    assert (report.created, report.unmatched) == (1, ("XY",))
    assert {fault.row: fault.errors[0].field for fault in report.rejected} == {
        2: "offset_m", 3: "near", 4: "id", 5: "id", 7: "valve_kind",
    }  # fmt: skip


def test_a_valve_can_be_added_by_hand_where_it_sits(runner: Runner, line: Scope) -> None:
    components = ComponentRepository(runner)
    new = NewComponent("V9", "Valve", network="net", properties={"valve_kind": "gate", "diameter_m": 0.1},
                       located_on=("net:pipe:AB", "net:junction:B", 2.0))  # fmt: skip

    page = components.create(line, new)

    assert page.component.properties["located_on"] == "net:pipe:AB, 2 m from net:junction:B"
    answer = IsolationRepository(runner).isolate(line, "net", "net:junction:B").isolation
    assert [v.id for v in answer.valves] == ["V9", "V2"]
    with pytest.raises(InvalidValue):
        components.create(line, NewComponent("P9", "Hydrant", network="net", located_on=("net:pipe:AB", None, 0.0)))


def test_an_edit_is_seen_by_the_next_answer(runner: Runner, line: Scope) -> None:
    isolation = IsolationRepository(runner)
    assert isolation.isolate(line, "net", "net:junction:D").isolation.already_closed == ()

    ComponentRepository(runner).patch(line, "V2", {"status": "closed"})

    answer = isolation.isolate(line, "net", "net:junction:D").isolation
    assert (answer.already_closed, answer.valves) == (("V2",), ())


def test_valves_are_ranked_by_what_their_failure_would_add(runner: Runner, line: Scope) -> None:
    ranking = IsolationRepository(runner).valve_values(line, "net", {"net:pipe:CD": 0.5}, closure_h=10.0)

    assert ranking.predicted == 1
    assert [v.id for v in ranking.valves] == ["V2", "V1"]
    # without V2, 20 more customers of A and B are out of water when D's segment is shut off: 0.5 times a year and
    # what 4 m of BC add
    assert ranking.valves[0].customer_hours == pytest.approx(20 * 10 * (0.5 + 4 * 14 / 160_934.4))
    assert ranking.valves[0].worst_added_customers == 20


def test_a_closed_valve_closes_its_pipe_in_the_model_that_is_run(runner: Runner, line: Scope) -> None:
    networks = NetworkRepository(runner)
    assert {p.name: str(p.status) for p in networks.load_model(line, "net").pipes}["BC"] == "open"

    ComponentRepository(runner).patch(line, "V2", {"status": "closed"})

    statuses = {p.name: str(p.status) for p in networks.load_model(line, "net").pipes}
    assert statuses == {"RA": "open", "AB": "open", "BC": "closed", "CD": "open"}
    assert "V2" not in {v.name for v in networks.load_model(line, "net").valves}
