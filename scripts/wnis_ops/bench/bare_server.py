"""A server of the bare view beside a running instance, on the same graph and with the API's own server settings."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from wnis_core.errors import Unavailable
from wnis_neo4j.local import free_port

from wnis_ops.local.instance import status
from wnis_ops.place import Home


def graph_of(home: Home) -> tuple[str, str]:
    """Bolt address and password of the graph of the instance on `home`.

    Raises
    ------
    Unavailable
        the instance does not run, or its graph is elsewhere
    """
    port, file = status(home).ports.get("neo4j"), home.path / "secrets" / "neo4j"
    if port is None or not file.is_file():
        raise Unavailable(f"There is no graph in {home.path}.", mend="Measure an instance with a graph of its own.")
    return f"bolt://127.0.0.1:{port}", file.read_text(encoding="utf-8").strip()


@contextmanager
def bare_view(home: Home) -> Iterator[str]:
    """Its address while it runs."""
    uri, password = graph_of(home)
    port = free_port()
    process = subprocess.Popen(
        [
            sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "-c", "python:wnis_api.gunicorn_conf",
            "--no-control-socket", "wnis_ops.bench.bare_view:app",
        ],
        env={**os.environ, "NEO4J_URI": uri, "NEO4J_USER": "neo4j", "NEO4J_PASSWORD": password},
    )  # fmt: skip
    try:
        yield _answering(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(timeout=30)


def _answering(url: str) -> str:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            requests.get(url, timeout=2)
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return url
    raise Unavailable("The bare view did not start.")
