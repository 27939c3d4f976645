"""One cell of a table as a value: codes, numbers in SI, flags, dates and times."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from wnis_core.mapping_rules import PropertyRule
from wnis_core.mapping_targets import CellKind

_YES = frozenset({"true", "yes", "y", "t", "1"})
_NO = frozenset({"false", "no", "n", "f", "0"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHORT_OFFSET = re.compile(r"([+-]\d\d)$")


class Unreadable(ValueError):  # named for what it means
    """A cell does not hold what the mapping expects; the message says what was expected."""


def read_cell(text: str, rule: PropertyRule, decimal: str, zone: ZoneInfo) -> object:
    """The value of `text` under `rule`; None when it means "not known".

    Raises
    ------
    Unreadable
        the text is not of the property's type, or outside its codes, values or range
    """
    wanted = rule.target
    if rule.codes:
        code = rule.codes.get(text.strip().casefold())
        if code is None:
            if rule.other_codes == "missing":
                return None
            if rule.other_codes == "reject":
                raise Unreadable(f"{text!r} is not among the codes {', '.join(sorted(rule.codes))}")
        else:
            # codes are written in the mapping's own notation, whatever the file's decimal sign
            text, decimal = str(code), "."
    match wanted.kind:
        case CellKind.NUMBER:
            value: object = _number(text, decimal) * rule.factor
        case CellKind.COUNT:
            number = _number(text, decimal)
            if number != int(number) or number < 0:
                raise Unreadable(f"{text!r} is not a whole number of 0 or more")
            value = int(number)
        case CellKind.FLAG:
            value = _flag(text)
        case CellKind.DAY:
            value = _moment(text, rule.dates, zone).date()
        case CellKind.MOMENT:
            value = _moment(text, rule.dates, zone).astimezone(UTC)
        case CellKind.LIST:
            parts = text.split(rule.separator) if rule.separator else [text]
            value = [part.strip() for part in parts if part.strip()]
        case CellKind.TEXT:
            value = text
    if wanted.positive and isinstance(value, (int, float)) and value <= 0:
        raise Unreadable(f"{text!r} is not above zero")
    if wanted.values and value not in wanted.values:
        raise Unreadable(f"{text!r} is not one of {', '.join(wanted.values)}; translate it with codes")
    return value


def _number(text: str, decimal: str) -> float:
    plain = text.replace(",", ".") if decimal == "," else text
    try:
        value = float(plain)
    except ValueError:
        raise Unreadable(f"{text!r} is not a number with decimal sign {decimal!r}") from None
    if not math.isfinite(value):
        raise Unreadable(f"{text!r} is not a finite number")
    return value


def _flag(text: str) -> bool:
    word = text.casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise Unreadable(f"{text!r} is neither yes nor no; translate it with codes")


@lru_cache(maxsize=100_000)
def _moment(text: str, formats: tuple[str, ...], zone: ZoneInfo) -> datetime:
    """`text` in the first format that fits; a moment without offset is local to `zone`."""
    for pattern in formats:
        try:
            moment = _in_format(text, pattern)
        except (ValueError, OverflowError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)
    raise Unreadable(f"{text!r} is not a date in the format {' or '.join(formats)}")


def _in_format(text: str, pattern: str) -> datetime:
    match pattern:
        case "iso":
            return datetime.fromisoformat(text)
        case "epoch_ms":
            return _EPOCH + timedelta(milliseconds=float(text))
        case "epoch_s":
            return _EPOCH + timedelta(seconds=float(text))
        case "year":
            year = float(text)
            return datetime(int(year), 1, 1) if year == int(year) and 1700 <= year <= 2200 else _refuse(text)  # noqa: DTZ001
    if pattern.endswith("%z"):
        text = _SHORT_OFFSET.sub(r"\g<1>00", text)  # registers write +00, strptime wants +0000
    return datetime.strptime(text, pattern)  # noqa: DTZ007  # the caller gives it the zone of the file


def _refuse(text: str) -> datetime:
    raise ValueError(text)
