"""The whole system as a user runs it, for tests: a graph, migrated SQL, simulator, ml and api under gunicorn.

``with LiveStack(home, neo4j) as stack:`` starts it on free ports; `stack.url` and `stack.password` sign in.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import requests
from wnis_api.accounts import ensure_admin, reset_password
from wnis_api.sql import upgrade
from wnis_core.settings import read_settings
from wnis_graph.migrations import migrate
from wnis_graph.runner import Runner, open_driver

from tests.conftest import Neo4jServer
from tests.planted import plant

START_S = 90.0
_SECRETS = ("NEO4J_PASSWORD", "WNIS_JWT_SECRET", "WNIS_INTERNAL_SECRET", "WNIS_SIGNING_KEY")


@dataclass(frozen=True)
class Answer:
    """Tokens and headers of one signed-in person."""

    username: str
    password: str
    token: str
    refresh_token: str
    user: Mapping[str, Any]

    @property
    def headers(self) -> dict[str, str]:
        """What a request of this person carries."""
        return {"Authorization": f"Bearer {self.token}"}


@dataclass
class LiveStack:
    """Running services.

    Parameters
    ----------
    home : WNIS_HOME of this stack
    parts : which services run beside the API
    workers : gunicorn workers of the API
    extra : further environment variables
    """

    home: Path
    neo4j: Neo4jServer
    parts: tuple[str, ...] = ("simulator", "ml")
    workers: int = 2
    extra: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    utility: str = ""
    password: str = ""
    username: str = "admin"
    environment: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _ports: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> LiveStack:
        self._ports = dict(zip(("api", "simulator", "ml"), free_ports(3), strict=True))
        self.home.mkdir(parents=True, exist_ok=True)
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("WNIS_", "NEO4J_"))},
            "WNIS_HOME": str(self.home),
            "NEO4J_URI": self.neo4j.uri,
            "NEO4J_USER": self.neo4j.user,
            "NEO4J_PASSWORD": self.neo4j.password,
            "WNIS_JWT_SECRET": secrets.token_hex(32),
            "WNIS_INTERNAL_SECRET": secrets.token_hex(32),
            "WNIS_SIGNING_KEY": secrets.token_hex(32),
            "WNIS_SIMULATOR_URL": f"http://127.0.0.1:{self._ports['simulator']}",
            "WNIS_ML_URL": f"http://127.0.0.1:{self._ports['ml']}",
            "WNIS_EXECUTOR_ID": f"live-{self._ports['api']}",
            "WNIS_RATE_LIMIT": "1000000",
            "WEB_CONCURRENCY": str(self.workers),
            **self.extra,
        }
        plant(*(value for name, value in self.environment.items() if name in _SECRETS))
        settings = read_settings(self.environment)
        upgrade(settings.sql_url)
        driver = open_driver(settings.neo4j_uri, settings.neo4j_user, settings.neo4j_password)
        try:
            migrate(driver)
            # a graph may be shared by several test runs: each stack keeps to a utility of its own
            self.utility = self.utility or f"live-{secrets.token_hex(4)}"
            self.username = f"admin-{secrets.token_hex(4)}"
            password = ensure_admin(settings.sql_url, Runner(driver), utility=self.utility, username=self.username)
            self.password = password or reset_password(settings.sql_url, self.username)
            plant(self.password)
        finally:
            driver.close()
        try:
            for part in self.parts:
                self.start(part)
            self.start("api")
            for part in (*self.parts, "api"):
                self.wait(part)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self.url = f"http://127.0.0.1:{self._ports['api']}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for part in list(self.processes):
            self.stop(part)

    def port(self, part: str) -> int:
        """Where a service listens."""
        return self._ports[part]

    def start(self, part: str) -> None:
        """Start one service."""
        metrics = self.home / "run" / f"metrics-{part}-{secrets.token_hex(4)}"
        metrics.mkdir(parents=True)
        config = (
            ["-c", "python:wnis_api.gunicorn_conf"] if part == "api" else ["-w", "1", "--threads", "8", "-k", "gthread"]
        )
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            *config,
            "-b",
            f"127.0.0.1:{self._ports[part]}",
            f"wnis_{part}.wsgi:app",
        ]
        with (self.home / f"{part}.log").open("ab") as log:
            self.processes[part] = subprocess.Popen(
                command,
                env={**self.environment, "PROMETHEUS_MULTIPROC_DIR": str(metrics)},
                stdout=log,
                stderr=log,
                cwd=self.home,
                start_new_session=True,
            )

    def wait(self, part: str) -> None:
        """Wait until a service answers."""
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            if self.processes[part].poll() is not None:
                raise RuntimeError(f"{part} ended: {self.log_tail(part)}")
            try:
                if requests.get(f"http://127.0.0.1:{self._ports[part]}/health", timeout=2).ok:
                    return
            except requests.RequestException:
                time.sleep(0.1)
        raise RuntimeError(f"{part} did not answer in {START_S:.0f} s: {self.log_tail(part)}")

    def stop(self, part: str, how: int = signal.SIGTERM) -> None:
        """Stop one service with everything it started."""
        process = self.processes.pop(part)
        for sent in (how, signal.SIGKILL):
            try:
                os.killpg(process.pid, sent)
            except ProcessLookupError:
                break
            try:
                process.wait(15)
                break
            except subprocess.TimeoutExpired:
                continue

    def log_tail(self, part: str) -> str:
        """The last lines that a service wrote."""
        return (self.home / f"{part}.log").read_text(errors="replace")[-3000:]

    def sign_in(self, username: str | None = None, password: str | None = None, **more: str) -> Answer:
        """Tokens of a person, the admin unless named."""
        username, password = username or self.username, password or self.password
        body = {"username": username, "password": password, "utility": self.utility, **more}
        response = requests.post(f"{self.url}/api/v1/auth/login", json=body, timeout=20)
        response.raise_for_status()
        got = response.json()
        plant(password, got["token"], got["refresh_token"])
        return Answer(username, password, got["token"], got["refresh_token"], got["user"])

    def add_person(self, admin: Answer, role: str, username: str | None = None) -> Answer:
        """A new person of the admin's utility, signed in."""
        username = username or f"{role}-{secrets.token_hex(4)}"
        password = f"Wert{secrets.token_hex(6)}"
        body = {"username": username, "password": password, "role": role}
        plant(password)
        response = requests.post(f"{self.url}/api/v1/admin/users", json=body, headers=admin.headers, timeout=20)
        response.raise_for_status()
        return self.sign_in(username, password)


def free_ports(number: int) -> list[int]:
    """Ports that nobody listens on at this moment."""
    sockets = [socket.socket() for _ in range(number)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()
