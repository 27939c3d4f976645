"""Of an exported file only the tokens of what changed are others; what names something removed is named."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from wnis_core.errors import Conflict, InvalidModel
from wnis_graph.network_model import (
    JunctionModel,
    LinkStatus,
    NetworkModel,
    PipeModel,
    PumpModel,
    ReservoirModel,
    TankModel,
    ValveKind,
    ValveModel,
)
from wnis_simulator import contained_runs
from wnis_simulator.differences import Change, Link, Node, Renamed, differences, links_of, nodes_of
from wnis_simulator.inp_edit import Edited, edit_inp, refuse_orphans
from wnis_simulator.inp_read import read_model
from wnis_simulator.inp_scan import scan_inp
from wnis_simulator.inp_text import SECTIONS

FILE = Path(__file__).with_name("every_section.inp").read_bytes()
SCAN = scan_inp(FILE)
MODEL = read_model(SCAN)
GROUPS = ("junctions", "reservoirs", "tanks", "pipes", "pumps", "valves")


def made(model: NetworkModel, renamed: Renamed | None = None) -> Edited:
    return edit_inp(scan_inp(FILE), differences(MODEL, model, renamed), renamed)


def node(name: str) -> Node:
    return nodes_of(MODEL)[name]


def link(name: str) -> Link:
    return links_of(MODEL)[name]


def with_(*items: Node | Link, without: tuple[str, ...] = ()) -> NetworkModel:
    """The model with `items` in the places of those of the same name, or behind them."""
    groups = {}
    for group in GROUPS:
        kind = {"junctions": JunctionModel, "reservoirs": ReservoirModel, "tanks": TankModel, "pipes": PipeModel,
                "pumps": PumpModel, "valves": ValveModel}[group]  # fmt: skip
        mine = {item.name: item for item in items if isinstance(item, kind)}
        kept = [mine.pop(old.name, old) for old in getattr(MODEL, group) if old.name not in without]
        groups[group] = (*kept, *mine.values())
    return replace(MODEL, **groups)


def changed_lines(content: bytes) -> tuple[list[str], list[str]]:
    """Lines that only the old file has, and only the new one, as words."""
    old, new = (text.decode().split("\n") for text in (FILE, content))
    gone, come = list(old), []
    for line in new:
        gone.remove(line) if line in gone else come.append(line)
    return [" ".join(line.split()) for line in gone], [" ".join(line.split()) for line in come]


def test_the_file_holds_every_section_and_the_engine_runs_it() -> None:
    assert set(SCAN.first_line) == set(SECTIONS) - {"ROUGHNESS"}
    with contained_runs.scratch() as folder:
        assert contained_runs.parse(FILE, folder, on_progress=lambda *_: None) == MODEL
    with contained_runs.scratch() as folder:
        contained_runs.run(FILE, folder, demand_model="as-file", on_progress=lambda *_: None)


def test_nothing_changed_is_the_file_byte_for_byte() -> None:
    assert differences(MODEL, MODEL) == []
    assert edit_inp(SCAN, []).content == FILE


@pytest.mark.parametrize("ending", [b"\r\n", b"\n"])
def test_line_ends_and_latin_1_stay(ending: bytes) -> None:
    content = FILE.replace(b"the mill\n", "die Mühle\n".encode("latin-1")).replace(b"\n", ending)
    scan = scan_inp(content)
    source = read_model(scan)
    assert source.junctions[0].description == "die Mühle"
    assert edit_inp(scan, []).content == content
    lower = replace(source, junctions=(replace(source.junctions[0], elevation_m=9.75), *source.junctions[1:]))
    added = replace(lower, tanks=(*lower.tanks, replace(lower.tanks[0], name="T3")))
    edited = edit_inp(scan, differences(source, added)).content
    assert edited.startswith(content[: content.index(b"10.50")] + b"9.75")
    assert edited.count(b"\n") == edited.count(ending)
    assert read_model(scan_inp(edited)).tanks[-1].name == "T3"


@pytest.mark.parametrize(
    ("item", "gone", "come"),
    [
        (replace(link("P1"), diameter_m=0.25), "P1 J1 J2 1000.00 300 0.1000 0 Open ;main",
         "P1 J1 J2 1000.00 250 0.1000 0 Open ;main"),
        (replace(link("P1"), status=LinkStatus.CLOSED), "P1 J1 J2 1000.00 300 0.1000 0 Open ;main",
         "P1 J1 J2 1000.00 300 0.1000 0 CLOSED ;main"),
        (replace(link("P2"), status=LinkStatus.CLOSED), "P2 J2 J3 800 250.0 0.1 0.50",
         "P2 J2 J3 800 250.0 0.1 0.50 CLOSED"),
        (replace(link("P3"), status=LinkStatus.OPEN), "P3 J3 T1 600 200 0.1 CLOSED", "P3 J3 T1 600 200 0.1 OPEN"),
        (replace(link("P3"), minor_loss=2.5), "P3 J3 T1 600 200 0.1 CLOSED", "P3 J3 T1 600 200 0.1 2.5 CLOSED"),
        (replace(link("P5"), status=LinkStatus.CLOSED), "P5 Open", "P5 CLOSED"),
        (replace(link("P5"), minor_loss=1.5), "P5 J3 J4 900 150 0.1", "P5 J3 J4 900 150 0.1 1.5"),
        (replace(link("P5"), roughness=2.5e-4), "P5 J3 J4 900 150 0.1", "P5 J3 J4 900 150 0.25"),
        (replace(link("P5"), start="J2"), "P5 J3 J4 900 150 0.1", "P5 J2 J4 900 150 0.1"),
        (replace(link("PU1"), head_curve="OTHER"), "PU1 R1 J1 HEAD LIFT SPEED 1.2 PATTERN DAY",
         "PU1 R1 J1 HEAD OTHER SPEED 1.2 PATTERN DAY"),
        (replace(link("PU1"), speed=0.75), "PU1 R1 J1 HEAD LIFT SPEED 1.2 PATTERN DAY",
         "PU1 R1 J1 HEAD LIFT SPEED 0.75 PATTERN DAY"),
        (replace(link("PU2"), status=LinkStatus.OPEN), "PU2 Closed", "PU2 OPEN"),
        (replace(link("PU2"), power_w=9000.0), "PU2 R1 J1 POWER 7.5", "PU2 R1 J1 POWER 9"),
        (replace(link("PU2"), power_w=None, head_curve="LIFT"), "PU2 R1 J1 POWER 7.5", "PU2 R1 J1 HEAD LIFT"),
        (replace(link("V1"), setting=25.5), "V1 J3 J5 200 PRV 30.0 0.2", "V1 J3 J5 200 PRV 25.5 0.2"),
        (replace(link("V1"), kind=ValveKind.FCV, setting=0.0125), "V1 J3 J5 200 PRV 30.0 0.2",
         "V1 J3 J5 200 FCV 12.5 0.2"),
        (replace(node("J4"), base_demand_m3s=0.002), "J4 9", "J4 9 2"),
        (replace(node("R1"), head_m=61.5), "R1 60.0 LEVEL", "R1 61.5 LEVEL"),
        (replace(node("T2"), min_volume_m3=20.0), "T2 54 2 0 5 8.0 12.5", "T2 54 2 0 5 8.0 20"),
        (replace(node("J1"), x=101.25), "J1 100.500 200.00", "J1 101.25 200.0"),
        (replace(node("J1"), tag="weir"), "NODE J1 mill", "NODE J1 weir"),
        (replace(node("J1"), description="the weir"), "J1 10.50 0 ;the mill", "J1 10.50 0 ;the weir"),
    ],
)  # fmt: skip
def test_only_the_tokens_of_a_changed_property_are_others(item: Node | Link, gone: str, come: str) -> None:
    content = made(with_(item)).content
    assert changed_lines(content) == ([gone], [come])
    assert differences(with_(item), read_model(scan_inp(content))) == []


def test_demand_categories_keep_their_shares_patterns_and_names() -> None:
    gone, come = changed_lines(made(with_(replace(node("J2"), base_demand_m3s=0.010))).content)
    assert gone == ["J2 3.0 DAY ;homes", "J2 2.0 ;works"]
    assert come == ["J2 6 DAY ;homes", "J2 4 ;works"]


def test_what_is_about_a_removed_component_goes_with_it_from_every_section() -> None:
    edited = made(with_(without=("P1",)))
    gone, come = changed_lines(edited.content)
    assert gone == [
        "P1 J1 J2 1000.00 300 0.1000 0 Open ;main", "LINK P1 main", "Bulk P1 -0.3", "Links P1 PU1", "P1 150.00 250.00",
        "P1 250.00 250.00",
    ]  # fmt: skip
    assert (come, edited.orphans) == (["Links PU1"], ())


def test_controls_rules_and_options_that_name_what_was_removed_are_named_and_refused() -> None:
    edited = made(with_(without=("T1", "P3", "V1", "J5", "V2", "R1", "PU1", "PU2")))
    said = [(o.section, o.text.split()[:3], o.removed) for o in edited.orphans]
    assert said == [
        ("CONTROLS", ["LINK", "P5", "CLOSED"], "T1"),
        ("CONTROLS", ["LINK", "PU2", "1.1"], "PU2"),
        ("RULES", ["RULE", "night", "IF"], "T1"),
        ("RULES", ["RULE", "2", "IF"], "J5"),
        ("OPTIONS", ["Quality", "Trace", "R1"], "R1"),
    ]
    text = edited.content.decode()
    assert "RULE " not in text
    assert "LINK P2 OPEN AT TIME 5:30" in text
    with pytest.raises(Conflict, match="5 controls, rules or options") as caught:
        refuse_orphans(edited.orphans)
    assert [problem.field for problem in caught.value.fields][:1] == [f"CONTROLS line {edited.orphans[0].line}"]


def test_another_name_stands_everywhere_the_old_one_did() -> None:
    renamed = Renamed(nodes={"T1": "TOWER"}, links={"PU1": "LIFTER"})
    pipe = replace(link("P3"), end="TOWER")
    model = with_(replace(node("T1"), name="TOWER"), replace(link("PU1"), name="LIFTER"), pipe, without=("T1", "PU1"))
    edited = made(model, renamed)
    assert edited.orphans == ()
    text = edited.content.decode()
    assert not re.search(r"\b(T1|PU1)\b", text)
    assert text.replace("TOWER", "T1").replace("LIFTER", "PU1") == FILE.decode()


def test_added_components_stand_behind_the_others_of_their_section_and_the_engine_reads_them() -> None:
    added = with_(
        JunctionModel("J6", 7.5, 0.001, x=800.0, y=1.5, tag="new", description="a farm"),
        TankModel("T3", 50.0, 2.0, 1.0, 4.0, 6.0, 0.0, x=1.0, y=2.0),
        PipeModel("P6", "J5", "J6", 120.0, 0.1, 2e-4, vertices=((710.0, 90.0),)),
        PipeModel("P7", "J6", "T3", 20.0, 0.1, None, check_valve=True),
        PumpModel("PU3", "R1", "J6", head_curve="LIFT", speed=0.9, status=LinkStatus.CLOSED),
        ValveModel("V3", "J5", "J4", ValveKind.GATE, 0.1, status=LinkStatus.CLOSED),
    )
    content = made(added).content
    assert changed_lines(content)[0] == []
    with contained_runs.scratch() as folder:
        again = contained_runs.parse(content, folder, on_progress=lambda *_: None)
    assert {item.name for group in GROUPS for item in getattr(again, group)} == {
        item.name for group in GROUPS for item in getattr(added, group)
    }
    assert nodes_of(again)["J6"] == nodes_of(added)["J6"]
    assert links_of(again)["P6"] == links_of(added)["P6"]
    assert (links_of(again)["V3"].status, links_of(again)["PU3"].status) == ("closed", "closed")


def test_sections_that_the_file_lacks_are_made_where_the_engine_wants_them() -> None:
    content = b"""[JUNCTIONS]
 J1 10 5
