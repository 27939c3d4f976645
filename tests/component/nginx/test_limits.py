"""How often somebody may ask, and what is not counted."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.front import Front
from tests.live import LiveStack

pytestmark = pytest.mark.system

API_BURST, AUTH_BURST = 60, 20


@pytest.fixture
def front(stack: LiveStack) -> Iterator[Front]:
    """An nginx that has counted nothing yet."""
    with Front(stack.url.removeprefix("http://")) as running:
        yield running


def ask(front: Front, path: str, times: int, **headers: str) -> list[requests.Response]:
    """The same question many times at once."""
    with front.session() as session, ThreadPoolExecutor(4) as threads:
        return list(threads.map(lambda _: session.get(front.url + path, headers=headers, timeout=20), range(times)))


def test_beyond_its_burst_a_token_is_told_to_wait_and_another_one_is_not(front: Front) -> None:
    mine, other = (f"Bearer {secrets.token_hex(20)}" for _ in range(2))
    answers = ask(front, "/api/v1/components", 150, Authorization=mine)
    refused = [answer for answer in answers if answer.status_code == 429]
    passed = len(answers) - len(refused)
    # 10 a second besides the burst, as long as the questions took
    assert API_BURST < passed < API_BURST + 60
    document = refused[0].json()
    assert refused[0].headers["Content-Type"] == "application/problem+json"
    assert refused[0].headers["Retry-After"] == "1"
    assert (document["code"], document["status"], document["errors"]) == ("too_many", 429, [])
    assert document["request_id"] == refused[0].headers["X-Request-Id"]
    assert ask(front, "/api/v1/components", 1, Authorization=other)[0].status_code == 401
    # static files and tiles are not counted, nor is what watches
    for path in ("/", "/assets/worker-abc123.mjs", "/api/v1/networks/n/tiles/1/2/3.mvt", "/health"):
        said = Counter(answer.status_code for answer in ask(front, path, 80, Authorization=mine))
        assert said[429] == 0, path


def test_signing_in_has_fewer(front: Front) -> None:
    answers = Counter(a.status_code for a in ask(front, "/api/v1/auth/me", 60))
    assert AUTH_BURST < 60 - answers[429] < AUTH_BURST + 20
    # the same door under its other names, and not the one of the rest of the API
    assert ask(front, "/auth/me", 1)[0].status_code == 429
    assert ask(front, "/api/auth/me", 1)[0].status_code == 429
    assert ask(front, "/api/v1/components", 1)[0].status_code == 401


def test_a_new_token_for_every_question_does_not_help(front: Front) -> None:
    def with_new_token(_: int) -> int:
        headers = {"Authorization": f"Bearer {secrets.token_hex(20)}"}
        return session.get(f"{front.url}/auth/me", headers=headers, timeout=20).status_code

    with front.session() as session, ThreadPoolExecutor(4) as threads:
        answers = Counter(threads.map(with_new_token, range(900)))
    assert answers[429] > 0


def test_a_long_token_counts_like_a_short_one(front: Front) -> None:
    answers = Counter(
        a.status_code for a in ask(front, "/api/v1/components", 100, Authorization="Bearer " + "x" * 6000)
    )
    assert set(answers) == {401, 429}
