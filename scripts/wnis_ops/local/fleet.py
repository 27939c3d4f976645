"""The services of a running instance: which release they are of, and how another one takes over."""

from __future__ import annotations

import logging
import shutil
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from wnis_core.errors import WnisError
from wnis_neo4j.processes import ProcessMark, Watchdog

from wnis_ops.local import ports as port_file
from wnis_ops.local.describe import services_of
from wnis_ops.local.generation import DRAIN_S, Generation
from wnis_ops.local.log_files import LogFiles
from wnis_ops.local.options import UpOptions
from wnis_ops.place import Home

log = logging.getLogger(__name__)

STOP_GRACE_S = 8.0
"""Seconds that services have to end when the instance stops."""
_TRIED_S = 600.0


class Fleet:
    """Generations of services on one home: the one that serves, and others beside it for a while.

    Parameters
    ----------
    public : the socket on which people's requests come
    ports : where the services find each other
    environ, secret_files, graph : as for `services.services`
    tick : looks after everything once, and takes a moment
    """

    def __init__(
        self,
        home: Home,
        options: UpOptions,
        public: socket.socket,
        ports: dict[str, int],
        *,
        environ: Mapping[str, str],
        secret_files: Mapping[str, str],
        graph: Mapping[str, str],
        watchdog: Watchdog,
        tick: Callable[[], None],
    ) -> None:
        self.ports = ports
        self._home = home
        self._options = options
        self._public = public
        self._environ = environ
        self._secret_files = secret_files
        self._graph = graph
        self._watchdog = watchdog
        self._tick = tick
        self._logs = LogFiles(home.path / "logs")
        self._count = 0
        self._all: list[Generation] = []
        self._serving: Generation | None = None
        self._tried: Generation | None = None
        self._tried_until = 0.0

    @property
    def pids(self) -> dict[str, int | None]:
        """Process ids of the services that serve."""
        return self._serving.pids if self._serving else {}

    @property
    def python(self) -> str | None:
        """The interpreter of the release that serves."""
        return self._serving.python if self._serving else None

    def start(self, python: str) -> None:
        """Start the first generation."""
        self._serving = self._fresh(python, self._public)
        self._launch(self._serving, self.ports)

    def await_ready(self, *, seconds: float, restarts: int) -> None:
        """Wait until every part answers; raises `Unavailable` when that takes too long."""
        assert self._serving is not None

        def tick() -> None:
            self.tend()

        self._serving.await_ready(tick, seconds=seconds, restarts=restarts)

    def tend(self) -> bool:
        """Start again what died; whether something was started."""
        if self._tried is not None and time.monotonic() > self._tried_until:
            # whoever asked for it is gone
            self.drop()
        # a list, not a generator: every one is looked at; what is only tried is not started again
        return any([one.tend() for one in self._all if one is not self._tried])  # noqa: C419

    def switch(self, python: str) -> str:
        """Have the services of another release take over, while requests go on.

        Returns
        -------
        what the operator should know of it; empty when there is nothing

        Raises
        ------
        WnisError
            they could not; whatever served before serves again, unless `python` is None afterwards
        """
        self.drop()
        assert self._serving is not None
        old = self._serving
        fresh = self._fresh(python, self._public)
        try:
            killed = self._take_over(old, fresh)
        except WnisError as error:
            log.error("the switch to %s failed: %s", python, error)
            self._go_back(old, fresh)
            raise
        if not killed:
            return ""
        return f"the old {' and '.join(killed)} did not finish within {DRAIN_S:.0f} s and had to be ended"

    def try_out(self, python: str) -> str:
        """Start the API of another release beside everything, and return its address.

        Raises
        ------
        WnisError
            it does not come up
        """
        self.drop()
        self._tried = self._fresh(python, None)
        self._tried_until = time.monotonic() + _TRIED_S
        try:
            self._launch(self._tried, self.ports, only="api")
            self._tried.await_ready(self._tick)
        except WnisError:
            self.drop()
            raise
        return self._tried.url

    def drop(self) -> None:
        """End what is tried."""
        if self._tried is not None:
            self._forget(self._tried)
            self._tried = None

    def stop(self) -> None:
        """End everything."""
        # nobody is to wait for an answer that does not come
        self._public.close()
        until = time.monotonic() + STOP_GRACE_S
        for generation in reversed(self._all):
            generation.ask_to_stop()
        for generation in self._all:
            generation.end(until)
        self._all, self._serving, self._tried = [], None, None

    def _fresh(self, python: str, public: socket.socket | None) -> Generation:
        self._count += 1
        tls = self._options.tls_certificate is not None
        fresh = Generation(self._home, python, self._count, public, tls=tls, logs=self._logs, watchdog=self._watchdog)
        # from now on it is ended with us, whatever happens
        self._all.append(fresh)
        return fresh

    def _launch(self, generation: Generation, ports: dict[str, int], only: str | None = None) -> None:
        services = services_of(
            generation.python, self._home, self._options, ports, self._environ, self._secret_files, self._graph,
            generation.sockets, generation.metrics,
        )  # fmt: skip
        generation.start([one for one in services if only in (None, one.name)], ports)

    def _take_over(self, old: Generation, fresh: Generation) -> list[str]:
        self._launch(fresh, port_file.successors(self.ports))
        fresh.await_up(self._tick)
        # both answer now; what the old api has begun it finishes, with the ml and simulator that it knows
        killed = old.drain(("api",), self._tick)
        killed += old.drain(("ml", "simulator"), self._tick)
        fresh.await_ready(self._tick)
        self._serving, self.ports = fresh, fresh.ports
        port_file.remember(self._home.path / "run" / "ports.json", self.ports)
        self._forget(old)
        log.warning("served by %s", fresh.python)
        return killed

    def _go_back(self, old: Generation, failed: Generation) -> None:
        if not old.leaving:
            self._forget(failed)
            return
        again = self._fresh(old.python, self._public)
        try:
            self._take_over(failed, again)
        except WnisError as error:
            # its services are started again and again from now on: whatever keeps them from it may pass
            log.error("the release before does not come up again: %s", error)
            self._serving, self.ports = again, again.ports
            self._forget(failed)
        self._forget(old)

    def _forget(self, generation: Generation) -> None:
        if generation in self._all:
            self._all.remove(generation)
            generation.end(time.monotonic() + STOP_GRACE_S)


def reap(home: Home) -> None:
    """End what a supervisor left that was killed together with its watchdog."""
    run: Path = home.path / "run"
    for file in (run / "processes").glob("*.json"):
        mark = ProcessMark.load(file)
        if mark is not None:
            mark.end(grace_s=5)
        file.unlink(missing_ok=True)
    for folder in run.glob("metrics-api*"):
        shutil.rmtree(folder, ignore_errors=True)
