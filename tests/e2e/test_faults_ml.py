"""The real ML service under kill -9: a training resumes by itself, and what was promised is there afterwards."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from wnis_core.errors import Conflict, NotAuthenticated, Unavailable, WnisError
from wnis_core.service_client import ServiceClient
from wnis_core.tokens import Caller
from wnis_graph.scope import Scope

from tests.component.ml.conftest import Town, town
from tests.conftest import Neo4jServer
from tests.live import free_ports
from tests.planted import plant

__all__ = ["town"]

PATIENCE_S = 240.0


@dataclass
class MlService:
    """The service under gunicorn, as the supervisor starts it."""

    home: Path
    neo4j: Neo4jServer
    secret: str = field(default_factory=lambda: secrets.token_hex(32))
    key: str = field(default_factory=lambda: secrets.token_hex(32))
    port: int = field(default_factory=lambda: free_ports(1)[0])
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        plant(self.secret, self.key)
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("WNIS_", "NEO4J_"))},
            "WNIS_HOME": str(self.home),
            "NEO4J_URI": self.neo4j.uri,
            "NEO4J_USER": self.neo4j.user,
            "NEO4J_PASSWORD": self.neo4j.password,
            "WNIS_INTERNAL_SECRET": self.secret,
            "WNIS_SIGNING_KEY": self.key,
            "WNIS_EXECUTOR_ID": "faults",
        }
        gunicorn = [sys.executable, "-m", "gunicorn", "-w", "1", "--threads", "8", "-k", "gthread"]
        with (self.home / "ml.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*gunicorn, "-b", f"127.0.0.1:{self.port}", "wnis_ml.wsgi:app"],
                env=environment,
                stdout=log,
                stderr=log,
                cwd=self.home,
                start_new_session=True,
            )
        wait_for(self.client("anybody").answers, PATIENCE_S)

    def kill(self, sent: int = signal.SIGKILL) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, sent)
        self.process.wait(30)

    def client(self, _utility: str) -> ServiceClient:
        return ServiceClient("ml", f"http://127.0.0.1:{self.port}", self.secret, timeout_s=60)

    def call(self, scope: Scope, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        caller = Caller(scope.utility, scope.user, scope.roles, "request-1")
        return self.client(scope.utility).call(caller, method, path, json=body)

    def finished(self, scope: Scope, job: str) -> dict[str, Any]:
        def view() -> dict[str, Any] | None:
            found: dict[str, Any] = self.call(scope, "GET", f"/jobs/{job}")
            return found if found["state"] in ("succeeded", "failed", "cancelled") else None

        return wait_for(view, PATIENCE_S)

    def training_children(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter(["cmdline"]):
            try:
                if "wnis_core.contained" in (process.info["cmdline"] or []) and process.cwd().startswith(
                    str(self.home)
                ):
                    found.append(process)
            except psutil.Error:
                continue
        return found


def wait_for(question: Callable[[], Any], patience_s: float) -> Any:
    """The first answer that is not empty."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        answer = question()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"nothing within {patience_s:.0f} s")


@pytest.fixture
def ml(neo4j_server: Neo4jServer, tmp_path: Path) -> Iterator[MlService]:
    service = MlService(tmp_path / "home", neo4j_server)
    service.start()
    yield service
    if service.process is not None and service.process.poll() is None:
        service.kill(signal.SIGTERM)


@pytest.mark.timeout(900)
def test_a_training_killed_with_its_service_resumes_and_predictions_follow(ml: MlService, town: Town) -> None:
    scope = town.scope
    with pytest.raises(Conflict, match="wnis train"):
        ml.call(scope, "POST", "/predictions/score", {"component_id": town.broken})

    ml.call(scope, "POST", "/training", {"job_id": "training-1", "seed": 5})
    (child,) = wait_for(ml.training_children, 60)
    ml.kill()
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, 20)
    assert town.models.get_current(scope, "failure") is None
    with pytest.raises(Unavailable):
        ml.call(scope, "POST", "/predictions/score", {"component_id": town.broken})

    ml.start()
    job = ml.finished(scope, "training-1")
    assert job["state"] == "succeeded", job["error"]
    current = town.models.get_current(scope, "failure")
    assert current is not None
    assert current.version == job["result"]["version"]

    ml.call(scope, "POST", "/predictions/runs", {"job_id": "run-1"})
    wait_for(lambda: town.predictions.get_latest(scope, town.broken, 365), PATIENCE_S)
    ml.kill()
    ml.start()
    job = ml.finished(scope, "run-1")
    assert job["state"] == "succeeded", job["error"]
    latest = town.predictions.list_latest(scope, 365)
    assert len(latest) == 228
    assert not any(answer.stale for answer in latest)
    assert all(not town.predictions.why(scope, answer.prediction.id).supersedes for answer in latest[:5])

    first, again = (
        ml.call(scope, "POST", "/predictions/score", {"component_id": town.broken})["prediction_id"] for _ in range(2)
    )
    assert first == again == next(a.prediction.id for a in latest if a.prediction.component_id == town.broken)


@pytest.mark.timeout(600)
def test_strangers_and_malformed_requests_are_refused(ml: MlService, scope: Scope) -> None:
    stranger = ServiceClient("ml", f"http://127.0.0.1:{ml.port}", secrets.token_hex(32))
    with pytest.raises(NotAuthenticated):
        stranger.call(Caller("u", "u", frozenset(), "r"), "POST", "/training", json={"job_id": "j"})
    wrong: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("/training", {}, "malformed"),
        ("/training", {"job_id": "j", "seed": -1}, "invalid_value"),
        ("/predictions/runs", {"job_id": "j", "as_of": "yesterday"}, "invalid_value"),
        ("/predictions/score", {"component_id": "nothing"}, "not_found"),
        ("/predictions/score", {"component_id": "x", "horizon": 3}, "malformed"),
    )
    for path, body, code in wrong:
        with pytest.raises(WnisError) as refused:
            ml.call(scope, "POST", path, body)
        assert refused.value.code == code, path
