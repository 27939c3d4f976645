"""Cells of CSV files that a spreadsheet may open."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from wnis_core.clock import iso

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def plain(value: Any) -> Any:
    """A date or time as JSON and CSV carry it."""
    if isinstance(value, datetime):
        return iso(value)
    return value.isoformat() if isinstance(value, date) else value


def cell(value: Any) -> Any:
    """`value` as a cell: lists and objects as JSON; text that a spreadsheet would reckon gets an apostrophe first."""
    if isinstance(value, (list, tuple, dict)):
        value = json.dumps(value, default=plain, ensure_ascii=False)
    text = plain(value)
    return f"'{text}" if isinstance(text, str) and text.startswith(_FORMULA) else text
