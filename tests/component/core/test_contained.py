"""Crashes, hangs and greed stay in the child."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from wnis_core.contained import ChildLost, run_contained
from wnis_core.errors import Cancelled, Failure, InvalidModel

CHILDREN = "tests.component.core.children"
REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _children_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    # the child gets hardly any environment: tests are found by the one path that it does read
    monkeypatch.setattr("wnis_core.contained._KEPT_ENVIRONMENT", ("PATH", "PYTHONPATH"))
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until_gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if all(gone(pid) for pid in pids):
            return True
        time.sleep(0.02)
    return False


def test_the_answer_progress_and_folder_are_the_childs_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_PASSWORD", "a-secret")
    told: list[tuple[float, str]] = []
    answer = run_contained(
        f"{CHILDREN}:add", {"a": 2, "b": 3}, folder=tmp_path / "c", on_progress=lambda f, m: told.append((f, m))
    )
    assert answer["sum"] == 5
    assert answer["folder"] == str(tmp_path / "c")
    assert "NEO4J_PASSWORD" not in answer["variables"]
    assert told == [(0.5, "half way")]
    assert (tmp_path / "c" / "child.log").read_text() == "a word on standard output\n"


def test_an_answer_of_megabytes_arrives_whole(tmp_path: Path) -> None:
    assert run_contained(f"{CHILDREN}:large", {"n": 500_000}, folder=tmp_path) == list(range(500_000))


def test_an_error_of_ours_arrives_as_it_was_raised(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match="Line 3 is odd") as caught:
        run_contained(f"{CHILDREN}:refuse", {}, folder=tmp_path)
    assert caught.value.mend == "Mend it."
    assert caught.value.details == {"section": "PIPES", "line": 3}
    assert [(f.field, f.message) for f in caught.value.fields] == [("file", "odd")]


def test_an_unexpected_error_is_a_failure_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="KeyError: 'J1'"):
        run_contained(f"{CHILDREN}:stumble", {}, folder=tmp_path)


def test_an_abort_is_reported_with_its_signal_and_last_words(tmp_path: Path) -> None:
    with pytest.raises(ChildLost, match="SIGABRT") as caught:
        run_contained(f"{CHILDREN}:abort", {}, folder=tmp_path)
    assert caught.value.reason == "aborted"
    assert "about to abort" in caught.value.log_tail


def test_a_hanging_child_is_stopped_with_its_own_children(tmp_path: Path) -> None:
    with pytest.raises(ChildLost, match="within 2 s") as caught:
        run_contained(f"{CHILDREN}:hang", {}, folder=tmp_path, wall_s=2)
    assert caught.value.reason == "wall"
    assert wait_until_gone([int(pid) for pid in (tmp_path / "pids").read_text().split()])


def test_a_busy_child_is_stopped_at_its_processor_time(tmp_path: Path) -> None:
    with pytest.raises(ChildLost, match="processor time") as caught:
        run_contained(f"{CHILDREN}:burn", {}, folder=tmp_path, cpu_s=1, wall_s=60)
    assert caught.value.reason == "cpu"


def test_a_greedy_child_is_stopped_at_its_memory(tmp_path: Path) -> None:
    with pytest.raises(ChildLost, match="more than 200 MB") as caught:
        run_contained(f"{CHILDREN}:swallow", {"bytes": 400_000_000}, folder=tmp_path, memory_bytes=200_000_000)
    assert caught.value.reason == "memory"
    assert run_contained(f"{CHILDREN}:swallow", {"bytes": 1_000_000}, folder=tmp_path, memory_bytes=200_000_000)


def test_cancelling_kills_the_child_within_a_second(tmp_path: Path) -> None:
    started = time.monotonic()
    ready = tmp_path / "pids"
    asked: list[float] = []

    def cancelled() -> bool:
        if ready.exists() and len(ready.read_text().split()) == 2:
            asked.append(time.monotonic())
            return True
        return time.monotonic() - started > 20

    with pytest.raises(Cancelled):
        run_contained(f"{CHILDREN}:hang", {}, folder=tmp_path, cancelled=cancelled)
    assert time.monotonic() - asked[0] < 1.0
    assert wait_until_gone([int(pid) for pid in ready.read_text().split()])


def test_a_child_dies_with_its_killed_parent(tmp_path: Path) -> None:
    code = f"from pathlib import Path; from wnis_core.contained import run_contained, _KEPT_ENVIRONMENT\n\
import wnis_core.contained as c; c._KEPT_ENVIRONMENT += ('PYTHONPATH',)\n\
run_contained('{CHILDREN}:hang', {{}}, folder=Path('{tmp_path}'))"
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, env=dict(os.environ))
    pids = tmp_path / "pids"
    deadline = time.monotonic() + 20
    while not (pids.exists() and len(pids.read_text().split()) == 2) and time.monotonic() < deadline:
        time.sleep(0.02)
    child = int(pids.read_text().split()[0])
    parent.kill()
    parent.wait()
    assert wait_until_gone([child])
    psutil.Process(int(pids.read_text().split()[1])).kill()
