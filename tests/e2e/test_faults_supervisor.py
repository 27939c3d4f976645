"""The whole instance under ``wnis up``: it survives the death of its parts and leaves nothing behind by its own.

One home goes through its life in the order of this file: started in the background, disturbed, killed, started again
in the foreground, interrupted.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from wnis_neo4j.local import free_port
from wnis_ops.client import ApiClient
from wnis_ops.place import Home

from tests.guide_blocks import marked

pytestmark = pytest.mark.timeout(900)

PROGRAM = str(Path(sys.executable).with_name("wnis"))
_WRITERS = 4
_WRITES = 40

# What a person waiting at the screen would accept, about three times what was measured on two cores with a load
# of two; the measured seconds are beside each.
_START_S = 90
"""20.3 the first time, 12.4 after a crash."""
_RECOVERY_S = 30
"""8.7 from the death of Neo4j to the fortieth write after it."""
_RESTART_S = 10
"""1.5 simulator, 1.9 ml, 1.8 api; a pause of one second is part of it."""
_READY_S = 10
"""1.1 simulator, 2.6 ml, 1.4 api."""
_STOP_S = 15
"""5.1."""
_GONE_S = 10
"""3.0."""


class Instance:
    """``wnis`` commands on one home."""

    def __init__(self, path: Path) -> None:
        self.home = Home(path)
        self.port = free_port()
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("WNIS_", "NEO4J_"))}
        self.environ = {**kept, "WNIS_HOME": str(path), "WNIS_RATE_LIMIT": "1000000"}

    def wnis(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [PROGRAM, *words], env=self.environ, check=False, capture_output=True, text=True, timeout=_START_S
        )

    def up(self) -> dict[str, Any]:
        """Start in the background; the document that the command prints."""
        ran = self.wnis("up", "--detach", "--port", str(self.port), "--json")
        assert ran.returncode == 0, ran.stderr
        started: dict[str, Any] = json.loads(ran.stdout)
        return started

    def status(self) -> dict[str, Any]:
        """What ``wnis status --json`` prints."""
        now: dict[str, Any] = json.loads(self.wnis("status", "--json").stdout)
        return now

    def client(self) -> ApiClient:
        """A client with the home's own key."""
        return ApiClient(
            f"http://127.0.0.1:{self.port}", self.home.token_file.read_text(encoding="utf-8"), timeout_s=20
        )


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance that is up; whatever the tests do to it, nothing of it is left afterwards."""
    made = Instance(tmp_path_factory.mktemp("instance"))
    document = made.up()
    assert document["state"] == "ready"
    assert len(document["password"]) >= 20
    yield made
    made.wnis("down")
    assert _processes_of(made) == []


def _processes_of(instance: Instance) -> list[str]:
    """Commands of living processes that belong to the home."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("WNIS_HOME") == str(instance.home.path) or any(
                str(instance.home.path) in word for word in process.cmdline()
            ):
                found.append(" ".join(process.cmdline())[:200])
        except psutil.Error:
            continue
    return found


