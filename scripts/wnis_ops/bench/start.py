"""Warm start of everything beside a bare start of its Neo4j."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from wnis_neo4j.local import LocalServer

from wnis_ops.bench.instances import instance, temporary_home

FIXED_S = 5.0
FACTOR = 2.0


@dataclass(frozen=True)
class StartTimes:
    """Seconds; `allowed_s` is twice the bare start plus five."""

    neo4j_s: list[float]
    everything_s: list[float]
    stop_s: list[float]
    ratio: float
    allowed_s: float
    within: bool


def measure(say: Callable[[str], None], repeat: int = 2) -> StartTimes:
    """Start and stop both, alternately, on a home that was up before."""
    bare, everything, stopping = [], [], []
    with temporary_home() as home:
        say("First start, not measured.")
        with instance(home, say):
            pass
        for _ in range(repeat):
            say("Neo4j alone.")
            server = LocalServer(home.path / "neo4j", password_file=home.path / "secrets" / "neo4j", short_lived=False)
            begun = time.perf_counter()
            with server:
                bare.append(time.perf_counter() - begun)
            say("Everything.")
            begun = time.perf_counter()
            with instance(home, lambda text: None):
                everything.append(time.perf_counter() - begun)
                ended = time.perf_counter()
            stopping.append(time.perf_counter() - ended)
    allowed_s = FACTOR * median(bare) + FIXED_S
    return StartTimes(
        neo4j_s=[round(s, 2) for s in bare],
        everything_s=[round(s, 2) for s in everything],
        stop_s=[round(s, 2) for s in stopping],
        ratio=round(median(everything) / median(bare), 2),
        allowed_s=round(allowed_s, 2),
        within=median(everything) <= allowed_s,
    )