[RESERVOIRS]
 R 60
[PIPES]
 A R J1 100 300 100 0 Open
[OPTIONS]
 UNITS LPS
[END]
"""
    scan = scan_inp(content)
    model = read_model(scan)
    more = replace(
        model,
        tanks=(TankModel("T", 50.0, 2.0, 1.0, 4.0, 6.0, 0.0, x=1.0, y=2.0),),
        valves=(ValveModel("V", "J1", "T", ValveKind.TCV, 0.1, 2.0, status=LinkStatus.OPEN),),
    )
    edited = edit_inp(scan, differences(model, more)).content
    with contained_runs.scratch() as folder:
        again = contained_runs.parse(edited, folder, on_progress=lambda *_: None)
    assert differences(more, again) == []


def test_a_byte_order_mark_at_which_the_engine_stops_is_left_out_and_said() -> None:
    scan = scan_inp(b"\xef\xbb\xbf" + FILE)
    assert edit_inp(scan, []).content == FILE
    assert any("byte-order mark" in r.message for r in read_model(scan).remarks if r.severity == "warning")


def test_a_name_or_word_that_the_file_cannot_hold_is_refused() -> None:
    with pytest.raises(InvalidModel, match="cannot read the name 'J 6'"):
        made(with_(JunctionModel("J 6", 1.0)))
    scan = scan_inp(FILE.replace(b"the mill", b"M\xfchle"))
    item = replace(node("J1"), description="水車")
    with pytest.raises(InvalidModel, match="latin-1, which has no '水'"):
        edit_inp(scan, [Change(node("J1"), item, ("description",))])
