"""INP -> graph -> INP under the pinned EPANET 2.2: heads within 0.001 m, flows within 1e-5 m3/s at each reported step.

Three ways through the real import job and the real Neo4j, for every network at hand:

* nothing changed: the exported file is the imported one, byte for byte;
* every number written anew, from the graph's SI value in the file's own units: what the engine makes of it is the same;
* one property of every kind changed and changed back: again byte for byte.

Tolerances are those of the acceptance; heads and flows come from the engine's 4-byte floats.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from wnis_graph.network_model import NetworkModel
from wnis_graph.repositories.components import ComponentRepository
from wnis_graph.repositories.networks import NetworkRepository
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope
from wnis_simulator import contained_runs
from wnis_simulator.differences import Change, links_of, nodes_of
from wnis_simulator.inp_edit import edit_inp
from wnis_simulator.inp_scan import scan_inp

from tests.component.simulator.service import SimulatorService
from tests.conftest import Neo4jServer

LIBRARY = Path(find_spec("wntr").origin).parent / "library" / "networks"  # type: ignore[union-attr,arg-type]
HEAD_M, FLOW_M3S = 1e-3, 1e-5
_IDENTITY = frozenset({"name", "material", "install_date", "capacity_m3", "level_fraction", "start", "end"})
IN_LIBRARY = ("Net1", "Net2", "Net3", "Net6", "ky4", "ky10")
SHARED = (
    "Anytown", "Balerma", "C-Town", "D-Town", "Hanoi", "L-TOWN", "Modena", "foss_poly_1", "ky1", "ky2", "ky3", "ky5",
    "ky6", "ky7", "ky8",
)  # fmt: skip


@dataclass(frozen=True)
class Solution:
    """Heads of nodes and flows of links, ordered by name and time."""

    nodes: list[str]
    links: list[str]
    head_m: np.ndarray[Any, Any]
    flow_m3s: np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def simulator(
    neo4j_server: Neo4jServer, runner: Runner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SimulatorService]:
    service = SimulatorService(tmp_path_factory.mktemp("simulator"), neo4j_server)
    service.start()
    yield service
    service.stop()


def solved(content: bytes) -> Solution:
    """What the pinned engine makes of a file."""
    with contained_runs.scratch() as folder:
        contained_runs.run(content, folder, demand_model="as-file", on_progress=lambda *_: None)
        order = [("name", "ascending"), ("time_s", "ascending")]
        nodes = pq.read_table(folder / "nodes.parquet", columns=["name", "time_s", "head_m"]).sort_by(order)
        links = pq.read_table(folder / "links.parquet", columns=["name", "time_s", "flow_m3s"]).sort_by(order)
    return Solution(
        nodes["name"].to_pylist(), links["name"].to_pylist(), nodes["head_m"].to_numpy(), links["flow_m3s"].to_numpy()
    )


def apart(one: Solution, other: Solution) -> tuple[float, float]:
    """The largest difference of a head (m) and of a flow (m3/s); nodes cut off from every source have none."""
    assert (one.nodes, one.links) == (other.nodes, other.links)
    assert (np.isnan(one.head_m) == np.isnan(other.head_m)).all()
    heads = np.nanmax(np.abs(one.head_m - other.head_m))
    return float(heads), float(np.nanmax(np.abs(one.flow_m3s - other.flow_m3s)))


def exported(simulator: SimulatorService, scope: Scope, network: str, **query: str) -> bytes:
    return base64.b64decode(simulator.call(scope, "GET", f"/networks/{network}/inp", params=query)["content"])


def written_anew(content: bytes, model: NetworkModel) -> bytes:
    """The file with every property of every component written from the graph's value."""
    items = (*nodes_of(model).values(), *links_of(model).values())
    changes = [Change(i, i, tuple(f.name for f in fields(i) if f.name not in _IDENTITY)) for i in items]
    return edit_inp(scan_inp(content), changes).content


def goes_through(content: bytes, simulator: SimulatorService, runner: Runner, scope: Scope) -> None:
    job = simulator.import_file(scope, "town", content, "job-1")
    assert job["state"] == "succeeded", job["error"]
    assert exported(simulator, scope, "town") == content
    model = NetworkRepository(runner).load_model(scope, "town")
    anew = written_anew(content, model)
    assert anew != content
    heads_m, flows_m3s = apart(solved(content), solved(anew))
    assert (heads_m < HEAD_M, flows_m3s < FLOW_M3S) == (True, True), (heads_m, flows_m3s)
    _change_and_change_back(model, runner, scope)
    assert exported(simulator, scope, "town") == content


def _change_and_change_back(model: NetworkModel, runner: Runner, scope: Scope) -> None:
    """One component of every kind, and one number of each of its properties."""
    repository = ComponentRepository(runner)
    for kind in ("junctions", "reservoirs", "tanks", "pipes", "pumps", "valves"):
        items = getattr(model, kind)
        if not items:
            continue
        [identifier] = [
            i for i in repository.ids_by_name(scope, items[0].name, "town") if f":{kind.removesuffix('s')}:" in i
        ]
        was = repository.get(scope, identifier).component.properties
        numbers = {
            f.name: was[f.name]
            for f in fields(items[0])
            if isinstance(was.get(f.name), float) and f.name not in _IDENTITY
        }
        words = {"tag": was.get("tag"), "description": was.get("description")}
        repository.patch(scope, identifier, {name: value * 1.5 + 1 for name, value in numbers.items()})
        repository.patch(scope, identifier, {"tag": "seen", "description": "said"})
        repository.patch(scope, identifier, numbers | words)


@pytest.mark.parametrize("name", IN_LIBRARY)
def test_networks_of_the_library_go_through_the_graph_unchanged(
    name: str, simulator: SimulatorService, runner: Runner, scope: Scope
) -> None:
    goes_through((LIBRARY / f"{name}.inp").read_bytes(), simulator, runner, scope)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", SHARED)
def test_published_networks_go_through_the_graph_unchanged(
    name: str, shared_data: Path, simulator: SimulatorService, runner: Runner, scope: Scope
) -> None:
    goes_through((shared_data / "networks" / f"{name}.inp").read_bytes(), simulator, runner, scope)


@pytest.mark.shared_data
def test_micropolis_with_its_clock_times_goes_through_the_graph_unchanged(
    shared_data: Path, simulator: SimulatorService, runner: Runner, scope: Scope
) -> None:
    content = (shared_data / "micropolis_gis" / "MICROPOLIS_v1.inp").read_bytes()
    goes_through(content, simulator, runner, scope)


@pytest.mark.shared_data
def test_every_published_network_is_tried_but_the_broken_one(shared_data: Path) -> None:
    found = {path.stem for path in (shared_data / "networks").glob("*.inp")}
    assert found - {"Net1_broken"} == set(SHARED)
