"""Migrations on a server of their own: twice, by two at once, after kill -9, and by an older program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import neo4j
import pytest
from wnis_core.errors import Failure, Unavailable
from wnis_graph.desired import own_names
from wnis_graph.migrations import MIGRATIONS, Migration, migrate, pending
from wnis_graph.migrations.lease import Lease
from wnis_graph.mini import MINI, MINI_ID, MINI_NAME
from wnis_graph.repositories.networks import NetworkRepository, SourceFile
from wnis_graph.runner import Runner, open_driver
from wnis_graph.schema.ddl import constraint_statements, index_statements
from wnis_graph.schema.model import SCHEMA
from wnis_graph.scope import Scope
from wnis_neo4j.local import LocalServer

from tests.conftest import REPOSITORY

COUNT = Migration("9001-count", ("MERGE (c:Counter {id: 'runs'}) SET c.value = coalesce(c.value, 0) + 1",))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A server of this module alone: migrations belong to a whole graph, not to a utility."""
    with LocalServer(tmp_path_factory.mktemp("migrations")) as started:
        yield started


@pytest.fixture
def empty(server: LocalServer) -> Iterator[neo4j.Driver]:
    """A graph without data and schema."""
    driver = open_driver(server.uri, server.user, server.password)
    driver.execute_query("MATCH (n) DETACH DELETE n")
    for kind, listing in (("CONSTRAINT", "SHOW CONSTRAINTS"), ("INDEX", "SHOW INDEXES")):
        for record in driver.execute_query(f"{listing} YIELD name, type WHERE type <> 'LOOKUP' RETURN name").records:
            driver.execute_query(f"DROP {kind} {record['name']} IF EXISTS")
    yield driver
    driver.close()


def schema_of(driver: neo4j.Driver) -> set[str]:
    listing = "SHOW INDEXES YIELD name, type, state WHERE type <> 'LOOKUP' RETURN name, state"
    records = driver.execute_query(listing).records
    assert {r["state"] for r in records} <= {"ONLINE"}
    return {r["name"] for r in records}


def declared() -> set[str]:
    return {s.split()[s.split().index("IF") - 1] for s in (*constraint_statements(SCHEMA), *index_statements(SCHEMA))}


def states(driver: neo4j.Driver) -> dict[str, str]:
    records = driver.execute_query("MATCH (m:Migration) RETURN m.id AS id, m.state AS state").records
    return {r["id"]: r["state"] for r in records}


def runs(driver: neo4j.Driver) -> int:
    return int(driver.execute_query("MATCH (c:Counter) RETURN sum(c.value) AS runs").records[0]["runs"])


def test_an_empty_graph_gets_the_declared_schema_and_again_nothing(empty: neo4j.Driver) -> None:
    assert migrate(empty) == [m.id for m in MIGRATIONS]
    assert migrate(empty) == []

    assert schema_of(empty) == declared()
    assert states(empty) == {m.id: "done" for m in MIGRATIONS}
    assert empty.execute_query("MATCH (l:Lease) RETURN count(l) AS n").records[0]["n"] == 0


def test_two_starters_at_once_apply_each_migration_once(empty: neo4j.Driver, server: LocalServer) -> None:
    migrations = (*MIGRATIONS, COUNT)
    applied: list[list[str]] = []
    barrier = threading.Barrier(3)

    def start() -> None:
        with open_driver(server.uri, server.user, server.password) as driver:
            barrier.wait()
            applied.append(migrate(driver, migrations))

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(applied, key=len) == [[], [], [m.id for m in migrations]]
    assert runs(empty) == 1
    assert schema_of(empty) == declared()


STARTER = """
import os, sys
from wnis_graph.migrations import MIGRATIONS, Migration, migrate
from wnis_graph.runner import open_driver
slow = Migration("9000-slow", ("MERGE (:Counter {id: 'reached'})",
    "UNWIND range(1, 100000000) AS a UNWIND range(1, 100000) AS b WITH a, b WHERE a + b < 0 RETURN count(*)"))
driver = open_driver(sys.argv[1], sys.argv[2], os.environ["PASSWORD"])
migrate(driver, (*MIGRATIONS, slow), lease_ttl_s=2)
"""


