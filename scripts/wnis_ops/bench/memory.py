"""Idle memory of the running instance, process by process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psutil
from wnis_core.errors import Unavailable

from wnis_ops.local.instance import status
from wnis_ops.place import Home

LIMIT_MB = 2500.0
_MB = 1e6


@dataclass(frozen=True)
class ProcessMemory:
    """One process; `pss_mb` shares out pages that several processes map (Linux only, else the resident size)."""

    service: str
    pid: int
    rss_mb: float
    pss_mb: float


@dataclass(frozen=True)
class MemoryUse:
    """All processes of an instance; pages shared between them count once in `pss_mb`, each time in `rss_mb`."""

    processes: list[ProcessMemory]
    rss_mb: float
    pss_mb: float
    limit_mb: float
    within: bool


def measure(home: Home) -> MemoryUse:
    """What the instance on `home` uses now; within the limit by the stricter of the two sums.

    Raises
    ------
    Unavailable
        none runs
    """
    now = status(home)
    if now.state != "ready":
        raise Unavailable(f"The instance on {home.path} is not ready.", mend="Start it with `wnis up`.")
    found = [one for service, pid in sorted(now.pids.items()) for one in _family(service, pid)]
    # the watchdog and the services are children of the supervisor: each process is listed once, by its nearest name
    nearest = {one.pid: one for one in sorted(found, key=lambda p: p.service != "supervisor")}
    processes = sorted(nearest.values(), key=lambda p: (p.service, p.pid))
    rss_mb = sum(p.rss_mb for p in processes)
    return MemoryUse(
        processes, round(rss_mb, 1), round(sum(p.pss_mb for p in processes), 1), LIMIT_MB, rss_mb <= LIMIT_MB
    )


def _family(service: str, pid: int) -> Iterator[ProcessMemory]:
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.Error:
        return
    for process in family:
        try:
            used = process.memory_full_info()
        except psutil.Error:
            continue
        yield ProcessMemory(
            service, process.pid, round(used.rss / _MB, 1), round(getattr(used, "pss", used.rss) / _MB, 1)
        )
