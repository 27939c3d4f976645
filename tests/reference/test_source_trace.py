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
from wnis_simulator.contained_runs import TraceOutput
from wnis_simulator.offline import simulate_file

LIBRARY = Path(find_spec("wntr").origin).parent / "library" / "networks"  # type: ignore[union-attr,arg-type]
HOUR_S = 3600


def traced(content: bytes, folder: Path, hours: int | None = None) -> TraceOutput:
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


def shares(output: TraceOutput, source: str, of: str = "nodes") -> pd.Series:
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
    # the last moment of the period lasts no time
    day = theirs.node["quality"].iloc[-25:-1].mean() / 100
    ours = shares(output, source)
    assert output.duration_s == 168 * HOUR_S
    assert day.max() > 0.99
    np.testing.assert_allclose(ours.to_numpy(), day[ours.index].to_numpy(), atol=1e-5)


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
    for source in network.reservoir_name_list:
        expected = linalg.spsolve(matrix.tocsc(), known[source])
        ours = shares(output, source)[nodes].to_numpy()
        # EPANET merges parcels of water that differ by 0.01 %
        np.testing.assert_allclose(ours, expected, atol=1e-3)
        mixed += ((expected > 0.05) & (expected < 0.95)).sum()
    assert mixed > 20, "nodes with water of several reservoirs"
    assert max(row["initial_share"] for row in output.nodes) < 1e-3
    assert output.warnings == ()


def test_all_water_came_from_a_reservoir_or_was_there_before(tmp_path: Path) -> None:
    output = traced((LIBRARY / "Net3.inp").read_bytes(), tmp_path)
    for of in ("nodes", "links"):
        come = shares(output, "River", of) + shares(output, "Lake", of)
        initial = pd.Series({row["name"]: row["initial_share"] for row in getattr(output, of)})
        np.testing.assert_allclose(come + initial, 1, atol=1e-3)
        every = [share for row in getattr(output, of) for one in row["fed_by"] for share in one[1:]]
        assert -1e-6 <= min(every) <= max(every) <= 1 + 1e-4
    by_name = {row["name"]: row["fed_by"] for row in output.nodes}
    assert [one[0] for one in by_name["Lake"]] == ["Lake"]
    assert {one[0]: one[2] for one in by_name["1"]}["1"] == pytest.approx(1), "all water in a tank passed through it"


def test_what_is_there_at_the_start_goes_as_time_goes_by(tmp_path: Path) -> None:
    content = (LIBRARY / "Net1.inp").read_bytes()
    short, long = (traced(content, tmp_path / str(hours), hours) for hours in (24, 960))
    junctions = [row["name"] for row in short.nodes][:9]
    for name in junctions:
        before, after = (next(r for r in o.nodes if r["name"] == name)["initial_share"] for o in (short, long))
        assert after < max(before, 0.01)
    assert "Give the run a longer duration" in short.warnings[-1]
    assert (short.duration_s, long.duration_s, short.steps, long.steps) == (24 * HOUR_S, 960 * HOUR_S, 25, 25)


def test_chemicals_reactions_and_reports_of_the_file_change_nothing(tmp_path: Path) -> None:
    content = (LIBRARY / "Net1.inp").read_bytes()
    assert b"Global Wall" in content
    plain = re.sub(rb"\[(QUALITY|REACTIONS|SOURCES)\][^\[]*", b"", content)
    plain = re.sub(rb"Quality +Chlorine.*", b"Quality None", plain)
    loaded = re.sub(rb"(?m)^\[SOURCES\].*$", b"[SOURCES]\n 22 MASS 500\n 12 SETPOINT 9", content)
    loaded = re.sub(rb"(?m)^ *Report (Timestep|Start) .*$", rb" Report \1 3:00", loaded)
    assert plain != content != loaded
    for source in ("9", "2"):
        expected = shares(traced(plain, tmp_path), source)
        np.testing.assert_allclose(shares(traced(content, tmp_path), source), expected, atol=1e-6)
        np.testing.assert_allclose(shares(traced(loaded, tmp_path), source), expected, atol=1e-6)


def test_a_single_moment_is_refused_until_a_duration_is_given(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="single moment") as caught:
        traced(grid(3, "0"), tmp_path)
    assert caught.value.fields[0].field == "duration_s"
    assert traced(grid(3, "0"), tmp_path, hours=24).duration_s == 24 * HOUR_S


def test_a_model_that_cannot_be_solved_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match="EPANET"):
        traced(grid(3, "24:00").replace(b"[END]", b"[PUMPS]\nU 0.0 2.2 HEAD nowhere\n[END]"), tmp_path)
