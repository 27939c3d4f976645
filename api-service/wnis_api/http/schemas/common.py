"""What all schemas share."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints
from wnis_core.clock import iso
from wnis_core.errors import FieldProblem, InvalidValue

NO_NUL = r"^[^\x00]*$"

Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_NUL)]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=20_000, pattern=NO_NUL)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[A-Za-z0-9._~:%-]+$")]


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("must have a time zone, for example 2026-01-31T12:00:00Z")
    try:
        # the graph refuses offsets that Python accepts
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is outside the years 1 to 9999") from error


Moment = Annotated[datetime, AfterValidator(_aware), PlainSerializer(iso, return_type=str, when_used="json")]


class Input(BaseModel):
    """A request: unknown fields are refused, numbers are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)


class Output(BaseModel):
    """An answer; made from our own dataclasses."""

    model_config = ConfigDict(
        from_attributes=True, frozen=True, ser_json_inf_nan="null", json_schema_serialization_defaults_required=True
    )


class PageQuery(Input):
    """Paging of a list."""

    limit: Annotated[int, Field(ge=1, le=1000, description="rows on a page")] = 50
    cursor: Annotated[str | None, Field(max_length=2000, description="`next_cursor` of the page before; opaque")] = None


class Page(Output):
    """The end of a list is reached when `next_cursor` is null."""

    next_cursor: str | None = None


class Problem(BaseModel):
    """`application/problem+json`; the last three fields are there when they are known."""

    error: str = Field(description="what happened, in one sentence")
    code: str
    status: int
    request_id: str
    errors: list[FieldFault]
    mend: str | None = Field(default=None, description="what to do about it")
    retry_after_s: int | None = None
    details: dict[str, Any] | None = None


class FieldFault(Output):
    """One field at fault."""

    field: str
    message: str


class JobAccepted(Output):
    """A job has been accepted; follow it at `/jobs/{job_id}`."""

    job_id: str


def encode_cursor(*key: str | int | float | None) -> str:
    """An opaque cursor after the row with the sort key `key`."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """The sort key in a cursor of ours; raises `InvalidValue`."""
    if cursor is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        key = json.loads(raw)
    except (binascii.Error, UnicodeError, ValueError, RecursionError):
        key = None
    if (
        not isinstance(key, list)
        or len(key) != len(kinds)
        or any(type(k) is not t for k, t in zip(key, kinds, strict=True))
    ):
        raise InvalidValue(
            "The cursor is not one of ours.", mend="Start without one.", fields=[FieldProblem("cursor", "is not valid")]
        )
    return tuple(key)


Problem.model_rebuild()
