"""Property values as JSON and back, without loss.

Text, whole numbers, finite floats, booleans and lists are themselves; everything else is an object with one key that
names its type: ``{"date": "2015-03-12"}``, ``{"point": [srid, x, y]}``, ``{"bytes": base64}``.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from datetime import UTC
from typing import Any

# the driver's own zones: the standard library's crash the interpreter when given its type of moment
import pytz  # type: ignore[import-untyped]  # it publishes no types
from neo4j import spatial
from neo4j.time import Date, DateTime, Duration, Time
from wnis_core.errors import InvalidValue

_POINTS: dict[int, type[spatial.Point]] = {
    4326: spatial.WGS84Point, 4979: spatial.WGS84Point, 7203: spatial.CartesianPoint, 9157: spatial.CartesianPoint,
}  # fmt: skip


def to_json(value: Any) -> Any:
    """`value`, as the driver gives it, as JSON."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, (list, tuple)) and not isinstance(value, (spatial.Point, Duration)):
        return [to_json(item) for item in value]
    return _typed(value)


def _typed(value: Any) -> dict[str, Any]:
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": base64.b64encode(value).decode("ascii")}
    if isinstance(value, spatial.Point):
        return {"point": [value.srid, *value]}
    if isinstance(value, DateTime):
        if value.tzinfo is None:
            return {"local_datetime": value.iso_format()}
        # the moment and the name of the zone: a local time alone is ambiguous when clocks are put back
        zone = getattr(value.tzinfo, "zone", None)
        moment = value.astimezone(UTC).iso_format() if zone else value.iso_format()
        return {"datetime": [moment, zone] if zone else [moment]}
    if isinstance(value, Date):
        return {"date": value.iso_format()}
    if isinstance(value, Time):
        return {"time" if value.tzinfo is not None else "local_time": value.iso_format()}
    if isinstance(value, Duration):
        return {"duration": [value.months, value.days, value.seconds, value.nanoseconds]}
    raise InvalidValue(f"A property of type {type(value).__name__} cannot be exported.")


def from_json(value: Any) -> Any:
    """What `to_json` was given."""
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "float":
        return float(content)
    if kind == "bytes":
        return base64.b64decode(content)
    if kind == "point":
        return _POINTS[content[0]](content[1:])
    if kind == "datetime":
        moment = DateTime.from_iso_format(content[0])
        return moment.astimezone(pytz.timezone(content[1])) if len(content) == 2 else moment
    if kind == "local_datetime":
        return DateTime.from_iso_format(content)
    if kind == "date":
        return Date.from_iso_format(content)
    if kind in ("time", "local_time"):
        return Time.from_iso_format(content)
    if kind == "duration":
        months, days, seconds, nanoseconds = content
        return Duration(months=months, days=days, seconds=seconds, nanoseconds=nanoseconds)
    raise InvalidValue(f"The bundle has a property of the unknown type {kind!r}.")


def properties_from_json(found: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of one line."""
    return {name: from_json(value) for name, value in found.items()}
