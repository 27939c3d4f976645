"""A page of a list, and where the next one starts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from wnis_core.errors import FieldProblem, InvalidValue

from wnis_graph.cursors import Position, decode_cursor, encode_cursor

Row = TypeVar("Row")

MOST = 1_000
"""Rows of the longest page."""


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows in a total order; `next_cursor` is None at the end."""

    rows: tuple[Row, ...]
    next_cursor: str | None


def start_after(cursor: str | None, order: str) -> dict[str, Any]:
    """The query parameters ``after_key`` and ``after_id`` of a page that follows `cursor`."""
    if cursor is None:
        return {"after_key": None, "after_id": None}
    position = decode_cursor(cursor, order)
    return {"after_key": position.key, "after_id": position.id}


def checked_limit(limit: int) -> int:
    """`limit` when a page may be that long."""
    if not 1 <= limit <= MOST:
        raise InvalidValue(
            f"A page has 1 to {MOST} rows, not {limit}.",
            mend="Ask for the next page with next_cursor.",
            fields=[FieldProblem("limit", f"must be 1 to {MOST}")],
        )
    return limit


def page_of(rows: Sequence[Row], limit: int, order: str, position: Callable[[Row], tuple[Any, str]]) -> Page[Row]:
    """The page of at most `limit` rows, given one row more when there are more.

    Parameters
    ----------
    position : sort key and id of a row
    """
    kept = tuple(rows[:limit])
    if len(rows) <= limit:
        return Page(kept, None)
    key, last = position(kept[-1])
    return Page(kept, encode_cursor(Position(order, key, last)))
