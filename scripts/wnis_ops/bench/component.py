"""`GET /components/{id}` beside the query that it runs: what the API adds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from wnis_graph.queries.components import GET
from wnis_graph.runner import open_driver
from wnis_graph.scope import DEFAULT_UTILITY

from wnis_ops.bench.bare_server import bare_view, graph_of
from wnis_ops.bench.instances import Running, instance, temporary_home
from wnis_ops.bench.load import Latency, latency, requests_per_second, timed_requests

NETWORK = "Net3"
ADDED_LIMIT_MS = 5.0
SHARE_LIMIT = 0.5
_CLIENTS = 16
_WARM_UP = 10_000
_ROUNDS = 5
_RATE_ROUNDS = 15
"""Turns of a second: what else the machine does falls on single ones, and the middle of their ratios leaves it out."""
_UNTIMED = 20
"""What begins a turn: new connections, and caches that the other one has emptied."""


@dataclass(frozen=True)
class ComponentCost:
    """One client: milliseconds. Sixteen clients: requests a second, of the API and of a bare Flask view.

    Parameters
    ----------
    share : of the bare view's requests a second, the middle of the ratios of turns that followed each other
    share_low, share_high : between them half of these ratios lie
    """

    driver: Latency
    api: Latency
    added_p95_ms: float
    added_limit_ms: float
    bare_view_per_s: float
    api_per_s: float
    share: float
    share_low: float
    share_high: float
    share_limit: float
    within: bool


def measure(say: Callable[[str], None], requests_each: int = 1000) -> ComponentCost:
    """On an instance of its own with the network Net3."""
    with temporary_home() as home, instance(home, say) as running:
        accepted = running.client.post("/networks/samples", {"name": NETWORK})
        running.client.wait(str(accepted["job_id"]))
        ids = sorted(str(c["id"]) for c in running.client.pages("/components"))[::3][:50]
        api_url = f"{running.url}/api/v1"
        # a server in service is warm; and in short turns, as whoever is measured last has the better of its JIT
        say("Warming up.")
        for _ in range(10):
            timed_requests(api_url, running.token, ids, _WARM_UP // 10)
        say("One client.")
        of_api: list[float] = []
        of_driver: list[float] = []
        for _ in range(_ROUNDS):
            of_api += timed_requests(api_url, running.token, ids, _UNTIMED + requests_each // _ROUNDS)[_UNTIMED:]
            of_driver += _driver_seconds(running, ids, requests_each // _ROUNDS)
        api, driver = latency(of_api), latency(of_driver)
        say("Sixteen clients.")
        rates: dict[str, list[float]] = {"api": [], "bare": []}
        with bare_view(running.home) as url:
            for _ in range(_RATE_ROUNDS):
                for name, at, token in (("api", api_url, running.token), ("bare", url, "")):
                    rates[name].append(requests_per_second(at, token, ids, clients=_CLIENTS, each=requests_each // 20))
        api_per_s, bare_per_s = statistics.median(rates["api"]), statistics.median(rates["bare"])
        low, share, high = statistics.quantiles(
            [ours / theirs for ours, theirs in zip(rates["api"], rates["bare"], strict=True)], n=4
        )
    added_ms = api.p95_ms - driver.p95_ms
    return ComponentCost(
        driver=driver,
        api=api,
        added_p95_ms=round(added_ms, 3),
        added_limit_ms=ADDED_LIMIT_MS,
        bare_view_per_s=round(bare_per_s, 1),
        api_per_s=round(api_per_s, 1),
        share=round(share, 3),
        share_low=round(low, 3),
        share_high=round(high, 3),
        share_limit=SHARE_LIMIT,
        within=added_ms <= ADDED_LIMIT_MS and share >= SHARE_LIMIT,
    )


def _driver_seconds(running: Running, ids: list[str], count: int) -> list[float]:
    uri, password = graph_of(running.home)
    seconds = []
    with open_driver(uri, "neo4j", password) as driver:
        for number in range(_UNTIMED + count):
            asked = {"id": ids[number % len(ids)], "utility": DEFAULT_UTILITY}
            begun = time.perf_counter()
            with driver.session() as session:
                list(session.run(GET.cypher, asked))
            seconds.append(time.perf_counter() - begun)
    return seconds[_UNTIMED:]
