"""Simulation runs and their results."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from wnis_api.http.schemas.common import Id, Input, Output, PageQuery
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
    values: list[Annotated[float | str | None, Field()]]
