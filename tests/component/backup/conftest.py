"""A Neo4j of their own for tests of backups: they pause its writes, empty it and fill it again."""

from __future__ import annotations

import os
from collections.abc import Iterator

import neo4j
import pytest
from wnis_graph.migrations import migrate
from wnis_graph.runner import open_driver
from wnis_neo4j.local import LocalServer

from tests.conftest import Neo4jServer


@pytest.fixture(scope="session")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4jServer]:
    """A server that these tests have for themselves."""
    if uri := os.environ.get("WNIS_TEST_OWN_NEO4J"):
        yield Neo4jServer(uri, "neo4j", os.environ["WNIS_TEST_OWN_NEO4J_PASSWORD"])
        return
    with LocalServer(tmp_path_factory.mktemp("own-neo4j")) as server:
        yield Neo4jServer(server.uri, server.user, server.password)


@pytest.fixture(scope="session")
def own_driver(own_server: Neo4jServer) -> Iterator[neo4j.Driver]:
    """Connections to it."""
    driver = open_driver(own_server.uri, own_server.user, own_server.password)
    yield driver
    driver.close()


@pytest.fixture
def graph(own_driver: neo4j.Driver) -> neo4j.Driver:
    """An empty graph with our schema."""
    make_empty(own_driver)
    migrate(own_driver)
    with own_driver.session() as session:
        session.run("MERGE (:Lease {id: 'writes'})").consume()
    return own_driver


def make_empty(driver: neo4j.Driver) -> None:
    """Nothing is left: no node, no constraint, no index."""
    with driver.session() as session:
        session.run("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS").consume()
        for kind in ("CONSTRAINT", "INDEX"):
            shown = "SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP'" if kind == "INDEX" else "SHOW CONSTRAINTS"
            for name in [record["name"] for record in session.run(shown)]:
                session.run(f"DROP {kind} `{name}` IF EXISTS").consume()
