"""Zones, topology, placement, health and cursors: what needs no server."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from wnis_core.errors import BadRequest
from wnis_graph.cursors import Position, decode_cursor, encode_cursor
from wnis_graph.desired import desired_network
from wnis_graph.health import PROBABILITY_CRITICAL, PROBABILITY_WARNING, Evidence, judge
from wnis_graph.network_model import (
    JunctionModel,
    LinkStatus,
    NetworkModel,
    PipeModel,
    PumpModel,
    ValveKind,
    ValveModel,
    from_document,
    to_document,
)
from wnis_graph.placement import Plane, middle, plane_of
from wnis_graph.queries.health import OpenIncident
from wnis_graph.queries.topology import Vertex
from wnis_graph.repositories.components import full_text
from wnis_graph.revisions import Change, rewind
from wnis_graph.schema.model import SCHEMA
from wnis_graph.topology import Direction, Topology
from wnis_graph.values import Location, properties_from_json, properties_to_json
from wnis_graph.zones import derive_zones


def two_parts(separator: PipeModel | PumpModel | ValveModel) -> NetworkModel:
    """A1 - A2 - A3, then `separator`, then B1 - B2."""
    names = ("A1", "A2", "A3", "B1", "B2")
    pipes = [PipeModel(f"{a}{b}", a, b, 10.0, 0.1) for a, b in (("A1", "A2"), ("A2", "A3"), ("B1", "B2"))]
    model = NetworkModel(
        "", "LPS", "H-W", 0.0, junctions=tuple(JunctionModel(n, 0.0) for n in names), pipes=tuple(pipes)
    )
    if isinstance(separator, PipeModel):
        return replace(model, pipes=(*model.pipes, separator))
    if isinstance(separator, PumpModel):
        return replace(model, pumps=(separator,))
    return replace(model, valves=(separator,))


@pytest.mark.parametrize(
    "separator",
    [
        PipeModel("S", "A3", "B1", 10.0, 0.1, status=LinkStatus.CLOSED),
        PumpModel("S", "A3", "B1"),
        ValveModel("S", "A3", "B1", ValveKind.PRV, 0.1),
    ],
)
def test_closed_links_pumps_and_valves_separate_zones(separator: PipeModel | PumpModel | ValveModel) -> None:
    zones = derive_zones(two_parts(separator))

    assert [(z.name, z.kind, z.members) for z in zones] == [
        ("Zone 1", "pressure", ("A1", "A2", "A3")),
        ("Zone 2", "pressure", ("B1", "B2")),
    ]


def test_an_open_pipe_joins_zones() -> None:
    assert len(derive_zones(two_parts(PipeModel("S", "A3", "B1", 10.0, 0.1)))) == 1


def test_zones_do_not_depend_on_the_order_of_the_file() -> None:
    model = two_parts(PumpModel("S", "A3", "B1"))
    turned = replace(model, junctions=model.junctions[::-1], pipes=model.pipes[::-1])

    assert derive_zones(turned) == derive_zones(model)


def test_tags_are_districts() -> None:
    model = two_parts(PumpModel("S", "A3", "B1"))
    tags = {"A1": "A", "A2": "A", "B1": "B", "B2": "B"}
    tagged = replace(model, junctions=tuple(replace(j, tag=tags.get(j.name)) for j in model.junctions))

    assert [(z.name, z.kind, z.members) for z in derive_zones(tagged)] == [
        ("A", "district", ("A1", "A2")),
        ("B", "district", ("B1", "B2")),
    ]
    assert derive_zones(NetworkModel("", "LPS", "H-W", 0.0)) == ()


def test_a_link_between_two_zones_belongs_to_neither() -> None:
    model = two_parts(PumpModel("S", "A3", "B1"))
    desired = desired_network("net", replace(model, zones=derive_zones(model)), None)

    members = {i for zone in desired.zones.values() for i in zone.members}
    assert "net:pump:S" not in members
    assert {"net:pipe:A1A2", "net:pipe:B1B2"} <= members


def test_a_model_survives_its_document() -> None:
    bends = ((1.0, 2.0),)
    model = two_parts(ValveModel("S", "A3", "B1", ValveKind.GATE, 0.1, install_date=date(2000, 1, 2), vertices=bends))
    model = replace(model, zones=derive_zones(model), link_to_link=(("a", "b"),))

    assert from_document(to_document(model)) == model


def ring(*closed: str, check: str = "") -> Topology:
    """Reservoir R - RA - A, and the ring A - AB - B - BC - C - CA - A; CA is ten times as long."""
    nodes = [Vertex("R", "Reservoir", "R", "active", 0, False, False)]
    nodes += [Vertex(n, "Junction", n, "active", 0, False, False) for n in "ABC"]
    links = [
        Vertex(n, "Pipe", n, "open", 1000.0 if n == "CA" else 100.0, n == check, blocked=n in closed)
        for n in ("RA", "AB", "BC", "CA")
    ]
    joints = [(link.id[0], link.id) for link in links] + [(link.id, link.id[1]) for link in links]
    return Topology([*nodes, *links], joints)


def test_hops_are_the_fewest_joints() -> None:
    assert ring().within("A", 2) == {"A": 0, "RA": 1, "AB": 1, "CA": 1, "R": 2, "B": 2, "C": 2}
    assert ring().within("nobody", 2) == {}


def test_water_takes_the_shortest_way_from_its_source() -> None:
    topology = ring()

    assert topology.distance_from_sources_m()[topology.index["C"]] == pytest.approx(300.0)
    assert set(topology.trace("C", Direction.UPSTREAM)) >= {"BC", "B", "AB", "A", "RA", "R"}
    assert "R" not in topology.trace("A", Direction.DOWNSTREAM)


def test_closed_links_and_the_wrong_way_through_a_check_valve_carry_nothing() -> None:
    dry = ring("AB", check="CA").trace("B", Direction.UPSTREAM)
    around = ring("AB").trace("B", Direction.UPSTREAM)

    assert "R" not in dry
    assert set(around) == {"BC", "C", "CA", "A", "RA", "R"}


def test_flows_decide_the_direction() -> None:
    at_once = {"RA": 0.1, "AB": 0.05, "BC": -0.02, "CA": -0.05}
    flows = {link: (flow, flow) for link, flow in at_once.items()}

    assert set(ring().trace("B", Direction.UPSTREAM, flows)) == {"AB", "A", "RA", "R", "BC", "C", "CA"}
    assert set(ring().trace("C", Direction.UPSTREAM, flows)) == {"CA", "A", "RA", "R"}
    assert ring().trace("B", Direction.DOWNSTREAM, flows) == {}


def test_over_a_period_a_link_whose_flow_turned_carries_both_ways() -> None:
    flows = {"RA": (0.1, 0.1), "AB": (0.05, 0.05), "BC": (-0.02, 0.02), "CA": (0.0, 0.0)}

    assert set(ring().trace("B", Direction.DOWNSTREAM, flows)) == {"BC", "C"}
    assert set(ring().trace("C", Direction.DOWNSTREAM, flows)) == {"BC", "B"}


def test_the_way_from_the_source_is_the_shortest_open_one() -> None:
    route = ring().route("C")
    assert route is not None
    assert (route.source, route.length_m, route.components) == ("R", 300.0, ("R", "RA", "A", "AB", "B", "BC", "C"))
    around = ring("BC").route("C")
    assert around is not None
    assert around.components == ("R", "RA", "A", "CA", "C")
    assert ring("RA").route("C") is None
    assert ring().route("nobody") is None


def test_what_cuts_others_off_is_named_with_what_hangs_on_it() -> None:
    customers = {"A": 1, "B": 10, "C": 100}

    looped = {one.id: (one.behind, one.customers) for one in ring().irredundant(customers)}
    # in the ring nothing but the way to it is without redundancy; the closed pipe is cut off by itself already
    assert looped == {"R": (7, 111), "RA": (6, 111), "A": (5, 111)}
    line = {one.id: (one.behind, one.customers) for one in ring("CA").irredundant(customers)}
    assert line == {"R": (6, 111), "RA": (5, 111), "A": (4, 111), "AB": (3, 110), "B": (2, 110), "BC": (1, 100)}


def test_components_without_redundancy_are_those_whose_removal_disconnects() -> None:
    """Beside removing every component in turn, on random networks."""
    draw = random.Random(5)
    for _ in range(30):
        nodes = [f"n{i}" for i in range(12)]
        vertices = [
            Vertex(n, "Reservoir" if n in nodes[:2] else "Junction", n, "active", 0, False, False) for n in nodes
        ]
        joints = []
        for i in range(15):
            a, b = draw.sample(nodes, 2)
            vertices.append(Vertex(f"p{i}", "Pipe", f"p{i}", "open", 1.0, False, draw.random() < 0.1))
            joints += [(a, f"p{i}"), (f"p{i}", b)]
        topology = Topology(vertices, joints)
        blocked = {v.id for v in vertices if v.blocked}

        def wet(gone: str, joints: list[tuple[str, str]] = joints, blocked: set[str] = blocked) -> set[str]:
            found = todo = {"n0", "n1"} - {gone}
            while todo:
                todo = {y for pair in joints for x, y in (pair, pair[::-1]) if x in todo} - found - blocked - {gone}
                found = found | todo
            return found

        expected = {
            v.id: behind for v in vertices if (behind := len(wet("") - wet(v.id) - {v.id})) > 0 and v.id in wet("")
        }
        assert {one.id: one.behind for one in topology.irredundant({})} == expected


def test_the_plane_is_a_small_square_around_nothing() -> None:
    plane = plane_of([(1000.0, 5000.0), (3000.0, 5500.0)])

    assert plane.to_display(2000.0, 5250.0) == (0.0, 0.0)
    assert plane.to_display(3000.0, 5250.0)[0] == pytest.approx(0.05)
    assert plane.to_source(*plane.to_display(1234.0, 5432.0)) == pytest.approx((1234.0, 5432.0))
    assert plane_of([]) == Plane(0.0, 0.0, 1.0)
    assert plane_of([(1.0, 1.0)]).to_display(1.0, 1.0) == (0.0, 0.0)


def test_the_middle_of_a_line_is_halfway_along_it() -> None:
    assert middle([0.0, 0.0, 1.0, 0.0, 1.0, 3.0]) == (1.0, 1.0)
    assert middle([2.0, 3.0]) == (2.0, 3.0)
    assert middle([2.0, 3.0, 2.0, 3.0]) == (2.0, 3.0)


@pytest.mark.parametrize(
    ("evidence", "health"),
    [
        (Evidence(), "unknown"),
        (Evidence(in_run=True), "normal"),
        (Evidence([OpenIncident("c", "break", None)]), "critical"),
        (Evidence([OpenIncident("c", "leak", "high")]), "critical"),
        (Evidence([OpenIncident("c", "leak", "low")]), "warning"),
        (Evidence(pressure_min_m=20.0, serves_demand=True), "normal"),
        (Evidence(pressure_min_m=14.0, serves_demand=True), "warning"),
        (Evidence(pressure_min_m=7.0, serves_demand=True), "critical"),
        (Evidence(pressure_min_m=7.0), "normal"),
        (Evidence(pressure_min_m=-0.1), "critical"),
        (Evidence(probability=PROBABILITY_WARNING - 0.001), "normal"),
        (Evidence(probability=PROBABILITY_WARNING), "warning"),
        (Evidence(probability=PROBABILITY_CRITICAL), "critical"),
        (Evidence([OpenIncident("c", "leak", "low")], probability=PROBABILITY_CRITICAL), "critical"),
    ],
)
def test_the_worst_evidence_decides(evidence: Evidence, health: str) -> None:
    assert judge(evidence).health == health


@pytest.mark.parametrize("key", [None, "ä", 1.5, date(2020, 1, 2), datetime(2020, 1, 2, 3, 4, 5, 6, tzinfo=UTC)])
def test_a_cursor_keeps_its_position(key: object) -> None:
    position = Position("name", key, "net:pipe:P%20 1")

    assert decode_cursor(encode_cursor(position), "name") == position
    with pytest.raises(BadRequest):
        decode_cursor(encode_cursor(position), "-name")


def test_the_past_is_the_present_with_later_changes_undone() -> None:
    changes = [
        Change(str(day), "update", {"a": day - 1 or None}, {"a": day}, "me", datetime(2020, 1, day, tzinfo=UTC))
        for day in (1, 2, 3)
    ]

    assert rewind({"a": 3, "b": 0}, changes, datetime(2020, 1, 2, 12, tzinfo=UTC)) == {"a": 2, "b": 0}
    assert rewind({"a": 3, "b": 0}, changes, datetime(2019, 1, 1, tzinfo=UTC)) == {"b": 0}


def test_recorded_properties_keep_their_types() -> None:
    properties = {
        "install_date": date(2000, 1, 2),
        "retired_at": datetime(2020, 1, 2, tzinfo=UTC),
        "location": Location(1.0, 2.0),
        "length_m": 3.5,
        "material": None,
        "shape": [1.0, 2.0],
    }

    assert properties_from_json(properties_to_json(properties), SCHEMA.properties_of("Pipe")) == properties


@pytest.mark.parametrize(
    ("words", "lucene"),
    [("PVC pipe", "pvc* AND pipe*"), ("a:b) OR *:*", "a* AND b* AND or*"), ("'\"\\/", '""'), ("", '""')],
)
def test_nothing_a_person_types_is_search_syntax(words: str, lucene: str) -> None:
    assert full_text(words) == lucene
