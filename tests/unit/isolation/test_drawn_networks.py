"""Isolation on networks that a person can check with a pencil.

In the drawings ``--`` is a pipe, ``x`` an isolation valve, ``/`` a closed one, ``R`` a reservoir, ``T`` a tank, ``>`` a
check valve or pump.
"""

from __future__ import annotations

import pytest
from wnis_core.errors import InvalidValue, NotFound

from tests.unit.isolation.drawn import Drawn, closed


def test_a_dead_end_is_shut_off_by_its_one_valve() -> None:
    """R ---- A -x---- B       the valve stands at A"""
    net = Drawn()
    net.pipe("R", "A")
    net.valve("V", net.pipe("A", "B"), "A")

    answer = net.isolate("AB")

    assert closed(answer) == ["V"]
    assert answer.components == ("AB", "B")
    assert (answer.isolated, answer.unintended) == (("AB", "B"), ())
    assert (answer.without.customers, answer.without.demand_m3s) == (10, 0.001)
    assert answer.sources_inside == ()


def test_what_hangs_behind_the_segment_is_unintended() -> None:
    """R ---- A -x---- B -x---- C ---- D"""
    net = Drawn()
    net.pipe("R", "A")
    net.valve("V", net.pipe("A", "B"), "A")
    net.valve("W", net.pipe("B", "C"), "B")
    net.pipe("C", "D")

    answer = net.isolate("B")

    assert closed(answer) == ["V", "W"] or closed(answer) == ["W", "V"]
    assert answer.components == ("AB", "B")
    assert answer.unintended == ("BC", "C", "CD", "D")
    assert answer.without.customers == 30


def test_a_loop_keeps_water_on_both_sides() -> None:
    """
    R ---- A -x----x- B
           |          |
           C -------- D
    """
    net = Drawn()
    net.pipe("R", "A")
    net.pipe("A", "B")
    net.valve("V", "AB", "A")
    net.valve("W", "AB", "B")
    for a, b in (("A", "C"), ("C", "D"), ("D", "B")):
        net.pipe(a, b)

    answer = net.isolate("AB")

    assert sorted(closed(answer)) == ["V", "W"]
    assert (answer.components, answer.unintended) == (("AB",), ())
    assert answer.without.customers == 0
    # without V everything up to the reservoir has to be shut off, and that no valve can do
    assert answer.worst is not None
    assert answer.worst.added_customers == 40


def test_a_valve_in_the_middle_splits_its_pipe() -> None:
    """R ---- A ------x------------ B       40 m from A"""
    net = Drawn()
    net.pipe("R", "A")
    net.valve("V", net.pipe("A", "B"), "A", 40.0)

    left, right = net.isolate("AB", 10.0), net.isolate("AB", 60.0)

    assert right.components == ("AB", "B")
    assert closed(right) == ["V"]
    assert right.valves[0].distance_m == 20.0
    assert right.without.customers == 10
    assert left.components == ("A", "AB", "R", "RA")
    assert left.valves[0].distance_m == 30.0
    assert left.sources_inside == ("R",)
    assert left.unintended == ("B",)
    # nobody knows where: all segments of the pipe
    both = net.isolate("AB")
    assert both.components == ("A", "AB", "B", "R", "RA", "V")
    assert len(both.segments) == 2
    assert closed(both) == []


def test_offsets_count_from_the_near_end() -> None:
    """R ---- A -----------x------- B       40 m from B"""
    net = Drawn()
    net.pipe("R", "A")
    net.valve("V", net.pipe("A", "B"), "B", 40.0)

    assert net.isolate("AB", 59.0).components == ("A", "AB", "R", "RA")
    assert net.isolate("AB", 61.0).components == ("AB", "B")


def test_two_valves_on_one_pipe_shut_off_what_lies_between() -> None:
    """
    R ---- A --x--------x-- B       20 m from A and 30 m from B
           |                |
           +----------------+
    """
    net = Drawn()
    net.pipe("R", "A")
    net.pipe("A", "B")
    net.pipe("A", "B", name="other")
    net.valve("V", "AB", "A", 20.0)
    net.valve("W", "AB", "B", 30.0)

    answer = net.isolate("AB", 65.0)

    assert [(v.id, v.distance_m) for v in answer.valves] == [("W", 5.0), ("V", 45.0)]
    assert (answer.components, answer.isolated, answer.without.customers) == (("AB",), ("AB",), 0)
    whole = net.isolate("AB")
    assert len(whole.segments) == 2


