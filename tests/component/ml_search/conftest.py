"""A small street of pipes to which incidents can happen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import neo4j
import pytest
from wnis_graph.repositories.incidents import IncidentRepository
from wnis_graph.repositories.outbox import OutboxRepository
from wnis_graph.runner import Runner, open_driver
from wnis_graph.scope import Scope

from tests.conftest import Neo4jServer

LayStreet = Callable[[Scope], None]


@pytest.fixture(scope="session")
def driver(neo4j_server: Neo4jServer) -> Iterator[neo4j.Driver]:
    opened = open_driver(neo4j_server.uri, neo4j_server.user, neo4j_server.password)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def lay_street(driver: neo4j.Driver) -> LayStreet:
    """Lays J0 - P1 - J1 - ... - P5 - J5 in a utility; P1 and P2 lie in zone `north`, the others in `south`."""

    def lay(scope: Scope) -> None:
        driver.execute_query(
            """
            MERGE (n:Network {utility: $utility, id: 'net'}) SET n.name = 'net', n.revision = 1
            MERGE (north:Zone {utility: $utility, id: 'north'}) SET north.name = 'North', north.kind = 'district'
            MERGE (south:Zone {utility: $utility, id: 'south'}) SET south.name = 'South', south.kind = 'district'
            WITH n, north, south
            UNWIND range(0, 5) AS k
            MERGE (j:Component:Junction {utility: $utility, id: 'net:junction:J' + k})
            SET j += {type: 'Junction', name: 'J' + k, network: 'net', status: 'active', health: 'unknown', revision: 1,
                      elevation_m: 1.0}
            MERGE (j)-[:PART_OF]->(n)
            WITH n, north, south, k WHERE k > 0
            MERGE (p:Component:Pipe {utility: $utility, id: 'net:pipe:P' + k})
            SET p += {type: 'Pipe', name: 'P' + k, source_id: 'GIS-' + k, network: 'net', status: 'open',
                      health: 'unknown', revision: 1, length_m: 100.0, diameter_m: 0.2}
            MERGE (p)-[:PART_OF]->(n)
            FOREACH (_ IN CASE WHEN k <= 2 THEN [1] ELSE [] END | MERGE (p)-[:PART_OF]->(north))
            FOREACH (_ IN CASE WHEN k > 2 THEN [1] ELSE [] END | MERGE (p)-[:PART_OF]->(south))
            WITH p, k
            MATCH (a:Junction {utility: $utility, id: 'net:junction:J' + (k - 1)})
            MATCH (b:Junction {utility: $utility, id: 'net:junction:J' + k})
            MERGE (a)-[:CONNECTED_TO]->(p)
            MERGE (p)-[:CONNECTED_TO]->(b)
            """,
            {"utility": scope.utility},
        )

    return lay


@pytest.fixture
def street(scope: Scope, lay_street: LayStreet) -> Scope:
    """The scope of a utility that has the street."""
    lay_street(scope)
    return scope


@pytest.fixture
def incidents(runner: Runner) -> IncidentRepository:
    return IncidentRepository(runner)


@pytest.fixture
def outbox(runner: Runner) -> OutboxRepository:
    return OutboxRepository(runner)
