"""One live system for all contract tests, and people in every role."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from wnis_api.http.route import Role

from tests.conftest import Neo4jServer
from tests.containers.composed import ComposedStack
from tests.live import Answer, LiveStack


class Client:
    """Requests of one person to the live API."""

    def __init__(self, live: LiveStack, person: Answer | None) -> None:
        self._live = live
        self.person = person

    @property
    def url(self) -> str:
        """Where the API listens now; a container that was started again may have another address."""
        return self._live.url

    def __call__(self, method: str, path: str, **more: object) -> requests.Response:
        """The answer of the API under its versioned prefix."""
        return self.bare(method, f"/api/v1{path}", **more)

    def bare(self, method: str, path: str, **more: object) -> requests.Response:
        """The answer at exactly `path`."""
        given: Any = more.pop("headers", {})
        headers = {**(self.person.headers if self.person else {}), **given}
        # a connection each: one that was kept through a slow test may be closed at the moment it is used again
        return requests.request(method, self.url + path, timeout=60, headers=headers, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[LiveStack]:
    """The running system; the containers of a composed one when WNIS_TEST_COMPOSE names its folder."""
    if os.environ.get("WNIS_TEST_COMPOSE"):
        with ComposedStack(Path(os.environ["WNIS_TEST_COMPOSE"])) as composed:
            yield composed
        return
    server: Neo4jServer = request.getfixturevalue("neo4j_server")
    with LiveStack(tmp_path_factory.mktemp("live"), server) as stack:
        yield stack


@pytest.fixture(scope="session")
def admin(live: LiveStack) -> Client:
    """The first account."""
    return Client(live, live.sign_in())


@pytest.fixture(scope="session")
def anonymous(live: LiveStack) -> Client:
    """Somebody without a token."""
    return Client(live, None)


@pytest.fixture(scope="session")
def people(live: LiveStack, admin: Client) -> dict[Role, Client]:
    """A person in each role."""
    assert admin.person is not None
    return {role: Client(live, live.add_person(admin.person, role)) for role in Role}
