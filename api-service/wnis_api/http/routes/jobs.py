"""Jobs: the list from the graph's projection, one of them from the service that owns it."""

from __future__ import annotations

from urllib.parse import quote

from wnis_core.errors import NotFound, Unavailable
from wnis_core.service_client import ServiceClient

from wnis_api.http.route import Call, Nothing, Role, Route, roles
from wnis_api.http.schemas.jobs import JobAnswer, JobQuery, Jobs
from wnis_api.parts import Parts

_ENDED = frozenset({"succeeded", "failed", "cancelled"})


def list_jobs(parts: Parts, call: Call[JobQuery, None]) -> Jobs:
    asked = call.query
    page = parts.jobs.list(call.scope, kind=asked.kind, state=asked.state, limit=asked.limit, cursor=asked.cursor)
    return Jobs(jobs=[JobAnswer.model_validate(job) for job in page.rows], next_cursor=page.next_cursor)


def show_job(parts: Parts, call: Call[Nothing, None]) -> JobAnswer:
    job_id = call.id()
    try:
        known = parts.jobs.get(call.scope, job_id)
    except NotFound:
        return _ask_all(parts, call, job_id, "GET", "")
    if known.state in _ENDED:
        return JobAnswer.model_validate(known)
    return _ask(_owner(parts, known.service), call, job_id, "GET", "")


def cancel_job(parts: Parts, call: Call[Nothing, None]) -> JobAnswer:
    job_id = call.id()
    try:
        known = parts.jobs.get(call.scope, job_id)
    except NotFound:
        return _ask_all(parts, call, job_id, "POST", "/cancel")
    return _ask(_owner(parts, known.service), call, job_id, "POST", "/cancel")


def _owner(parts: Parts, service: str) -> ServiceClient:
    return parts.simulator if service == "simulator" else parts.ml


def _ask(service: ServiceClient, call: Call[Nothing, None], job_id: str, method: str, verb: str) -> JobAnswer:
    job = service.call(call.internal, method, f"/jobs/{quote(job_id, safe='')}{verb}", timeout_s=10)
    return JobAnswer.model_validate(job)


def _ask_all(parts: Parts, call: Call[Nothing, None], job_id: str, method: str, verb: str) -> JobAnswer:
    # not projected yet, or unknown: the owners say; one that is down may be the owner
    silent: Unavailable | None = None
    for service in (parts.simulator, parts.ml):
        try:
            return _ask(service, call, job_id, method, verb)
        except NotFound:
            continue
        except Unavailable as error:
            silent = error
    raise silent or NotFound(f"There is no job {job_id!r}.")


_TAG = "jobs"

ROUTES: tuple[Route, ...] = (
    Route("GET", "/jobs", list_jobs, "List jobs", _TAG, query=JobQuery, answer=Jobs),
    Route("GET", "/jobs/{id}", show_job, "One job", _TAG, answer=JobAnswer),
    Route("POST", "/jobs/{id}/cancel", cancel_job, "Cancel a job", _TAG,
          roles(Role.ENGINEER, Role.ANALYST, Role.MANAGER),
          answer=JobAnswer, errors=(409,), action="job.cancel",
          description="Its child processes are killed; what it wrote until then is as if it never ran."),
)  # fmt: skip
