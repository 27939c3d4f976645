"""Everything at once: lists as CSV or GeoJSON, a row at a time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from wnis_core.cells import cell, plain

CSV = "text/csv; charset=utf-8"
GEOJSON = "application/geo+json"
_CHUNK = 200


def csv_stream(columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """RFC 4180 text in chunks; no cell is a formula to a spreadsheet."""
    columns = list(columns)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([cell(column) for column in columns])
    for number, row in enumerate(rows, start=1):
        writer.writerow([cell(row.get(column)) for column in columns])
        if number % _CHUNK == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def geojson_stream(features: Iterable[Mapping[str, Any]], members: Mapping[str, Any] | None = None) -> Iterator[bytes]:
    """A FeatureCollection in chunks; `members` are further members of it."""
    head = json.dumps({"type": "FeatureCollection", **(members or {})}, default=plain, ensure_ascii=False)
    parts = [head[:-1] + ', "features": [']
    separator = ""
    for number, feature in enumerate(features, start=1):
        parts.append(separator + json.dumps(feature, default=plain, ensure_ascii=False, allow_nan=False))
        separator = ",\n"
        if number % _CHUNK == 0:
            yield "".join(parts).encode()
            parts = []
    yield ("".join(parts) + "]}").encode()


def started(stream: Iterator[bytes]) -> Iterator[bytes]:
    """`stream` with its first chunk made already, so that an error there is still a problem document."""
    first = next(stream, b"")

    def whole() -> Iterator[bytes]:
        yield first
        yield from stream

    return whole()


def geometry(
    location: tuple[float, float] | None,
    shape: Iterable[tuple[float, float]],
    to_display: Callable[[float, float], tuple[float, float]],
) -> dict[str, Any] | None:
    """A line when there is a shape, else a point, else nothing; in degrees of the map."""
    line = [to_display(x, y) for x, y in shape]
    if len(line) > 1:
        return {"type": "LineString", "coordinates": line}
    return {"type": "Point", "coordinates": to_display(*location)} if location else None
