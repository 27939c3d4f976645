"""The bounded line of requests."""

from __future__ import annotations

import json
import threading
from concurrent.futures import wait
from typing import Any

import pytest
from prometheus_client import REGISTRY
from wnis_api.overload import Line, Refusal, is_refused


def test_what_finds_no_place_runs_as_refused_while_the_others_wait() -> None:
    line, gate = Line(2, 3), threading.Event()

    def held() -> bool:
        gate.wait(10)
        return is_refused()

    in_line = [line.submit(held) for _ in range(5)]
    assert [line.submit(is_refused).result(5) for _ in range(20)] == [True] * 20
    assert not any(one.done() for one in in_line)
    gate.set()
    wait(in_line, 5)
    assert [one.result() for one in in_line] == [False] * 5
    line.shutdown()


def test_a_place_is_free_again_also_after_a_failure() -> None:
    line = Line(1, 0)

    def fails() -> None:
        raise ValueError

    for _ in range(3):
        future = line.submit(fails)
        wait([future], 5)
        # the place is given back by the thread that ran, a moment after the result is there
        line._refusing.submit(int).result(5)
    seen = set()
    for _ in range(100):
        seen.add(line.submit(is_refused).result(5))
        if False in seen:
            break
    assert False in seen
    line.shutdown()


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/api/v1/ready", "/api/health"])
def test_probes_are_answered_when_all_else_is_refused(path: str) -> None:
    assert answer(path) == ("200 OK", b"from the application", {})


def test_a_refusal_says_when_to_come_back_and_is_counted() -> None:
    def count() -> float:
        return float(REGISTRY.get_sample_value("http_requests_refused_total") or 0)

    before = count()
    status, body, headers = answer("/api/v1/networks")
    assert status == "503 Service Unavailable"
    assert headers["Retry-After"] == "1"
    assert headers["Content-Type"] == "application/problem+json"
    document = json.loads(body)
    assert (document["status"], document["code"], document["retry_after_s"]) == (503, "unavailable", 1)
    assert document["request_id"] == headers["X-Request-Id"]
    assert count() == before + 1


def answer(path: str) -> tuple[str, bytes, dict[str, str]]:
    """What a refused request for `path` gets."""
    got: list[Any] = []

    def application(_: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"from the application"]

    def call() -> bytes:
        environ = {"PATH_INFO": path, "REQUEST_METHOD": "GET"}
        return b"".join(Refusal(application)(environ, lambda status, headers: got.extend((status, dict(headers)))))

    line, gate = Line(1, 0), threading.Event()
    held = line.submit(gate.wait, 10)
    body = line.submit(call).result(5)
    gate.set()
    held.result(5)
    line.shutdown()
    return got[0], body, got[1]
