"""Which component a row of a register means, by its geometry; what is doubtful is listed and never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from wnis_core.mapping_rules import GeometryRule

from wnis_ops.gis.plane import Drawn, points_of

_SAMPLES = 13
"""Points of a line at which its distance from another is taken."""

_STRAY = 2.0
"""No point of a matched course may lie farther away than this many tolerances."""

_ALONG = 0.8
"""Least share of the shorter line that has to run along the longer: a stub at an angle lies near, but not along."""

_COVERED = 0.5
"""Least share of a link that a row has to run along, where the row is the shorter."""

_LINES = ("LineString", "MultiLineString")
_PLACES = (*_LINES, "Point", "MultiPoint")


@dataclass(frozen=True)
class Match:
    """Row `row` (from 0) belongs to component `component` (its place in `Drawn`), `distance_m` away."""

    row: int
    component: int
    distance_m: float


@dataclass
class Matches:
    """What became of every row.

    Parameters
    ----------
    ambiguous : rows or components with several candidates, as documents for the report (rows from 1)
    unmatched : rows without a component, with the reason, as documents for the report (rows from 1)
    uncovered : ids of links that no row runs along
    """

    found: list[Match] = field(default_factory=list)
    ambiguous: list[dict[str, Any]] = field(default_factory=list)
    unmatched: list[dict[str, Any]] = field(default_factory=list)
    uncovered: list[str] = field(default_factory=list)


def match_courses(drawn: Drawn, geometries: Any, rows: Sequence[int], rule: GeometryRule) -> Matches:
    """Lines to links by the distance along their course: the mean over points of the shorter line from the longer.

    Registers and models divide mains at different places, so that a row may belong to several links; each link takes
    the one row that it runs along. Rows that are no lines are unmatched.

    Parameters
    ----------
    geometries : (rows of the file,) in m
    rows : which of them to match, from 0
    """
    tolerance_m = rule.tolerance_m or 0.0
    matches = Matches()
    links = [i for i in _of_types(drawn, rule) if shapely.get_type_id(drawn.lines[i]) == 1]
    lines = shapely.line_merge(np.array([geometries[row] for row in rows], dtype=object))
    is_line = np.isin(shapely.get_type_id(lines), (1, 5)) & (shapely.length(lines) > 0)
    candidates = [n for n, line in enumerate(is_line) if line]
    usable = shapely.length(drawn.lines[links]) > 0 if links else np.zeros(0, dtype=bool)
    links = [i for i, used in zip(links, usable.tolist(), strict=True) if used]
    pairs = _near(drawn.lines[links], lines[candidates], tolerance_m) if links and candidates else ([], [])
    link_of = np.array([links[i] for i in pairs[0]], dtype=int)
    row_of = np.array([candidates[n] for n in pairs[1]], dtype=int)
    distance, along, partial = _courses(drawn.lines[link_of], lines[row_of], tolerance_m)
    by_link: dict[int, list[tuple[float, int]]] = {}
    halves: dict[int, str] = {}
    for link, n, d, fits, short in zip(
        link_of.tolist(), row_of.tolist(), distance.tolist(), along.tolist(), partial.tolist(), strict=True
    ):
        if fits and short:
            halves.setdefault(rows[n], drawn.ids[link])
        elif fits:
            by_link.setdefault(link, []).append((d, rows[n]))
    doubtful: set[int] = set()
    for link, options in sorted(by_link.items()):
        options.sort()
        near = [(d, row) for d, row in options if d <= options[0][0] + rule.margin_m]
        if len(near) > 1:
            doubtful.update(row for _, row in near)
            said = [{"row": row + 1, "distance_m": round(d, 3)} for d, row in near]
            matches.ambiguous.append({"component": drawn.ids[link], "candidates": said})
        else:
            matches.found.append(Match(near[0][1], link, near[0][0]))
    taken = {match.row for match in matches.found} | doubtful
    for n, row in enumerate(rows):
        if row in taken:
            continue
        if not is_line[n]:
            message = "has no line"
        elif row in halves:
            message = f"runs along less than half of {halves[row]}"
        else:
            message = f"no {' or '.join(rule.components)} runs along it within {tolerance_m:g} m"
        matches.unmatched.append({"row": row + 1, "message": message})
    matches.uncovered = [drawn.ids[link] for link in links if link not in by_link]
    return matches


def match_places(drawn: Drawn, geometries: Any, rows: Sequence[int], rule: GeometryRule, *, one_each: bool) -> Matches:
    """Rows to the nearest component; with `one_each` a component takes one row alone, the nearest.

    Parameters
    ----------
    geometries : (rows of the file,) in m; a line counts as a whole, or by the end that the rule names
    rows : which of them to match, from 0
    """
    tolerance_m = rule.tolerance_m or 0.0
    matches = Matches()
    places = np.array([geometries[row] for row in rows], dtype=object)
    if rule.at != "line":
        places = points_of(places, rule.at)
    known = [
        n for n, place in enumerate(places) if place is not None and place.geom_type in _PLACES and not place.is_empty
    ]
    wanted = _of_types(drawn, rule)
    pairs = _near(places[known], drawn.lines[wanted], tolerance_m) if known and wanted else ([], [])
    options: dict[int, list[tuple[float, int]]] = {}
    for n, i in zip(pairs[0], pairs[1], strict=True):
        component = wanted[i]
        away = float(shapely.distance(places[known[n]], drawn.lines[component]))
        options.setdefault(rows[known[n]], []).append((away, component))
    chosen: dict[int, list[Match]] = {}
    placed = {rows[n] for n in known}
    for row in rows:
        near = sorted(options.get(row, ()))
        near = [(d, i) for d, i in near if d <= near[0][0] + rule.margin_m]
        if len(near) > 1:
            said = [{"id": drawn.ids[i], "distance_m": round(d, 3)} for d, i in near]
            matches.ambiguous.append({"row": row + 1, "candidates": said})
        elif near:
            chosen.setdefault(near[0][1], []).append(Match(row, near[0][1], near[0][0]))
        else:
            lies = row in placed
            message = f"no {' or '.join(rule.components)} within {tolerance_m:g} m" if lies else "has no point or line"
            matches.unmatched.append({"row": row + 1, "message": message})
    for component, claims in sorted(chosen.items()):
        claims.sort(key=lambda match: (match.distance_m, match.row))
        rivals = [c for c in claims if c.distance_m <= claims[0].distance_m + rule.margin_m]
        if not one_each:
            matches.found += claims
        elif len(rivals) > 1:
            said = [{"row": c.row + 1, "distance_m": round(c.distance_m, 3)} for c in rivals]
            matches.ambiguous.append({"component": drawn.ids[component], "candidates": said})
        else:
            matches.found.append(claims[0])
        for other in claims[len(rivals) :] if one_each else ():
            message = f"{drawn.ids[component]} is nearer to row {claims[0].row + 1}"
            matches.unmatched.append({"row": other.row + 1, "message": message})
    matches.found.sort(key=lambda match: match.row)
    matches.unmatched.sort(key=lambda one: one["row"])
    return matches


def seat(drawn: Drawn, match: Match, geometry: Any) -> tuple[str | None, float, float]:
    """Where on its link a row sits: (nearer end node, m from that node, m from the start), in the link's own length.

    The place is taken along the drawn line and scaled to the length that the model states. A link without length or
    ends has its place at 0 from the start.
    """
    line, length_m = drawn.lines[match.component], drawn.lengths_m[match.component] or 0.0
    on_line = shapely.get_point(shapely.shortest_line(line, geometry), 0)
    share = float(shapely.line_locate_point(line, on_line, normalized=True)) if shapely.length(line) > 0 else 0.0
    from_start = round(share * length_m, 3)
    start, end = drawn.starts[match.component], drawn.ends[match.component]
    if start is None or end is None or share <= 0.5:
        return start, min(from_start, length_m), min(from_start, length_m)
    return end, min(round((1 - share) * length_m, 3), length_m), min(from_start, length_m)


def is_line_layer(geometries: Iterable[Any]) -> bool:
    """Whether the first geometry of a layer is a line."""
    return next((g.geom_type in _LINES for g in geometries if g is not None), False)


def accounted(drawn: Drawn, matches: Matches) -> Mapping[str, Any]:
    """The lists of a report, rows from 1."""
    found = sorted(matches.found, key=lambda match: (match.row, match.component))
    return {
        "matched": [
            {"row": m.row + 1, "id": drawn.ids[m.component], "distance_m": round(m.distance_m, 3)} for m in found
        ],
        "ambiguous": matches.ambiguous,
        "unplaced": matches.unmatched,
        "uncovered": matches.uncovered,
    }


def _of_types(drawn: Drawn, rule: GeometryRule) -> list[int]:
    return [i for i, kind in enumerate(drawn.types) if kind in rule.components]


def _near(left: Any, right: Any, tolerance_m: float) -> tuple[list[int], list[int]]:
    """Places in `left` and `right` of all pairs within the tolerance, in a fixed order."""
    found = shapely.STRtree(right).query(left, predicate="dwithin", distance=tolerance_m)
    pairs = sorted(zip(found[0].tolist(), found[1].tolist(), strict=True))
    return [a for a, _ in pairs], [b for _, b in pairs]


def _courses(links: Any, rows: Any, tolerance_m: float) -> tuple[Any, Any, Any]:
    """(pairs,) mean distance in m, whether one runs along the other, whether the row covers too little of the link."""
    if not len(links):
        return np.zeros(0), np.zeros(0, dtype=bool), np.zeros(0, dtype=bool)
    link_m, row_m = shapely.length(links), shapely.length(rows)
    shorter, longer = np.where(link_m <= row_m, links, rows), np.where(link_m <= row_m, rows, links)
    shares = np.linspace(0, 1, _SAMPLES)
    points = shapely.line_interpolate_point(shorter[:, None], shares[None, :], normalized=True)
    away = shapely.distance(points, longer[:, None])
    covered = np.abs(
        shapely.line_locate_point(longer, points[:, -1]) - shapely.line_locate_point(longer, points[:, 0])
    ) / np.minimum(link_m, row_m)
    mean = away.mean(axis=1)
    fits = (mean <= tolerance_m) & (away.max(axis=1) <= _STRAY * tolerance_m) & (covered >= _ALONG)
    return mean, fits, row_m < _COVERED * link_m
