"""Each check on a small network that is right, and on the same one with one thing wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from wnis_graph.checks.catalogue import CHECKS, judge
from wnis_graph.checks.survey import Survey
from wnis_graph.isolation.answer import IsolationAnalysis
from wnis_graph.isolation.load import Load
from wnis_graph.isolation.pieces import Pieces
from wnis_graph.queries.isolation import Connection, Part, Seat
from wnis_graph.values import Location

TODAY = date(2026, 6, 1)


@dataclass
class Town:
    """R - A - B - C - D in a row of 100 m steps near Lexington, with a pump before A and a tank at D."""

    components: dict[str, dict[str, Any]] = field(default_factory=dict)
    joints: list[tuple[str, str]] = field(default_factory=list)
    seats: list[Seat] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    crs: str | None = "EPSG:3089"

    def node(self, name: str, kind: str, metres: float, **more: Any) -> None:
        place = Location(-84.5 + metres / (111_320 * 0.788), 38.0)
        self.components[name] = {
            "id": name, "name": name, "type": kind, "status": "active", "location": place, "elevation_m": 200.0, **more,
        }  # fmt: skip

    def link(self, name: str, kind: str, start: str | None, end: str | None, **more: Any) -> None:
        given = {"status": "open", "diameter_m": 0.2, **({"length_m": 100.0} if kind == "Pipe" else {}), **more}
        ends = [self.components[n]["location"] for n in (start, end) if n is not None]
        shape = [value for place in ends for value in (place.x, place.y)] if len(ends) == 2 else []
        self.components[name] = {"id": name, "name": name, "type": kind, "shape": shape, **given}
        self.joints += [(start, name)] if start else []
        self.joints += [(name, end)] if end else []

    def survey(self) -> Survey:
        parts = [
            Part(c["id"], c["type"], c["name"], c["status"], c.get("length_m", 0.0), c["type"] == "Pump",
                 c.get("valve_kind") == "gate", c.get("base_demand_m3s", 0.0))
            for c in self.components.values()
        ]  # fmt: skip
        pieces = Pieces("town", parts, self.joints, self.seats)
        return Survey(
            self.crs, self.components, self.joints, self.seats, self.connections, IsolationAnalysis(pieces),
            Load(pieces, self.connections), TODAY,
        )  # fmt: skip

    def found(self) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
        outcomes = judge(self.survey()).outcomes
        return {o.check.id: [(f.message, f.components) for f in o.findings] for o in outcomes if o.findings}


def town() -> Town:
    made = Town()
    made.node("R", "Reservoir", 0.0)
    for i, name in enumerate("ABC", start=1):
        made.node(name, "Junction", 100.0 * i, base_demand_m3s=0.001)
    made.node("T", "Tank", 400.0, min_level_m=1.0, init_level_m=3.0, max_level_m=5.0, diameter_m=10.0)
    made.link("PU", "Pump", "R", "A", power_w=5000.0)
    made.link("AB", "Pipe", "A", "B", material="ductile_iron", install_date=date(1970, 1, 1))
    made.link("BC", "Pipe", "B", "C", material="pvc", install_date=date(1990, 1, 1))
    made.link("CT", "Pipe", "C", "T")
    return made


def test_a_network_without_fault_scores_a_hundred() -> None:
    quality = judge(town().survey())
    assert town().found() == {}
    assert quality.score == 100.0
    assert {c.score for c in quality.categories} == {100.0}


Wrong = Callable[[Town], object]


def _change(component: str, **properties: object) -> Wrong:
    return lambda t: t.components[component].update(properties)


def _island(t: Town) -> None:
    t.node("X", "Junction", 700.0)
    t.node("Y", "Junction", 800.0)
    t.link("XY", "Pipe", "X", "Y")


def _cut_off(t: Town) -> None:
    # the tank closed off too: B and C have nothing
    t.components["AB"]["status"] = t.components["CT"]["status"] = "closed"


def _overlap(t: Town) -> None:
    t.node("N", "Junction", 360.0, base_demand_m3s=0.0)
    t.link("BN", "Pipe", "B", "N", length_m=160.0)


def _hole(t: Town) -> None:
    for i, name in enumerate("DEFG"):
        t.node(name, "Junction", 500.0 + 100 * i, elevation_m=0.0 if name == "E" else 200.0)
        t.link(f"P{name}", "Pipe", "C" if name == "D" else chr(ord(name) - 1), name, length_m=150.0)


def _valve(near: str, offset_m: float) -> Wrong:
    def place(t: Town) -> None:
        t.components["V"] = {"id": "V", "name": "V", "type": "Valve", "status": "open", "valve_kind": "gate",
                             "diameter_m": 0.2}  # fmt: skip
        t.seats.append(Seat("V", "AB", near, offset_m))

    return place


@pytest.mark.parametrize(
    ("wrong", "check", "components", "says"),
    [
        (_island, "unconnected-parts", {"X", "XY", "Y"}, "joined to no reservoir"),
        (lambda t: t.node("L", "Junction", 700.0), "loose-components", {"L"}, "joined to nothing"),
        (lambda t: t.link("H", "Pipe", "C", None), "loose-components", {"H"}, "nothing at its end"),
        (lambda t: t.link("S", "Pipe", "B", "B"), "self-loops", {"S"}, "begins and ends at B"),
        (lambda t: t.link("AB2", "Pipe", "B", "A"), "duplicate-pipes", {"AB", "AB2"}, "2 pipes of 100 m and 200 mm"),
        (_overlap, "overlapping-pipes", {"BN", "BC"}, "on top of one another"),
        (_cut_off, "closed-isolates-demand", {"AB", "CT", "B", "BC", "C"}, "2.00 L/s"),
        (_valve("A", 101.0), "valves-off-pipe", {"V", "AB"}, "101 m along AB"),
        (_valve("C", 1.0), "valves-off-pipe", {"V", "AB"}, "no end of AB"),
        (lambda t: t.node("A2", "Junction", 100.2), "nodes-almost-touching", {"A", "A2"}, "0.20 m apart"),
        (_change("BC", length_m=1000.0), "length-unlike-drawn", {"BC"}, "drawn 100.0 m long"),
        (_change("B", location=None), "nodes-without-place", {"B"}, "no coordinates"),
        (lambda t: setattr(t, "crs", "EPSG:2056"), "crs-in-sea", {"R", "A", "B", "C", "T"}, "outside the area"),
        (_change("AB", length_m=0.0), "impossible-sizes", {"AB"}, "0 m long"),
        (_change("AB", diameter_m=0.0), "impossible-sizes", {"AB"}, "diameter of 0 m"),
        (_change("AB", diameter_m=300.0), "odd-units", {"AB"}, "300 m wide"),
        (_change("AB", diameter_m=0.0002), "odd-units", {"AB"}, "0.2 mm wide"),
        (_change("B", base_demand_m3s=50.0), "odd-units", {"B"}, "50 m3/s"),
        (_hole, "far-elevations", {"E"}, "200 m below"),
        (_change("T", init_level_m=9.0), "tank-levels", {"T"}, "above the highest"),
        (_change("T", max_level_m=0.5), "tank-levels", {"T"}, "not below"),
        (_change("T", level_fraction=8.0), "tank-levels", {"T"}, "800% full"),
        (_change("PU", power_w=None), "dead-pumps", {"PU"}, "neither a head curve nor a power"),
        (_change("PU", speed=0.0), "dead-pumps", {"PU"}, "speed 0"),
        (_change("BC", install_date=date(1920, 1, 1)), "material-before-its-time", {"BC"}, "dated 1920"),
        (_change("BC", material="PVC-O", install_date=date(1960, 1, 1)), "material-before-its-time", {"BC"}, "1974"),
        (_change("BC", install_date=date(2030, 1, 1)), "impossible-dates", {"BC"}, "2030-01-01"),
        (_change("BC", lined_date=date(1980, 1, 1)), "impossible-dates", {"BC"}, "before it was laid"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(wrong: Wrong, check: str, components: set[str], says: str) -> None:
    made = town()
    wrong(made)
    found = made.found()
    assert check in found
    message, concerned = found[check][0]
    assert set(concerned) == components
    assert says in message
    assert judge(made.survey()).score < 100.0


def test_a_network_in_the_ocean_is_in_the_sea() -> None:
    made = town()
    made.crs = None
    for c in made.components.values():
        if c.get("location"):
            c["location"] = Location(-40.0, 30.0)
    assert "in the sea" in made.found()["crs-in-sea"][0][0]
    # small islands are land: Malta, Tristan da Cunha
    for x, y in ((14.4, 35.9), (-12.3, -37.1)):
        for c in made.components.values():
            if c.get("location"):
                c["location"] = Location(x, y)
        assert "crs-in-sea" not in made.found()


def test_a_pump_whose_supply_is_closed_moves_nothing() -> None:
    made = town()
    made.node("S", "Junction", 50.0)
    made.link("RS", "Pipe", "R", "S", status="closed", length_m=50.0)
    made.joints = [j for j in made.joints if j != ("R", "PU")] + [("S", "PU")]
    assert made.found()["dead-pumps"][0][0] == "Pump PU has no source on its suction side."


def test_every_check_is_tried_here_and_says_how_to_mend_it() -> None:
    tried = {mark.args[1][i][1] for mark in test_what_is_wrong_is_named.pytestmark for i in range(len(mark.args[1]))}  # type: ignore[attr-defined]
    assert {check.id for check in CHECKS} == tried
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    assert all(check.mend.endswith(".") and check.examines for check in CHECKS)
