"""Processor time of the services: what a request costs, also where other work takes turns on the same processors."""

from __future__ import annotations

from collections.abc import Mapping

import psutil

from wnis_ops.local.instance import status
from wnis_ops.place import Home


def processor_seconds(home: Home | None) -> Mapping[str, float]:
    """Seconds that each service of the instance on `home` has used so far; nothing without a home."""
    if home is None:
        return {}
    seconds: dict[str, float] = {}
    for service, pid in status(home).pids.items():
        # the services are children of the supervisor
        if service == "supervisor":
            continue
        try:
            root = psutil.Process(pid)
            family = [root, *root.children(recursive=True)]
        except psutil.Error:
            continue
        for process in family:
            try:
                times = process.cpu_times()
            except psutil.Error:
                continue
            seconds[service] = seconds.get(service, 0.0) + times.user + times.system
    return seconds


def per_request_ms(before: Mapping[str, float], after: Mapping[str, float], requests: int) -> dict[str, float]:
    """Milliseconds a request between two such readings, by service."""
    if not requests:
        return {}
    return {
        service: round((after[service] - before[service]) / requests * 1000, 3)
        for service in sorted(after)
        if service in before and after[service] >= before[service]
    }
