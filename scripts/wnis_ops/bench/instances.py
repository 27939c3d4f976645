"""Instances that live for one measurement."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wnis_neo4j.local import free_port

from wnis_ops.client import ApiClient
from wnis_ops.local.instance import Status, start_detached, stop
from wnis_ops.local.options import UpOptions
from wnis_ops.place import Home

UNLIMITED = {"WNIS_RATE_LIMIT": "100000000"}
"""A measurement asks more often than a person."""


@dataclass(frozen=True)
class Running:
    """A ready instance."""

    home: Home
    status: Status
    client: ApiClient

    @property
    def url(self) -> str:
        """Its address."""
        return str(self.status.url)

    @property
    def token(self) -> str:
        """The key of its first account."""
        return self.home.token_file.read_text(encoding="utf-8").strip()


@contextmanager
def temporary_home() -> Iterator[Home]:
    """A home that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="wnis-bench-", ignore_cleanup_errors=True) as folder:
        yield Home(Path(folder))


@contextmanager
def instance(home: Home, say: Callable[[str], None], *, demo: bool = False) -> Iterator[Running]:
    """Start an instance on `home` and a free port, with the demonstration if asked; stop it afterwards."""
    options = UpOptions(port=free_port(), demo=demo)
    try:
        started = start_detached(home, options, {**os.environ, **UNLIMITED}, say)
        token = home.token_file.read_text(encoding="utf-8").strip()
        yield Running(home, started.status, ApiClient(str(started.status.url), token))
    finally:
        stop(home)
