"""Fixtures shared by all tests: one real Neo4j, a fresh utility for each test, the evaluation data."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from wnis_graph.runner import Runner, open_driver
from wnis_graph.scope import Scope

from tests import planted

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED_DATA = Path(os.environ.get("WNIS_SHARED_DATA") or REPOSITORY.parent / "shared" / "data").resolve()


@dataclass(frozen=True)
class Neo4jServer:
    """Where the real server of this test run answers."""

    uri: str
    user: str
    password: str


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect, never skip, what needs the evaluation data when it is not there; in CI that is a failure."""
    if SHARED_DATA.is_dir():
        return
    if os.environ.get("WNIS_REQUIRE_SHARED_DATA") == "1":
        raise pytest.UsageError(f"WNIS_REQUIRE_SHARED_DATA=1, but {SHARED_DATA} is missing.")
    left_out = [item for item in items if item.get_closest_marker("shared_data")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In continuous integration a skipped test is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if reporter is not None and os.environ.get("CI") == "true" and skipped:
        reporter.write_line(f"{len(skipped)} tests were skipped, which CI does not accept.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_report_header() -> str:
    """Say whether the evaluation data is there."""
    found = SHARED_DATA.is_dir()
    return f"evaluation data: {SHARED_DATA if found else 'missing, its tests are left out (set WNIS_SHARED_DATA)'}"


@pytest.fixture(scope="session", autouse=True)
def _no_secret_in_any_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """When every service of the run has ended, none of the run's secrets is in any of its logs."""
    # begun before everything else, and so ended after it; pytest removes the folders three runs later
    yield
    begun, found = time.monotonic(), planted.leaks(tmp_path_factory.getbasetemp())
    assert not found, f"{len(found)} lines of logs of this run hold a secret:\n" + "\n".join(found[:50])
    print(f"no secret in the logs of this run ({time.monotonic() - begun:.1f} s)")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets (read only)."""
    return SHARED_DATA


@pytest.fixture(scope="session")
def neo4j_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4jServer]:
    """A real Neo4j: the one named by WNIS_TEST_NEO4J_URI, else a local one started for this run."""
    uri = os.environ.get("WNIS_TEST_NEO4J_URI")
    if uri:
        password = os.environ["WNIS_TEST_NEO4J_PASSWORD"]
        yield Neo4jServer(uri, os.environ.get("WNIS_TEST_NEO4J_USER", "neo4j"), password)
        return
    from wnis_neo4j.local import LocalServer

    with LocalServer(tmp_path_factory.mktemp("neo4j")) as server:
        yield Neo4jServer(server.uri, server.user, server.password)


@pytest.fixture(scope="session")
def runner(neo4j_server: Neo4jServer) -> Iterator[Runner]:
    """The door to the graph, with the schema in place."""
    from wnis_graph.migrations import migrate

    driver = open_driver(neo4j_server.uri, neo4j_server.user, neo4j_server.password)
    migrate(driver)
    opened = Runner(driver)
    yield opened
    opened.close()


@pytest.fixture
def scope() -> Scope:
    """A utility of its own for each test, which is what keeps tests apart."""
    return Scope(utility=f"u-{uuid.uuid4().hex[:12]}", user="tester", roles=frozenset({"admin"}))
