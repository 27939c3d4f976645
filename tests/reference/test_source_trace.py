"""Shares of the sources against two other ways to find them.

* The same engine through WNTR's `EpanetSimulator`, its trace of one node, hour by hour.
* No engine at all: when nothing changes over time, the share at a node is the mean of its inflows weighted by flow
  (Boulos and Altman 1993, "An explicit approach for modelling quality in distribution networks"), a linear system.

And against what must hold of any water: it came from a reservoir or was there before, and what the file says of
chemicals, reactions and time steps of reports changes nothing.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import wntr
from scipy import sparse
from scipy.sparse import linalg
from wnis_core.errors import InvalidModel, InvalidValue
from wnis_simulator import contained_runs
from wnis_simulator.contained_runs import Output
from wnis_simulator.offline import simulate_file

LIBRARY = Path(find_spec("wntr").origin).parent / "library" / "networks"  # type: ignore[union-attr,arg-type]
HOUR_S = 3600


def traced(content: bytes, folder: Path, hours: int | None = None) -> Output:
    folder.mkdir(exist_ok=True)
    said: list[float] = []
    output = contained_runs.trace(
        content,
        folder,
        duration_s=hours * HOUR_S if hours else None,
        on_progress=lambda done, _message: said.append(done),
    )
    assert said == sorted(said)
    return output


def shares(output: Output, source: str, of: str = "nodes") -> pd.Series:
    """Mean share of the source, by name."""
    rows = getattr(output, of)
    by = {row["name"]: next((one[1] for one in row["fed_by"] if one[0] == source), 0.0) for row in rows}
    return pd.Series(by)


@pytest.mark.parametrize("source", ["River", "Lake", "1"])
def test_net3_as_wntr_traces_it(source: str, tmp_path: Path) -> None:
    content = (LIBRARY / "Net3.inp").read_bytes()
    output = traced(content, tmp_path / "ours")

    network = wntr.network.WaterNetworkModel("Net3")
    network.options.quality.parameter = "TRACE"
    network.options.quality.trace_node = source
    theirs = wntr.sim.EpanetSimulator(network).run_sim(file_prefix=str(tmp_path / "theirs"))
    # ours is sampled every quarter of an hour
    hours = theirs.node["quality"].iloc[-25:] / 100
    day = (hours.iloc[:-1].to_numpy() + hours.iloc[1:].to_numpy()).mean(axis=0) / 2
    ours = shares(output, source)[hours.columns].to_numpy()
    assert output.duration_s == 168 * HOUR_S
    assert ((day > 0.1) & (day < 0.9)).sum() >= 3
    assert np.abs(ours - day).max() < 0.06
    assert np.abs(ours - day).mean() < 0.005
    by_name = {row["name"]: {one[0]: one[2:] for one in row["fed_by"]} for row in output.nodes}
    for name, least, greatest in zip(hours.columns, hours.min(), hours.max(), strict=True):
        ours_least, ours_greatest = by_name[name].get(source, (0.0, 0.0))
        # of more samples the extremes are farther out; and of sources of less than a thousandth there is none
        assert ours_least <= least + 1e-3
        assert ours_greatest >= greatest - 1e-3


def grid(size: int, duration: str) -> bytes:
    """Three reservoirs at corners of a grid of `size` x `size` junctions, constant demands, no tank.

    ::

        A - 0.0 - 0.1 - ... - B
             |     |     |
            ...   ...   ...
             |     |     |
                             - C
    """
    rng = np.random.default_rng(20)
    names = [f"{row}.{column}" for row in range(size) for column in range(size)]
    lines = ["[JUNCTIONS]", *(f"{n} 0 {rng.uniform(0.5, 2):.3f}" for n in names)]
    lines += ["[RESERVOIRS]", "A 60", "B 61", "C 59.5", "[PIPES]"]
    corners = (("A", "0.0"), ("B", f"0.{size - 1}"), ("C", f"{size - 1}.{size - 1}"))
    joints = [*corners]
    joints += [(f"{r}.{c}", f"{r}.{c + 1}") for r in range(size) for c in range(size - 1)]
    joints += [(f"{r}.{c}", f"{r + 1}.{c}") for r in range(size - 1) for c in range(size)]
    lines += [f"P{i} {a} {b} 100 {rng.uniform(150, 300):.0f} 120 0 Open" for i, (a, b) in enumerate(joints)]
    lines += ["[OPTIONS]", "Units LPS", "Headloss H-W", "Accuracy 0.00001", "Quality None", "[TIMES]"]
    lines += [f"Duration {duration}", "Hydraulic Timestep 1:00", "Report Timestep 1:00", "[END]", ""]
    return "\n".join(lines).encode()


def test_a_steady_network_as_mixing_by_flow_has_it(tmp_path: Path) -> None:
    content = grid(7, "72:00")
    (tmp_path / "grid.inp").write_bytes(content)
    output = traced(content, tmp_path / "trace")
    simulate_file(tmp_path / "grid.inp", out=tmp_path / "run")

    flows = pd.read_parquet(tmp_path / "run" / "links.parquet").query("time_s == 0").set_index("name")["flow_m3s"]
    network = wntr.network.WaterNetworkModel(str(tmp_path / "grid.inp"))
    nodes = network.node_name_list
    place = {name: number for number, name in enumerate(nodes)}
    matrix, known = sparse.lil_array((len(nodes), len(nodes))), {}
    for name in network.reservoir_name_list:
        matrix[place[name], place[name]] = 1.0
        known[name] = np.eye(len(nodes))[place[name]]
    for name, link in network.links():
        flow = flows[name]
        start, end = (
            (link.start_node_name, link.end_node_name) if flow > 0 else (link.end_node_name, link.start_node_name)
        )
        if end not in known:
            matrix[place[end], place[end]] += abs(flow)
            matrix[place[end], place[start]] -= abs(flow)
    mixed = 0
    # EPANET merges parcels of water that differ by 0.01 %
    for source in network.reservoir_name_list:
        expected = linalg.spsolve(matrix.tocsc(), known[source])
        ours = shares(output, source)[nodes].to_numpy()
        np.testing.assert_allclose(ours, expected, atol=1e-3)
        mixed += ((expected > 0.05) & (expected < 0.95)).sum()
    assert mixed > 20, "nodes with water of several reservoirs"
    assert max(row["initial_share"] for row in output.nodes) < 1e-3
    assert output.warnings == ()


@pytest.mark.parametrize(
    ("name", "hours", "inflows"), [("Net1", 24, ()), ("Net3", 24, ()), ("Net2", 480, ("1",)), ("ky4", 48, ())]
)
def test_all_water_came_from_somewhere(name: str, hours: int, inflows: tuple[str, ...], tmp_path: Path) -> None:
    output = traced((LIBRARY / f"{name}.inp").read_bytes(), tmp_path, hours)
    network = wntr.network.WaterNetworkModel(name)
    outside = [*network.reservoir_name_list, *inflows]
    for of in ("nodes", "links"):
        come = sum(shares(output, source, of) for source in outside)
        initial = pd.Series({row["name"]: row["initial_share"] for row in getattr(output, of)})
        # what was there is followed by a pass of its own: it is not the remainder
        np.testing.assert_allclose(come + initial, 1, atol=0.01)
        every = [share for row in getattr(output, of) for one in row["fed_by"] for share in one[1:]]
        assert -1e-6 <= min(every) <= max(every) <= 1 + 1e-4
    by_name = {row["name"]: row["fed_by"] for row in output.nodes}
    for source in network.reservoir_name_list:
        assert [one[0] for one in by_name[source]] == [source]
    for tank in network.tank_name_list:
        assert {one[0]: one[2] for one in by_name[tank]}[tank] == pytest.approx(1), "it left the tank"


def test_water_from_outside_at_a_junction_is_its_own_and_not_what_passes_by(tmp_path: Path) -> None:
    """A - 0.0 - 0.1 - 0.2 ...: half of the demand of a line comes from a well in its middle.

    ::

        R --10 l/s--> a --10--> w (+5) --15--> b (15)
    """
    lines = ["[JUNCTIONS]", "a 0 0", "w 0 -5", "b 0 15", "[RESERVOIRS]", "R 50", "[PIPES]"]
    lines += ["1 R a 100 300 120 0 Open", "2 a w 100 300 120 0 Open", "3 w b 100 300 120 0 Open"]
    lines += ["[OPTIONS]", "Units LPS", "Headloss H-W", "[TIMES]", "Duration 48:00", "[END]", ""]
    output = traced("\n".join(lines).encode(), tmp_path)
    by_name = {row["name"]: {one[0]: one[1] for one in row["fed_by"]} for row in output.nodes}
    assert by_name["b"] == {"R": pytest.approx(2 / 3, abs=1e-4), "w": pytest.approx(1 / 3, abs=1e-4)}
    assert by_name["a"] == {"R": pytest.approx(1, abs=1e-4)}
    assert output.warnings == ()


def test_what_is_there_at_the_start_goes_as_time_goes_by(tmp_path: Path) -> None:
    content = (LIBRARY / "Net1.inp").read_bytes()
    short, long = (traced(content, tmp_path / str(hours), hours) for hours in (24, 960))
    junctions = [row["name"] for row in short.nodes][:9]
    for name in junctions:
        before, after = (next(r for r in o.nodes if r["name"] == name)["initial_share"] for o in (short, long))
        assert after < max(before, 0.01)
    assert "a longer duration tells" in short.warnings[-1]
    assert (short.duration_s, long.duration_s, short.steps, long.steps) == (24 * HOUR_S, 960 * HOUR_S, 25, 25)


def test_a_run_longer_than_its_file_says_which_controls_do_not_repeat(tmp_path: Path) -> None:
    content = (LIBRARY / "Net3.inp").read_bytes()
    own = traced(content, tmp_path)
    assert not any("happen at one time only" in warning for warning in own.warnings)
    longer = traced(content, tmp_path, 240)
    (said,) = (warning for warning in longer.warnings if "happen at one time only" in warning)
    assert "after 168:00:00 h" in said
    line = int(re.findall(r"line (\d+)", said)[0])
    assert b"AT TIME" in content.splitlines()[line - 1].upper()


def test_times_that_fit_no_step_are_traced_all_the_same(tmp_path: Path) -> None:
    content = (LIBRARY / "Net1.inp").read_bytes()
    expected = shares(traced(content, tmp_path, 240), "9")
    (tmp_path / "x").mkdir()
    odd = contained_runs.trace(
        content, tmp_path / "x", duration_s=240 * HOUR_S + 61, on_progress=lambda done, _message: None
    )
    np.testing.assert_allclose(shares(odd, "9"), expected, atol=0.01)
    coarse = re.sub(rb"(?m)^ *(Hydraulic|Pattern|Report) Timestep.*$", rb" \1 Timestep 24:00", content)
    steady = traced(coarse, tmp_path, 240)
    assert shares(steady, "9")["10"] == pytest.approx(1, abs=0.01), "next to the reservoir"


def test_chemicals_sources_and_reactions_of_the_file_change_nothing(tmp_path: Path) -> None:
    content = (LIBRARY / "Net1.inp").read_bytes()
    assert b"Global Wall" in content
    plain = re.sub(rb"\[(QUALITY|REACTIONS|SOURCES)\][^\[]*", b"", content)
    plain = re.sub(rb"Quality +Chlorine.*", b"Quality None", plain)
    plain = re.sub(rb"(?m)^ *Tolerance .*$", b" Tolerance 0.5", plain)
    loaded = re.sub(rb"(?m)^\[SOURCES\].*$", b"[SOURCES]\n 22 MASS 500\n 12 SETPOINT 9", content)
    assert plain != content != loaded
    for source in ("9", "2"):
        expected = shares(traced(plain, tmp_path), source)
        np.testing.assert_allclose(shares(traced(content, tmp_path), source), expected, atol=1e-6)
        np.testing.assert_allclose(shares(traced(loaded, tmp_path), source), expected, atol=1e-6)


def test_the_tolerance_of_the_file_is_not_meant_for_shares(tmp_path: Path) -> None:
    content = (LIBRARY / "Net3.inp").read_bytes()
    coarse = re.sub(rb"(?m)^ *Tolerance .*$", b" Tolerance 50", content)
    assert coarse != content
    expected = shares(traced(content, tmp_path, 72), "Lake")
    np.testing.assert_allclose(shares(traced(coarse, tmp_path, 72), "Lake"), expected, atol=1e-6)


def test_a_single_moment_is_refused_until_a_duration_is_given(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="single moment") as caught:
        traced(grid(3, "0"), tmp_path)
    assert caught.value.fields[0].field == "duration_s"
    assert traced(grid(3, "0"), tmp_path, hours=24).duration_s == 24 * HOUR_S


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"[PUMPS]\nU 0.0 2.2 HEAD nowhere", "EPANET refuses"),
        # opens, and has no solution in two trials
        (b"[OPTIONS]\nTrials 2\nUnbalanced Stop", "EPANET at 0:00:00 h"),
    ],
)
def test_a_model_that_cannot_be_solved_is_named_as_such(line: bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match=says):
        traced(grid(3, "24:00").replace(b"[END]", line + b"\n[END]"), tmp_path)
