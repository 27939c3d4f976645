"""One real simulator service for the tests of this folder; every test has a utility of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from wnis_graph.runner import Runner

from tests.component.simulator.service import SimulatorService
from tests.conftest import Neo4jServer


@pytest.fixture(scope="package")
def simulator(
    neo4j_server: Neo4jServer, runner: Runner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SimulatorService]:
    service = SimulatorService(tmp_path_factory.mktemp("simulator"), neo4j_server)
    service.start()
    yield service
    service.stop()