def _eventually(condition: Callable[[], bool], seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def _ready(instance: Instance) -> bool:
    try:
        return bool(requests.get(f"http://127.0.0.1:{instance.port}/ready", timeout=5).json()["status"] == "ready")
    except (requests.RequestException, ValueError, KeyError):
        return False


def test_status_names_living_processes_and_ports(instance: Instance) -> None:
    now = instance.status()
    assert now["state"] == "ready"
    assert now["url"] == f"http://127.0.0.1:{instance.port}"
    assert set(now["pids"]) == {"supervisor", "neo4j", "simulator", "ml", "api"}
    assert all(psutil.pid_exists(pid) for pid in now["pids"].values())
    assert now["ports"]["api"] == instance.port


def test_a_second_start_on_the_same_home_is_refused_in_one_sentence(instance: Instance) -> None:
    ran = instance.wnis("up", "--port", str(free_port()), "--json")
    assert ran.returncode == 2
    refusal = json.loads(ran.stdout)
    assert refusal["code"] == "conflict"
    assert f"An instance runs on {instance.home.path} already" in refusal["error"]
    assert "wnis down" in refusal["mend"]
    assert instance.status()["state"] == "ready"


def test_secrets_are_private_and_the_first_password_is_not_kept(instance: Instance) -> None:
    folder = instance.home.path / "secrets"
    assert folder.stat().st_mode & 0o077 == 0
    assert {f.name: f.stat().st_mode & 0o077 for f in folder.iterdir() if f.stat().st_mode & 0o077} == {}
    assert not instance.home.first_password_file.exists()


def test_the_checks_of_the_hardening_page_find_nothing(instance: Instance) -> None:
    (block,) = marked("sh testable hardening", "operations/hardening.md")
    environ = {**instance.environ, "PATH": f"{Path(PROGRAM).parent}{os.pathsep}{os.environ['PATH']}"}
    checks = [line for line in block.text.splitlines() if not line.startswith("#")]
    assert len(checks) >= 9
    found = {check: subprocess.run(["bash", "-c", check], env=environ, check=False).returncode for check in checks}
    assert found == dict.fromkeys(checks, 0)


def test_every_acknowledged_write_outlives_a_killed_neo4j(instance: Instance) -> None:
    acknowledged: list[str] = []
    recovered = threading.Event()

    def write(number: int) -> None:
        client, count = instance.client(), 0
        while not recovered.is_set():
            count += 1
            body = {"source": "api", "category": "other", "content": f"writer {number}, remark {count}"}
            try:
                acknowledged.append(client.post("/feedback", body)["id"])
            except Exception:
                time.sleep(0.05)  # the graph is away: nothing was acknowledged

    writers = [threading.Thread(target=write, args=(number,)) for number in range(_WRITERS)]
    for writer in writers:
        writer.start()
    try:
        _eventually(lambda: len(acknowledged) >= _WRITES, _RECOVERY_S, "acknowledged writes")
        killed = instance.status()["pids"]["neo4j"]
        os.kill(killed, signal.SIGKILL)
        before = len(acknowledged)
        _eventually(lambda: len(acknowledged) >= before + _WRITES, _RECOVERY_S, "writes after the restart")
    finally:
        recovered.set()
        for writer in writers:
            writer.join(timeout=60)
    kept = {item["id"] for item in instance.client().pages("/feedback")}
    assert set(acknowledged) - kept == set()
    _eventually(
        lambda: instance.status()["pids"].get("neo4j") not in (None, killed), _GONE_S, "another process in status"
    )


@pytest.mark.parametrize("name", ["simulator", "ml", "api"])
def test_a_killed_service_is_started_again(instance: Instance, name: str) -> None:
    killed = instance.status()["pids"][name]
    os.kill(killed, signal.SIGKILL)
    _eventually(lambda: instance.status()["pids"].get(name) not in (None, killed), _RESTART_S, f"{name} started again")
    _eventually(lambda: _ready(instance), _READY_S, "ready again")


def test_a_second_home_runs_beside_it(instance: Instance, tmp_path: Path) -> None:
    other = Instance(tmp_path)
    try:
        other.up()
        mine, theirs = instance.status(), other.status()
        assert mine["state"] == theirs["state"] == "ready"
        assert set(mine["ports"].values()) & set(theirs["ports"].values()) == set()
        # a key of one home means nothing to the other
        answer = requests.get(
            f"http://127.0.0.1:{other.port}/api/v1/auth/me",
            headers={"Authorization": f"Bearer {instance.home.token_file.read_text(encoding='utf-8')}"},
            timeout=10,
        )
        assert answer.status_code == 401
    finally:
        assert other.wnis("down").returncode == 0
    assert _processes_of(other) == []
    assert other.status()["state"] == "stopped"
    assert instance.status()["state"] == "ready"


def test_a_killed_supervisor_leaves_nothing_that_blocks_the_next_start(instance: Instance) -> None:
    os.kill(instance.status()["pids"]["supervisor"], signal.SIGKILL)
    _eventually(lambda: _processes_of(instance) == [], _GONE_S, "everything gone")
    assert instance.status()["state"] == "stopped"
    again = instance.up()
    assert again["state"] == "ready"
    assert again["password"] is None  # it was shown the first time
    assert instance.client().get("/auth/me")["username"] == "admin"
    assert instance.wnis("down").returncode == 0


def test_ctrl_c_stops_everything_cleanly(instance: Instance) -> None:
    process = subprocess.Popen(
        [PROGRAM, "up", "--port", str(instance.port)],
        env=instance.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    words = []
    for line in process.stdout:
        words.append(line)
        if "Three things to try" in line:
            break
    assert any(f"http://127.0.0.1:{instance.port}" in line for line in words), "".join(words)
    # what a terminal does: the signal goes to the whole foreground group
    os.killpg(process.pid, signal.SIGINT)
    rest, _ = process.communicate(timeout=_STOP_S)
    assert process.returncode == 0, rest
    assert "Traceback" not in rest
    assert _processes_of(instance) == []
    assert instance.status()["state"] == "stopped"
    assert not (instance.home.path / "neo4j" / "run" / "server.json").exists()
