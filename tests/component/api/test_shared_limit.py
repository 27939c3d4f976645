"""The request limit of the API as it is deployed: several gunicorn workers, one count."""

from __future__ import annotations

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from tests.conftest import Neo4jServer
from tests.live import LiveStack

LIMIT, REQUESTS, AT_ONCE = 40, 120, 24


def test_two_workers_grant_an_account_exactly_the_limit_together(neo4j_server: Neo4jServer, tmp_path: Path) -> None:
    with LiveStack(tmp_path, neo4j_server, parts=(), workers=2, extra={"WNIS_RATE_LIMIT": str(LIMIT)}) as stack:
        person = stack.sign_in()
        began = time.time()

        def ask(number: int) -> requests.Response:
            # a connection each, so that the kernel hands them to whichever worker is free
            headers = {**person.headers, "X-Request-Id": f"shared-{number}"}
            return requests.get(f"{stack.url}/api/v1/auth/me", headers=headers, timeout=60)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(ask, range(REQUESTS)))
        took_s = time.time() - began
        records = [
            json.loads(line) for line in (tmp_path / "api.log").read_text("utf-8").splitlines() if line[0] == "{"
        ]

    assert took_s < 60, "a second window began: the machine is too slow for this test to say anything"
    assert Counter(answer.status_code for answer in answers) == {200: LIMIT, 429: REQUESTS - LIMIT}
    left = [int(a.headers["X-RateLimit-Remaining"]) for a in answers if a.status_code == 200]
    assert sorted(left) == list(range(LIMIT))
    for answer in answers:
        assert answer.headers["X-RateLimit-Limit"] == str(LIMIT)
        assert began < int(answer.headers["X-RateLimit-Reset"]) <= began + took_s + 62
        if answer.status_code == 429:
            assert answer.headers["X-RateLimit-Remaining"] == "0"
            assert 1 <= int(answer.headers["Retry-After"]) <= 61
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert (answer.json()["code"], answer.json()["status"]) == ("too_many", 429)

    served = Counter(
        (record["process.pid"], record["message"].rsplit(" ", 1)[-1])
        for record in records
        if str(record.get("http.request.id", "")).startswith("shared-") and record["message"].startswith("GET ")
    )
    assert served.total() == REQUESTS
    by_worker = {pid: {status for other, status in served if other == pid} for pid, _ in served}
    assert list(by_worker.values()) == [{"200", "429"}] * 2, f"both workers grant and both refuse: {served}"
