"""Simulation runs and their results."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from wnis_api.http.schemas.common import Id, Input, Moment, Output, Page, PageQuery
from wnis_api.http.schemas.components import Word


class RunKind(StrEnum):
    """What can be run."""

    HYDRAULIC = "hydraulic"
    SOURCE_TRACE = "source-trace"


class NewRun(Input):
    """A network to run under its file's demand model, for its own duration unless `duration_s` says otherwise."""

    network_id: Id
    kind: RunKind = RunKind.HYDRAULIC
    duration_s: Annotated[
        int | None,
        Field(ge=3_600, le=100 * 24 * 3_600, description="of a source trace only: how long the water is followed"),
    ] = None

    @field_validator("duration_s")
    @classmethod
    def _only_of_traces(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and info.data.get("kind") is not RunKind.SOURCE_TRACE:
            raise ValueError("goes with kind source-trace only: a hydraulic run lasts as long as its file says")
        return value


class RunAccepted(Output):
    """An accepted run."""

    job_id: str
    run_id: str


class RunQuery(PageQuery):
    """Filters of the list."""

    network_id: Word | None = None


class Quantity(StrEnum):
    """What can be asked of a node (pressure, head, demand) or a link (flow, velocity, headloss, status)."""

    PRESSURE = "pressure"
    HEAD = "head"
    DEMAND = "demand"
    FLOW = "flow"
    VELOCITY = "velocity"
    HEADLOSS = "headloss"
    STATUS = "status"


class ResultsQuery(Input):
    """A component and a quantity."""

    component_id: Word
    quantity: Quantity


class Series(Output):
    """Values over the simulated period."""

    unit: str
    times_s: list[float]
    values: list[float | str | None]


class RunAnswer(Output):
    """A run: engine, input, state."""

    id: str
    network: str
    kind: str
    engine: str
    engine_version: str
    state: str
    demand_model: str | None
    input_sha256: str | None
    network_revision: int | None
    warnings: list[str]
    error: str | None
    requested_by: str | None
    job_id: str | None
    created_at: Moment | None
    started_at: Moment | None
    finished_at: Moment | None
    duration_s: float | None
    steps: int | None


class Runs(Page):
    """Runs, latest first."""

    simulations: list[RunAnswer]
