"""Feedback of users."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from wnis_graph.schema.model import FEEDBACK_CATEGORIES, FEEDBACK_SOURCES, FEEDBACK_STATES

from wnis_api.http.schemas.common import NO_NUL, Id, Input, LongText, Moment, Output, Page, PageQuery
from wnis_api.http.schemas.components import Word

Source = StrEnum("Source", {value.upper(): value for value in FEEDBACK_SOURCES})  # type: ignore[misc]  # made of data
Category = StrEnum("Category", {value.upper(): value for value in FEEDBACK_CATEGORIES})  # type: ignore[misc]
FeedbackState = StrEnum("FeedbackState", {value.upper(): value for value in FEEDBACK_STATES})  # type: ignore[misc]


class NewFeedback(Input):
    """What a user says about the system, a component or a prediction."""

    source: Source
    category: Category
    content: LongText
    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    component_id: Id | None = None
    component_type: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=NO_NUL)] | None = None
    prediction_id: Id | None = None
    synthetic: bool = Field(default=False, description="made by a generator, not said by a person")


class FeedbackReceipt(Output):
    """The receipt; the stored status starts as `new`."""

    id: str
    status: Literal["submitted"] = "submitted"


class FeedbackQuery(PageQuery):
    """Filters of the list."""

    category: Category | None = None
    status: FeedbackState | None = None
    component_id: Word | None = None


class FeedbackChange(Input):
    """What became of it."""

    status: FeedbackState
    resolution: LongText | None = None


class FeedbackAnswer(Output):
    """Feedback with what became of it."""

    id: str
    user_id: str | None
    source: str
    category: str
    content: str
    rating: int | None
    component_id: str | None
    component_type: str | None
    prediction_id: str | None
    submitted_at: Moment
    updated_at: Moment
    status: str
    resolution: str | None
    synthetic: bool


class FeedbackList(Page):
    """Feedback, latest first."""

    feedback: list[FeedbackAnswer]
