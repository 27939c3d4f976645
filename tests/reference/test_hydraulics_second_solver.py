"""Our runs against two other ways to solve the same hydraulics.

* WNTR's `EpanetSimulator`: the same engine through another wrapper, binary reader and unit conversion. Agreement is
  limited by the 4-byte floats of the output file only.
* WNTR's `WNTRSimulator`: another solver (Newton on the full system, in Python), demand driven. WNTR's own tests
  accept differences of this size between the two; they come from convergence (EPANET stops at ACCURACY 0.01).

The start of Net1 is pinned in the file's own US units (970 ft in the tank, 1866 gpm through the pump): a slip in a
conversion that both comparisons share would show there.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import wntr
from wnis_core.units import FlowUnit
from wnis_simulator.offline import simulate_file

LIBRARY = Path(find_spec("wntr").origin).parent / "library" / "networks"  # type: ignore[union-attr,arg-type]
FLOAT32 = 2e-6
"""Two conversions of a 4-byte float differ by no more, relatively."""


def ours(inp: Path, out: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Our series of nodes and links, indexed by time and name."""
    simulate_file(inp, out=out)
    nodes, links = (pd.read_parquet(out / f"{kind}.parquet") for kind in ("nodes", "links"))
    return nodes.set_index(["time_s", "name"]), links.set_index(["time_s", "name"])


def wide(table: pd.DataFrame, column: str) -> pd.DataFrame:
    return table[column].unstack("name").astype(float)


def agrees(mine: pd.DataFrame, theirs: pd.DataFrame, *, rel: float, absolute: float) -> None:
    theirs = theirs.loc[mine.index, mine.columns]
    known = ~mine.isna().to_numpy()
    assert known.mean() > 0.95
    np.testing.assert_allclose(mine.to_numpy()[known], theirs.to_numpy()[known], rtol=rel, atol=absolute)


def agrees_with_wntr(inp: Path, folder: Path) -> None:
    nodes, links = ours(inp, folder / "ours")
    network = wntr.network.WaterNetworkModel(str(inp))
    theirs = wntr.sim.EpanetSimulator(network).run_sim(file_prefix=str(folder / "theirs"))
    # 4-byte heads of a few hundred feet are a few 1e-5 m apart
    agrees(wide(nodes, "head_m"), theirs.node["head"], rel=FLOAT32, absolute=1e-4)
    agrees(wide(nodes, "pressure_m"), theirs.node["pressure"], rel=1e-4, absolute=1e-3)
    agrees(wide(nodes, "demand_m3s"), theirs.node["demand"], rel=FLOAT32, absolute=1e-9)
    agrees(wide(links, "flow_m3s"), theirs.link["flowrate"], rel=FLOAT32, absolute=1e-9)
    agrees(wide(links, "velocity_ms"), theirs.link["velocity"], rel=FLOAT32, absolute=1e-7)


@pytest.mark.parametrize("name", ["Net1", "Net3", "ky4"])
def test_runs_agree_with_wntrs_epanet_simulator(name: str, tmp_path: Path) -> None:
    agrees_with_wntr(LIBRARY / f"{name}.inp", tmp_path)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["Anytown", "Balerma", "C-Town", "Hanoi", "ky3", "ky6"])
def test_runs_of_real_files_agree_with_wntrs_epanet_simulator(name: str, shared_data: Path, tmp_path: Path) -> None:
    agrees_with_wntr(shared_data / "networks" / f"{name}.inp", tmp_path)


def test_a_run_agrees_with_another_solver(tmp_path: Path) -> None:
    inp = LIBRARY / "Net3.inp"
    nodes, links = ours(inp, tmp_path)
    network = wntr.network.WaterNetworkModel(str(inp))
    network.options.time.duration = 24 * 3600
    network.options.hydraulic.demand_model = "DDA"
    theirs = wntr.sim.WNTRSimulator(network).run_sim()
    head = wide(nodes, "head_m").loc[: 24 * 3600]
    flow = wide(links, "flow_m3s").loc[: 24 * 3600]
    difference = (head - theirs.node["head"].loc[head.index, head.columns]).abs().to_numpy()
    assert np.nanmedian(difference) < 0.01
    assert np.nanquantile(difference, 0.99) < 0.3
    apart = (flow - theirs.link["flowrate"].loc[flow.index, flow.columns]).abs().to_numpy()
    assert np.nanmedian(apart) < 1e-5
    assert np.nanquantile(apart, 0.99) < 0.02 * flow.abs().to_numpy().max()


def test_net1_starts_with_970_ft_in_its_tank_and_1866_gpm_through_its_pump(tmp_path: Path) -> None:
    nodes, links = ours(LIBRARY / "Net1.inp", tmp_path)
    assert nodes.loc[(0, "2"), "head_m"] / FlowUnit.GPM.length_m == pytest.approx(970, abs=0.01)
    assert links.loc[(0, "9"), "flow_m3s"] / FlowUnit.GPM.m3s == pytest.approx(1866.18, abs=0.05)
    assert nodes.loc[(0, "10"), "pressure_m"] / FlowUnit.GPM.pressure_m == pytest.approx(127.54, abs=0.01)


def test_head_losses_are_signed_differences_of_head(tmp_path: Path) -> None:
    nodes, links = ours(LIBRARY / "Net3.inp", tmp_path)
    network = wntr.network.WaterNetworkModel(str(LIBRARY / "Net3.inp"))
    head, loss, status = wide(nodes, "head_m"), wide(links, "headloss_m"), links["status"].unstack("name")
    for name, link in network.links():
        flowing = status[name] != "closed"
        fall = head[link.start_node_name] - head[link.end_node_name]
        np.testing.assert_allclose(loss[name][flowing], fall[flowing], atol=2e-4, err_msg=name)
    assert (loss["10"][status["10"] == "open"] < 0).all(), "a pump lifts"
