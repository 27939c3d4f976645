"""Where the output of services goes: files in parts of 10 MB, the last three kept.

Two generations of a service may write to one file for a moment: it has one keeper, which rotates it for both.
"""

from __future__ import annotations

import logging
import threading
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

_LOG_BYTES = 10_000_000
_LOG_FILES = 3


class LogFiles:
    """The log files of one home."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._handlers: dict[str, RotatingFileHandler] = {}
        self._lock = threading.Lock()

    def path(self, name: str) -> Path:
        """Where the log `name` is."""
        return self._folder / f"{name}.log"

    def keep(self, name: str, output: IO[bytes]) -> None:
        """Keep what comes from `output`, in a thread of its own, until it ends."""
        handler = self._handler(name)
        threading.Thread(target=_copy, args=(name, output, handler), name=f"log-{name}", daemon=True).start()

    def _handler(self, name: str) -> RotatingFileHandler:
        with self._lock:
            if name not in self._handlers:
                self._folder.mkdir(parents=True, exist_ok=True)
                handler = RotatingFileHandler(
                    self.path(name), maxBytes=_LOG_BYTES, backupCount=_LOG_FILES - 1, encoding="utf-8"
                )
                handler.setFormatter(logging.Formatter("%(message)s"))
                self._handlers[name] = handler
            return self._handlers[name]


def _copy(name: str, output: IO[bytes], handler: RotatingFileHandler) -> None:
    # a pipe rather than the file itself: somebody has to rotate it while the service writes
    def keep(text: bytes) -> None:
        message = text.decode(errors="replace").rstrip("\n")
        handler.handle(logging.LogRecord(name, logging.INFO, "", 0, message, None, None))

    pending = b""
    # under load many lines come at once, and are written at once
    while chunk := output.read1(65_536):  # type: ignore[attr-defined]  # buffered, though IO hides it
        lines, newline, pending = (pending + chunk).rpartition(b"\n")
        if newline:
            keep(lines)
    if pending:
        keep(pending)
