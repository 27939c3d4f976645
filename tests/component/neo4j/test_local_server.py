"""The supervised Neo4j: how it is configured, and that it lives exactly as long as it should."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from neo4j.exceptions import AuthError, ClientError
from wnis_core.errors import Conflict, Unavailable
from wnis_graph.runner import open_driver
from wnis_neo4j.local import LocalServer
from wnis_neo4j.processes import ProcessMark

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A running server of this module."""
    with LocalServer(tmp_path_factory.mktemp("neo4j")) as started:
        yield started


def _run(server: LocalServer, cypher: str) -> list[list[object]]:
    with open_driver(server.uri, server.user, server.password) as driver, driver.session() as session:
        return [list(record.values()) for record in session.run(cypher)]


def _wait_until_gone(pid: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_it_answers_and_starts_without_a_warning(server: LocalServer) -> None:
    assert _run(server, "RETURN 1") == [[1]]
    log = (server.home / "logs" / "neo4j.log").read_text(encoding="utf-8")
    started = log[: log.index("Started.")]
    assert "WARN" not in started
    assert "ERROR" not in started


def test_it_listens_on_this_machine_only(server: LocalServer) -> None:
    assert server.pid is not None
    listening = [c.laddr for c in psutil.Process(server.pid).net_connections() if c.status == psutil.CONN_LISTEN]
    assert {address.port for address in listening} == {server.port}
    assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}


def test_another_password_is_refused(server: LocalServer) -> None:
    with (
        open_driver(server.uri, server.user, "neo4j") as driver,
        driver.session() as session,
        pytest.raises(AuthError),
    ):
        session.run("RETURN 1").consume()


@pytest.mark.parametrize("source", ["http://127.0.0.1:80/x", "http://[::1]:80/x", "file:///etc/passwd"])
def test_cypher_reaches_neither_files_nor_the_network(server: LocalServer, source: str) -> None:
    with pytest.raises(ClientError, match=r"blocked|allow_csv_import_from_file_urls"):
        _run(server, f"LOAD CSV FROM '{source}' AS row RETURN row")


def test_the_password_is_not_among_the_arguments_of_any_process(server: LocalServer) -> None:
    assert server.pid is not None
    assert server.password not in " ".join(psutil.Process(server.pid).cmdline())
    assert (server.home / "password").stat().st_mode & 0o077 == 0


def test_two_homes_run_side_by_side(server: LocalServer, tmp_path: Path) -> None:
    with LocalServer(tmp_path) as other:
        _run(other, "CREATE (:OnlyHere)")
        assert other.port != server.port
        assert other.password != server.password
        assert _run(server, "MATCH (n:OnlyHere) RETURN n") == []


def test_data_held_by_a_process_that_we_did_not_start_is_refused(server: LocalServer, tmp_path: Path) -> None:
    # the same data folder, without the record of who started its server
    for name in ("data", "password"):
        (tmp_path / name).symlink_to(server.home / name)
    with pytest.raises(Conflict, match="not started by this program"):
        LocalServer(tmp_path).start()
    assert _run(server, "RETURN 1") == [[1]]


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=f"Port {port} is taken"):
            LocalServer(tmp_path, bolt_port=port).start()


def test_a_leftover_of_ours_is_ended_and_a_stranger_with_its_number_is_not(tmp_path: Path) -> None:
    with (
        subprocess.Popen(["sleep", "600"]) as ours,
        subprocess.Popen(["sleep", "600"]) as stranger,
        socket.socket() as taken,
    ):
        try:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            # the start goes no further than the port: what it does before is what is looked at
            started = LocalServer(tmp_path, bolt_port=taken.getsockname()[1])
            own, other = ProcessMark.of(ours.pid), ProcessMark.of(stranger.pid)
            assert own is not None
            assert other is not None
            own.save(tmp_path / "run" / "server.json")
            with pytest.raises(Unavailable):
                started.start()
            assert not own.alive()
            ProcessMark(other.pid, other.started_at - 1000).save(tmp_path / "run" / "server.json")
            with pytest.raises(Unavailable):
                started.start()
            assert stranger.poll() is None
        finally:
            for process in (ours, stranger):
                process.kill()


def test_it_ends_with_its_killed_owner_and_starts_again_on_what_was_left(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-m", "tests.component.neo4j.owner", str(tmp_path)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    mark = ProcessMark.of(pid)
    assert mark is not None
    owner.kill()
    owner.wait()
    assert _wait_until_gone(pid, 20)
    # what a machine crash leaves: the lock file of the store, and a record whose process is gone
    assert (tmp_path / "data" / "databases" / "store_lock").exists()
    mark.save(tmp_path / "run" / "server.json")
    with LocalServer(tmp_path) as again:
        assert _run(again, "RETURN 1") == [[1]]
