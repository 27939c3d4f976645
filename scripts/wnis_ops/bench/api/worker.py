"""A process of the load generator: ``python -m wnis_ops.bench.api.worker``.

Locust drives the clients. As it needs gevent in the place of threads and sockets, it lives in a process of its own.
The first line of standard input is the plan (targets, headers, requests); each further line asks for one block, and
is answered by one line when the block's records lie in the file that it names.
"""

from __future__ import annotations

# first of all imports: it puts gevent in the place of sockets and threads
import locust  # isort: skip

import contextlib
import json
import logging
import random
import socket
import sys
import time
from array import array
from typing import Any

import gevent  # type: ignore[import-untyped]  # the library has no annotations
import numpy as np
from geventhttpclient.response import HTTPConnectionClosed
from geventhttpclient.useragent import ConnectionError as ClientConnectionError
from locust.env import Environment
from locust.exception import StopUser

from wnis_ops.bench.api.records import RECORD

_GRACE_S = 5.0


class Recorder:
    """What came back, one entry a request, as compact columns."""

    def __init__(self, names: list[str]) -> None:
        self._numbers = {name: number for number, name in enumerate(names)}
        self.kinds: dict[str, int] = {}
        self.endpoint = array("B")
        self.kind = array("B")
        self.ended = array("d")
        self.seconds = array("d")

    def __call__(self, *, name: str, response_time: float, response: Any, exception: Any = None, **_: Any) -> None:
        """Locust's event of a finished request."""
        self.ended.append(time.monotonic())
        self.seconds.append(response_time / 1000)
        self.endpoint.append(self._numbers[name])
        self.kind.append(self.kinds.setdefault(_kind(response, exception), len(self.kinds)))

    def save(self, file: str) -> None:
        """Write all entries to `file`."""
        records = np.empty(len(self.ended), dtype=RECORD)
        for field in ("endpoint", "kind", "ended", "seconds"):
            records[field] = getattr(self, field)
        records["timed"] = records["counted"] = True
        np.save(file, records)


def _kind(response: Any, exception: Any) -> str:
    status = int(response.status_code or 0)
    if status:
        if status in (429, 503):
            return f"{status} {'with' if response.headers.get('retry-after') else 'without'} Retry-After"
        return str(status)
    if isinstance(exception, (TimeoutError, socket.timeout, gevent.Timeout)):
        return "timeout"
    if isinstance(exception, ConnectionRefusedError):
        return "connection refused"
    if isinstance(exception, (ConnectionResetError, BrokenPipeError, HTTPConnectionClosed, ClientConnectionError)):
        return "connection closed"
    return f"connection: {type(exception).__name__}"


def block(plan: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """Let the clients of one block ask, and say what the records' numbers mean."""
    target = plan["targets"][asked["target"]]
    chosen = [e for e in plan["endpoints"] if e["name"] in asked["endpoints"]]
    weights = [e["weight"] for e in chosen]
    recorder = Recorder([e["name"] for e in plan["endpoints"]])
    chance = random.Random(asked["seed"])  # noqa: S311  # repeatable, nothing secret
    ends_at: float = asked["ends_at"]
    json_headers = {"Content-Type": "application/json"}

    class Client(locust.FastHttpUser):
        host = target["url"]
        network_timeout = plan["timeout_s"]
        connection_timeout = plan["timeout_s"]
        default_headers = target["headers"]
        wait_time = locust.between(asked["think_min_s"], asked["think_max_s"])

        @locust.task
        def ask(self) -> None:
            # a client finishes what it has begun: every request that the server counts is in the records
            if time.monotonic() >= ends_at:
                raise StopUser
            endpoint = chance.choices(chosen, weights)[0]
            method, path, body = chance.choice(endpoint["requests"])
            headers = json_headers if body else None
            self.client.request(method, path, name=endpoint["name"], data=body or None, headers=headers)

    environment = Environment(user_classes=[Client])
    environment.events.request.add_listener(recorder)  # type: ignore[no-untyped-call]  # the library has no annotation
    runner = environment.create_local_runner()
    gevent.sleep(max(0.0, asked["starts_at"] - time.monotonic()))
    busy_before = time.process_time()
    clients = asked["clients"]
    runner.start(clients, spawn_rate=clients / asked["ramp_s"] if asked["ramp_s"] else clients)
    gevent.sleep(max(0.0, ends_at - time.monotonic()))
    busy_s = time.process_time() - busy_before
    until = ends_at + plan["timeout_s"] + asked["think_max_s"] + _GRACE_S
    while runner.user_count and time.monotonic() < until:
        gevent.sleep(0.02)
    unfinished = runner.user_count
    runner.quit()
    recorder.save(asked["file"])
    kinds = sorted(recorder.kinds, key=lambda kind: recorder.kinds[kind])
    return {"kinds": kinds, "busy_s": busy_s, "unfinished": unfinished}


def main() -> int:
    """Serve blocks until standard input ends."""
    # its advice on fast starts is for people who wonder why a test is slow to begin
    logging.getLogger("locust").setLevel(logging.ERROR)

    def line() -> str:
        # reading blocks, so a real thread does it
        return str(gevent.get_hub().threadpool.apply(sys.stdin.readline))

    plan = json.loads(line())
    with contextlib.suppress(KeyboardInterrupt):
        while asked := line():
            sys.stdout.write(json.dumps(block(plan, json.loads(asked))) + "\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
