"""One process of a service at a time: its successor waits until it has ended.

An upgrade starts the new program beside the old one. What has one owner (the jobs of a name, the index of vectors)
passes on when the old process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from wnis_core.errors import Unavailable

WAIT_S = 60.0
_LOOK_EVERY_S = 0.02


class Ownership:
    """The right to be service `name` of `home`; held until `release`, or until this process ends.

    Parameters
    ----------
    wait_s : how long a successor waits

    Raises
    ------
    Unavailable
        another process has it and did not end in time, or the home cannot be written
    """

    def __init__(self, home: Path, name: str, *, wait_s: float = WAIT_S) -> None:
        file = home / "run" / f"{name}.owner"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[str] = file.open("a+", encoding="utf-8")
        except OSError as error:
            raise Unavailable(
                f"WNIS_HOME cannot be written: {file} ({error.strerror}).", mend="Let this user write in WNIS_HOME."
            ) from error
        if not self._taken():
            self._wait(waiting_file(home, name), time.monotonic() + wait_s, name)

    def release(self) -> None:
        """Let the next one have it."""
        self._file.close()

    def _wait(self, note: Path, until: float, name: str) -> None:
        note.write_text(str(os.getpid()), encoding="utf-8")
        try:
            while not self._taken():
                if time.monotonic() > until:
                    self._file.close()
                    raise Unavailable(
                        f"Another {name} works on this WNIS_HOME.",
                        mend="Stop it, or give this one a WNIS_HOME or WNIS_EXECUTOR_ID of its own.",
                        retry_after_s=5,
                    )
                time.sleep(_LOOK_EVERY_S)
        finally:
            with suppress(OSError):
                note.unlink()

    def _taken(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def waiting_file(home: Path, name: str) -> Path:
    """What exists while a successor waits: it has come up, and lacks nothing but its predecessor's end."""
    return home / "run" / f"{name}.waiting"
