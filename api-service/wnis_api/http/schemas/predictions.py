"""Predictions and models."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from wnis_api.http.schemas.common import Id, Input, Moment, Output, Page
from wnis_api.http.schemas.components import Word

Horizon = Annotated[int, Field(ge=1, le=36_500, description="days ahead")]


class FailureQuery(Input):
    """A component and how far ahead."""

    component_id: Word
    horizon: Horizon | None = Field(default=None, description="days ahead; the utility's setting unless given (30)")


class RankBy(StrEnum):
    """By probability, by expected failures per km, or by probability times who loses water."""

    PROBABILITY = "probability"
    PER_KM = "per_km"
    RISK = "risk"


class RankingQuery(Input):
    """Which components, in which order."""

    horizon: Horizon | None = Field(default=None, description="days ahead; the utility's setting unless given (30)")
    top: Annotated[int, Field(ge=1, le=1000)] = 20
    by: RankBy = RankBy.PROBABILITY
    network: Word | None = None


class PredictionRun(Input):
    """Score every pipe, valve and pump with what was known at a moment."""

    as_of: Moment | None = None


class TrainingRun(Input):
    """Train and judge a new version."""

    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None


class FactorAnswer(Output):
    """A contribution to the log-odds, and the value that made it."""

    name: str
    importance: float
    value: str | float | bool | None


class ModelRef(Output):
    """A model version by name."""

    name: str
    version: str


class FailureAnswer(Output):
    """The probability of failure within the horizon, with its 90% interval."""

    component_id: str
    horizon: int = Field(description="days")
    probability: float
    low: float
    high: float
    remaining_useful_life: float = Field(description="days until the probability reaches one half")
    remaining_useful_life_censored: bool = Field(description="the curve ends before that")
    factors: list[FactorAnswer]
    model: ModelRef
    created_at: Moment
    as_of: Moment
    stale: bool = Field(description="the component, its incidents or the model have changed since")
    prediction_id: str


class RankedAnswer(Output):
    """A component of the ranking."""

    rank: int
    component_id: str
    component_name: str
    component_type: str
    network: str
    prediction_id: str
    model: ModelRef
    probability: float
    low: float
    high: float
    failures_per_km: float | None
    customers: int
    critical_connections: int
    risk: float
    stale: bool


class Ranking(Page):
    """Components, the worst first."""

    horizon: int
    by: str
    ranking: list[RankedAnswer]


class VersionAnswer(Output):
    """One trained model with the judgement that it is shown with."""

    id: str
    name: str
    version: str
    state: str
    sha256: str
    signer: str
    train_from: date
    train_to: date
    judged_from: date | None
    judged_to: date | None
    data_sha256: str
    metrics: dict[str, Any]
    seed: int
    created_at: Moment | None


class ModelAnswer(Output):
    """A prediction task and its versions, the latest first."""

    name: str
    task: str
    created_at: Moment | None
    versions: list[VersionAnswer]


class Models(Page):
    """Models by name."""

    models: list[ModelAnswer]


class UsedAnswer(Output):
    """An incident that was used; `influence_weight` is the change of log-odds when it is taken away."""

    id: str
    kind: str
    occurred_at: Moment
    available_at: Moment
    narrative: str | None
    source_id: str | None
    influence_weight: float
    retrieval_rank: int


class InformingRunAnswer(Output):
    """A run whose results went in."""

    id: str
    kind: str
    engine: str
    engine_version: str
    finished_at: Moment | None


class SupersededAnswer(Output):
    """An earlier prediction."""

    id: str
    created_at: Moment
    as_of: Moment
    model_version: str


class Knot(Output):
    """A point of the survival curve."""

    days: float
    probability: float
    low: float
    high: float


class Why(Output):
    """Everything a prediction can be followed to."""

    prediction_id: str
    component_id: str
    component_name: str
    component_type: str
    created_at: Moment
    as_of: Moment
    knots: list[Knot]
    base_value: float = Field(description="log-odds without any factor")
    factors: list[FactorAnswer]
    inputs: dict[str, Any]
    input_sha256: str
    model: VersionAnswer
    incidents: list[UsedAnswer]
    runs: list[InformingRunAnswer]
    supersedes: list[SupersededAnswer]
    superseded_by: Id | None