def test_a_closed_valve_need_not_be_closed_and_lets_nothing_through() -> None:
    """
    R ---- A -x---- B -x---- C
           |                 |
           +---------/-------+       L is closed as it stands
    """
    net = Drawn()
    net.pipe("R", "A")
    net.valve("V", net.pipe("A", "B"), "A")
    net.valve("W", net.pipe("B", "C"), "B")
    net.valve("L", net.pipe("A", "C"), "A", 50.0, status="closed")

    answer = net.isolate("AB")
    assert sorted(closed(answer)) == ["V", "W"]
    assert answer.unintended == ("AC", "BC", "C")
    assert answer.without_source_before == ()

    behind = net.isolate("C")
    assert closed(behind) == ["W"]
    assert behind.already_closed == ("L",)
    # a valve that cannot be moved but is closed holds
    assert net.isolate("C", None, "L").components == behind.components


def test_water_does_not_run_back_through_a_check_valve() -> None:
    """
    R1 ---- A -x---- B --->---- C ---- R2       from B to C only
    """
    net = Drawn()
    net.pipe("R1", "A")
    net.valve("V", net.pipe("A", "B"), "A")
    net.valve("W", net.pipe("B", "X"), "B")
    net.pipe("X", "C", one_way=True)
    net.pipe("C", "R2")

    answer = net.isolate("AB")

    assert answer.components == ("AB", "B")
    # C has R2; the pipe towards it can only be filled from X, and X from B
    assert answer.unintended == ("BX", "X", "XC")
    turned = Drawn()
    turned.pipe("R1", "A")
    turned.valve("V", turned.pipe("A", "B"), "A")
    turned.valve("W", turned.pipe("B", "X"), "B")
    turned.pipe("C", "X", one_way=True)
    turned.pipe("C", "R2")
    assert turned.isolate("AB").unintended == ()


def test_a_second_source_takes_over() -> None:
    """R1 ---- A -x---- B -x---- C ---- R2"""
    net = Drawn()
    net.pipe("R1", "A")
    net.valve("V", net.pipe("A", "B"), "A")
    net.valve("W", net.pipe("B", "C"), "B")
    net.pipe("C", "R2")

    answer = net.isolate("B")

    assert (answer.components, answer.unintended) == (("AB", "B"), ())
    assert answer.tanks == ()


def test_a_tank_behind_the_segment_lasts_as_long_as_its_volume() -> None:
    """R ---- A -x---- B -x---- C ---- T       360 m3, of which C takes 1 L/s"""
    net = Drawn()
    net.pipe("R", "A")
    net.valve("V", net.pipe("A", "B"), "A")
    net.valve("W", net.pipe("B", "C"), "B")
    net.pipe("C", "T")

    answer = net.isolate("B")

    assert answer.unintended == ()
    assert [(tank.id, tank.lasts_s) for tank in answer.tanks] == [("T", pytest.approx(360_000.0))]
    # two tanks of one part empty together
    net.pipe("C", "T2")
    assert [t.lasts_s for t in net.isolate("B").tanks] == pytest.approx([720_000.0, 720_000.0])


def test_a_tank_in_the_segment_is_shut_off_with_it() -> None:
    """R ---- A -x---- B ---- T"""
    net = Drawn()
    net.pipe("R", "A")
    net.valve("V", net.pipe("A", "B"), "A")
    net.pipe("B", "T")

    answer = net.isolate("B")

    assert answer.sources_inside == ("T",)
    assert answer.components == ("AB", "B", "BT", "T")
    assert answer.tanks == ()


