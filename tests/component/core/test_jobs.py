"""Durable jobs: accepted means executed, once for a job id, also across the death of the service."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from wnis_core.errors import Conflict, InvalidModel, InvalidValue, NotFound, Unavailable
from wnis_core.jobs import MAX_ATTEMPTS, JobContext, JobEngine, JobView
from wnis_core.ownership import Ownership, waiting_file
from wnis_core.tokens import Caller

ADA = Caller("north", "ada", frozenset({"engineer"}), "request-1")
BOB = Caller("south", "bob", frozenset({"engineer"}), "request-2")
REPOSITORY = Path(__file__).resolve().parents[3]


class Told:
    """A sink that remembers, and can be out of order for a while."""

    def __init__(self) -> None:
        self.views: list[JobView] = []
        self.down = False

    def __call__(self, view: JobView) -> None:
        if self.down:
            raise Unavailable("The graph is away.")
        self.views.append(view)


def sleep_until_cancelled(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
    for step in range(400):
        context.raise_if_cancelled()
        context.progress(step / 400, f"step {step}")
        time.sleep(0.05)
    return {}


def add(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"sum": arguments["a"] + arguments["b"], "user": context.caller.user}


def refuse(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
    raise InvalidModel("Line 3 is odd.", details={"section": "PIPES", "line": 3, "id": "P1"})


def stumble(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
    raise KeyError("a secret path")


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def engine(tmp_path: Path, told: Told) -> Iterator[JobEngine]:
    opened = make_engine(f"sqlite:///{tmp_path}/jobs.sqlite", tmp_path, told)
    opened.launch()
    yield opened
    opened.shutdown()


def make_engine(url: str, home: Path, told: Told) -> JobEngine:
    engine = JobEngine(service="test", database_url=url, executor_id="one", home=home, sink=told)
    for kind, body in (("add", add), ("sleep", sleep_until_cancelled), ("refuse", refuse), ("stumble", stumble)):
        engine.register(kind, body)
    return engine


def wait_for(what: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def finished(engine: JobEngine, caller: Caller, job: str) -> JobView:
    wait_for(lambda: engine.get(caller.utility, job).finished_at is not None)
    return engine.get(caller.utility, job)


def test_a_job_is_executed_for_its_caller_and_told_to_the_sink(engine: JobEngine, told: Told) -> None:
    accepted = engine.submit("add", {"a": 2, "b": 3}, "job-1", ADA)
    assert (accepted.kind, accepted.service, accepted.utility, accepted.requested_by) == ("add", "test", "north", "ada")
    done = finished(engine, ADA, "job-1")
    assert (done.state, done.progress, done.result, done.error) == ("succeeded", 1.0, {"sum": 5, "user": "ada"}, None)
    wait_for(lambda: told.views[-1].state == "succeeded")
    states = [view.state for view in told.views]
    assert states == sorted(states, key=["queued", "running", "succeeded"].index)


def test_the_same_job_id_twice_is_one_job(engine: JobEngine) -> None:
    views = [engine.submit("add", {"a": 2, "b": b}, "job-1", ADA) for b in (3, 4)]
    assert views[0].created_at == views[1].created_at
    assert finished(engine, ADA, "job-1").result == {"sum": 5, "user": "ada"}
    assert engine.submit("add", {"a": 9, "b": 9}, "job-1", ADA).result == {"sum": 5, "user": "ada"}
    with pytest.raises(Conflict):
        engine.submit("sleep", {}, "job-1", ADA)


def test_the_same_job_id_submitted_by_many_threads_runs_once(engine: JobEngine) -> None:
    runs: list[str] = []
    engine.register("count", lambda context, _: runs.append(context.job_id) or {"runs": len(runs)})  # type: ignore[func-returns-value]
    threads = [threading.Thread(target=engine.submit, args=("count", {}, "job-1", ADA)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert finished(engine, ADA, "job-1").result == {"runs": 1}
    time.sleep(0.5)
    assert runs == ["job-1"]


def test_two_utilities_may_use_one_job_id_and_see_only_their_own(engine: JobEngine) -> None:
    engine.submit("add", {"a": 1, "b": 1}, "job-1", ADA)
    engine.submit("add", {"a": 5, "b": 5}, "job-1", BOB)
    engine.submit("sleep", {}, "job-2", ADA)
    assert finished(engine, ADA, "job-1").result == {"sum": 2, "user": "ada"}
    assert finished(engine, BOB, "job-1").result == {"sum": 10, "user": "bob"}
    for ask in (engine.get, engine.cancel):
        with pytest.raises(NotFound):
            ask("south", "job-2")
    assert engine.get("north", "job-2").state in ("queued", "running")


def test_an_error_of_ours_is_kept_as_its_problem_document(engine: JobEngine) -> None:
    engine.submit("refuse", {}, "job-1", ADA)
    failed = finished(engine, ADA, "job-1")
    assert failed.state == "failed"
    assert failed.error is not None
    assert (failed.error["code"], failed.error["status"]) == ("invalid_model", 422)
    assert failed.error["details"] == {"section": "PIPES", "line": 3, "id": "P1"}
    assert failed.error["request_id"] == "request-1"


def test_an_unexpected_error_does_not_show_what_it_carries(engine: JobEngine) -> None:
    engine.submit("stumble", {}, "job-1", ADA)
    failed = finished(engine, ADA, "job-1")
    assert failed.state == "failed"
    assert failed.error is not None
    assert failed.error["code"] == "failure"
    assert "secret" not in str(failed.error)


def test_a_running_job_shows_progress_and_stops_within_a_second_of_its_cancel(engine: JobEngine) -> None:
    engine.submit("sleep", {}, "job-1", ADA)
    wait_for(lambda: engine.get("north", "job-1").progress > 0)
    assert engine.get("north", "job-1").message.startswith("step ")
    asked = time.monotonic()
    engine.cancel("north", "job-1")
    assert finished(engine, ADA, "job-1").state == "cancelled"
    assert time.monotonic() - asked < 1.0


def test_a_waiting_job_is_cancelled_at_once_and_never_starts(engine: JobEngine) -> None:
    for job in ("job-1", "job-2", "job-3"):
        engine.submit("sleep", {}, job, ADA)
    wait_for(lambda: engine.get("north", "job-2").state == "running")
    assert engine.get("north", "job-3").state == "queued"
    assert engine.cancel("north", "job-3").state == "cancelled"
    engine.cancel("north", "job-1")
    finished(engine, ADA, "job-1")
    time.sleep(0.5)
    assert engine.get("north", "job-3").progress == 0
    assert engine.cancel("north", "job-1").state == "cancelled"
    engine.cancel("north", "job-2")


def test_a_kind_without_a_body_is_refused(engine: JobEngine) -> None:
    with pytest.raises(InvalidValue, match="no jobs of kind 'dance'"):
        engine.submit("dance", {}, "job-1", ADA)


def test_a_sink_that_was_away_learns_the_last_state(engine: JobEngine, told: Told) -> None:
    told.down = True
    engine.submit("add", {"a": 2, "b": 3}, "job-1", ADA)
    assert finished(engine, ADA, "job-1").state == "succeeded"
    assert told.views == []
    told.down = False
    wait_for(lambda: bool(told.views) and told.views[-1].state == "succeeded")


def test_a_job_interrupted_by_a_clean_stop_runs_at_the_next_launch(tmp_path: Path, told: Told) -> None:
    url = f"sqlite:///{tmp_path}/jobs.sqlite"
    first = make_engine(url, tmp_path, told)
    first.launch()
    first.submit("sleep", {}, "job-1", ADA)
    wait_for(lambda: first.get("north", "job-1").progress > 0)
    first.shutdown()
    second = make_engine(url, tmp_path, told)
    second.register("sleep", add)
    second.register("sleep", lambda context, _: {"run": "again"})
    second.launch()
    try:
        assert finished(second, ADA, "job-1").result == {"run": "again"}
    finally:
        second.shutdown()


class Host:
    """A real process that executes jobs of one database."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> None:
        before = self.lines("up")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.component.core.job_host", self.url, str(self.folder), "job-1", *more],
            cwd=REPOSITORY,
        )
        wait_for(lambda: len(self.lines("up")) > len(before), 30)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def lines(self, file: str) -> list[str]:
        path = self.folder / file
        return path.read_text().splitlines() if path.exists() else []


