"""A process that executes durable jobs, for tests that kill it.

``python -m tests.component.core.job_host DATABASE_URL FOLDER JOB [SECONDS]``: submits JOB when SECONDS are given, and
serves until it is killed. Each start of the body leaves a line in FOLDER/starts, each end one in FOLDER/ends, each
state told to the sink one in FOLDER/told.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from wnis_core.jobs import JobContext, JobEngine, JobView
from wnis_core.tokens import Caller


def main() -> None:
    url, folder, job = sys.argv[1], Path(sys.argv[2]), sys.argv[3]

    def note(file: str, line: str) -> None:
        with (folder / file).open("a") as target:
            target.write(line + "\n")

    def wait(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
        note("starts", context.job_id)
        until = time.monotonic() + float(arguments["seconds"])
        while time.monotonic() < until:
            context.raise_if_cancelled()
            time.sleep(0.02)
        note("ends", context.job_id)
        return {"slept_s": arguments["seconds"]}

    def tell(view: JobView) -> None:
        note("told", f"{view.id} {view.state}")

    engine = JobEngine(service="host", database_url=url, executor_id="one", home=folder, sink=tell)
    engine.register("wait", wait)
    engine.launch()
    if len(sys.argv) > 4:
        caller = Caller("north", "ada", frozenset({"engineer"}), "request-1")
        engine.submit("wait", {"seconds": float(sys.argv[4])}, job, caller)
    note("up", "up")
    while True:
        time.sleep(1)


if __name__ == "__main__":
    main()