def test_a_pump_bounds_no_segment_but_gives_water_its_direction() -> None:
    """
    R1 ---- A -x---- B ---- pump ---- C -x---- D ---- R2
    """
    net = Drawn()
    net.pipe("R1", "A")
    net.valve("V", net.pipe("A", "B"), "A")
    net.link("PU", "Pump", "B", "C", one_way=True)
    net.valve("W", net.pipe("C", "D"), "C")
    net.pipe("D", "R2")

    # a break at the discharge is fed through the pump: the segment goes on to the suction side
    answer = net.isolate("C")
    assert answer.components == ("AB", "B", "C", "PU")
    assert sorted(closed(answer)) == ["V", "W"]
    # upstream of V, what lies before the pump cannot be fed back from R2
    net.valve("S", net.pipe("A", "E"), "A")
    net.pipe("E", "B")
    net.parts["AB"] = net.parts["AB"].__class__(**{**net.parts["AB"].__dict__, "status": "closed"})
    lost = net.isolate("RA" if "RA" in net.parts else "R1A")
    assert "B" in lost.unintended
    assert "C" not in lost.isolated


def test_a_stopped_pump_and_a_closed_pipe_let_nothing_through() -> None:
    """R ---- A -x---- B ---- C ---- R2       BC is closed: it touches water on C's side"""
    net = Drawn()
    net.pipe("R", "A")
    net.valve("V", net.pipe("A", "B"), "A")
    net.valve("W", net.pipe("B", "X"), "B")
    net.pipe("X", "C", status="closed")
    net.pipe("C", "R2")

    answer = net.isolate("AB")

    # the closed pipe itself has water at C
    assert answer.unintended == ("BX", "X")


def test_without_any_valve_only_the_source_can_be_shut() -> None:
    """R ---- A ---- B"""
    net = Drawn()
    net.pipe("R", "A")
    net.pipe("A", "B")

    answer = net.isolate("AB")

    assert closed(answer) == []
    assert answer.components == ("A", "AB", "B", "R", "RA")
    assert answer.sources_inside == ("R",)
    assert answer.worst is None


def test_a_valve_that_fails_merges_three_segments() -> None:
    """
                 C
                 |
                 x W         V stands between AB and B, W and X at B:
    R ---- A --V-B-X---- D   each of the three closes one arm; B alone is a segment
    """
    net = Drawn()
    net.pipe("R", "A")
    net.valve("V", net.pipe("A", "B"), "B")
    net.valve("W", net.pipe("B", "C"), "B")
    net.valve("X", net.pipe("B", "D"), "B")
    net.valve("U", "AB", "A")

    good = net.isolate("BC")
    assert (closed(good), good.components) == (["W"], ("BC", "C"))
    assert good.without.customers == 10
    assert good.worst is not None
    assert (good.worst.id, good.worst.added_customers) == ("W", 20)

    bad = net.isolate("BC", None, "W")
    assert bad.components == ("B", "BC", "C", "W")
    assert len(bad.segments) == 2
    assert sorted(closed(bad)) == ["V", "X"]
    assert bad.unintended == ("BD", "D")

    worse = net.isolate("BC", None, "W", "X")
    assert len(worse.segments) == 3
    assert worse.components == ("B", "BC", "BD", "C", "D", "W", "X")
    assert closed(worse) == ["V"]
    # a valve out of service is taken as one that cannot be moved
    net.parts["W"] = net.parts["W"].__class__(**{**net.parts["W"].__dict__, "status": "out_of_service"})
    assert net.isolate("BC").components == bad.components
    assert net.isolate("BC").inoperable == ("W",)


def test_a_seized_valve_stands_open() -> None:
    """R ---- A -V---- B -W---- C       W cannot be moved: C has water as it stands, and goes with B"""
    net = Drawn()
    net.pipe("R", "A")
    net.valve("V", net.pipe("A", "B"), "A")
    net.valve("W", net.pipe("B", "C"), "B", status="out_of_service")

    answer = net.isolate("B")

    assert (closed(answer), answer.components) == (["V"], ("AB", "B", "BC", "C", "W"))
    assert answer.inoperable == ("W",)
    elsewhere = Drawn()
    elsewhere.pipe("R", "A")
    elsewhere.valve("W", elsewhere.pipe("A", "B"), "A", status="out_of_service")
    elsewhere.valve("V", elsewhere.pipe("A", "C"), "A")
    assert elsewhere.isolate("C").isolated == ("AC", "C")


