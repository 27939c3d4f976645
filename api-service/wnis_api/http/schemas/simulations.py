"""Simulation runs and their results."""

from __future__ import annotations

from enum import StrEnum

from wnis_api.http.schemas.common import Id, Input, Moment, Output, Page, PageQuery
from wnis_api.http.schemas.components import Word


class RunKind(StrEnum):
    """What can be run."""

    HYDRAULIC = "hydraulic"


class NewRun(Input):
    """A network to run for its own duration under its file's demand model."""

    network_id: Id
    kind: RunKind = RunKind.HYDRAULIC


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
