"""A real API with a real nginx before it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.conftest import Neo4jServer
from tests.front import Front
from tests.live import Answer, LiveStack


@pytest.fixture(scope="session")
def stack(neo4j_server: Neo4jServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    """An API that believes one proxy, with the simulator that takes its uploads."""
    home = tmp_path_factory.mktemp("behind-nginx")
    with LiveStack(home, neo4j_server, parts=("simulator",), extra={"WNIS_TRUSTED_PROXIES": "1"}) as running:
        yield running


@pytest.fixture(scope="session")
def front(stack: LiveStack) -> Iterator[Front]:
    """nginx before that API."""
    with Front(stack.url.removeprefix("http://")) as running:
        yield running


@pytest.fixture
def client(front: Front) -> Iterator[requests.Session]:
    """Somebody outside."""
    with front.session() as session:
        yield session


@pytest.fixture(scope="session")
def admin(stack: LiveStack) -> Answer:
    """Somebody who may do everything."""
    return stack.sign_in()
