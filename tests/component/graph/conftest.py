"""What the graph's own tests need beyond the door: a driver to look behind it."""

from __future__ import annotations

from collections.abc import Iterator

import neo4j
import pytest
from wnis_graph.runner import Runner, open_driver

from tests.conftest import Neo4jServer


@pytest.fixture(scope="session")
def driver(neo4j_server: Neo4jServer, runner: Runner) -> Iterator[neo4j.Driver]:
    """A driver of its own, for what no repository offers; the schema is in place."""
    opened = open_driver(neo4j_server.uri, neo4j_server.user, neo4j_server.password)
    yield opened
    opened.close()
