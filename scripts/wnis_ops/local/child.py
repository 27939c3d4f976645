"""The processes of an instance: services that are started again, errands that end by themselves."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from wnis_neo4j.processes import ProcessMark, Watchdog, start_tied

from wnis_ops.local.log_files import LogFiles

log = logging.getLogger(__name__)

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0
_STEADY_S = 60.0


class Backoff:
    """Pauses between restarts: doubled each time, from the start again after a minute of steady running."""

    def __init__(self) -> None:
        self._pause_s = _FIRST_PAUSE_S

    def next(self, lived_s: float) -> float:
        """Seconds to wait before starting again something that lived for `lived_s`."""
        if lived_s >= _STEADY_S:
            self._pause_s = _FIRST_PAUSE_S
        pause_s = self._pause_s
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)
        return pause_s


class Child:
    """A service that is started again when it dies.

    Parameters
    ----------
    mark_file : remembers the process for a supervisor that comes after a killed one
    logs : receive what the service prints, under its name
    descriptors : of sockets that it inherits
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        mark_file: Path,
        logs: LogFiles,
        watchdog: Watchdog,
        descriptors: Sequence[int] = (),
    ) -> None:
        self.name = name
        self.restarts = 0
        self._command = list(command)
        self._environ = dict(environ)
        self._mark_file = mark_file
        self._logs = logs
        self._descriptors = tuple(descriptors)
        self._watchdog = watchdog
        self._process: subprocess.Popen[bytes] | None = None
        self._backoff = Backoff()
        self._started_at = 0.0
        self._restart_at: float | None = None
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        """Start the service; call it from a thread that lives as long as the service should."""
        self._process = start_tied(
            self._command, output=subprocess.PIPE, environ=self._environ, descriptors=self._descriptors
        )
        self._started_at = time.monotonic()
        self._restart_at = None
        mark = ProcessMark.of(self._process.pid)
        if mark is not None:
            mark.save(self._mark_file)
            self._watchdog.guard(mark)
        assert self._process.stdout is not None
        self._logs.keep(self.name, self._process.stdout)

    def tend(self) -> bool:
        """Start the service again when it is dead and its pause is over; whether it was started now."""
        if self._stopping or self._process is None or self._process.poll() is None:
            return False
        now = time.monotonic()
        if self._restart_at is None:
            pause_s = self._backoff.next(now - self._started_at)
            self._restart_at = now + pause_s
            log.warning("%s ended (%s); starting again in %.0f s", self.name, self._process.returncode, pause_s)
        if now < self._restart_at:
            return False
        self.restarts += 1
        self.start()
        return True

    @property
    def ended(self) -> bool:
        """Whether no process of it runs."""
        return self.pid is None

    def ask_to_stop(self) -> None:
        """Send the signal and return at once; it is not started again."""
        self._stopping = True
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def await_end(self, until: float) -> bool:
        """Wait for the end until a moment of the monotonic clock, then kill it with all it started.

        Returns
        -------
        whether it ended by itself
        """
        if self._process is None:
            return True
        by_itself = True
        try:
            self._process.wait(timeout=max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            by_itself = False
            log.warning("%s does not stop; killing it", self.name)
            mark = ProcessMark.of(self._process.pid)
            if mark is not None:
                mark.end(grace_s=0)
            self._process.kill()
            self._process.wait()
        self._process = None
        self._mark_file.unlink(missing_ok=True)
        return by_itself

    def last_words(self) -> str:
        """The last line of the log that says what went wrong."""
        log_file = self._logs.path(self.name)
        if not log_file.is_file():
            return ""
        lines = log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-200:]
        telling = [line.strip() for line in lines if "Error" in line or "error" in line]
        return telling[-1][:400] if telling else ""


class Errand:
    """A program of ours that does one thing beside the supervisor, whose libraries it thus does not have to carry.

    Parameters
    ----------
    module : run as ``python -m module``; it prints its progress, and as its last line why it failed
    python : the interpreter of the release whose program it is
    say : receives each line as it comes
    """

    def __init__(
        self,
        module: str,
        *arguments: str,
        environ: Mapping[str, str],
        watchdog: Watchdog,
        python: str = sys.executable,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        command = [python, "-m", module, *arguments]
        self._process = start_tied(command, output=subprocess.PIPE, environ=environ)
        self._say = say
        self.last_line = ""
        """What it said last."""
        mark = ProcessMark.of(self._process.pid)
        if mark is not None:
            watchdog.guard(mark)
        self._reader = threading.Thread(target=self._read, name=module, daemon=True)
        self._reader.start()

    @property
    def ended(self) -> bool:
        """Whether it is done, well or not."""
        return self._process.poll() is not None

    def reason(self) -> str:
        """Wait for the end; why it failed, empty when it did not."""
        status = self._process.wait()
        self._reader.join(timeout=5)
        return (self.last_line or f"it ended with {status}") if status != 0 else ""

    def stop(self) -> None:
        """End it now; what it does may be done again."""
        if not self.ended:
            self._process.terminate()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.last_line = line.decode(errors="replace").rstrip()
            self._say(self.last_line)
