"""Checks of where things are drawn."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyproj
import shapely
from scipy.spatial import cKDTree

from wnis_graph.checks.findings import Category, Check, Finding, Severity
from wnis_graph.checks.survey import NODES, Survey, length_of

TOUCHING_M = 0.5
"""Nodes nearer than this that no link joins are taken to be one node drawn twice."""

OVERLAP_M = 0.2
OVERLAP_SHARE = 0.5
"""Pipes overlap when this share of the shorter one lies within `OVERLAP_M` of the other."""

LENGTH_FACTOR = 3.0
"""A length this many times longer or shorter than drawn is named."""

_DRAWN_M = 20.0
"""Shorter lines are not compared: symbols are drawn out of scale."""


def nodes_almost_touching(survey: Survey) -> Iterator[Finding]:
    """Nodes almost at one place with no link between them: a gap in the drawing."""
    ids = sorted(survey.points_m)
    if len(ids) < 2 or (survey.place is None and survey.unit_m == 0):
        return
    points = np.array([survey.points_m[i] for i in ids])
    for a, b in sorted(cKDTree(points).query_pairs(TOUCHING_M)):
        if ids[b] not in survey.neighbours.get(ids[a], ()):
            apart = float(np.hypot(*(points[a] - points[b])))
            names = " and ".join(survey.components[ids[i]]["name"] for i in (a, b))
            yield Finding(f"{names} are {apart:.2f} m apart and no link joins them.", (ids[a], ids[b]))


def overlapping_pipes(survey: Survey) -> Iterator[Finding]:
    """Pipes drawn on top of one another for more than half of the shorter one, that do not join the same two nodes."""
    ids = [i for i, line in sorted(survey.lines_m.items()) if length_of(line) > 2 * OVERLAP_M]
    if len(ids) < 2 or (survey.place is None and survey.unit_m == 0):
        return
    lines = [shapely.LineString(survey.lines_m[i]) for i in ids]
    tree = shapely.STRtree(lines)
    wide = shapely.buffer(lines, OVERLAP_M, cap_style="flat", quad_segs=2)
    left, right = tree.query(wide, predicate="intersects")
    keep = left < right
    left, right = left[keep], right[keep]
    common = shapely.length(shapely.intersection(np.array(wide)[left], np.array(lines)[right]))
    length = shapely.length(lines)
    shorter = np.minimum(length[left], length[right])
    for a, b, metres, least in zip(left.tolist(), right.tolist(), common.tolist(), shorter.tolist(), strict=True):
        same_ends = set(survey.ends[ids[a]]) == set(survey.ends[ids[b]])
        # parallel mains between two nodes are drawn as one line; `duplicate-pipes` looks at these
        if metres >= OVERLAP_SHARE * least and not same_ends:
            names = " and ".join(survey.components[ids[i]]["name"] for i in (a, b))
            yield Finding(f"{names} are drawn on top of one another for {metres:.0f} m.", (ids[a], ids[b]))


def lengths_unlike_drawn(survey: Survey) -> Iterator[Finding]:
    """Pipes whose length is far from that of their line: a wrong unit, or a wrong node at an end."""
    if survey.place is None and survey.unit_m == 0:
        return
    for identifier, line in sorted(survey.lines_m.items()):
        drawn, c = length_of(line), survey.components[identifier]
        length = c["length_m"]
        if drawn > _DRAWN_M and length > 0 and not 1 / LENGTH_FACTOR < length / drawn < LENGTH_FACTOR:
            yield Finding(f"Pipe {c['name']} is {length:.1f} m long and drawn {drawn:.1f} m long.", (identifier,))


def in_the_sea(survey: Survey) -> Iterator[Finding]:
    """A network whose coordinate reference system puts it where there is no land, or outside the system's own area.

    Land is Natural Earth 1:10m in quarters of a degree: nothing nearer to a shore than 20 km is called sea.
    """
    if survey.place is None:
        return
    longitude, latitude = survey.place
    where = f"{abs(latitude):.3f} {'N' if latitude >= 0 else 'S'} {abs(longitude):.3f} {'E' if longitude >= 0 else 'W'}"
    everything = tuple(c["id"] for c in survey.of(*NODES))
    area = pyproj.CRS.from_user_input(survey.crs).area_of_use if survey.crs else None
    if area is not None and not (area.south <= latitude <= area.north and _between(longitude, area.west, area.east)):
        message = f"The middle of the network is at {where}, outside the area of {survey.crs} ({area.name})."
        yield Finding(message, everything)
    elif not _land(longitude, latitude):
        yield Finding(f"The middle of the network is at {where}: in the sea.", everything)


def without_place(survey: Survey) -> Iterator[Finding]:
    """Nodes without coordinates while others have them."""
    nodes = survey.of(*NODES)
    lost = [c for c in nodes if c.get("location") is None]
    if len(lost) < len(nodes):
        for c in lost:
            yield Finding(f"{c['type']} {c['name']} has no coordinates.", (c["id"],))


def _between(longitude: float, west: float, east: float) -> bool:
    return west <= longitude <= east if west <= east else longitude >= west or longitude <= east


@cache
def _mask() -> npt.NDArray[np.bool_]:
    packed = zlib.decompress((Path(__file__).parent / "land.bin").read_bytes())
    return np.unpackbits(np.frombuffer(packed, dtype=np.uint8)).astype(bool).reshape(720, 1440)


def _land(longitude: float, latitude: float) -> bool:
    mask = _mask()
    row = min(max(int((90 - latitude) * 4), 0), 719)
    column = int((longitude + 180) * 4) % 1440
    rows = slice(max(row - 1, 0), row + 2)
    return bool(mask[rows].take(range(column - 1, column + 2), axis=1, mode="wrap").any())


CHECKS = (
    Check("nodes-almost-touching", "Nodes almost at one place", Severity.WARNING, Category.GEOMETRY,
          "Join them by a link, or make one node of them.", NODES, nodes_almost_touching),
    Check("overlapping-pipes", "Pipes drawn on top of one another", Severity.WARNING, Category.GEOMETRY,
          "Retire the one that is not there, or correct its line.", frozenset({"Pipe"}), overlapping_pipes),
    Check("length-unlike-drawn", "Lengths unlike the drawing", Severity.WARNING, Category.GEOMETRY,
          "Correct the length, or the node at the wrong end.", frozenset({"Pipe"}), lengths_unlike_drawn),
    Check("crs-in-sea", "A place in the sea", Severity.ERROR, Category.GEOMETRY,
          "Import the network again with the coordinate reference system of its file.", NODES, in_the_sea),
    Check("nodes-without-place", "Nodes without coordinates", Severity.WARNING, Category.GEOMETRY,
          "Give them coordinates: they are on no map.", NODES, without_place),
)  # fmt: skip
