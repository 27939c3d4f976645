"""Waits for its parent to go and then ends what the parent started; see `processes.Watchdog`."""

from __future__ import annotations

import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from wnis_neo4j.processes import ProcessMark

    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    guarded = []
    for line in sys.stdin:
        pid, started_at = line.split()
        guarded.append(ProcessMark(int(pid), float(started_at)))
    left = [mark for mark in guarded if mark.alive()]
    with ThreadPoolExecutor(max(1, len(left))) as pool:
        list(pool.map(ProcessMark.end, left))
