"""Processes that we start: none of them outlives us, and none that we did not start is ever touched."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import psutil

_CLOCK_TOLERANCE_S = 2.0


@dataclass(frozen=True)
class ProcessMark:
    """A process that cannot be confused with a later one of the same number."""

    pid: int
    started_at: float

    @classmethod
    def of(cls, pid: int) -> ProcessMark | None:
        """The mark of a live process; None when there is none."""
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE:
                return cls(pid, process.create_time())
        return None

    def alive(self) -> bool:
        """Whether this very process still runs."""
        now = ProcessMark.of(self.pid)
        return now is not None and abs(now.started_at - self.started_at) < _CLOCK_TOLERANCE_S

    def save(self, file: Path) -> None:
        """Write the mark whole or not at all."""
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self)), encoding="utf-8")
        os.replace(fresh, file)

    @classmethod
    def load(cls, file: Path) -> ProcessMark | None:
        """The mark kept in `file`; None when there is none to be read."""
        with contextlib.suppress(OSError, ValueError, TypeError):
            return cls(**json.loads(file.read_text(encoding="utf-8")))
        return None

    def end(self, *, grace_s: float = 10.0) -> None:
        """Ask the process to stop; after `grace_s` kill it and all it started."""
        if not self.alive():
            return
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self.pid)
            family = [process, *process.children(recursive=True)]
            process.terminate()
            _, left = psutil.wait_procs(family, timeout=grace_s)
            for one in left:
                one.kill()
            psutil.wait_procs(left, timeout=5)


def start_tied(
    command: Sequence[str],
    *,
    output: int | IO[bytes],
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    descriptors: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, tied to the life of the calling thread.

    `descriptors` are those of our open files and sockets that it inherits, under the same numbers.

    A terminal's Ctrl-C does not reach it: whoever started it decides the order in which things stop. Call this from
    a thread that lives as long as the process should.
    """
    tie = str(Path(__file__).with_name("tied.py"))
    return subprocess.Popen(
        [sys.executable, "-I", "-S", tie, str(os.getpid()), *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=dict(environ) if environ is not None else None,
        cwd=cwd,
        start_new_session=True,
        pass_fds=tuple(descriptors),
    )


class Watchdog:
    """A small process that ends our children when we are gone, by a signal that we could not handle too.

    It holds the reading end of a pipe whose writing end is ours alone; the pipe breaks with us, on any POSIX system.
    """

    def __init__(self) -> None:
        script = str(Path(__file__).with_name("watchdog.py"))
        self._process = subprocess.Popen(
            [sys.executable, script],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """Process id of the watchdog itself."""
        return self._process.pid

    def guard(self, mark: ProcessMark) -> None:
        """End `mark` when we are gone."""
        if self._process.stdin is not None and self._process.poll() is None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(f"{mark.pid} {mark.started_at}\n".encode())
                self._process.stdin.flush()

    def close(self) -> None:
        """Let the watchdog go; what it guarded has ended by now, or is ended by it."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
