"""Starts an instance, watches over it, stops it.

Order of a start: Neo4j, schema and first account, services, readiness. Order of a stop: services, Neo4j. Whatever
ends this program, nothing of the instance is left: children are tied to its life (see `wnis_neo4j.processes`), and
what a machine crash leaves on paper is recognised by its process marks.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO

from wnis_core.errors import Conflict, Unavailable, WnisError
from wnis_core.settings import Settings, read_settings
from wnis_neo4j.local import LocalServer
from wnis_neo4j.processes import ProcessMark, Watchdog

from wnis_ops.local import orders
from wnis_ops.local import ports as port_file
from wnis_ops.local.child import Backoff, Errand
from wnis_ops.local.fleet import Fleet, reap
from wnis_ops.local.options import DEFAULT_PORT, UpOptions
from wnis_ops.local.orders import Do, Order, Outcome
from wnis_ops.local.secret_files import ensure_secrets
from wnis_ops.local.sockets import listen
from wnis_ops.place import Home, own_release, python_of

log = logging.getLogger(__name__)

_READY_LIMIT_S = 120.0
_TICK_S = 0.3
_GIVE_UP_AFTER = 3

Say = Callable[[str], None]


class Stop(BaseException):
    """Somebody asked us to stop."""


class Supervisor:
    """One instance on one home.

    Parameters
    ----------
    environ : variables that the services inherit
    say : tells the person at the terminal, one sentence at a time
    on_ready : receives the address when everything answers (and the demonstration, if asked for, is loaded)
    """

    def __init__(
        self,
        home: Home,
        options: UpOptions,
        environ: Mapping[str, str],
        *,
        say: Say,
        on_ready: Callable[[str], None],
    ) -> None:
        options.check()
        self._home = home
        self._options = options
        self._environ = {**environ, "WNIS_HOME": str(home.path)}
        # secrets that are not given are made; those that are given must be good ones
        self._settings: Settings = read_settings(self._environ, secrets=())
        self._say = say
        self._on_ready = on_ready
        self._neo4j: LocalServer | None = None
        self._neo4j_backoff = Backoff()
        self._neo4j_up_since = 0.0
        self._fleet: Fleet | None = None
        self._graph: dict[str, str] = {}
        self._watchdog: Watchdog | None = None
        self._ports: dict[str, int] = {}
        self._errand: Errand | None = None
        self._announced = False

    @property
    def url(self) -> str:
        """Where people find the instance."""
        return self._options.url(self._ports["api"])

    def run(self) -> None:
        """Start, keep running until a signal, stop.

        Raises
        ------
        Conflict
            an instance runs on this home already
        Unavailable
            a part did not come up
        """
        with _held(self._home), _signals_raise():
            try:
                self._start()
                self._watch()
            except Stop:
                _ignore_signals()
                self._say("Stopping.")
            finally:
                _ignore_signals()
                self._stop()

    def _start(self) -> None:
        run, wanted = self._home.path / "run", self._options.port
        self._watchdog = Watchdog()
        reap(self._home)
        orders.take(self._home)
        port = wanted or port_file.remembered(run / "ports.json").get("api") or DEFAULT_PORT
        with ExitStack() as reserved:
            public = reserved.enter_context(listen(self._options.host, port))
            self._ports = port_file.choose(run / "ports.json", port)
            self._write_state("starting")
            secret_files = ensure_secrets(self._home.path / "secrets", self._environ)
            self._graph = self._start_graph()
            self._prepare()
            reserved.pop_all()
        self._say("Starting the services.")
        self._fleet = Fleet(
            self._home,
            self._options,
            public,
            self._ports,
            environ=self._environ,
            secret_files=secret_files,
            graph=self._graph,
            watchdog=self._watchdog,
            tick=self._tick,
        )
        self._fleet.start(python_of(own_release()))
        self._write_state("starting")
        self._fleet.await_ready(seconds=_READY_LIMIT_S, restarts=_GIVE_UP_AFTER - 1)
        if self._options.demo:
            self._errand = self._new_errand(
                "wnis_ops.local.demonstration", str(self._home.path), self.url, say=self._say
            )
        else:
            self._announce()

    def _start_graph(self) -> dict[str, str]:
        """The variables by which other processes find the graph; nothing to add when the environment names one."""
        if self._settings.neo4j_uri:
            return {}
        self._say("Starting Neo4j.")
        password_file = self._home.path / "secrets" / "neo4j"
        self._neo4j = LocalServer(
            self._home.path / "neo4j",
            bolt_port=self._ports["neo4j"],
            password_file=password_file,
            watchdog=self._watchdog,
            short_lived=False,
            heap_mb=self._settings.neo4j_heap_mb,
        )
        self._neo4j.start()
        self._neo4j_up_since = time.monotonic()
        self._write_state("starting")
        return {"NEO4J_URI": self._neo4j.uri, "NEO4J_USER": "neo4j", "NEO4J_PASSWORD_FILE": str(password_file)}

    def _prepare(self) -> None:
        self._errand = self._new_errand("wnis_ops.local.first_start", str(self._home.path))
        reason = self._errand.reason()
        if reason:
            raise Unavailable(f"The databases could not be prepared: {reason}")

    def _new_errand(self, module: str, *arguments: str, python: str = "", say: Say | None = None) -> Errand:
        assert self._watchdog is not None
        return Errand(
            module,
            *arguments,
            python=python or sys.executable,
            environ={**self._environ, **self._graph},
            watchdog=self._watchdog,
            say=say or (lambda line: None),
        )

    def _watch(self) -> None:
        while True:
            changed = self._tend()
            if not self._announced and self._errand is not None and self._errand.ended:
                if reason := self._errand.reason():
                    self._say(f"The demonstration was not loaded: {reason}")
                self._announce()
            order = orders.take(self._home) if self._announced else None
            if order is not None:
                orders.answer(self._home, self._obey(order))
                changed = True
            if changed:
                self._write_state("ready" if self._announced else "starting")
            time.sleep(_TICK_S)

    def _tend(self) -> bool:
        changed = self._fleet.tend() if self._fleet is not None else False
        if self._neo4j is not None and self._neo4j.pid is None:
            self._restart_neo4j()
            changed = True
        return changed

    def _tick(self) -> None:
        if self._tend():
            self._write_state("ready")
        time.sleep(_TICK_S)

    def _obey(self, order: Order) -> Outcome:
        assert self._fleet is not None
        log.warning("order: %s %s %s", order.do.value, order.python, " ".join(order.words))
        said = ""
        try:
            if order.do is Do.RUN:
                self._errand = self._new_errand(*order.words, python=order.python)
                while not self._errand.ended:
                    self._tick()
                reason, said = self._errand.reason(), self._errand.last_line
                return Outcome(order.id, not reason, reason, said)
            if order.do is Do.TRY:
                said = self._fleet.try_out(order.python)
            elif order.do is Do.DROP:
                self._fleet.drop()
            else:
                said = self._fleet.switch(order.python)
        except WnisError as error:
            return Outcome(order.id, False, str(error))
        return Outcome(order.id, True, "", said)

    def _restart_neo4j(self) -> None:
        assert self._neo4j is not None
        pause_s = self._neo4j_backoff.next(time.monotonic() - self._neo4j_up_since)
        log.warning("Neo4j ended (%s); starting again in %.0f s", self._neo4j.exit_reason(), pause_s)
        time.sleep(pause_s)
        try:
            self._neo4j.start()
        except WnisError as error:
            log.error("Neo4j does not start again: %s", error)
        self._neo4j_up_since = time.monotonic()

    def _announce(self) -> None:
        self._announced = True
        self._write_state("ready")
        self._on_ready(self.url)

    def _stop(self) -> None:
        if self._errand is not None:
            self._errand.stop()
        if self._fleet is not None:
            self._fleet.stop()
        if self._neo4j is not None:
            self._neo4j.stop()
        if self._watchdog is not None:
            self._watchdog.close()
        self._write_state("stopped")

    def _write_state(self, state: str) -> None:
        if self._fleet is not None:
            self._ports = self._fleet.ports
        pids = self._fleet.pids if self._fleet else {}
        python = self._fleet.python if self._fleet else None
        if self._neo4j is not None:
            pids["neo4j"] = self._neo4j.pid
        pids = {"supervisor": os.getpid(), **pids} if state != "stopped" else {}
        own = ProcessMark.of(os.getpid())
        document = {
            "state": state,
            "url": self.url if self._ports and state != "stopped" else None,
            "pids": pids,
            "ports": self._ports,
            "release": str(Path(python).parents[2]) if python else None,
            "started_at": own.started_at if own else None,
        }
        self._home.state_file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._home.state_file.with_suffix(".new")
        fresh.write_text(json.dumps(document), encoding="utf-8")
        os.replace(fresh, self._home.state_file)


@contextmanager
def _held(home: Home) -> Iterator[IO[str]]:
    """The home for ourselves alone; the lock ends with the process, however it ends."""
    folder = home.path / "run"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"{home.path} cannot be written ({error.strerror}).", mend="Choose another WNIS_HOME."
        ) from error
    with (folder / "up.lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            where = home.state().get("url") or "still starting"
            raise Conflict(
                f"An instance runs on {home.path} already ({where}).",
                mend="Use it, stop it with `wnis down`, or choose another WNIS_HOME and --port.",
            ) from error
        yield lock


@contextmanager
def _signals_raise() -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Stop

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        with suppress(Stop):
            for number, handler in before.items():
                signal.signal(number, handler)


def _ignore_signals() -> None:
    # a second Ctrl-C must not leave half of the instance running
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
