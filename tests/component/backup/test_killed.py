"""Killed at any moment: a backup leaves no set, or a whole one; a restore goes on where it was."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import neo4j
from wnis_graph.bundle import take_census
from wnis_graph.runner import Runner
from wnis_ops.backup.restore import Restore
from wnis_ops.backup.sets import FolderSets, good, newest

from tests.component.backup import town
from tests.component.backup.conftest import make_empty
from tests.component.backup.test_write_gate import ADD, SCOPE
from tests.conftest import Neo4jServer

KILLS = 10

# a command of one process, without the second that the command line takes to start
_HOST = """
import os, sys
from wnis_ops.backup.keys import read_key
from wnis_ops.backup.place import Installation
from wnis_ops.backup.restore import Restore
from wnis_ops.backup.sets import find_set
from wnis_ops.backup.take import Backup
from wnis_ops.place import home_of
home = home_of(os.environ)
key, here = read_key(home, os.environ), Installation.of(home, os.environ)
print("ready", flush=True)
for word in sys.stdin:
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        try:
            if sys.argv[1] == "backup":
                Backup(here, key, None, lambda _: None).take(None)
            else:
                sets, name = find_set(home, sys.argv[2])
                Restore(here, key, sets, name, lambda _: None).run()
        except BaseException as error:
            print(f"failed {error}", file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    print(pid, flush=True)
    print(os.waitpid(pid, 0)[1], flush=True)
"""


class Host:
    """Starts attempts and kills them."""

    def __init__(self, *words: str, environ: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _HOST, *words],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready"

    def attempt(self, kill_after_s: float | None = None) -> tuple[int, float]:
        """Wait status and time of one attempt."""
        began = time.monotonic()
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        pid = int(self._line())
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            # it may have been faster than the time before
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return int(self._line()), time.monotonic() - began

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(20) == 0

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def test_a_backup_killed_at_random_moments_leaves_no_half_set(
    graph: neo4j.Driver, own_server: Neo4jServer, tmp_path: Path
) -> None:
    key, a = town.key_of(tmp_path), town.installation(tmp_path / "a", own_server, tmp_path / "key")
    town.build(a, graph, 100)
    sets = FolderSets(a.home.path / "backup" / "sets")
    host = Host("backup", environ=town.environ_of(a.home.path, own_server, tmp_path / "key"))
    status, whole_s = host.attempt()
    assert status == 0
    first = sets.names()
    moments = random.Random(4)
    for _ in range(KILLS):
        host.attempt(kill_after_s=moments.uniform(0.02, 0.95) * whole_s)
        for name in sets.names():
            manifest = sets.root / name / "manifest.json"
            assert not manifest.exists() or good(sets, name, key), "a set with a manifest is whole"
        # the pause does not outlive its holder for long: writers get through again
        Runner(graph, pause_patience_s=20).run(SCOPE, ADD, n=1)
    status, _ = host.attempt()
    host.close()
    last = newest(sets, key)
    assert (status, last is not None) == (0, True)
    assert last is not None
    assert last.set_id not in first
    assert last.graph == take_census(graph).document()


def test_a_restore_killed_at_random_moments_is_finished_by_the_next(
    graph: neo4j.Driver, own_server: Neo4jServer, tmp_path: Path
) -> None:
    key, a = town.key_of(tmp_path), town.installation(tmp_path / "a", own_server, tmp_path / "key")
    town.build(a, graph, 2_000)
    census = take_census(graph).document()
    sets, manifest = town.take(a, key)
    b = town.installation(tmp_path / "b", own_server, tmp_path / "key")
    named = str(sets.root / manifest.set_id)
    host = Host("restore", named, environ=town.environ_of(b.home.path, own_server, tmp_path / "key"))
    make_empty(graph)
    status, whole_s = host.attempt()
    assert status == 0
    shutil.rmtree(b.home.path)
    make_empty(graph)
    moments = random.Random(7)
    for _ in range(KILLS):
        status, _ = host.attempt(kill_after_s=moments.uniform(0.1, 0.6) * whole_s)
        assert status in (0, signal.SIGKILL), "an attempt goes on where the last one was"
    host.close()
    run = Restore(b, key, sets, manifest.set_id, town.quiet)
    report = run.run()
    run.forget()
    assert report.ok, report
    assert take_census(graph).document() == census
    assert town.objects_of(b) == town.OBJECTS
