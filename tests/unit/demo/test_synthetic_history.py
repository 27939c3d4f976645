"""The demonstration's data follow from the seed, keep to the documented model and pass through the shipped mappings."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
from wnis_core.mapping import MappedTable, load_mapping, read_table
from wnis_ops.demo.describe import describe, main, text
from wnis_ops.demo.files import Demonstration, draw, write
from wnis_ops.demo.hazard import HUNDRED_MILES_M, LAWS, Material, level, relative_rate, season
from wnis_ops.demo.load import MAPPINGS
from wnis_ops.demo.network import read_ground

UNTIL = date(2026, 1, 1)


@pytest.fixture(scope="module")
def drawn() -> Demonstration:
    return draw(UNTIL)


@pytest.fixture(scope="module")
def tables(drawn: Demonstration, tmp_path_factory: pytest.TempPathFactory) -> dict[str, MappedTable]:
    files = write(drawn, tmp_path_factory.mktemp("demo"))
    return {
        name: read_table(file, load_mapping(MAPPINGS / f"{name}.toml"))
        for name, file in (
            ("demo-assets", files.assets),
            ("demo-service-connections", files.connections),
            ("demo-isolation-valves", files.valves),
            ("demo-incidents", files.incidents),
        )
    }


def test_the_same_seed_draws_the_same_and_another_seed_does_not(drawn: Demonstration) -> None:
    assert draw(UNTIL) == drawn
    assert draw(UNTIL, 5).events != drawn.events


def test_a_later_demonstration_begins_with_the_same_events(drawn: Demonstration) -> None:
    """What differs is only what was still open, and what was reported after the end."""
    later = {(e.work_order, e.occurred, e.assets, e.remarks) for e in draw(date(2026, 6, 1)).events}
    assert {(e.work_order, e.occurred, e.assets, e.remarks) for e in drawn.events} <= later


def test_every_main_has_an_install_date_and_a_material_of_its_time(drawn: Demonstration) -> None:
    assert [a.pipe for a in drawn.register] == [m.name for m in read_ground().mains]
    assert all(date(1936, 1, 1) <= a.installed < date(2017, 1, 1) for a in drawn.register)
    assert max(a.installed.year for a in drawn.register if a.material is Material.CAST_IRON) < 1975
    assert min(a.installed.year for a in drawn.register if a.material is Material.PVC) >= 1975


def test_the_town_grew_outwards_so_neighbours_are_of_an_age(drawn: Demonstration) -> None:
    at: dict[str, list[int]] = {}
    for a in drawn.register:
        for node in (a.start, a.end):
            at.setdefault(node, []).append(a.installed.year)
    steps = [abs(years[0] - years[1]) for years in at.values() if len(years) > 1]
    years = [a.installed.year for a in drawn.register]
    rng = np.random.default_rng(0)
    shuffled = np.abs(rng.permutation(years) - np.array(years))
    assert np.median(steps) < np.median(shuffled) / 2


def test_nothing_breaks_before_it_was_laid(drawn: Demonstration) -> None:
    laid = {a.pipe: a.installed for a in drawn.register}
    breaks = [e for e in drawn.events if e.kind == "MAIN BREAK"]
    assert breaks
    assert all(e.occurred.date() > laid[e.assets[0]] for e in breaks)


def test_expected_rates_are_the_published_ones_over_the_reference_years() -> None:
    rng = np.random.default_rng(1)
    laid = rng.integers(1936, 2016, 500).astype(float)
    diameter, length, ground = rng.uniform(0.1, 0.4, 500), rng.uniform(5, 900, 500), rng.uniform(0.5, 2, 500)
    for law in LAWS.values():
        constant = level(law, laid, diameter, length, ground)
        events = exposure = 0.0
        for year in range(2001, 2026):
            age = year - laid
            of_length = np.where(age > 0, length, 0) / HUNDRED_MILES_M
            exposure += of_length.sum()
            events += float((of_length * constant * relative_rate(law, age, diameter) * ground).sum())
        # a share of breaks is followed by another, and those by others
        assert events / (1 - 0.12) / exposure == pytest.approx(law.breaks_per_100mi_year)


def test_season_has_mean_one_and_cast_iron_breaks_in_winter() -> None:
    days = np.arange(0, 365.25, 0.25)
    for law in LAWS.values():
        assert season(law, days).mean() == pytest.approx(1.0, abs=1e-6)
    iron = LAWS[Material.CAST_IRON]
    assert season(iron, np.array([28.0]))[0] == pytest.approx(1.65)


def test_drawn_rates_and_effects_agree_with_the_model(drawn: Demonstration) -> None:
    figures = describe(drawn)
    for m in figures.materials:
        expected = m.published_per_100mi_year / m.per_100mi_year * m.breaks
        assert abs(m.breaks - expected) < 3 * np.sqrt(expected)
    age, diameter = figures.effects
    assert age.low - 0.01 < age.true < age.high + 0.01
    assert diameter.found < 0
    assert figures.breaks_in_winter > 0.3


def test_every_row_passes_the_shipped_mappings(drawn: Demonstration, tables: dict[str, MappedTable]) -> None:
    assets, connections, valves, incidents = tables.values()
    assert [table.rejected for table in tables.values()] == [[], [], [], []]
    assert (len(assets.rows), len(connections.rows)) == (len(drawn.register), len(drawn.connections))
    assert len(valves.rows) == len(drawn.valves)
    assert incidents.filtered == {"cancelled": sum(e.state == "CANCELLED" for e in drawn.events)}
    assert all(row["synthetic"] is True for table in tables.values() for row in table.rows)


def test_an_incident_is_never_known_before_it_happens(tables: dict[str, MappedTable]) -> None:
    moments = [(row["occurred_at"], row["available_at"]) for row in tables["demo-incidents"].rows]
    assert all(isinstance(a, datetime) and isinstance(b, datetime) and a <= b for a, b in moments)
    assert max(str(known) for _, known in moments) < "2026-01-02"


def test_incidents_happen_to_what_is_in_the_network(drawn: Demonstration) -> None:
    ground = drawn.ground
    known = {m.name for m in ground.mains} | {n.name for n in ground.nodes} | set(ground.pumps) | set(ground.tanks)
    known |= {end for m in ground.mains for end in (m.start, m.end)}
    assert {asset for e in drawn.events for asset in e.assets} <= known
    assert {c.node for c in drawn.connections} <= known


def test_work_orders_are_unique_and_texts_are_varied_and_whole(drawn: Demonstration) -> None:
    assert len({e.work_order for e in drawn.events}) == len(drawn.events)
    breaks = [e.remarks for e in drawn.events if e.kind == "MAIN BREAK"]
    assert len(set(breaks)) > 0.98 * len(breaks)
    assert not [e.remarks for e in drawn.events if "{" in e.remarks or "  " in e.remarks or not e.remarks]


def test_causes_fit_the_material(drawn: Demonstration) -> None:
    material = {a.pipe: a.material for a in drawn.register}
    causes: dict[Material, Counter[str]] = {m: Counter() for m in Material}
    for e in drawn.events:
        if e.kind == "MAIN BREAK":
            causes[material[e.assets[0]]][e.cause] += 1
            if e.cause == "frost load":
                assert e.occurred.month in (12, 1, 2, 3)
    assert causes[Material.PVC]["corrosion"] == 0
    assert causes[Material.DUCTILE_IRON].most_common(1)[0][0] == "corrosion"
    assert causes[Material.CAST_IRON]["frost load"] > 50


def test_coordinates_agree_with_lengths_in_us_survey_feet() -> None:
    """The check behind EPSG:3089: the network's lengths are the distances of its end nodes, but for bends."""
    ground = read_ground()
    place = {n.name: (n.x, n.y) for n in ground.nodes}
    pairs = [(m, place[m.start], place[m.end]) for m in ground.mains if m.start in place and m.end in place]
    ratio = [m.length_m / (float(np.hypot(a[0] - b[0], a[1] - b[1])) * 1200 / 3937) for m, a, b in pairs]
    assert np.median(ratio) == pytest.approx(1.0, abs=0.003)


def test_the_description_is_printed_and_files_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--until", "2026-01-01", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out == text(describe(draw(UNTIL)))
    assert {f.name for f in tmp_path.iterdir()} == {
        "water_mains.csv", "service_connections.csv", "isolation_valves.csv", "work_orders.csv",
    }  # fmt: skip


def test_isolation_valves_stand_near_junctions_on_most_but_one_of_their_mains(drawn: Demonstration) -> None:
    ends = {a.pipe: {a.start, a.end} for a in drawn.register}
    assert all(v.node in ends[v.pipe] and 0 < v.offset_m <= 3 for v in drawn.valves)
    assert len({(v.pipe, v.node) for v in drawn.valves}) == len(drawn.valves)
    degree = Counter(node for a in drawn.register for node in (a.start, a.end))
    there = Counter(v.node for v in drawn.valves)
    crossings = [n for n, mains in degree.items() if mains > 2 and n in {j.name for j in drawn.ground.nodes}]
    assert all(there[n] < degree[n] for n in crossings)
    assert sum(there[n] for n in crossings) / sum(degree[n] - 1 for n in crossings) == pytest.approx(0.875, abs=0.03)
