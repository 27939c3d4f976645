"""Waiting for servers that come up beside a command."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated

import typer
from wnis_core.errors import Unavailable

from wnis_ops.cli.output import say

_PAUSE_S = 2.0

Wait = Annotated[int, typer.Option("--wait", min=0, help="Seconds to wait for the servers.")]


def when_there(work: Callable[[], object], wait_s: float) -> None:
    """Do `work`; while it says `Unavailable`, again until `wait_s` have passed."""
    until, said = time.monotonic() + wait_s, ""
    while True:
        try:
            work()
        except Unavailable as error:
            if time.monotonic() + _PAUSE_S > until:
                raise
            if str(error) != said:
                said = str(error)
                say(f"Waiting: {said}")
        else:
            return
        time.sleep(_PAUSE_S)
