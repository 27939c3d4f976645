"""What came back: one record a request, and what the figures make of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RECORD = np.dtype(
    [("endpoint", "u1"), ("kind", "u1"), ("ended", "f8"), ("seconds", "f8"), ("timed", "?"), ("counted", "?")]
)
"""Numbers of endpoint and kind, the monotonic clock at the end, the duration; whether the request was begun within the
time that is measured, and whether it ended within it."""

ORDERLY = frozenset({"429 with Retry-After", "503 with Retry-After"})
"""How a server that has enough to do may refuse."""


def is_good(kind: str) -> bool:
    """Whether a request of this kind was answered as asked."""
    return kind[:1] in ("2", "3") and kind.isdigit()


@dataclass(frozen=True)
class Figures:
    """Of one block or of one endpoint in it: requests a second that were answered well, and how long those took.

    `requests`, latencies and `errors` are of the requests begun within the measured time, however late they ended: the
    slowest would be missing otherwise. `per_s` is of those that ended within it. `errors` counts every request that
    was not answered well by kind: a status, ``timeout``, ``connection refused``, ...
    """

    requests: int
    per_s: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    errors: Mapping[str, int]

    @property
    def failed(self) -> int:
        """All requests that were not answered well."""
        return sum(self.errors.values())

    @property
    def disorderly(self) -> int:
        """Those among them that were not refused with a word on when to come back."""
        return sum(count for kind, count in self.errors.items() if kind not in ORDERLY)


@dataclass(frozen=True)
class Records:
    """All requests of one block, of all processes.

    Parameters
    ----------
    rows : array of `RECORD`
    endpoints, kinds : what its numbers mean
    busy_share : processor time of the busiest process of the generator by elapsed time; near 1 the generator itself
        was the limit
    unfinished : clients that had no answer long after the end
    """

    rows: NDArray[Any]
    endpoints: tuple[str, ...]
    kinds: tuple[str, ...]
    busy_share: float
    unfinished: int

    def between(self, start: float, end: float) -> Records:
        """Those that ended within these moments of the monotonic clock."""
        ended = self.rows["ended"]
        return self._with(self.rows[(ended >= start) & (ended < end)])

    def measured(self, start: float, end: float) -> Records:
        """Those that began or ended within these moments, marked so."""
        ended = self.rows["ended"]
        began = ended - self.rows["seconds"]
        timed, counted = (began >= start) & (began < end), (ended >= start) & (ended < end)
        rows = self.rows.copy()
        rows["timed"], rows["counted"] = timed, counted
        return self._with(rows[timed | counted])

    def of_endpoint(self, name: str) -> Records:
        """Those of one endpoint."""
        return self._with(self.rows[self.rows["endpoint"] == self.endpoints.index(name)])

    def figures(self, duration_s: float) -> Figures:
        """What counts, over `duration_s` seconds."""
        good = np.isin(self.rows["kind"], [n for n, kind in enumerate(self.kinds) if is_good(kind)])
        timed, counted = self.rows["timed"], self.rows["counted"]
        milliseconds = self.rows["seconds"][good & timed] * 1000
        percentiles = np.percentile(milliseconds, [50, 95, 99, 100]) if milliseconds.size else [None] * 4
        p50, p95, p99, longest = (None if p is None else round(float(p), 3) for p in percentiles)
        errors = {
            kind: int(np.count_nonzero((self.rows["kind"] == number) & timed))
            for number, kind in enumerate(self.kinds)
            if not is_good(kind)
        }
        return Figures(
            requests=int(np.count_nonzero(timed)),
            per_s=round(int(np.count_nonzero(good & counted)) / duration_s, 2),
            p50_ms=p50,
            p95_ms=p95,
            p99_ms=p99,
            max_ms=longest,
            errors={kind: count for kind, count in sorted(errors.items()) if count},
        )

    def _with(self, rows: NDArray[Any]) -> Records:
        return Records(rows, self.endpoints, self.kinds, self.busy_share, self.unfinished)


def joined(parts: list[Records]) -> Records:
    """The records of several processes as one; their numbers of kinds may differ."""
    kinds = tuple(sorted({kind for one in parts for kind in one.kinds}))
    rows = []
    for one in parts:
        renumbered = one.rows.copy()
        if one.kinds:
            renumbered["kind"] = np.array([kinds.index(kind) for kind in one.kinds], dtype="u1")[one.rows["kind"]]
        rows.append(renumbered)
    return Records(
        np.concatenate(rows),
        parts[0].endpoints,
        kinds,
        max(one.busy_share for one in parts),
        sum(one.unfinished for one in parts),
    )
