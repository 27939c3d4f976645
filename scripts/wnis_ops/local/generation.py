"""The services of one release as they run: one generation takes over from another while requests go on."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import requests
from wnis_core.errors import Unavailable
from wnis_core.ownership import waiting_file
from wnis_neo4j.processes import Watchdog

from wnis_ops.local.child import Child
from wnis_ops.local.log_files import LogFiles
from wnis_ops.local.services import Service
from wnis_ops.local.sockets import listen
from wnis_ops.place import Home

_COME_UP_S = 60.0
_READY_S = 60.0
DRAIN_S = 20.0
"""Seconds that the services of a release have to finish what they do when another takes over."""
_OWNERS = ("simulator", "ml")
"""Services of which one process at a time works on a home."""


class Generation:
    """Simulator, ml and api of one release, and the private socket by which this very api can be asked.

    Parameters
    ----------
    python : the interpreter of the release
    number : counts the generations of this supervisor
    public : the socket on which people's requests come; None for a generation that is only tried
    """

    def __init__(
        self,
        home: Home,
        python: str,
        number: int,
        public: socket.socket | None,
        *,
        tls: bool,
        logs: LogFiles,
        watchdog: Watchdog,
    ) -> None:
        self.python = python
        self.number = number
        self.ports: dict[str, int] = {}
        self.children: list[Child] = []
        self.leaving = False
        """Whether it was asked to finish: it cannot serve on."""
        self._waiting: dict[str, Path] = {}
        self._home = home
        self._private = listen("127.0.0.1", 0)
        self._sockets = [self._private, *([public] if public else [])]
        self._tls = tls
        self._logs = logs
        self._watchdog = watchdog

    @property
    def sockets(self) -> list[int]:
        """Descriptors that the api inherits."""
        return [one.fileno() for one in self._sockets]

    @property
    def metrics(self) -> str:
        """Name of the folder where the workers of this api count together."""
        return f"metrics-api-{self.number}"

    @property
    def url(self) -> str:
        """Where this generation's api answers, whoever else listens on the public port."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._private.getsockname()[1]}"

    @property
    def pids(self) -> dict[str, int | None]:
        """Process id by service."""
        return {child.name: child.pid for child in self.children}

    def start(self, services: Sequence[Service], ports: Mapping[str, int]) -> None:
        """Start `services`, which were told of `sockets`, `metrics` and `ports`."""
        self.ports = dict(ports)
        _empty_folder(self._home.path / "run" / self.metrics)
        for service in services:
            if service.name in _OWNERS:
                self._waiting[service.name] = _waiting(self._home, service)
                self._waiting[service.name].unlink(missing_ok=True)
            child = Child(
                service.name,
                service.command,
                service.environ,
                mark_file=self._home.path / "run" / "processes" / f"{service.name}-{self.number}.json",
                logs=self._logs,
                watchdog=self._watchdog,
                descriptors=self.sockets if service.name == "api" else (),
            )
            child.start()
            self.children.append(child)

    def tend(self) -> bool:
        """Start again what died; whether something was started."""
        # a list, not a generator: every child is looked at
        return any([child.tend() for child in self.children])  # noqa: C419

    def await_up(self, tick: Callable[[], None]) -> None:
        """Wait until it lacks nothing but the end of the generation before it.

        Raises
        ------
        Unavailable
            a service of it ended, or it takes too long
        """

        def lacking() -> str:
            document = self.ask_ready()
            lacking = [name for name, file in self._waiting.items() if not self._is_up(name, file, document)]
            return ", ".join([*lacking, *(["api"] if document.get("status", "down") == "down" else [])])

        self._await(lacking, tick, _COME_UP_S, restarts=0)

    def await_ready(self, tick: Callable[[], None], *, seconds: float = _READY_S, restarts: int = 0) -> None:
        """Wait until every part answers; `restarts` of a service are suffered meanwhile.

        Raises
        ------
        Unavailable
            a service does not start, or it takes too long
        """

        def lacking() -> str:
            document = self.ask_ready()
            if document.get("status") == "ready":
                return ""
            parts = document.get("parts") or {}
            return ", ".join(name for name, state in parts.items() if state != "up") or "the API"

        self._await(lacking, tick, seconds, restarts=restarts)

    def drain(self, names: Sequence[str], tick: Callable[[], None]) -> list[str]:
        """Have services finish what they do and end; what does not end in time is killed.

        Returns
        -------
        names of those that were killed
        """
        self.leaving = True
        children = [child for child in self.children if child.name in names]
        for child in children:
            child.ask_to_stop()
        until = time.monotonic() + DRAIN_S
        while time.monotonic() < until and not all(child.ended for child in children):
            tick()
        return [child.name for child in children if not child.await_end(until)]

    def ask_to_stop(self) -> None:
        """Send the signals and return at once."""
        for child in reversed(self.children):
            child.ask_to_stop()

    def end(self, until: float) -> None:
        """Stop whatever runs of it; what has not ended at a moment of the monotonic clock is killed."""
        self.ask_to_stop()
        self._private.close()
        for child in self.children:
            child.await_end(until)
        shutil.rmtree(self._home.path / "run" / self.metrics, ignore_errors=True)

    def ask_ready(self) -> dict[str, Any]:
        """What its api says of readiness; empty when it does not answer."""
        try:
            # our own process on this machine, and nothing secret is sent: its certificate need not name the address
            answer = requests.get(f"{self.url}/ready", timeout=5, verify=False)  # noqa: S501
            document: dict[str, Any] = answer.json()
        except (requests.RequestException, ValueError):
            return {}
        return document

    def _await(self, lacking: Callable[[], str], tick: Callable[[], None], seconds: float, *, restarts: int) -> None:
        until, missing = time.monotonic() + seconds, ""
        while time.monotonic() < until:
            tick()
            for child in self.children:
                if child.restarts > restarts or (restarts == 0 and child.ended):
                    raise Unavailable(
                        f"The {child.name} service does not start: {child.last_words() or 'it says nothing'}",
                        mend=f"See {self._logs.path(child.name)}.",
                    )
            missing = lacking()
            if not missing:
                return
            time.sleep(0.1)
        raise Unavailable(
            f"Not ready within {seconds:.0f} s: {missing} did not come up.",
            mend=f"See the logs in {self._logs.path('api').parent}.",
        )

    def _is_up(self, name: str, waiting: Path, ready: Mapping[str, Any]) -> bool:
        return waiting.exists() or (ready.get("parts") or {}).get(name) == "up"


def _waiting(home: Home, service: Service) -> Path:
    return waiting_file(home.path, f"{service.name}-{service.environ.get('WNIS_EXECUTOR_ID') or 'local'}")


def _empty_folder(folder: Path) -> None:
    # counters of dead workers would be added to those of the new ones for ever
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
