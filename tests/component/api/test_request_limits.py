"""Request counters that all workers share: a file, or a real Redis."""

from __future__ import annotations

import multiprocessing
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from wnis_api.request_limits import Rate, RequestLimits

from tests.live import free_ports


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Redis."""
    port = free_ports(1)[0]
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir"]
    process = subprocess.Popen([*command, str(tmp_path_factory.mktemp("redis"))], stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    limits = RequestLimits(url, Path("unused"), 1)
    until = time.monotonic() + 20
    while not limits.answers():
        assert time.monotonic() < until
        time.sleep(0.05)
    yield url
    process.terminate()
    process.wait(10)


@pytest.fixture(params=["file", pytest.param("redis", marks=pytest.mark.system)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """Arguments of `RequestLimits` for each store."""
    kind: str = request.param
    return (request.getfixturevalue("redis_url") if kind == "redis" else "", tmp_path / "counters.sqlite")


def _count(store: tuple[str, Path], subject: str, times: int) -> int:
    limits = RequestLimits(*store, 50)
    return sum(limits.count(Rate.ORDINARY, subject)[1] is None for _ in range(times))


def test_processes_share_one_count(store: tuple[str, Path]) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        allowed = pool.starmap(_count, [(store, "user:shared", 40)] * 4)
    assert sum(allowed) == 50


def test_a_refusal_says_when_to_come_back(store: tuple[str, Path]) -> None:
    limits = RequestLimits(*store, 3)
    windows = [limits.count(Rate.ORDINARY, "user:a") for _ in range(4)]
    assert [w.remaining for w, _ in windows if w] == [2, 1, 0, 0]
    assert [refusal is None for _, refusal in windows] == [True, True, True, False]
    window, refusal = windows[-1]
    assert window is not None
    assert refusal is not None
    assert refusal.retry_after_s is not None
    assert 1 <= refusal.retry_after_s <= 61
    assert 0 < window.reset_at - time.time() <= 62


def test_subjects_and_rates_are_counted_apart(store: tuple[str, Path]) -> None:
    limits = RequestLimits(*store, 20)
    assert limits.count(Rate.COSTLY, "user:b")[1] is None
    assert limits.count(Rate.COSTLY, "user:b")[1] is None
    assert limits.count(Rate.COSTLY, "user:b")[1] is not None
    assert limits.count(Rate.ORDINARY, "user:b")[1] is None
    assert limits.count(Rate.COSTLY, "user:c")[1] is None
    assert limits.count(Rate.FREE, "user:b") == (None, None)


def test_a_window_ends(tmp_path: Path) -> None:
    from wnis_api.request_limits import SqliteCounters

    counters = SqliteCounters(f"sqlite-counters://{tmp_path / 'counters.sqlite'}")
    assert [counters.incr("k", 1) for _ in range(3)] == [1, 2, 3]
    time.sleep(1.1)
    assert counters.get("k") == 0
    assert counters.incr("k", 1) == 1


def test_requests_go_on_when_the_counters_are_away() -> None:
    limits = RequestLimits(f"redis://127.0.0.1:{free_ports(1)[0]}/0", Path("unused"), 1)
    assert [limits.count(Rate.ORDINARY, "user:a") for _ in range(3)] == [(None, None)] * 3
    assert not limits.answers()
