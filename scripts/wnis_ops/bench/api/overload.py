"""An overload: a level, many times as many clients, and the level again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

import numpy as np
from wnis_core.errors import Unavailable

from wnis_ops.bench import memory
from wnis_ops.bench.api.config import Stage
from wnis_ops.bench.api.generator import Generator
from wnis_ops.bench.api.records import ORDERLY, Records, is_good, joined
from wnis_ops.bench.api.report import MemoryPoint, OverloadReport, Second
from wnis_ops.place import Home

_SAMPLE_S = 2.0
_IN_A_ROW = 2


class MemoryWatch:
    """Samples the memory of the services on `home` while it is entered; nothing without a home."""

    def __init__(self, home: Home | None) -> None:
        self._home = home
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="memory", daemon=True)
        self.samples: list[tuple[float, dict[str, float]]] = []

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        while self._home is not None and not self._ended.wait(_SAMPLE_S if self.samples else 0):
            try:
                found = memory.measure(self._home)
            except Unavailable:
                # the gap is seen in the report
                continue
            of: dict[str, float] = {}
            for process in found.processes:
                of[process.service] = round(of.get(process.service, 0.0) + process.pss_mb, 1)
            self.samples.append((time.monotonic(), of))


def overload(
    generator: Generator, stage: Stage, names: list[str], home: Home | None, say: Callable[[str], None]
) -> tuple[OverloadReport, Records]:
    """Run the stage; also returns all records of the overload itself."""
    clients = stage.clients * stage.times
    with MemoryWatch(home) as watch:
        say(f"{stage.name}: {stage.clients} clients before.")
        before = generator.block(
            "api", names, stage.clients, stage.before_s, ramp_s=stage.ramp_s, think=stage.think_time
        )
        say(f"{stage.name}: {clients} clients for {stage.duration_s:g} s.")
        during = generator.block("api", names, clients, stage.duration_s, ramp_s=stage.ramp_s, think=stage.think_time)
        say(f"{stage.name}: {stage.clients} clients after.")
        after = generator.block("api", names, stage.clients, stage.after_s, think=stage.think_time)
    of_before = before.records.measured(before.measured_from, before.ended_at)
    of_during = during.records.measured(during.measured_from, during.ended_at)
    began, ended = during.measured_from, during.ended_at
    # all that ended after the overload counts for the recovery, also what had been asked during it
    everything = joined([before.records, during.records, after.records])
    level_ms = _level(before.records, before.measured_from, before.ended_at)
    points = [(at - began, of) for at, of in watch.samples]
    totals = [(at, sum(of.values())) for at, of in points]
    memory_before = [mb for at, mb in totals if at < 0]
    report = OverloadReport(
        clients=clients,
        before=of_before.figures(stage.before_s),
        during=of_during.figures(stage.duration_s),
        after=after.records.measured(after.measured_from, after.ended_at).figures(stage.after_s),
        offered_per_s=round(of_during.figures(1.0).requests / stage.duration_s, 1),
        level_ms=level_ms,
        recovery_s=_recovery(everything, ended, after.ended_at, level_ms),
        memory_before_mb=round(memory_before[-1], 1) if memory_before else None,
        memory_peak_mb=round(max(mb for _, mb in totals), 1) if totals else None,
        memory_after_mb=round(totals[-1][1], 1) if totals else None,
        seconds=_seconds(everything, before.measured_from, began, after.ended_at),
        memory=tuple(MemoryPoint(round(at, 1), of) for at, of in points),
    )
    return report, joined([before.records, during.records, after.records])


def _level(records: Records, start: float, end: float) -> float | None:
    found = [
        p95 for at in np.arange(start, end - 0.999, 1.0) if (p95 := _p95_ms(records.between(at, at + 1))) is not None
    ]
    return max(found) if found else None


def _recovery(records: Records, ended: float, until: float, level_ms: float | None) -> float | None:
    if level_ms is None:
        return None
    row = 0
    for step in range(int(until - ended)):
        p95 = _p95_ms(records.between(ended + step, ended + step + 1))
        row = row + 1 if p95 is not None and p95 <= level_ms else 0
        if row == _IN_A_ROW:
            return float(step + 1 - _IN_A_ROW)
    return None


def _seconds(records: Records, start: float, began: float, until: float) -> tuple[Second, ...]:
    found = []
    for at in range(-int(began - start), int(until - began)):
        of = records.between(began + at, began + at + 1)
        kinds = [of.kinds[number] for number in of.rows["kind"]]
        good = sum(is_good(kind) for kind in kinds)
        refused = sum(kind in ORDERLY for kind in kinds)
        found.append(Second(at, good, refused, len(kinds) - good - refused, _p95_ms(of)))
    return tuple(found)


def _p95_ms(records: Records) -> float | None:
    return records.figures(1.0).p95_ms
