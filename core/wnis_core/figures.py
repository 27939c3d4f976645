"""Figures that ``/metrics`` looks up when it is asked, as against counters that grow as things happen.

A scrape may come every second and from several Prometheis, and what is looked at may hang: each look-up is kept for a
while, runs in a thread, and an answer waits for it no longer than `patience_s`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

log = logging.getLogger(__name__)

_OLDEST_S = 120.0
"""Figures older than this (beyond the time for which they are kept on purpose) are withheld."""


@dataclass(frozen=True)
class LookUp:
    """Some figures and for how long they are good enough.

    Parameters
    ----------
    look : whatever it raises means that the figures cannot be had now
    """

    name: str
    look: Callable[[], Iterable[Metric]]
    kept_s: float


@dataclass
class _Known:
    at: float = float("-inf")
    up: bool = False
    metrics: list[Metric] = field(default_factory=list)
    asked: Future[None] | None = None


class Figures(Collector):
    """The figures of some look-ups; says of each in ``wnis_figures_up`` whether its last look succeeded.

    Parameters
    ----------
    patience_s : how long an answer waits for them
    again_s : after how long one that failed is tried again, even if its figures would be kept for longer
    """

    def __init__(self, look_ups: Sequence[LookUp], *, patience_s: float = 4.0, again_s: float = 10.0) -> None:
        self._known = {look_up: _Known() for look_up in look_ups}
        self._patience_s = patience_s
        self._again_s = again_s
        self._pool = ThreadPoolExecutor(max(1, len(look_ups)), thread_name_prefix="figures")

    def collect(self) -> Iterator[Metric]:
        """The figures, new or as they were at the last look."""
        asked = []
        for look_up, known in self._known.items():
            running = known.asked is not None and not known.asked.done()
            good_for_s = look_up.kept_s if known.up else min(look_up.kept_s, self._again_s)
            if not running and time.monotonic() - known.at >= good_for_s:
                known.asked = self._pool.submit(self._look, look_up, known)
            if known.asked is not None:
                asked.append(known.asked)
        late = wait(asked, timeout=self._patience_s).not_done
        answered = GaugeMetricFamily("wnis_figures_up", "1 when these figures could be looked up", labels=["figures"])
        for look_up, known in self._known.items():
            old = time.monotonic() - known.at > look_up.kept_s + _OLDEST_S
            answered.add_metric([look_up.name], float(known.up and known.asked not in late))
            if not old:
                yield from known.metrics
        yield answered

    @staticmethod
    def _look(look_up: LookUp, known: _Known) -> None:
        try:
            known.metrics, known.up = list(look_up.look()), True
        except Exception as error:  # a figure that cannot be had must not take the others with it
            log.warning("The figures %s could not be looked up: %s", look_up.name, error)
            known.metrics, known.up = [], False
        known.at = time.monotonic()
