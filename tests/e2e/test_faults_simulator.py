"""The real simulator service under kill -9, crashes and hangs of its children, and cancel."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest
from wnis_graph.repositories.networks import NetworkRepository
from wnis_graph.repositories.simulations import SimulationRepository
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope

from tests.component.simulator.service import SimulatorService, wait_for
from tests.conftest import Neo4jServer

LIBRARY = Path(find_spec("wntr").origin).parent / "library" / "networks"  # type: ignore[union-attr,arg-type]
NET3 = (LIBRARY / "Net3.inp").read_bytes()
# ten weeks in steps of a minute: long enough to be caught at it
LONG = NET3.replace(b"Duration           \t168:00", b"Duration           \t1680:00").replace(
    b"Hydraulic Timestep \t1:00", b"Hydraulic Timestep \t0:01"
)
assert LONG.count(b"1680:00") == 1
assert LONG.count(b"\t0:01") == 1


@pytest.fixture
def simulator(neo4j_server: Neo4jServer, runner: Runner, tmp_path: Path) -> Iterator[SimulatorService]:
    service = SimulatorService(tmp_path / "home", neo4j_server)
    service.start()
    yield service
    service.stop()


def children(home: Path) -> list[psutil.Process]:
    """Contained children of the service of this home."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        try:
            if "wnis_core.contained" in (process.info["cmdline"] or []) and process.cwd().startswith(str(home)):
                found.append(process)
        except psutil.Error:
            continue
    return found


def running_child(simulator: SimulatorService, scope: Scope, job: str) -> psutil.Process:
    """The child of a job that has come as far as solving."""
    wait_for(lambda: "solved" in simulator.call(scope, "GET", f"/jobs/{job}")["message"], 90)
    (child,) = children(simulator.home)
    return child


def test_a_run_killed_with_its_service_runs_again_once(
    simulator: SimulatorService, runner: Runner, scope: Scope
) -> None:
    assert simulator.import_file(scope, "long", LONG, "job-1")["state"] == "succeeded"
    simulator.ask_to_simulate(scope, "long", "run-1")
    child = running_child(simulator, scope, "job-run-1")
    simulator.kill()
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, 10)
    repository = SimulationRepository(runner)
    assert repository.get(scope, "run-1").state == "running"
    assert repository.get_results(scope, "run-1") == []
    simulator.start()
    job = simulator.finished_job(scope, "job-run-1", 200)
    assert job["state"] == "succeeded", job["error"]
    assert [run.id for run in repository.list(scope).rows] == ["run-1"]
    results = repository.get_results(scope, "run-1")
    assert len(results) == len({result.component_id for result in results}) == 216


def test_a_child_that_aborts_or_hangs_fails_its_job_and_nothing_else(
    simulator: SimulatorService, runner: Runner, scope: Scope
) -> None:
    simulator.import_file(scope, "long", LONG, "job-1")
    simulator.ask_to_simulate(scope, "long", "run-1")
    os.kill(running_child(simulator, scope, "job-run-1").pid, signal.SIGABRT)
    aborted = simulator.finished_job(scope, "job-run-1")
    assert (aborted["state"], aborted["error"]["code"]) == ("failed", "invalid_model")
    assert "SIGABRT" in aborted["error"]["error"]
    wait_for(lambda: SimulationRepository(runner).get(scope, "run-1").state == "failed", 10)
    assert simulator.healthy()

    simulator.ask_to_simulate(scope, "long", "run-2")
    hanging = running_child(simulator, scope, "job-run-2")
    hanging.suspend()
    asked = time.monotonic()
    simulator.call(scope, "POST", "/jobs/job-run-2/cancel")
    assert simulator.finished_job(scope, "job-run-2")["state"] == "cancelled"
    assert time.monotonic() - asked < 5
    assert children(simulator.home) == []
    wait_for(lambda: SimulationRepository(runner).get(scope, "run-2").state == "cancelled", 10)


@pytest.mark.parametrize(
    ("name", "content", "section"),
    [
        ("text", b"Dear all, the minutes of the meeting are attached.\n", None),
        ("binary", bytes(range(256)) * 50, None),
        ("empty", b"", None),
        ("truncated", NET3[: NET3.index(b"[PIPES]") + 400], "PIPES"),
        ("long token", NET3.replace(b"\t13.1        \t.1", b"\t" + b"x" * 900 + b"\t.1", 1), "TANKS"),
        ("endless", NET3.replace(b"168:00", b"1000000000", 1), "TIMES"),
    ],
)
def test_files_that_are_no_models_are_one_clear_error(
    simulator: SimulatorService, runner: Runner, scope: Scope, name: str, content: bytes, section: str | None
) -> None:
    assert content != NET3
    job = simulator.import_file(scope, "net", content, "job-1")
    assert (job["state"], job["error"]["code"]) == ("failed", "invalid_model"), name
    assert job["error"]["details"]["section"] == section
    assert NetworkRepository(runner).list(scope) == []
    assert simulator.healthy()


def test_a_clean_stop_interrupts_a_run_which_goes_on_at_the_next_start(
    simulator: SimulatorService, runner: Runner, scope: Scope
) -> None:
    simulator.import_file(scope, "long", LONG, "job-1")
    simulator.ask_to_simulate(scope, "long", "run-1")
    running_child(simulator, scope, "job-run-1")
    assert simulator.stop() < 15
    assert children(simulator.home) == []
    simulator.start()
    assert simulator.finished_job(scope, "job-run-1", 200)["state"] == "succeeded"
    assert len(SimulationRepository(runner).get_results(scope, "run-1")) == 216
