"""A network as the checks look at it: properties, joints, drawn lines in metres, and how water gets around."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from statistics import median
from typing import Any

from wnis_graph.isolation.answer import IsolationAnalysis
from wnis_graph.isolation.load import Load
from wnis_graph.queries.isolation import Connection, Seat
from wnis_graph.values import WGS84

NODES = frozenset({"Junction", "Reservoir", "Tank"})
LINKS = frozenset({"Pipe", "Pump", "Valve"})
SOURCES = frozenset({"Reservoir", "Tank"})

_DEGREE_M = 111_320.0
"""Length of a degree of latitude."""

Line = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Survey:
    """What the checks see of one network revision.

    Parameters
    ----------
    crs : EPSG:n of the source; None for a network on a blank plane
    components : properties of those that are not retired, by id
    joints : (start, end) ids in link direction, of components that are not retired
    seats : valves on pipes
    connections : service connections
    today : dates after it lie in the future
    """

    crs: str | None
    components: Mapping[str, Mapping[str, Any]]
    joints: Sequence[tuple[str, str]]
    seats: Sequence[Seat]
    connections: Sequence[Connection]
    analysis: IsolationAnalysis
    load: Load
    today: date

    def of(self, *types: str) -> list[Mapping[str, Any]]:
        """Components of these types."""
        return [c for c in self.components.values() if c["type"] in types]

    @cached_property
    def joined(self) -> Mapping[str, tuple[str, ...]]:
        """What each component is joined to, in both directions."""
        found: dict[str, list[str]] = defaultdict(list)
        for a, b in self.joints:
            found[a].append(b)
            found[b].append(a)
        return {i: tuple(others) for i, others in found.items()}

    @cached_property
    def ends(self) -> Mapping[str, tuple[str | None, str | None]]:
        """What each link begins and ends at."""
        starts: dict[str, str] = {}
        stops: dict[str, str] = {}
        for a, b in self.joints:
            if self.components[b]["type"] in LINKS:
                starts[b] = a
            if self.components[a]["type"] in LINKS:
                stops[a] = b
        return {c["id"]: (starts.get(c["id"]), stops.get(c["id"])) for c in self.of(*LINKS)}

    @cached_property
    def neighbours(self) -> Mapping[str, tuple[str, ...]]:
        """Nodes one link away from each node."""
        found: dict[str, list[str]] = defaultdict(list)
        for start, stop in self.ends.values():
            if start in self.components and stop in self.components and start != stop:
                found[str(start)].append(str(stop))
                found[str(stop)].append(str(start))
        return {i: tuple(others) for i, others in found.items()}

    @cached_property
    def points_m(self) -> Mapping[str, tuple[float, float]]:
        """Places of nodes on a plane in metres (a local projection; on a blank plane scaled as in `unit_m`)."""
        return {
            c["id"]: self._metres(c["location"].x, c["location"].y)
            for c in self.of(*NODES)
            if c.get("location") is not None
        }

    @cached_property
    def lines_m(self) -> Mapping[str, Line]:
        """Drawn lines of pipes on the same plane."""
        found = {}
        for c in self.of("Pipe"):
            flat = c.get("shape") or []
            if len(flat) >= 4:
                found[c["id"]] = tuple(self._metres(x, y) for x, y in zip(flat[::2], flat[1::2], strict=True))
        return found

    @cached_property
    def unit_m(self) -> float:
        """Metres per unit of a blank plane: the median of length over drawn length; 0 where too little is drawn."""
        ratios = []
        for c in self.of("Pipe"):
            flat = c.get("shape") or []
            drawn = length_of(tuple(zip(flat[::2], flat[1::2], strict=True)))
            if drawn > 0 and c["length_m"] > 0:
                ratios.append(c["length_m"] / drawn)
        return median(ratios) if len(ratios) >= 5 else 0.0

    def _metres(self, x: float, y: float) -> tuple[float, float]:
        if self._place is not None:
            return (x - self._place[0]) * _DEGREE_M * math.cos(math.radians(self._place[1])), (
                y - self._place[1]
            ) * _DEGREE_M
        return x * self.unit_m, y * self.unit_m

    @cached_property
    def _place(self) -> tuple[float, float] | None:
        """Middle of a network on the globe, in degrees; None on a blank plane."""
        places = [c["location"] for c in self.of(*NODES) if c.get("location") is not None]
        if not places or places[0].srid != WGS84:
            return None
        return sum(p.x for p in places) / len(places), sum(p.y for p in places) / len(places)

    @property
    def place(self) -> tuple[float, float] | None:
        """Longitude and latitude of its middle; None on a blank plane."""
        return self._place


def length_of(line: Line) -> float:
    """Length of a line in its own unit."""
    return sum(math.dist(a, b) for a, b in itertools.pairwise(line))
