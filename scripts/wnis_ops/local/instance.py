"""The instance of a home seen from outside: whether it runs, starting it in the background, stopping it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wnis_core.errors import Failure, Unavailable
from wnis_neo4j.processes import ProcessMark

from wnis_ops.local.options import UpOptions
from wnis_ops.place import Home

_START_LIMIT_S = 900.0
_STOP_LIMIT_S = 60.0


@dataclass(frozen=True)
class Status:
    """What `wnis status --json` prints.

    Parameters
    ----------
    release : folder of the program that serves; None when nothing runs
    """

    state: str
    url: str | None
    pids: dict[str, int]
    ports: dict[str, int]
    release: str | None = None


def supervisor_mark(home: Home) -> ProcessMark | None:
    """The living supervisor of `home`."""
    state = home.state()
    pid, started_at = (state.get("pids") or {}).get("supervisor"), state.get("started_at")
    if not pid or not started_at:
        return None
    mark = ProcessMark(int(pid), float(started_at))
    return mark if mark.alive() else None


def status(home: Home) -> Status:
    """State, address, process ids and ports; ``stopped`` also when the supervisor was killed."""
    state = home.state()
    ports = dict(state.get("ports") or {})
    if supervisor_mark(home) is None:
        return Status("stopped", None, {}, ports)
    pids = {name: int(pid) for name, pid in (state.get("pids") or {}).items() if pid}
    return Status(str(state["state"]), state.get("url"), pids, ports, state.get("release"))


def stop(home: Home) -> bool:
    """Stop the instance and return whether one ran; what a killed supervisor left is ended too.

    Raises
    ------
    Failure
        it did not stop in time
    """
    mark = supervisor_mark(home)
    if mark is None:
        left = [ProcessMark.load(file) for file in sorted((home.path / "run" / "processes").glob("*.json"))]
        left.append(ProcessMark.load(home.path / "neo4j" / "run" / "server.json"))
        alive = [one for one in left if one is not None and one.alive()]
        for one in alive:
            one.end()
        return bool(alive)
    os.kill(mark.pid, signal.SIGTERM)
    until = time.monotonic() + _STOP_LIMIT_S
    while mark.alive():
        if time.monotonic() > until:
            raise Failure(
                f"The instance on {home.path} did not stop within {_STOP_LIMIT_S:.0f} s.",
                mend=f"See {home.path / 'logs' / 'supervisor.log'}; as a last resort: kill -9 {mark.pid}.",
            )
        time.sleep(0.05)
    return True


@dataclass(frozen=True)
class Started:
    """A background start that succeeded; the password only when the first account was made by it."""

    status: Status
    first_password: str | None


def start_detached(home: Home, options: UpOptions, environ: Mapping[str, str], say: Callable[[str], None]) -> Started:
    """Start the instance in a session of its own and return when it is ready.

    Raises
    ------
    Unavailable
        it ended before it was ready, with its own words
    """
    options.check()
    logs = home.path / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    log_file = logs / "supervisor.log"
    if log_file.exists():
        os.replace(log_file, log_file.with_suffix(".log.1"))
    with log_file.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "wnis_ops.local.background", str(home.path), options_text(options)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environ),
            start_new_session=True,
        )
    until, told = time.monotonic() + _START_LIMIT_S, 0
    while time.monotonic() < until:
        told = _relay(log_file, told, say)
        now = status(home)
        if now.pids.get("supervisor") == process.pid and now.state == "ready":
            return Started(now, home.take_first_password())
        if process.poll() is not None:
            _relay(log_file, told, say)
            raise Unavailable("The instance did not start.", mend=f"The reason is above and in {logs}.")
        time.sleep(0.1)
    raise Unavailable("The instance is not ready yet.", mend=f"Look at `wnis status` and {logs}.")


def options_text(options: UpOptions) -> str:
    """`options` for another process; `options_from` reads it."""
    return json.dumps({k: str(v) if isinstance(v, Path) else v for k, v in asdict(options).items()})


def options_from(text: str) -> UpOptions:
    """The options that `options_text` wrote."""
    given: dict[str, Any] = json.loads(text)
    paths = {name: Path(given[name]) if given[name] else None for name in ("tls_certificate", "tls_key")}
    return UpOptions(**{**given, **paths})


def _relay(file: Path, start: int, say: Callable[[str], None]) -> int:
    """Say the whole lines that came to `file` since `start`, but no log records."""
    with file.open("rb") as stream:
        stream.seek(start)
        fresh = stream.read()
    whole = fresh[: fresh.rfind(b"\n") + 1]
    for line in whole.decode(errors="replace").splitlines():
        if not line.startswith("{"):
            say(line)
    return start + len(whole)
