"""Cypher that people write."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from wnis_api.http.schemas.common import NO_NUL, Input, Moment, Output, Page

Cypher = Annotated[str, StringConstraints(min_length=1, max_length=20_000, pattern=NO_NUL)]
Parameters = dict[Annotated[str, StringConstraints(max_length=100)], Any]


class FormatQuery(Input):
    """The form of the answer."""

    format: Annotated[
        Literal["json", "csv", "graph"],
        Field(description="a table; CSV; or the table with its nodes and relationships to draw"),
    ] = "json"


class GraphQuery(Input):
    """A reading statement and its parameters; `$utility` is bound."""

    cypher: Cypher
    parameters: Parameters = Field(default_factory=dict)
    query_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")] | None = Field(
        default=None, description="a name of the caller's choice to cancel it by"
    )


class DrawnNode(Output):
    """A node to draw; `key` holds within this answer only."""

    key: str
    labels: list[str]
    properties: dict[str, Any]


class DrawnRelationship(Output):
    """A relationship to draw; `start` and `end` are keys of nodes, which may not be among those of the answer."""

    key: str
    type: str
    start: str | None
    end: str | None
    properties: dict[str, Any]


class GraphAnswer(Output):
    """Rows as JSON values; nodes are {labels, properties}."""

    columns: list[str]
    rows: list[list[Any]]
    truncated: bool = Field(description="there are more rows, or longer values, than shown")
    truncated_by: list[str] = Field(description="the limits that left something out: rows, bytes, values")
    elapsed_ms: float
    query_id: str | None = None
    nodes: list[DrawnNode] | None = Field(default=None, description="with format=graph")
    relationships: list[DrawnRelationship] | None = Field(default=None, description="with format=graph")


class RunningAnswer(Output):
    """A query that runs."""

    query_id: str
    username: str
    cypher: str
    started_at: Moment


class RunningQueries(Page):
    """Queries that run, the oldest first."""

    queries: list[RunningAnswer]
