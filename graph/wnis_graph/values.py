"""Values between Python, the driver and JSON: dates, times, points, and properties by their declared kind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from neo4j import spatial
from neo4j import time as neo4j_time

from wnis_graph.schema.declaration import Kind, Property

WGS84 = 4326
CARTESIAN = 7203


@dataclass(frozen=True)
class Location:
    """A point: longitude and latitude (srid 4326), or source coordinates (srid 7203)."""

    x: float
    y: float
    srid: int = WGS84

    def as_point(self) -> spatial.Point:
        """The point as the driver sends it."""
        return spatial.WGS84Point((self.x, self.y)) if self.srid == WGS84 else spatial.CartesianPoint((self.x, self.y))


def native(value: Any) -> Any:
    """A value of the driver as plain Python; points become `Location`."""
    if isinstance(value, (neo4j_time.Date, neo4j_time.DateTime, neo4j_time.Time)):
        return value.to_native()
    if isinstance(value, spatial.Point):
        return Location(value[0], value[1], value.srid or CARTESIAN)
    if isinstance(value, list):
        return [native(item) for item in value]
    if isinstance(value, dict):
        return {key: native(item) for key, item in value.items()}
    return value


def for_driver(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties as the driver takes them."""
    return {k: v.as_point() if isinstance(v, Location) else v for k, v in properties.items()}


def properties_to_json(properties: Mapping[str, Any]) -> str:
    """Properties as the JSON text of a Revision; `properties_from_json` reads it back by declared kind."""

    def encoded(value: Any) -> Any:
        if isinstance(value, (date, datetime)):
            return value.isoformat()
        if isinstance(value, Location):
            return [value.x, value.y, value.srid]
        raise TypeError(f"{type(value).__name__} is no property value")

    return json.dumps(properties, default=encoded, sort_keys=True, ensure_ascii=False)


def properties_from_json(text: str | None, declared: Mapping[str, Property]) -> dict[str, Any]:
    """What `properties_to_json` wrote."""
    found: dict[str, Any] = json.loads(text) if text else {}
    return {name: _decoded(value, declared[name].kind) for name, value in found.items() if name in declared}


def _decoded(value: Any, kind: Kind) -> Any:
    if value is None:
        return None
    if kind is Kind.DATE:
        return date.fromisoformat(value)
    if kind is Kind.DATETIME:
        return datetime.fromisoformat(value)
    if kind is Kind.POINT:
        return Location(*value)
    return value