def survives_kills(host: Host) -> None:
    host.start("3")
    wait_for(lambda: host.lines("starts") == ["job-1"])
    host.kill()
    assert host.lines("ends") == []
    host.start()
    try:
        wait_for(lambda: host.lines("ends") == ["job-1"], 30)
        wait_for(lambda: host.lines("told")[-1] == "job-1 succeeded")
        assert host.lines("starts") == ["job-1", "job-1"]
    finally:
        host.kill()
    host.start("3")
    time.sleep(1)
    host.kill()
    assert host.lines("starts") == ["job-1", "job-1"]


def test_a_job_runs_again_once_after_kill_9_on_sqlite(tmp_path: Path) -> None:
    survives_kills(Host(f"sqlite:///{tmp_path}/jobs.sqlite", tmp_path))


def test_a_successor_waits_until_its_predecessor_has_ended_and_takes_over_its_jobs(tmp_path: Path) -> None:
    url, waiting = f"sqlite:///{tmp_path}/jobs.sqlite", waiting_file(tmp_path, "host-one")
    first, second = Host(url, tmp_path), Host(url, tmp_path)
    first.start("4")
    wait_for(lambda: first.lines("starts") == ["job-1"])
    successor = threading.Thread(target=second.start)
    successor.start()
    wait_for(waiting.exists, 30)
    time.sleep(0.5)
    assert first.lines("starts") == ["job-1"]
    first.kill()
    successor.join()
    try:
        wait_for(lambda: second.lines("ends") == ["job-1"], 30)
        assert second.lines("starts") == ["job-1", "job-1"]
        assert not waiting.exists()
    finally:
        second.kill()


def test_who_waits_in_vain_says_what_stands_in_the_way(tmp_path: Path) -> None:
    first = Ownership(tmp_path, "ml-local")
    with pytest.raises(Unavailable, match="Another ml-local works on this WNIS_HOME"):
        Ownership(tmp_path, "ml-local", wait_s=0.1)
    first.release()
    Ownership(tmp_path, "ml-local", wait_s=0.1).release()


def test_a_job_that_keeps_killing_its_service_is_given_up(tmp_path: Path) -> None:
    host = Host(f"sqlite:///{tmp_path}/jobs.sqlite", tmp_path)
    host.start("60")
    for attempt in range(1, MAX_ATTEMPTS + 1):
        wait_for(lambda attempt=attempt: len(host.lines("starts")) == attempt)  # type: ignore[misc]
        host.kill()
        host.start()
    try:
        wait_for(lambda: host.lines("told")[-1] == "job-1 failed")
        assert len(host.lines("starts")) == MAX_ATTEMPTS
    finally:
        host.kill()


@pytest.mark.system
def test_a_job_runs_again_once_after_kill_9_on_postgresql(postgresql: str, tmp_path: Path) -> None:
    survives_kills(Host(postgresql, tmp_path))
