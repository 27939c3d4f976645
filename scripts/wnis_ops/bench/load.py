"""Clients that ask as fast as they are answered, over connections that stay open."""

from __future__ import annotations

import multiprocessing
import socket
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import quote, urlsplit

import numpy as np


@dataclass(frozen=True)
class Latency:
    """Milliseconds of single requests."""

    p50_ms: float
    p95_ms: float


def latency(seconds: list[float]) -> Latency:
    """Median and 95th percentile."""
    p50, p95 = np.percentile(np.array(seconds) * 1000, [50, 95])
    return Latency(round(float(p50), 3), round(float(p95), 3))


def timed_requests(url: str, token: str, ids: list[str], count: int) -> list[float]:
    """Seconds of each of `count` requests for the components in turn, one at a time."""
    parts = urlsplit(url)
    connection = HTTPConnection(str(parts.hostname), parts.port, timeout=30)
    connection.connect()
    # two small writes a request would otherwise wait for each other's acknowledgement
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    paths = [f"{parts.path}/components/{quote(one, safe='')}" for one in ids]
    seconds = []
    for number in range(count):
        begun = time.perf_counter()
        connection.request("GET", paths[number % len(paths)], headers=headers)
        answer = connection.getresponse()
        answer.read()
        seconds.append(time.perf_counter() - begun)
        if answer.status != 200:
            raise RuntimeError(f"{url} answered {answer.status}")
    connection.close()
    return seconds


def requests_per_second(url: str, token: str, ids: list[str], *, clients: int, each: int) -> float:
    """Throughput of `clients` clients at once, in two processes so that Python's own lock does not set the pace."""
    processes = 2
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        # the first round starts the processes and warms the server
        list(pool.map(_threads, [(url, token, ids, clients // processes, 20)] * processes))
        begun = time.perf_counter()
        list(pool.map(_threads, [(url, token, ids, clients // processes, each)] * processes))
        elapsed_s = time.perf_counter() - begun
    return clients * each / elapsed_s


def _threads(asked: tuple[str, str, list[str], int, int]) -> None:
    url, token, ids, threads, each = asked
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: timed_requests(url, token, ids, each), range(threads)))
