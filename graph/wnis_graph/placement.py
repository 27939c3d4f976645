"""Where things are: source coordinates, WGS 84, and the blank plane of a network without coordinate system."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pyproj
from pyproj.exceptions import CRSError
from wnis_core.errors import FieldProblem, InvalidValue

from wnis_graph.values import CARTESIAN, WGS84, Location

Point = tuple[float, float]

PLANE_SPAN_DEGREES = 0.1
"""Side of the square around 0,0 on which a network without coordinate system is drawn: small enough that a degree
is equally long in both directions."""


@dataclass(frozen=True)
class Plane:
    """Display of source coordinates without coordinate system: degrees = (source - centre) * scale."""

    x: float
    y: float
    scale: float

    def to_display(self, x: float, y: float) -> Point:
        """Degrees on the blank plane."""
        return (x - self.x) * self.scale, (y - self.y) * self.scale

    def to_source(self, longitude: float, latitude: float) -> Point:
        """Source coordinates of a place on the blank plane."""
        return self.x + longitude / self.scale, self.y + latitude / self.scale


def plane_of(points: Iterable[Point]) -> Plane:
    """The plane on which `points` fill a square of `PLANE_SPAN_DEGREES` around 0,0."""
    given = list(points)
    if not given:
        return Plane(0.0, 0.0, 1.0)
    xs, ys = [p[0] for p in given], [p[1] for p in given]
    span = max(max(xs) - min(xs), max(ys) - min(ys))
    scale = PLANE_SPAN_DEGREES / span if span > 0 else 1.0
    return Plane((max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2, scale)


def canonical_crs(text: str) -> str:
    """`text` as ``EPSG:n`` when there is such a coordinate reference system.

    Raises
    ------
    InvalidValue
        another form, or an unknown number
    """
    match = re.fullmatch(r"(?:EPSG:)?(\d{1,6})", text.strip(), re.IGNORECASE)
    problem = FieldProblem("crs", "must be EPSG:n with a known n")
    if match is None:
        raise InvalidValue(f"{text[:60]!r} is no coordinate reference system.", mend="Write EPSG:n.", fields=[problem])
    try:
        crs = pyproj.CRS.from_epsg(int(match[1]))
    except CRSError as error:
        raise InvalidValue(f"EPSG:{match[1]} is unknown.", mend="Check the number.", fields=[problem]) from error
    if not (crs.is_projected or crs.is_geographic):
        raise InvalidValue(f"EPSG:{match[1]} has no horizontal coordinates.", mend="Give another.", fields=[problem])
    return f"EPSG:{match[1]}"


def to_wgs84(crs: str, points: Sequence[Point]) -> list[Point]:
    """Longitudes and latitudes of `points` in `crs`.

    Raises
    ------
    InvalidValue
        a point lies outside the area of `crs`
    """
    if not points:
        return []
    transformer = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    longitudes, latitudes = transformer.transform([p[0] for p in points], [p[1] for p in points])
    for given, lon, lat in zip(points, longitudes, latitudes, strict=True):
        if not (math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90):
            raise InvalidValue(
                f"The coordinates {given[0]:g}, {given[1]:g} are outside {crs}.",
                mend="Give the coordinate reference system of the file, or none.",
                fields=[FieldProblem("crs", "does not fit the coordinates")],
            )
    return list(zip(longitudes, latitudes, strict=True))


class Placement:
    """Places source coordinates: on the globe when the system is known, else as they are.

    All points are converted at once, since each single conversion costs as much as a thousand.
    """

    def __init__(self, crs: str | None, points: Iterable[Point]) -> None:
        self.crs = canonical_crs(crs) if crs else None
        unique = list(dict.fromkeys(points))
        placed = to_wgs84(self.crs, unique) if self.crs else unique
        self._placed = dict(zip(unique, placed, strict=True))
        self.plane = None if self.crs else plane_of(unique)
        self.srid = WGS84 if self.crs else CARTESIAN

    def point(self, source: Point) -> Location:
        """The location of one of the points given."""
        x, y = self._placed[source]
        return Location(x, y, self.srid)

    def line(self, source: Sequence[Point]) -> list[float]:
        """A line of given points, flattened."""
        return [value for p in source for value in self._placed[p]]


def middle(flat: Sequence[float]) -> Point:
    """The point halfway along a flattened line of at least one point."""
    return along(flat, 0.5)


def along(flat: Sequence[float], share: float) -> Point:
    """The point at `share` (0 to 1) of the way along a flattened line of at least one point."""
    points = list(zip(flat[::2], flat[1::2], strict=True))
    lengths = [math.dist(a, b) for a, b in itertools.pairwise(points)]
    left = sum(lengths) * share
    for (a, b), length in zip(itertools.pairwise(points), lengths, strict=True):
        if length > 0 and left <= length:
            part = left / length
            return a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part
        left -= length
    return points[-1]


def display_of(plane: Plane | None) -> Callable[[float, float], Point]:
    """From stored coordinates to degrees on the map."""
    return plane.to_display if plane else lambda x, y: (x, y)
