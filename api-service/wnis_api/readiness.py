"""Which parts of the system answer; asked at most every two seconds."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass

from wnis_core.errors import WnisError
from wnis_core.metrics import ACTIVE_SESSIONS, ACTIVE_USERS, COMPONENT_HEALTH

from wnis_api.sessions import Sessions

_KEPT_S = 2.0
_PATIENCE_S = 4.0
NEEDED = ("neo4j", "sql")
CLOCKS_MAY_DIFFER_S = 5.0
"""From here on a difference between this machine's clock and the graph's is worth a warning."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Readiness:
    """``ready``, ``degraded`` (a part that some requests need is down) or ``down`` (nothing works).

    Parameters
    ----------
    warnings : what works and is wrong all the same, in sentences
    """

    status: str
    parts: Mapping[str, bool]
    warnings: tuple[str, ...] = ()


class ReadinessProbe:
    """Asks all parts at once and keeps the answer for a moment, so that probes cannot load the parts.

    Parameters
    ----------
    probes : one question for each part; it answers whether the part is well
    clock_ahead_s : by how much the clock of this machine is ahead of the graph's
    """

    def __init__(
        self, probes: Mapping[str, Callable[[], bool]], sessions: Sessions, clock_ahead_s: Callable[[], float]
    ) -> None:
        self._probes = dict(probes)
        self._clock_ahead_s = clock_ahead_s
        self._sessions = sessions
        self._lock = threading.Lock()
        self._asked_at = 0.0
        self._known = Readiness("down", dict.fromkeys(probes, False))

    def ask(self) -> Readiness:
        """The present state; also sets the gauges of the metrics."""
        with self._lock:
            if time.monotonic() - self._asked_at > _KEPT_S:
                self._known = self._look()
                self._asked_at = time.monotonic()
            return self._known

    def _look(self) -> Readiness:
        pool = ThreadPoolExecutor(len(self._probes) + 1, thread_name_prefix="ready")
        clock = pool.submit(self._clock_ahead_s)
        asked = {name: pool.submit(probe) for name, probe in self._probes.items()}
        until = time.monotonic() + _PATIENCE_S
        parts: dict[str, bool] = {}
        for name, answer in asked.items():
            try:
                parts[name] = answer.result(timeout=max(0.0, until - time.monotonic()))
            except (TooSlow, Exception):  # whatever a probe raises, its part is not well
                parts[name] = False
        try:
            warnings = _about_clocks(clock.result(timeout=max(0.0, until - time.monotonic())))
        except (TooSlow, WnisError):
            # a graph that does not answer has its own line
            warnings = ()
        pool.shutdown(wait=False)
        if warnings and not self._known.warnings:
            log.warning("%s", warnings[0])
        for name, well in parts.items():
            COMPONENT_HEALTH.labels(name).set(1 if well else 0)
        if parts["sql"]:
            users, sessions = self._sessions.count_in_force()
            ACTIVE_USERS.set(users)
            ACTIVE_SESSIONS.set(sessions)
        if not all(parts[name] for name in NEEDED):
            return Readiness("down", parts, warnings)
        return Readiness("ready" if all(parts.values()) else "degraded", parts, warnings)


def _about_clocks(ahead_s: float) -> tuple[str, ...]:
    if abs(ahead_s) <= CLOCKS_MAY_DIFFER_S:
        return ()
    where = "ahead of" if ahead_s > 0 else "behind"
    return (f"The clock of this machine is {abs(ahead_s):.0f} s {where} the graph's: have NTP set both.",)
