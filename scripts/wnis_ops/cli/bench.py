"""``wnis bench``: measurements that anybody can repeat."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import asdict
from typing import Annotated, Any

import typer
from wnis_core.errors import BadRequest

from wnis_ops.cli.output import Json, say, show
from wnis_ops.place import home_of

NAMES = {
    "component": "GET /components/{id} beside the bare driver query and a bare Flask view",
    "demo": "loading the demonstration on a fresh home",
    "memory": "idle memory of the running instance, process by process",
    "start": "a warm start of everything beside a bare start of Neo4j",
}


def bench(
    name: Annotated[str, typer.Argument(help="; ".join(f"{name}: {what}" for name, what in NAMES.items()))],
    as_json: Json = False,
) -> None:
    """Measure; all but memory start an instance of their own and remove it afterwards."""
    if name not in NAMES:
        raise BadRequest(f"There is no measurement {name!r}.", mend=f"Choose one of {', '.join(NAMES)}.")
    # the instance of a measurement runs in the background: it has to be stopped when the measurement is
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    document = {"name": name, **asdict(_measured(name))}
    show(document, as_json, lambda: json.dumps(document, indent=2))


def _measured(name: str) -> Any:
    if name == "memory":
        from wnis_ops.bench import memory

        return memory.measure(home_of(os.environ))
    if name == "start":
        from wnis_ops.bench import start

        return start.measure(say)
    if name == "demo":
        from wnis_ops.bench import demo

        return demo.measure(say)
    from wnis_ops.bench import component

    return component.measure(say)
