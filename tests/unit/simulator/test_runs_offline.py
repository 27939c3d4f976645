"""Runs of small models whose answers are known by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from wnis_core.errors import InvalidModel
from wnis_simulator.offline import simulate_file

TWO_BRANCHES = """[JUNCTIONS]
 J1 10 5
 J2 10 5
 J3 10 0
[RESERVOIRS]
 R 60
[PIPES]
 A R J1 100 300 100 0 Open
 B J1 J2 100 300 100 0 {b}
 C J2 J3 100 300 100 0 Open
[STATUS]
[CONTROLS]
{controls}
[OPTIONS]
 UNITS LPS
 HEADLOSS H-W
[TIMES]
 DURATION {hours}
[END]
"""


def written(folder: Path, *, b: str = "Open", controls: str = "", hours: str = "4:00") -> Path:
    path = folder / "model.inp"
    path.write_text(TWO_BRANCHES.format(b=b, controls=controls, hours=hours))
    return path


def test_hazen_williams_loses_what_the_formula_says(tmp_path: Path) -> None:
    simulate_file(written(tmp_path), out=tmp_path / "out")
    links = pd.read_parquet(tmp_path / "out" / "links.parquet").set_index(["time_s", "name"])
    # h = 10.667 C^-1.852 d^-4.871 L q^1.852 (SI; EPANET 2.2 user manual, table 3.1)
    expected = 10.667 * 100**-1.852 * 0.3**-4.871 * 100 * 0.010**1.852
    assert links.loc[(0, "A"), "headloss_m"] == pytest.approx(expected, rel=1e-3)
    assert links.loc[(0, "A"), "flow_m3s"] == pytest.approx(0.010, rel=1e-5)
    assert links.loc[(0, "A"), "status"] == "open"


def test_cut_off_junctions_have_no_pressure_take_no_water_and_are_named(tmp_path: Path) -> None:
    inp = written(tmp_path, controls="LINK B CLOSED AT TIME 2")
    summary = simulate_file(inp, out=tmp_path / "out")
    assert any("2 nodes had no open way to a source between 2:00:00 h and 4:00:00 h (J2, J3)" in w
               for w in summary.warnings), summary.warnings  # fmt: skip
    nodes = pd.read_parquet(tmp_path / "out" / "nodes.parquet").set_index(["name", "time_s"])
    assert nodes.loc["J2", "pressure_m"].notna().tolist() == [True, True, False, False, False]
    assert nodes.loc["J2", "demand_m3s"].tolist() == pytest.approx([0.005, 0.005, 0, 0, 0])
    assert nodes.loc["J1", "pressure_m"].notna().all()
    assert nodes["head_m"].min() > 0


def test_a_closed_pipe_has_no_flow_and_no_head_loss(tmp_path: Path) -> None:
    simulate_file(written(tmp_path, b="Closed", hours="0"), out=tmp_path / "out")
    links = pd.read_parquet(tmp_path / "out" / "links.parquet").set_index("name")
    assert links.loc["B", ["flow_m3s", "headloss_m"]].tolist() == pytest.approx([0, 0], abs=1e-6)
    assert links.loc["B", "status"] == "closed"


def test_pressure_dependent_demand_delivers_less_and_says_by_which_rule(tmp_path: Path) -> None:
    inp = tmp_path / "low.inp"
    inp.write_text(TWO_BRANCHES.format(b="Open", controls="", hours="0").replace("R 60", "R 15"))
    full = simulate_file(inp, out=tmp_path / "dda")
    less = simulate_file(inp, demand_model="pda", out=tmp_path / "pda")
    assert (full.demand_model, less.demand_model) == ("DDA", "PDA")
    assert "met in full from 20 m on" in less.warnings[0]
    demand = [pd.read_parquet(tmp_path / kind / "nodes.parquet").set_index("name")["demand_m3s"]["J1"]
              for kind in ("dda", "pda")]  # fmt: skip
    # about 5 m of pressure where 20 m are wanted: (5/20)^0.5
    assert demand == pytest.approx([0.005, 0.0025], rel=0.02)


def test_an_unbalanced_solution_is_an_error_with_its_time(tmp_path: Path) -> None:
    inp = written(tmp_path)
    inp.write_text(inp.read_text().replace("[TIMES]", " TRIALS 1\n ACCURACY 0.00001\n UNBALANCED STOP\n[TIMES]"))
    with pytest.raises(InvalidModel, match="unbalanced") as caught:
        simulate_file(inp, out=tmp_path / "out")
    assert caught.value.details["time_s"] == 0
    assert not (tmp_path / "out").exists()


def test_statistics_in_the_file_do_not_replace_the_series(tmp_path: Path) -> None:
    inp = written(tmp_path)
    inp.write_text(inp.read_text().replace(" DURATION", " STATISTIC AVERAGED\n DURATION"))
    assert simulate_file(inp).steps == 5


def test_a_file_cannot_have_the_engine_write_elsewhere(tmp_path: Path) -> None:
    target = tmp_path / "stolen"
    inp = written(tmp_path)
    inp.write_text(inp.read_text().replace("[TIMES]", f" HYDRAULICS SAVE {target}\n[TIMES]"))
    assert "it was ignored" in simulate_file(inp).warnings[0]
    assert not target.exists()


def test_run_json_names_engine_input_and_units(tmp_path: Path) -> None:
    simulate_file(written(tmp_path), out=tmp_path / "out")
    said = json.loads((tmp_path / "out" / "run.json").read_text())
    assert (said["engine"], said["engine_version"], said["flow_unit"], said["steps"]) == ("EPANET", "2.2.0", "LPS", 5)
    assert len(said["input_sha256"]) == 64
