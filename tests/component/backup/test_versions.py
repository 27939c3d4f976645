"""The graph goes from the Neo4j that we run to the next major version and back, and nothing changes on the way.

The commands are those of the guide.
"""

from __future__ import annotations

import json
import os
import random
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import neo4j
import pytest
from wnis_graph.bundle import take_census
from wnis_graph.migrations import migrate
from wnis_graph.runner import open_driver
from wnis_neo4j.local import LocalServer
from wnis_neo4j.provision import default_folder, provision

from tests.component.backup import town
from tests.component.backup.conftest import make_empty
from tests.component.backup.samples import fill
from tests.component.neo4j.next_release import NEXT
from tests.conftest import Neo4jServer
from tests.guide_blocks import marked

pytestmark = pytest.mark.system

KILLS = 3
EXPORT, IMPORT = marked("sh testable migration", "operations/migration.md")
_WNIS = (sys.executable, "-c", "from wnis_ops.cli.main import main; main()")


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4jServer]:
    """A server of the next release, with nothing in it."""
    provision(default_folder(NEXT), lock=NEXT.lock)
    with LocalServer(tmp_path_factory.mktemp("later"), release=NEXT) as server:
        yield Neo4jServer(server.uri, server.user, server.password)


def schema_of(driver: neo4j.Driver) -> set[str]:
    """Constraints and working indexes, without those that every server makes for itself under names of its own."""
    with driver.session() as session:
        constraints = session.run("SHOW CONSTRAINTS YIELD name RETURN name").values()
        indexes = session.run(
            "SHOW INDEXES YIELD name, type, state WHERE state = 'ONLINE' AND type <> 'LOOKUP' RETURN type + name"
        ).values()
    return {str(name) for (name,) in [*constraints, *indexes]}


def version_of(driver: neo4j.Driver) -> str:
    """The server's own word."""
    with driver.session() as session:
        found = {r["name"]: r["versions"] for r in session.run("CALL dbms.components()")}
    return str(found["Neo4j Kernel"][0])


def words_of(guided: str) -> list[str]:
    """A command of the guide, which names servers by variables that the test sets itself."""
    words = [word for word in shlex.split(guided) if not re.fullmatch(r"[A-Z0-9_]+=.*", word)]
    assert words[0] == "wnis"
    return [*_WNIS, *words[1:]]


def run(guided: str, server: Neo4jServer, folder: Path) -> dict[str, Any]:
    """What a command of the guide says, run in `folder` for a server."""
    environ = town.environ_of(folder, server, folder / "key")
    ran = subprocess.run([*words_of(guided), "--json"], cwd=folder, env=environ, check=False, capture_output=True)
    assert ran.returncode == 0, ran.stderr
    document: dict[str, Any] = json.loads(ran.stdout)
    return document


def import_killed_after(server: Neo4jServer, folder: Path, seconds: float) -> int:
    """Exit status of an import that gets SIGKILL so long after its first rows arrived."""
    environ = town.environ_of(folder, server, folder / "key")
    process = subprocess.Popen(words_of(IMPORT.text), cwd=folder, env=environ, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "nodes and relationships" in line:
            break
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGKILL)
    process.stderr.close()
    return process.wait()


def test_a_graph_goes_to_the_next_release_and_back(
    graph: neo4j.Driver, own_server: Neo4jServer, later: Neo4jServer, tmp_path: Path
) -> None:
    fill(graph, 10_000)
    before, schema = take_census(graph).document(), schema_of(graph)
    exported = run(EXPORT.text, own_server, tmp_path)
    assert {name: exported[name] for name in before} == before

    moments = random.Random(26)
    statuses = {import_killed_after(later, tmp_path, moments.uniform(0.0, 0.2)) for _ in range(KILLS)}
    assert statuses == {-signal.SIGKILL}
    assert run(IMPORT.text, later, tmp_path) == before
    with open_driver(later.uri, later.user, later.password) as driver:
        assert version_of(driver) == NEXT.version
        assert take_census(driver).document() == before
        assert schema_of(driver) == schema
        assert migrate(driver) == [], "the program itself has nothing left to do there"

    run(EXPORT.text, later, tmp_path)
    make_empty(graph)
    assert run(IMPORT.text, own_server, tmp_path) == before
    assert version_of(graph).startswith("5.26.")
    assert take_census(graph).document() == before
    assert schema_of(graph) == schema
