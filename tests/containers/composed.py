"""docker-compose.yml as it stands, run by podman-compose: its images are built before (see `bases.sh`, `build.sh`)."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests

from tests.conftest import REPOSITORY, Neo4jServer
from tests.live import Answer, LiveStack, free_ports

PROJECT = "wnis"
SERVICES = {"api": "api-service", "simulator": "simulator", "ml": "ml"}
"""What the contract tests call a part -> its name in docker-compose.yml."""

_READY_S = 300.0


def container(service: str) -> str:
    """Name of the container of a service."""
    return f"{PROJECT}_{service}_1"


def podman(*arguments: str, check: bool = True) -> str:
    """What podman answers on standard output."""
    done = subprocess.run(["podman", *arguments], capture_output=True, text=True, check=False, timeout=300)
    if check and done.returncode != 0:
        raise RuntimeError(f"podman {' '.join(arguments)}: {done.stderr.strip()[-2000:]}")
    return done.stdout


class ComposedStack(LiveStack):
    """The system of a folder that holds docker-compose.yml and secrets; the API is asked past nginx and its limits."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, Neo4jServer("", "", ""))
        self.folder = folder
        self.utility = "default"
        self.ports = {}
        if (folder / "ports.json").is_file():
            self.ports = json.loads((folder / "ports.json").read_text())

    def prepare(self) -> None:
        """Copy what `docker compose` reads, and make the secrets as an operator does."""
        for name in ("docker-compose.yml", "scripts/secrets.sh", "scripts/deploy.sh"):
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, self.folder / name)
        subprocess.run(["sh", "scripts/secrets.sh"], cwd=self.folder, check=True)
        http, https = free_ports(2)
        self.ports = {"http": http, "https": https}
        (self.folder / "ports.json").write_text(json.dumps(self.ports))

    def compose(self, *arguments: str, timeout_s: float = 600) -> str:
        """Run ``podman-compose``; returns its standard output."""
        if arguments[0] == "up":
            # what a dependency means to this podman (all of them run, whenever one starts) breaks on one that ends;
            # health conditions it does not know: here the order is kept by everybody's waiting and restarting
            arguments = ("up", "--no-deps", "--no-build", *arguments[1:])
        if arguments[0] == "down":
            self._keep_logs()
        # Docker's own 'run' needs no profile named
        profile = ["--profile", "backup"] if arguments[0] == "run" else []
        command = [sys.executable, "-m", "podman_compose", "--in-pod=0", *profile, *arguments]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environ(),
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )
        if done.returncode != 0:
            raise RuntimeError(f"podman-compose {' '.join(arguments)}: {(done.stdout + done.stderr)[-3000:]}")
        return done.stdout

    def deploy(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run ``scripts/deploy.sh`` as an operator does, by podman."""
        return subprocess.run(
            ["sh", "scripts/deploy.sh", *words],
            cwd=self.folder,
            env={
                **self._environ(),
                "COMPOSE": f"{sys.executable} -m podman_compose --in-pod=0",
                "ENGINE": "podman",
                "WAIT_S": "120",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )

    def _keep_logs(self) -> None:
        """What the containers said, in files that outlast them."""
        folder = self.folder / "logs"
        folder.mkdir(exist_ok=True)
        for name in podman("ps", "--all", "--format", "{{.Names}}").split():
            with (folder / f"{name}-{len(list(folder.iterdir()))}.log").open("wb") as log:
                subprocess.run(["podman", "logs", name], stdout=log, stderr=log, check=False, timeout=60)

    def _environ(self) -> dict[str, str]:
        return {
            **os.environ,
            "WNIS_HTTP_PORT": str(self.ports["http"]),
            "WNIS_HTTPS_PORT": str(self.ports["https"]),
            "WNIS_RATE_LIMIT": "1000000",
        }

    def docker(self, line: str) -> str:
        """Do what a line ``docker compose ...`` of the guide says."""
        program, compose, *words = shlex.split(line)
        assert (program, compose) == ("docker", "compose"), line
        if words[0] == "run":
            for service in ("neo4j", "postgres"):
                wait_healthy(container(service))
            words[1:1] = ["--no-deps", "-T"]
        return self.compose(*words)

    def __enter__(self) -> ComposedStack:
        secrets = self.folder / "secrets"
        self.password = (secrets / "admin").read_text()
        self.environment = {"WNIS_JWT_SECRET": (secrets / "jwt").read_text()}
        self.find()
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing: who started the system stops it."""

    @property
    def page(self) -> str:
        """The address that people use, through nginx."""
        return f"https://127.0.0.1:{self.ports['https']}"

    def find(self) -> None:
        """Where the API listens now."""
        self.url = f"http://{address(container('api-service'))}:8080"

    def sign_in(self, username: str | None = None, password: str | None = None, **more: str) -> Answer:
        """Tokens of a person, asked for again while the API says 503: it looks for a container that came back."""
        until = time.monotonic() + 30
        while True:
            try:
                return super().sign_in(username, password, **more)
            except requests.HTTPError as error:
                if error.response.status_code != 503 or time.monotonic() > until:
                    raise
                time.sleep(1)

    def start(self, part: str) -> None:
        """Start the container of a part."""
        podman("start", container(SERVICES[part]))

    def stop(self, part: str, how: int = signal.SIGTERM) -> None:
        """Stop the container of a part, at once when `how` is SIGKILL."""
        podman("stop", "--time", "0" if how == signal.SIGKILL else "40", container(SERVICES[part]))

    def wait(self, part: str) -> None:
        """Wait until the container of a part is healthy by its own HEALTHCHECK."""
        wait_healthy(container(SERVICES[part]))
        if part == "api":
            self.find()

    def log_tail(self, part: str) -> str:
        """The last lines of a container's log."""
        return podman("logs", "--tail", "30", container(SERVICES[part]), check=False)


def address(name: str) -> str:
    """Address of a container on the inner network; the host reaches it, the world does not."""
    networks: dict[str, Any] = json.loads(podman("inspect", name))[0]["NetworkSettings"]["Networks"]
    return str(next(net["IPAddress"] for key, net in networks.items() if key.endswith("_inside")))


def healthy(name: str) -> bool:
    """Whether the health check of the container passes now (nothing schedules it here)."""
    return subprocess.run(["podman", "healthcheck", "run", name], capture_output=True, check=False).returncode == 0


def wait_healthy(name: str, limit_s: float = _READY_S) -> float:
    """Seconds until the container is healthy."""
    begun = time.monotonic()
    while not healthy(name):
        if time.monotonic() - begun > limit_s:
            logs = podman("logs", "--tail", "30", name, check=False)
            raise RuntimeError(f"{name} is not healthy within {limit_s:.0f} s: {logs}")
        time.sleep(0.5)
    return time.monotonic() - begun


def wait_ready(stack: ComposedStack, limit_s: float = _READY_S) -> float:
    """Seconds until the page's own address says that every part answers."""
    begun, said = time.monotonic(), ""
    while time.monotonic() - begun < limit_s:
        try:
            answer = requests.get(f"{stack.page}/ready", verify=str(stack.folder / "secrets" / "tls.crt"), timeout=5)
            said = answer.text
            if answer.ok and answer.json()["status"] == "ready":
                return time.monotonic() - begun
        except requests.RequestException as error:
            said = str(error)
        time.sleep(0.5)
    raise RuntimeError(f"not ready within {limit_s:.0f} s: {said}")
