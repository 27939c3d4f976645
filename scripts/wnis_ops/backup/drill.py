"""Proves that the newest set comes back: restores it into a home of its own, starts that, compares, and removes it."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from wnis_core.clock import iso, now
from wnis_core.errors import NotFound, Unavailable
from wnis_neo4j.local import free_port

from wnis_ops.backup import samples
from wnis_ops.backup.keys import FILE_VARIABLE, BackupKey, key_file
from wnis_ops.backup.place import Installation
from wnis_ops.backup.restore import Report, Restore
from wnis_ops.backup.sets import Say, Sets, newest
from wnis_ops.client import ApiClient
from wnis_ops.local.instance import start_detached, stop
from wnis_ops.local.options import UpOptions
from wnis_ops.place import Home

TARGETS_S = {"database": 4 * 3600, "api": 6 * 3600, "web": 8 * 3600, "models_and_vectors": 12 * 3600}
"""Within which time after a loss each part is to be back: the plan's targets."""

_ELSEWHERE = ("NEO4J_URI", "NEO4J_USER", "NEO4J_PASSWORD", "WNIS_SQL_URL", "WNIS_JOBS_URL", "REDIS_URL", "QDRANT_URL",
              "WNIS_OBJECT_STORE", "WNIS_JWT_SECRET", "WNIS_INTERNAL_SECRET", "WNIS_SIGNING_KEY", "WNIS_URL",
              "WNIS_TOKEN")  # fmt: skip
"""Variables that name parts of the running installation: a drill must reach none of them."""

_POLL_S = 0.2
_INDEX_LIMIT_S = 600.0


@dataclass(frozen=True)
class Drill:
    """How a drill went: seconds from its start until each part was back."""

    set_id: str
    report: Report
    seconds: dict[str, float]
    total_seconds: float

    def document(self) -> dict[str, Any]:
        """The drill as JSON."""
        stages = {
            name: {"seconds": took, "target_seconds": TARGETS_S[name], "within": took <= TARGETS_S[name]}
            for name, took in self.seconds.items()
        }
        return {
            "ok": self.report.ok,
            "set": self.set_id,
            "stages": stages,
            "seconds": self.total_seconds,
            "report": self.report.document(),
        }


def drill(home: Home, environ: Mapping[str, str], key: BackupKey, sets: Sets, say: Say) -> Drill:
    """Restore the newest good set of `sets` and compare.

    Raises
    ------
    NotFound
        there is no good set
    WnisError
        it does not come back
    """
    found = newest(sets, key)
    if found is None:
        raise NotFound(f"There is no good set at {sets.location}.", mend="Make one with `wnis backup`.")
    for left in (home.path / "backup").glob("drill-*"):
        # of a drill that was killed
        stop(Home(left))
        shutil.rmtree(left, ignore_errors=True)
    scratch = home.path / "backup" / f"drill-{os.getpid()}"
    clean = {k: v for k, v in environ.items() if k not in _ELSEWHERE and k.removesuffix("_FILE") not in _ELSEWHERE}
    clean |= {"WNIS_HOME": str(scratch), FILE_VARIABLE: str(key_file(home, environ)), "WNIS_ENV": "development"}
    if "wnis_job" in found.sql["accounts"]:
        clean["WNIS_JOBS_URL"] = f"sqlite:///{scratch / 'sql' / 'wnis.sqlite'}"
    elif "jobs" in found.sql:
        clean["WNIS_JOBS_URL"] = f"sqlite:///{scratch / 'sql' / 'jobs.sqlite'}"
    began = time.monotonic()
    into = Installation.of(Home(scratch), clean)
    try:
        report = Restore(into, key, sets, found.set_id, say).run()
        seconds = {"database": round(time.monotonic() - began, 2)}
        with started(into, say, began) as (client, stages):
            compare_answers(client, found.samples, report, say)
            seconds |= stages
        report.finished_at = iso(now()) or ""
    finally:
        stop(Home(scratch))
        shutil.rmtree(scratch, ignore_errors=True)
    return Drill(found.set_id, report, seconds, round(time.monotonic() - began, 2))


def compare_answers(client: ApiClient, taken: dict[str, dict[str, Any]], report: Report, say: Say) -> None:
    """Ask again what was asked at the cut, and look whether models answer and the index is whole."""
    say(f"Comparing {len(taken)} answers of the API.")
    report.samples = len(taken)
    report.different = samples.differences(client, taken)
    client.require_ready()
    report.checks["index: every incident is in it"] = client.get("/index")["indexed"] == _incidents(client)


@contextmanager
def started(into: Installation, say: Say, began: float) -> Iterator[tuple[ApiClient, dict[str, float]]]:
    """The restored home running, and when (seconds after `began`) API, web page, and models with vectors were there."""
    stages: dict[str, float] = {}
    port, over = free_port(), threading.Event()

    def watch() -> None:
        # two separate questions: the page may be served by another program
        wanted = {"api": "/health", "web": "/"}
        while wanted and not over.wait(_POLL_S):
            for name, path in list(wanted.items()):
                try:
                    if requests.get(f"http://127.0.0.1:{port}{path}", timeout=2).ok:
                        stages[name] = round(time.monotonic() - began, 2)
                        del wanted[name]
                except requests.RequestException:
                    break

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    say("Starting what was restored.")
    try:
        state = start_detached(into.home, UpOptions(port=port), into.environ, say).status
        client = ApiClient(str(state.url), into.home.token_file.read_text(encoding="utf-8").strip())
        _await_index(client)
        stages["models_and_vectors"] = round(time.monotonic() - began, 2)
        watcher.join(10)
        yield client, stages
    finally:
        over.set()
        watcher.join()
        stop(into.home)


def _await_index(client: ApiClient) -> None:
    """The index of incidents is derived: it is built anew from the graph."""
    until, wanted = time.monotonic() + _INDEX_LIMIT_S, _incidents(client)
    while time.monotonic() < until:
        state = client.get("/index")
        if state["pending"] == 0 and state["indexed"] == wanted:
            return
        time.sleep(_POLL_S)
    raise Unavailable("The index of incidents was not rebuilt within 10 minutes.", mend="See the log of ml.")


def _incidents(client: ApiClient) -> int:
    cypher = "MATCH (i:Incident {utility: $utility}) RETURN count(i) AS incidents"
    return int(client.post("/graph/query", {"cypher": cypher, "parameters": {}})["rows"][0][0])