def test_a_starter_killed_midway_is_followed_by_the_next(empty: neo4j.Driver, server: LocalServer) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STARTER, server.uri, server.user],
        env={**os.environ, "PASSWORD": server.password},
        cwd=REPOSITORY,
    )
    deadline = time.monotonic() + 60
    while not empty.execute_query("MATCH (c:Counter {id: 'reached'}) RETURN c").records:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert states(empty)["9000-slow"] == "running"

    # the dead starter's lease runs out by itself, and what it left half done is done again
    mended = Migration("9000-slow", ("MERGE (:Counter {id: 'reached'})", *COUNT.statements))
    assert migrate(empty, (*MIGRATIONS, mended), lease_ttl_s=2, patience_s=60) == ["9000-slow"]

    assert set(states(empty).values()) == {"done"}
    assert runs(empty) == 1


def test_an_older_program_refuses_a_newer_graph(empty: neo4j.Driver) -> None:
    migrate(empty, (*MIGRATIONS, COUNT))

    with pytest.raises(Failure, match=r"newer program .*9001-count"):
        migrate(empty)


def test_an_older_program_goes_on_with_a_graph_to_which_a_newer_one_only_added(empty: neo4j.Driver) -> None:
    added = Migration("9001-additive-count", COUNT.statements)
    assert [m.id for m in pending(empty, (*MIGRATIONS, added))] == [*(m.id for m in MIGRATIONS), added.id]
    migrate(empty, (*MIGRATIONS, added))

    assert migrate(empty) == []
    assert states(empty)[added.id] == "done"


def test_a_numbered_migration_may_not_be_altered_once_applied(empty: neo4j.Driver) -> None:
    migrate(empty, (*MIGRATIONS, COUNT))

    with pytest.raises(Failure, match="9001-count was altered"):
        migrate(empty, (*MIGRATIONS, Migration(COUNT.id, ("MERGE (:Other)",))))


def test_a_repeatable_migration_runs_again_when_its_text_changes(empty: neo4j.Driver) -> None:
    migrate(empty)
    changed = Migration("R-schema", (*MIGRATIONS[1].statements, *COUNT.statements))

    assert migrate(empty, (MIGRATIONS[0], changed)) == ["R-schema"]
    assert migrate(empty, (MIGRATIONS[0], changed)) == []
    assert runs(empty) == 1


def test_a_lease_admits_one_is_renewed_and_can_be_awaited(empty: neo4j.Driver) -> None:
    migrate(empty)
    with Lease(empty, "test", ttl_s=0.6) as held:
        time.sleep(1.5)
        held.confirm()
        with pytest.raises(Unavailable, match="held the lease"), Lease(empty, "test", ttl_s=0.6, patience_s=0.3):
            pass
    with Lease(empty, "test", ttl_s=0.6, patience_s=0.3):
        pass


def test_a_lease_taken_by_another_is_noticed(empty: neo4j.Driver) -> None:
    migrate(empty)
    with Lease(empty, "test", ttl_s=0.6) as held:
        empty.execute_query("MATCH (l:Lease {id: 'test'}) SET l.holder = 'another'")
        time.sleep(0.5)
        with pytest.raises(Unavailable, match="was lost"):
            held.confirm()
    assert empty.execute_query("MATCH (l:Lease) RETURN l.holder AS holder").records[0]["holder"] == "another"


def test_the_scripts_load_what_the_program_writes(empty: neo4j.Driver) -> None:
    for path in sorted((REPOSITORY / "init-scripts").glob("*.cypher")):
        for _ in range(2):
            for statement in statements_of(path):
                empty.execute_query(statement)

    assert schema_of(empty) == declared()
    summary = NetworkRepository(Runner(empty)).persist(
        Scope("default", "tester"), MINI_ID, MINI, SourceFile("mini", "0", "mini"), name=MINI_NAME, id_of=own_names
    )
    assert (summary.created, summary.updated, summary.removed, summary.unchanged) == (0, 0, 0, 6)


def statements_of(path: Path) -> list[str]:
    text = "\n".join(line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("//"))
    return [statement.strip() for statement in text.split(";\n") if statement.strip(" ;\n")]
