"""The real simulator service under gunicorn, for tests that talk to it and kill it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wnis_core.errors import Unavailable
from wnis_core.service_client import ServiceClient
from wnis_core.tokens import Caller
from wnis_graph.scope import Scope

from tests.component.core.ports import free_port
from tests.conftest import Neo4jServer

SECRET = "a-secret-of-tests-that-is-long-enough"


class SimulatorService:
    """One service with a home of its own; may be killed and started again on the same home."""

    def __init__(self, home: Path, neo4j: Neo4jServer) -> None:
        self.home = home
        self._neo4j = neo4j
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._client = ServiceClient("simulator", f"http://127.0.0.1:{self._port}", SECRET)

    def start(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        environment = {
            "PATH": os.environ["PATH"],
            "WNIS_HOME": str(self.home),
            "WNIS_INTERNAL_SECRET": SECRET,
            "NEO4J_URI": self._neo4j.uri,
            "NEO4J_USER": self._neo4j.user,
            "NEO4J_PASSWORD": self._neo4j.password,
        }
        with (self.home / "service.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "--workers", "1", "--threads", "4",
                 "--bind", f"127.0.0.1:{self._port}", "wnis_simulator.wsgi:app"],
                env=environment, cwd=self.home, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        wait_for(self._client.answers, 60)

    def kill(self) -> None:
        """End master and worker at once, as a power cut would; their contained children are left to themselves."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> float:
        """Ask the service to end, as its supervisor does; seconds that it took."""
        assert self._process is not None
        began = time.monotonic()
        self._process.terminate()
        self._process.wait(timeout=30)
        return time.monotonic() - began

    def call(self, scope: Scope, method: str, path: str, **more: Any) -> Any:
        caller = Caller(scope.utility, scope.user, scope.roles, "request-1")
        return self._client.call(caller, method, path, **more)

    def healthy(self) -> bool:
        return self._client.answers()

    def finished_job(self, scope: Scope, job_id: str, seconds: float = 90) -> dict[str, Any]:
        """The job, once it has ended."""
        found: dict[str, Any] = {}

        def ended() -> bool:
            try:
                found.update(self.call(scope, "GET", f"/jobs/{job_id}"))
            except Unavailable:
                return False
            return found["finished_at"] is not None

        wait_for(ended, seconds)
        return found

    def import_file(self, scope: Scope, network: str, content: bytes, job_id: str, **form: str) -> dict[str, Any]:
        """Import a file and wait for the end of its job."""
        self.call(
            scope, "POST", "/imports",
            files={"file": (f"{network}.inp", content)}, data={"network_id": network, "job_id": job_id, **form},
        )  # fmt: skip
        return self.finished_job(scope, job_id)

    def import_sample(self, scope: Scope, name: str) -> dict[str, Any]:
        self.call(scope, "POST", "/imports/sample", json={"name": name, "job_id": f"import-{name}"})
        return self.finished_job(scope, f"import-{name}")

    def simulate(self, scope: Scope, network: str, run_id: str, **more: Any) -> dict[str, Any]:
        """Run a network and wait for the end of its job."""
        self.ask_to_simulate(scope, network, run_id, **more)
        return self.finished_job(scope, f"job-{run_id}")

    def ask_to_simulate(self, scope: Scope, network: str, run_id: str, **more: Any) -> None:
        body = {"network_id": network, "job_id": f"job-{run_id}", "run_id": run_id, **more}
        self.call(scope, "POST", "/simulations", json=body)


def wait_for(what: Callable[[], bool], seconds: float) -> None:
    """Return once `what` holds."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, f"did not happen within {seconds:g} s"
        time.sleep(0.05)
