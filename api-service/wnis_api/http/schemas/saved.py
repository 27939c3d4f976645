"""Saved queries: those that come with the system, and those that people keep."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from wnis_api.http.schemas.common import NO_NUL, Input, Output, Page, Text
from wnis_api.http.schemas.graph import Cypher, Parameters


class SavedParameter(Output):
    """A parameter of a query that comes with the system."""

    name: str
    kind: Literal["integer", "number", "text", "texts", "date"]
    description: str
    default: Any = Field(description="null when it must be given")


class SavedAnswer(Output):
    """A saved query; those that come with the system have `parameters`, one's own have `cypher` and `values`."""

    id: str
    name: str
    description: str
    shipped: bool
    columns: list[str] | None = None
    parameters: list[SavedParameter] = Field(default_factory=list)
    cypher: str | None = None
    values: dict[str, Any] | None = None


class Saved(Page):
    """Saved queries: first those that come with the system, then one's own, each by name."""

    saved: list[SavedAnswer]


class NewSaved(Input):
    """A query to keep, and the parameters that it runs with unless others are given."""

    name: Text
    cypher: Cypher
    description: Annotated[str, StringConstraints(max_length=2_000, pattern=NO_NUL)] = ""
    parameters: Parameters = Field(default_factory=dict)


class RunSaved(Input):
    """Parameters by name; those left out have their defaults."""

    parameters: Parameters = Field(default_factory=dict)
