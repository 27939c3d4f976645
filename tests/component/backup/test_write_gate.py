"""Writers and the pause of a backup: none slips through, none is cut in half, a dead pause ends by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import neo4j
import pytest
from wnis_core.errors import Conflict
from wnis_graph.query import REGISTRY, Access, Query, nothing
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope
from wnis_graph.write_gate import Paused, WritePause

from tests.conftest import Neo4jServer

ADD = Query(
    "test_gate.add", Access.WRITE, "CREATE (:Written {utility: $utility, n: $n}) CREATE (:Pair {n: $n})", nothing
)
del REGISTRY[ADD.name]  # the registry is of the product's queries
SCOPE = Scope("u", "tester")


def count(driver: neo4j.Driver, label: str = "Written") -> int:
    with driver.session() as session:
        record = session.run(f"MATCH (n:{label}) RETURN count(n) AS n").single()
    assert record is not None
    return int(record["n"])


def test_a_pause_waits_for_writers_under_way_and_turns_back_new_ones(graph: neo4j.Driver) -> None:
    runner = Runner(graph, pause_patience_s=0)
    passed, leave = threading.Event(), threading.Event()

    def slow_writer() -> None:
        with runner.permit():
            runner.run(SCOPE, ADD, n=1)
            passed.set()
            leave.wait(20)
            # what belongs together is let through although the sign is up by now
            runner.run(SCOPE, ADD, n=2)

    writer = threading.Thread(target=slow_writer)
    writer.start()
    assert passed.wait(20)
    seen: list[int] = []

    def backup() -> None:
        with WritePause(graph):
            seen.append(count(graph))
            with pytest.raises(Paused) as refused:
                runner.run(SCOPE, ADD, n=3)
            assert refused.value.retry_after_s

    pause = threading.Thread(target=backup)
    pause.start()
    pause.join(1.0)
    assert pause.is_alive(), "it must wait for the writer"
    with pytest.raises(Paused), runner.permit():
        pass
    leave.set()
    writer.join()
    pause.join()
    assert seen == [2]
    runner.run(SCOPE, ADD, n=4)
    assert count(graph) == 3


def test_steps_of_jobs_wait_for_the_end_of_the_pause(graph: neo4j.Driver) -> None:
    job = Runner(graph)
    done = threading.Event()
    with WritePause(graph):
        step = threading.Thread(target=lambda: (job.run(SCOPE, ADD, n=1), done.set()))
        step.start()
        assert not done.wait(0.7)
        assert count(graph) == 0
    assert done.wait(10)
    step.join()


def test_nothing_changes_during_the_pause_however_many_write(graph: neo4j.Driver) -> None:
    stop = threading.Event()
    acknowledged: list[int] = []
    lock = threading.Lock()

    def write(start: int) -> None:
        runner, n = Runner(graph, pause_patience_s=0), start
        while not stop.is_set():
            try:
                runner.run(SCOPE, ADD, n=n)
            except Paused:
                time.sleep(0.01)
                continue
            with lock:
                acknowledged.append(n)
            n += 8

    writers = [threading.Thread(target=write, args=(i,)) for i in range(8)]
    for one in writers:
        one.start()
    time.sleep(0.5)
    for _ in range(3):
        with lock:
            before = set(acknowledged)
        with WritePause(graph):
            with graph.session() as session:
                first = {r["n"] for r in session.run("MATCH (w:Written) RETURN w.n AS n")}
                time.sleep(0.3)
                again = {r["n"] for r in session.run("MATCH (w:Written) RETURN w.n AS n")}
                pairs = {r["n"] for r in session.run("MATCH (w:Pair) RETURN w.n AS n")}
            assert before <= first
            assert first == again == pairs
        time.sleep(0.1)
    stop.set()
    for one in writers:
        one.join()
    assert count(graph) == len(acknowledged)


def test_two_backups_do_not_pause_at_once(graph: neo4j.Driver) -> None:
    with WritePause(graph), pytest.raises(Conflict, match="Another backup"), WritePause(graph):
        pass
    with WritePause(graph):
        pass


_HOLDER = """
import sys, time
from wnis_graph.runner import open_driver
from wnis_graph.write_gate import WritePause
with WritePause(open_driver(sys.argv[1], "neo4j", sys.argv[2]), ttl_s=2):
    print("paused", flush=True)
    time.sleep(60)
"""


def test_the_pause_of_a_killed_backup_ends_by_itself(graph: neo4j.Driver, own_server: Neo4jServer) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, own_server.uri, own_server.password], stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"paused\n"
    runner = Runner(graph, pause_patience_s=0)
    time.sleep(2.5)
    with pytest.raises(Paused):
        runner.run(SCOPE, ADD, n=1)  # it is renewed as long as its holder lives
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    Runner(graph, pause_patience_s=5).run(SCOPE, ADD, n=1)
    assert count(graph) == 1
