"""Imports and runs through the real service, into the real graph."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from wnis_core.errors import BadRequest, Conflict, InvalidModel, InvalidValue, NotAuthenticated, NotFound
from wnis_core.service_client import ServiceClient
from wnis_core.tokens import Caller
from wnis_graph.repositories.components import ComponentRepository
from wnis_graph.repositories.jobs import JobRepository
from wnis_graph.repositories.networks import NetworkRepository
from wnis_graph.repositories.simulations import SimulationRepository
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope
from wnis_ops.bench.isolation import grid_inp

from tests.component.simulator.service import SimulatorService, wait_for

WNTR = Path(find_spec("wntr").origin).parent  # type: ignore[union-attr,arg-type]
NET1 = (WNTR / "library" / "networks" / "Net1.inp").read_bytes()


def test_an_imported_file_is_in_the_graph_with_si_properties_and_the_file_whole(
    simulator: SimulatorService, runner: Runner, scope: Scope
) -> None:
    job = simulator.import_file(scope, "net1", NET1, "job-1", name="Net 1")
    assert (job["state"], job["result"]["created"], job["result"]["revision"]) == ("succeeded", 24, 1)
    networks = NetworkRepository(runner)
    head = networks.head(scope, "net1")
    assert (head.name, head.flow_unit, head.duration_s, head.source_name) == ("Net 1", "GPM", 86_400, "net1.inp")
    assert (simulator.home / "objects" / str(head.source_key)).read_bytes() == NET1
    model = networks.load_model(scope, "net1")
    pipe = next(p for p in model.pipes if p.name == "10")
    assert (pipe.start, pipe.end, pipe.roughness) == ("10", "11", 100)
    assert (pipe.length_m, pipe.diameter_m) == (pytest.approx(10_530 * 0.3048), pytest.approx(18 * 0.0254))
    junction = next(j for j in model.junctions if j.name == "11")
    assert junction.base_demand_m3s == pytest.approx(150 * 6.30901964e-5, rel=1e-6)
    assert junction.elevation_m == pytest.approx(710 * 0.3048)
    assert not list((simulator.home / "objects" / "uploads").rglob("*.*")), "uploads are removed after their job"


def test_importing_the_same_file_again_changes_nothing(simulator: SimulatorService, scope: Scope) -> None:
    simulator.import_file(scope, "net1", NET1, "job-1")
    again = simulator.import_file(scope, "net1", NET1, "job-2")
    result = again["result"]
    assert (result["created"], result["updated"], result["removed"], result["revision"]) == (0, 0, 0, 1)


def test_a_bad_file_leaves_the_graph_as_it_was_and_names_the_line(
    simulator: SimulatorService, runner: Runner, scope: Scope
) -> None:
    simulator.import_file(scope, "net1", NET1, "job-1")
    broken = re.sub(rb"(\n 11\s+)11(\s+)12(\s)", rb"\g<1>11\g<2>99\g<3>", NET1)
    assert broken != NET1
    job = simulator.import_file(scope, "net1", broken, "job-2")
    assert job["state"] == "failed"
    assert job["error"]["code"] == "invalid_model"
    assert job["error"]["details"] == {"section": "PIPES", "line": 29, "id": "11"}
    assert NetworkRepository(runner).head(scope, "net1").revision == 1
    # the node is a projection of the job, told of its end a moment later
    wait_for(lambda: JobRepository(runner).get(scope, "job-2").state == "failed", 10)


def test_a_dry_run_says_what_is_there_and_writes_nothing(
    simulator: SimulatorService, runner: Runner, scope: Scope
) -> None:
    job = simulator.import_file(scope, "net1", NET1, "job-1", dry_run="true")
    assert job["result"]["components"] == {
        "junctions": 9, "reservoirs": 1, "tanks": 1, "pipes": 12, "pumps": 1, "valves": 0,
    }  # fmt: skip
    assert NetworkRepository(runner).list(scope) == []


def test_strict_refuses_what_is_otherwise_remarked(simulator: SimulatorService, scope: Scope) -> None:
    cut = NET1[: NET1.index(b"[END]")]
    assert simulator.import_file(scope, "net1", cut, "job-1", dry_run="true")["state"] == "succeeded"
    strict = simulator.import_file(scope, "net1", cut, "job-2", strict="true", dry_run="true")
    assert strict["state"] == "failed"
    assert "cut off" in strict["error"]["error"]


def test_a_run_writes_one_result_a_component_and_its_series(
    simulator: SimulatorService, runner: Runner, scope: Scope
) -> None:
    simulator.import_file(scope, "net1", NET1, "job-1")
    job = simulator.simulate(scope, "net1", "run-1")
    assert (job["state"], job["result"]["results"], job["result"]["warnings"]) == ("succeeded", 24, [])
    repository = SimulationRepository(runner)
    run = repository.get(scope, "run-1")
    assert (run.state, run.engine, run.engine_version, run.demand_model) == ("succeeded", "EPANET", "2.2.0", "DDA")
    assert (run.steps, run.duration_s, run.network_revision, run.requested_by) == (25, 86_400, 1, "tester")
    assert run.input_sha256 == NetworkRepository(runner).head(scope, "net1").source_sha256
    assert len(repository.get_results(scope, "run-1")) == 24
    result = repository.get_result(scope, "run-1", "net1:junction:22")
    assert result is not None
    series = simulator.call(
        scope, "GET", "/simulations/run-1/results",
        params={"component_id": "net1:junction:22", "quantity": "pressure"},
    )  # fmt: skip
    assert (series["unit"], series["times_s"][:2], len(series["values"])) == ("m", [0, 3600], 25)
    assert min(series["values"]) == pytest.approx(result.pressure_min_m, rel=1e-6)
    assert sum(series["values"][:-1]) / 24 == pytest.approx(result.pressure_mean_m, rel=1e-6)
    status = simulator.call(
        scope, "GET", "/simulations/run-1/results", params={"component_id": "net1:pump:9", "quantity": "status"}
    )
    assert set(status["values"]) == {"open", "closed"}
    assert simulator.simulate(scope, "net1", "run-1")["result"] == job["result"]
    assert len(repository.get_results(scope, "run-1")) == 24


def test_a_source_trace_writes_the_shares_of_every_component(
    simulator: SimulatorService, runner: Runner, scope: Scope
) -> None:
    simulator.import_file(scope, "net1", NET1, "job-1")
    ComponentRepository(runner).patch(scope, "net1:pipe:21", {"status": "closed"})
    job = simulator.simulate(scope, "net1", "run-1", kind="source-trace", duration_s=10 * 86_400)
    assert (job["state"], job["result"]["results"]) == ("succeeded", 24), job["error"]
    assert job["result"]["warnings"][0].startswith("Changed since the import: pipe 21")
    repository = SimulationRepository(runner)
    run = repository.get(scope, "run-1")
    assert (run.kind, run.state, run.duration_s, run.steps, run.network_revision) == (
        "source-trace", "succeeded", 864_000, 25, 2,
    )  # fmt: skip
    results = {result.component_id: result for result in repository.get_results(scope, "run-1")}
    assert len(results) == 24
    first = results["net1:junction:10"]
    assert [(one.source, round(one.share, 3)) for one in first.fed_by] == [("net1:reservoir:9", 1.0)]
    by_tank = {one.source: one for one in results["net1:pipe:110"].fed_by}
    # the one pipe of the tank carries its own water half of the time
    assert set(by_tank) == {"net1:reservoir:9", "net1:tank:2"}
    assert 0 < by_tank["net1:tank:2"].share < 1
    for result in results.values():
        assert result.initial_share is not None
        come = sum(one.share for one in result.fed_by if one.source == "net1:reservoir:9")
        assert come + result.initial_share == pytest.approx(1, abs=1e-3)
        assert result.flow_mean_m3s is result.pressure_mean_m is None
    series = {"component_id": "net1:junction:10", "quantity": "head"}
    with pytest.raises(Conflict, match="keeps no series"):
        simulator.call(scope, "GET", "/simulations/run-1/results", params=series)
    assert simulator.simulate(scope, "net1", "run-1", kind="source-trace")["result"] == job["result"]


def test_a_source_trace_of_a_single_moment_fails_in_words(simulator: SimulatorService, scope: Scope) -> None:
    still = re.sub(rb"(?m)^ *Duration .*$", b" Duration 0", NET1)
    simulator.import_file(scope, "net1", still, "job-1")
    job = simulator.simulate(scope, "net1", "run-1", kind="source-trace")
    assert (job["state"], job["error"]["status"]) == ("failed", 422)
    assert job["error"]["errors"][0]["field"] == "duration_s"
    with pytest.raises(InvalidValue):
        simulator.ask_to_simulate(scope, "net1", "run-2", kind="source-trace", duration_s=60)


def test_changes_made_in_the_graph_are_run_and_named(simulator: SimulatorService, runner: Runner, scope: Scope) -> None:
    simulator.import_file(scope, "net1", NET1, "job-1")
    simulator.simulate(scope, "net1", "run-1")
    components = ComponentRepository(runner)
    components.patch(scope, "net1:pipe:21", {"diameter_m": 0.1})
    components.patch(scope, "net1:pipe:110", {"status": "closed"})
    job = simulator.simulate(scope, "net1", "run-2")
    assert job["state"] == "succeeded", job["error"]
    assert sorted(job["result"]["warnings"])[:2] == [
        "Changed since the import: pipe 110: status is closed, open in the source file.",
        "Changed since the import: pipe 21: diameter_m is 0.1, 0.254 in the source file.",
    ]
    repository = SimulationRepository(runner)
    before, after = (repository.get_result(scope, run, "net1:pipe:110") for run in ("run-1", "run-2"))
    assert before is not None
    assert after is not None
    assert before.flow_max_m3s != 0
    assert (after.flow_min_m3s, after.flow_max_m3s) == (pytest.approx(0, abs=1e-6), pytest.approx(0, abs=1e-6))
    assert repository.get(scope, "run-2").input_sha256 != repository.get(scope, "run-1").input_sha256


def test_the_mini_network_is_refused_naming_where_a_node_is_missing(simulator: SimulatorService, scope: Scope) -> None:
    assert simulator.import_sample(scope, "mini")["state"] == "succeeded"
    with pytest.raises(InvalidModel, match="Between VLV001 and PIP001 a node is missing") as caught:
        simulator.ask_to_simulate(scope, "mini", "run-1")
    assert caught.value.details == {"id": "VLV001", "next_id": "PIP001"}


def test_another_utility_sees_neither_job_nor_run(simulator: SimulatorService, scope: Scope) -> None:
    simulator.import_file(scope, "net1", NET1, "job-1")
    simulator.simulate(scope, "net1", "run-1")
    stranger = Scope(f"{scope.utility}-2", "stranger")
    calls = (("GET", "/jobs/job-1"), ("POST", "/jobs/job-1/cancel"),
             ("GET", "/simulations/run-1/results?component_id=net1:pump:9&quantity=flow"))  # fmt: skip
    for method, path in calls:
        with pytest.raises(NotFound):
            simulator.call(stranger, method, path)


def test_wrong_requests_are_refused_in_words(simulator: SimulatorService, scope: Scope) -> None:
    simulator.import_file(scope, "net1", NET1, "job-1")
    simulator.simulate(scope, "net1", "run-1")
    with pytest.raises(NotFound):
        simulator.ask_to_simulate(scope, "nowhere", "run-2")
    with pytest.raises(InvalidValue, match="kind"):
        simulator.ask_to_simulate(scope, "net1", "run-2", kind="weather")
    with pytest.raises(InvalidValue, match="no sample network"):
        simulator.import_sample(scope, "Net99")
    with pytest.raises(BadRequest):
        simulator.call(scope, "POST", "/imports", data={"network_id": "n", "job_id": "j"})
    with pytest.raises(BadRequest):
        simulator.call(scope, "POST", "/simulations", json={"network_id": "net1"})
    with pytest.raises(InvalidValue, match="has no 'head'"):
        simulator.call(
            scope, "GET", "/simulations/run-1/results", params={"component_id": "net1:pump:9", "quantity": "head"}
        )
    with pytest.raises(Conflict):
        simulator.call(scope, "POST", "/imports/sample", json={"name": "Net1", "job_id": "job-1"})
    with pytest.raises(NotAuthenticated):
        ServiceClient("simulator", simulator._client._base_url, "another-secret-of-thirty-two-bytes").call(
            Caller("u", "x", frozenset(), "r"), "GET", "/jobs/job-1"
        )


def test_cancelling_a_running_import_leaves_no_network(
    simulator: SimulatorService, runner: Runner, scope: Scope
) -> None:
    # long enough to read that the second request comes while it is read
    content = grid_inp(100).encode()
    simulator.call(
        scope, "POST", "/imports", files={"file": ("grid.inp", content)},
        data={"network_id": "grid", "job_id": "job-1"},
    )  # fmt: skip
    simulator.call(scope, "POST", "/jobs/job-1/cancel")
    assert simulator.finished_job(scope, "job-1")["state"] == "cancelled"
    assert NetworkRepository(runner).list(scope) == []
