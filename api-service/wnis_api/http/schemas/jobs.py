"""Jobs of the services."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from wnis_api.http.schemas.common import NO_NUL, Moment, Output, Page, PageQuery

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class JobQuery(PageQuery):
    """Filters of the list."""

    kind: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=NO_NUL)] | None = None
    state: State | None = None


class JobAnswer(Output):
    """A durable job; `error` is the problem document of a failed one."""

    id: str
    kind: str
    service: str
    state: State
    progress: float = Field(ge=0, le=1)
    message: str
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    requested_by: str
    created_at: Moment
    finished_at: Moment | None


class Jobs(Page):
    """Jobs, latest first."""

    jobs: list[JobAnswer]
