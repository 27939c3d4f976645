"""Cypher that people write."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from wnis_api.http.schemas.common import NO_NUL, Input, Output


class GraphQuery(Input):
    """A reading statement and its parameters; `$utility` is bound."""

    cypher: Annotated[str, StringConstraints(min_length=1, max_length=20_000, pattern=NO_NUL)]
    parameters: dict[Annotated[str, StringConstraints(max_length=100)], Any] = Field(default_factory=dict)


class GraphAnswer(Output):
    """Rows as JSON values; nodes are {labels, properties}."""

    columns: list[str]
    rows: list[list[Any]]
    truncated: bool = Field(description="there are more rows, or longer values, than shown")
    elapsed_ms: float
