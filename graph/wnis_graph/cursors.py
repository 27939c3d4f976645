"""Opaque cursors of keyset pagination: the sort key and id of the last row seen."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from wnis_core.errors import BadRequest, FieldProblem


@dataclass(frozen=True)
class Position:
    """The last row seen, in the order called `order`."""

    order: str
    key: Any
    id: str


def encode_cursor(position: Position) -> str:
    """`position` as opaque text, safe in a URL."""
    kind, key = "", position.key
    if isinstance(key, datetime):
        kind, key = "t", key.isoformat()
    elif isinstance(key, date):
        kind, key = "d", key.isoformat()
    text = json.dumps([position.order, kind, key, position.id], ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(text: str, order: str) -> Position:
    """The position that `text` stands for.

    Raises
    ------
    BadRequest
        not a cursor of ours, or one of a list in another order
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        given, kind, key, last = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if kind == "t":
            key = datetime.fromisoformat(key)
        elif kind == "d":
            key = date.fromisoformat(key)
        if not isinstance(last, str) or not isinstance(key, (str, int, float, date, type(None))):
            raise ValueError("not a position")
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise _refused("The cursor is not one of ours.") from error
    if given != order:
        raise _refused("The cursor belongs to a list in another order.")
    return Position(order, key, last)


def _refused(message: str) -> BadRequest:
    return BadRequest(
        message,
        mend="Give next_cursor of the page before, with the same sort.",
        fields=[FieldProblem("cursor", "is not a cursor of this list")],
    )
