"""Jobs of the services, as the graph knows them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from wnis_core.errors import NotFound

from wnis_graph.paging import Page, checked_limit, page_of, start_after
from wnis_graph.queries import jobs
from wnis_graph.queries.jobs import Job
from wnis_graph.runner import Runner
from wnis_graph.schema.model import SCHEMA
from wnis_graph.scope import Scope

if TYPE_CHECKING:  # the view's module brings SQL along, which a reader of the graph does not need
    from wnis_core.job_store import JobView

__all__ = ["Job", "JobRepository"]

_ORDER = "jobs"


class JobRepository:
    """The projection of durable jobs; the executing service owns the jobs themselves."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        # the teller of a job repeats its news until they are taken; whoever submits a job waits for an answer
        self._teller = runner.impatient()

    def record(self, scope: Scope, view: JobView) -> None:
        """Take over the news of a job; late and repeated news change nothing."""
        properties = {
            "kind": view.kind,
            "service": view.service,
            "state": view.state,
            "progress": float(view.progress),
            "message": view.message,
            "result_json": None if view.result is None else json.dumps(view.result, ensure_ascii=False),
            "error_json": None if view.error is None else json.dumps(view.error, ensure_ascii=False),
            "requested_by": view.requested_by,
            "created_at": view.created_at,
            "finished_at": view.finished_at,
        }
        SCHEMA.require("Job", properties | {"id": view.id, "utility": scope.utility})
        self._teller.run(scope, jobs.RECORD, id=view.id, properties=properties)

    def get(self, scope: Scope, job_id: str) -> Job:
        """The job, or NotFound."""
        found = self._runner.run_one(scope, jobs.GET, id=job_id)
        if found is None:
            raise NotFound(f"There is no job {job_id!r}.")
        return found

    def list(
        self,
        scope: Scope,
        *,
        kind: str | None = None,
        state: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Job]:
        """Jobs, the latest first."""
        limit = checked_limit(limit)
        rows = self._runner.run(
            scope, jobs.LIST, kind=kind, state=state, limit=limit + 1, **start_after(cursor, _ORDER)
        )
        return page_of(rows, limit, _ORDER, lambda job: (job.created_at, job.id))
