"""Isolation: what to close, who is without water, which valves matter."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from wnis_api.http.schemas.common import Id, Input, Moment, Output, Page


class IsolationQuestion(Input):
    """A break."""

    component_id: Id = Field(description="a pipe, pump, valve or node of the network")
    offset_m: Annotated[float, Field(ge=0)] | None = Field(
        default=None,
        description="place on a pipe, from its start node; without it a pipe that valves split means all its segments",
    )
    inoperable_valves: Annotated[list[Id], Field(max_length=10_000)] = Field(
        default_factory=list, description="isolation valves that cannot be closed"
    )


class SegmentRef(Output):
    """What is shut off: `id` is the segment of the break, `ids` are all when several are."""

    id: str
    ids: list[str]
    components: list[str]


class ValveStep(Output):
    """A valve to close; a valve between two nodes has no pipe."""

    id: str
    name: str
    distance_m: float = Field(description="along the pipes, from the break or from the middle of the component")
    pipe: str | None
    near: str | None
    offset_m: float | None


class TankAnswer(Output):
    """A tank that no reservoir fills afterwards; null: nobody takes its water."""

    id: str
    lasts_s: float | None


class WorstValveAnswer(Output):
    """The valve whose being inoperable would hurt most."""

    id: str
    added_customers: int
    added_demand_m3s: float


class DemandsAnswer(Output):
    """Where demands came from: mean demands of a run, or base demands where `run_id` is null."""

    run_id: str | None
    finished_at: Moment | None
    stale: bool


class IsolationAnswer(Output):
    """What to close for a break, and who is without water then."""

    network_id: str
    revision: int = Field(description="revision of the network that was asked")
    component_id: str
    offset_m: float | None
    valves: list[str] = Field(description="to close, the nearest to the break first")
    valve_details: list[ValveStep] = Field(description="the same in the same order, with their places")
    already_closed: list[str] = Field(description="valves around the part that are closed as they stand")
    inoperable_valves: list[str] = Field(description="given ones, those out of service, and a broken valve itself")
    segment: SegmentRef
    sources_inside: list[str] = Field(description="sources that no valve parts from the break: shut them themselves")
    isolated: list[str] = Field(description="all without a source afterwards, the segment included")
    unintended: list[str] = Field(description="isolated without the segment")
    without_source_before: list[str] = Field(description="what of these has no source as the network stands")
    tanks: list[TankAnswer]
    customers: int
    demand_m3s: float
    critical_customers: list[str] = Field(description="by name")
    worst_valve: WorstValveAnswer | None
    demands: DemandsAnswer


class SegmentAnswer(Output):
    """What the isolation valves around it shut off together."""

    id: str
    components: int
    length_m: float
    customers: int
    demand_m3s: float
    valves: list[str]


class Segments(Page):
    """Segments by id."""

    segments: list[SegmentAnswer]


class SegmentMembers(SegmentAnswer):
    """A segment with its components."""

    members: list[str]


class ValveExerciseQuery(Input):
    """What a closure is taken to be."""

    closure_h: Annotated[float, Field(gt=0, le=1000, description="hours that a closure lasts")] = 8.0
    top: Annotated[int, Field(ge=1, le=100_000, description="how many valves are shown")] = 100


class ValveExerciseAnswer(Output):
    """What it is worth that a valve can be closed."""

    id: str
    name: str
    customer_hours: float = Field(description="customer-hours without water that its being inoperable adds in a year")
    worst_added_customers: int
    worst_segment: str
    closures: float = Field(description="closures expected in a year of the segments that it bounds")


class ValveExercise(Page):
    """Isolation valves, those to maintain first."""

    network_id: str
    revision: int
    closure_h: float
    predicted_components: int = Field(
        description="had a failure probability; pipes without one count by their length at 14 breaks per 100 miles a "
        "year (Folkman 2018)"
    )
    total: int = Field(description="isolation valves of the network")
    valves: list[ValveExerciseAnswer]
