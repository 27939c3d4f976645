"""Segments beside WNTR's, isolation answers and traces over HTTP."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from wnis_graph.isolation.pieces import Pieces
from wnis_graph.queries.isolation import Part, Seat
from wnis_simulator.wntr_segments import WntrSegments, wntr_segments

from wnis_ops.bench.instances import Running, instance, temporary_home
from wnis_ops.bench.load import Latency, latency
from wnis_ops.client import part

NETWORK = "Net6"
FASTER_LIMIT = 100.0
ANSWER_LIMIT_MS = 50.0
TRACE_LIMIT_MS = 300.0

_SEED = 7
_TURNS = 5
_ANSWERS = 300
_TRACES = 20
_SIDE = 60
"""A grid of 60 by 60 junctions with its pipes has 10,681 components."""


@dataclass(frozen=True)
class Partition:
    """One valve layer: seconds of WNTR and of ours (the middle of five turns), and how many times ours is faster."""

    layer: str
    valves: int
    segments: int
    same: bool
    wntr_s: float
    ours_s: float
    times_faster: float


@dataclass(frozen=True)
class IsolationCost:
    """What isolation costs.

    Parameters
    ----------
    answer : POST /networks/{id}/isolation on Net6 with the N-2 layer, pipes at random, one client, warm
    trace : GET /components/{id}/trace over `traced` components, one client, warm
    """

    partitions: tuple[Partition, ...]
    times_faster_limit: float
    answer: Latency
    answer_limit_ms: float
    trace: Latency
    traced: int
    trace_limit_ms: float
    within: bool


def measure(say: Callable[[str], None]) -> IsolationCost:
    """The partitions in this process, the answers on an instance of its own."""
    partitions, layers = [], {}
    for layer, placement, n in (("N-1", "strategic", 1), ("N-2", "strategic", 2), ("random", "random", 2000)):
        say(f"Segments of {NETWORK} with the {layer} layer.")
        layers[layer] = wntr_segments(NETWORK, placement, n, _SEED)
        partitions.append(_partition(layer, layers[layer]))
    with temporary_home() as home, instance(home, say) as running:
        answer = _answers(running, layers["N-2"], say)
        trace, traced = _traces(running, home.path, say)
    return IsolationCost(
        partitions=tuple(partitions),
        times_faster_limit=FASTER_LIMIT,
        answer=answer,
        answer_limit_ms=ANSWER_LIMIT_MS,
        trace=trace,
        traced=traced,
        trace_limit_ms=TRACE_LIMIT_MS,
        within=all(p.same and p.times_faster >= FASTER_LIMIT for p in partitions)
        and answer.p95_ms <= ANSWER_LIMIT_MS
        and trace.p95_ms <= TRACE_LIMIT_MS,
    )


def _partition(layer: str, theirs: WntrSegments) -> Partition:
    parts = [Part(f"node:{name}", kind, name, "active", 0.0) for name, kind in theirs.nodes]
    joints = []
    for name, kind, length_m, start, end in theirs.links:
        parts.append(Part(f"link:{name}", kind, name, "open", length_m))
        joints += [(f"node:{start}", f"link:{name}"), (f"link:{name}", f"node:{end}")]
    seats = []
    for number, (link, node) in enumerate(theirs.valves):
        parts.append(Part(f"valve:{number}", "Valve", str(number), "open", 0.0, isolates=True))
        seats.append(Seat(f"valve:{number}", f"link:{link}", f"node:{node}", 0.0))
    seconds = []
    for _ in range(_TURNS):
        begun = time.perf_counter()
        pieces = Pieces(NETWORK, parts, joints, seats)
        seconds.append(time.perf_counter() - begun)
    ours = {frozenset(i for i in s.components if not i.startswith("valve:")) for s in pieces.segments}
    ours_s = statistics.median(seconds)
    return Partition(
        layer=layer,
        valves=len(seats),
        segments=len(pieces.segments),
        same=ours == theirs.partition,
        wntr_s=round(theirs.seconds, 3),
        ours_s=round(ours_s, 4),
        times_faster=round(theirs.seconds / ours_s, 1),
    )


def _answers(running: Running, layer: WntrSegments, say: Callable[[str], None]) -> Latency:
    say(f"Importing {NETWORK} and its valves.")
    accepted = running.client.post("/networks/samples", {"name": NETWORK})
    running.client.wait(str(accepted["job_id"]))
    ids = {
        (c["name"], c["type"] in ("Pipe", "Pump", "Valve")): str(c["id"]) for c in running.client.pages("/components")
    }
    valves = [
        {"id": f"bench-{number}", "pipe": ids[link, True], "near": ids[node, False], "diameter_m": 0.3}
        for number, (link, node) in enumerate(layer.valves)
    ]
    taken = running.client.post("/assets/import", {"network": NETWORK, "isolation_valves": valves})
    if taken["created"] != len(valves):
        raise RuntimeError(f"{len(valves) - taken['created']} valves were not taken: {taken}")
    draw = random.Random(_SEED)  # noqa: S311  # a choice of pipes, no secret
    pipes = draw.sample(sorted(i for (_, link), i in ids.items() if link), _ANSWERS)
    say("Isolating.")
    url = f"{running.url}/api/v1/networks/{NETWORK}/isolation"
    return latency(_timed(running, "POST", url, [{"json": {"component_id": pipe}} for pipe in pipes]))


def _traces(running: Running, folder: Path, say: Callable[[str], None]) -> tuple[Latency, int]:
    say("Importing a grid.")
    file = folder / "grid.inp"
    file.write_text(grid_inp(_SIDE), encoding="utf-8")
    accepted = running.client.upload("/networks", file, {"id": "grid"})
    running.client.wait(str(accepted["job_id"]))
    say("Tracing.")
    url = f"{running.url}/api/v1/components/{part('grid:reservoir:R')}/trace"
    asked = {"params": {"direction": "downstream"}}
    traced = len(running.client.get("/components/grid:reservoir:R/trace", direction="downstream")["trace"])
    return latency(_timed(running, "GET", url, [asked] * _TRACES)), traced


def _timed(running: Running, method: str, url: str, asked: list[dict[str, Any]]) -> list[float]:
    """Seconds of each request, all on one connection; the first tenth, in which caches fill, is left out."""
    seconds = []
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {running.token}"
        session.trust_env = False
        for one in (*asked[: max(2, len(asked) // 10)], *asked):
            begun = time.perf_counter()
            answer = session.request(method, url, timeout=60, **one)
            answer.json()
            seconds.append(time.perf_counter() - begun)
            answer.raise_for_status()
    return seconds[len(seconds) - len(asked) :]


def grid_inp(side: int) -> str:
    """A reservoir and a grid of side x side junctions as an INP file."""
    nodes = [f"J{r}_{c}" for r in range(side) for c in range(side)]
    ends = [(f"J{r}_{c}", f"J{r}_{c + 1}") for r in range(side) for c in range(side - 1)]
    ends += [(f"J{r}_{c}", f"J{r + 1}_{c}") for r in range(side - 1) for c in range(side)]
    pipes = [f"P{number} {a} {b} 100 300 120 0 Open" for number, (a, b) in enumerate([("R", "J0_0"), *ends])]
    places = [f"J{r}_{c} {100 * c} {100 * r}" for r in range(side) for c in range(side)]
    return "\n".join(
        (
            "[TITLE]", f"grid of {side} by {side}", "[JUNCTIONS]", *(f"{n} 10 0.001" for n in nodes),
            "[RESERVOIRS]", "R 80", "[PIPES]", *pipes, "[COORDINATES]", "R -100 0", *places,
            "[OPTIONS]", "Units LPS", "Headloss H-W", "[TIMES]", "Duration 0", "[END]", "",
        )
    )  # fmt: skip