def test_a_broken_valve_is_shut_off_on_both_sides() -> None:
    """R ---- A -U---- B -V---- C -W---- D"""
    net = Drawn()
    net.pipe("R", "A")
    for name, a, b in (("U", "A", "B"), ("V", "B", "C"), ("W", "C", "D")):
        net.valve(name, net.pipe(a, b), a)

    answer = net.isolate("V")

    assert sorted(closed(answer)) == ["U", "W"]
    assert answer.components == ("AB", "B", "BC", "C", "V")


def test_a_valve_between_two_nodes_isolates_as_one_on_a_pipe() -> None:
    """R ---- A --[gate]-- B ---- C"""
    net = Drawn()
    net.pipe("R", "A")
    net.link("G", "Valve", "A", "B", isolates=True)
    net.pipe("B", "C")

    answer = net.isolate("BC")

    assert closed(answer) == ["G"]
    assert answer.valves[0].distance_m == 50.0
    assert answer.valves[0].pipe is None
    assert answer.components == ("B", "BC", "C")
    # broken itself, nothing parts it from the reservoir
    assert net.isolate("G").sources_inside == ("R",)


def test_a_valve_joined_to_a_pipe_without_a_node_isolates_too() -> None:
    """A --[gate]---- B ---- T       as the mini network has it: no node between the valve and the pipe"""
    net = Drawn()
    net.node("A")
    net.parts["G"] = net.parts["A"].__class__("G", "Valve", "G", "open", 0.0, isolates=True)
    net.parts["P"] = net.parts["A"].__class__("P", "Pipe", "P", "open", 500.0)
    net.node("B")
    net.joints += [("A", "G"), ("G", "P"), ("P", "B")]
    net.pipe("B", "T")

    answer = net.isolate("P")

    assert closed(answer) == ["G"]
    assert answer.components == ("B", "BT", "P", "T")
    assert answer.unintended == ("A",)


def test_customers_on_a_split_pipe_are_counted_where_they_are() -> None:
    """R ---- A ------x------------ B       40 m from A; three at 10 m, five at 90 m, seven somewhere"""
    net = Drawn()
    net.pipe("R", "A")
    net.valve("V", net.pipe("A", "B"), "A", 40.0)
    connection = net.connections[0].__class__
    net.connections = [
        connection("near", "three", 3, False, "AB", 10.0),
        connection("far", "Hospital", 5, True, "AB", 90.0),
        connection("unknown", "seven", 7, False, "AB"),
    ]

    answer = net.isolate("B")

    assert answer.without.customers == 12
    assert answer.without.critical == ("Hospital",)


def test_the_part_that_had_no_source_before_is_named() -> None:
    """R ---- A -x---- B        C ---- D"""
    net = Drawn()
    net.pipe("R", "A")
    net.valve("V", net.pipe("A", "B"), "A")
    net.pipe("C", "D")

    answer = net.isolate("AB")

    assert answer.unintended == ("C", "CD", "D")
    assert answer.without_source_before == ("C", "CD", "D")


def test_what_cannot_be_isolated_is_refused_with_the_reason() -> None:
    """R ---- A -x---- B        S (joined to nothing)"""
    net = Drawn()
    net.pipe("R", "A")
    net.valve("V", net.pipe("A", "B"), "A")
    net.node("S")

    with pytest.raises(NotFound):
        net.isolate("nobody")
    with pytest.raises(InvalidValue, match="joined to nothing"):
        net.isolate("S")
    with pytest.raises(InvalidValue, match="no place"):
        net.isolate("AB", 101.0)
    with pytest.raises(InvalidValue, match="no isolation valve"):
        net.isolate("AB", None, "AB")


def test_segments_keep_their_id_when_another_part_changes() -> None:
    """R ---- A -x---- B -x---- C"""
    net = Drawn()
    net.pipe("R", "A")
    net.valve("V", net.pipe("A", "B"), "A")
    net.valve("W", net.pipe("B", "C"), "B")
    before = {segment.components: segment.id for segment in net.analysis().pieces.segments}

    net.pipe("C", "D")
    after = {segment.components: segment.id for segment in net.analysis().pieces.segments}

    assert len(before) == len(after) == 3
    assert before["A", "R", "RA"] == after["A", "R", "RA"]
    assert before["AB", "B"] == after["AB", "B"]
    assert set(before.values()) != set(after.values())
