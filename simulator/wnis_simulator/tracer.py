"""Water followed from where it comes through solved hydraulics, by EPANET's quality engine.

Three kinds of origin, as EPANET 2.2 treats them (User Manual, sections 3.4 and [SOURCES]):

* reservoirs and tanks by source tracing, which marks everything that leaves the node;
* junctions that take in water (a negative demand: a well, a purchase) by a chemical that only the water from outside
  carries: source tracing would mark what passes by as well;
* what was in pipes and tanks when the run began, by the same chemical.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum

import numpy as np

from wnis_simulator.binary import Floats
from wnis_simulator.engine import Engine, EngineError, TimeParameter

_NODES, _LINKS, _PATTERNS = 0, 2, 3
_RESERVOIR = 1
_CHEMICAL, _TRACE = 1, 3
_OPTION_TOLERANCE = 2
_TOLERANCE_PERCENT = 0.01
_NO_SOURCE = 240
_NOT_SAVED = 0
_CONCENTRATION = 0
_NAME_BYTES = 256


class _Node(IntEnum):
    INITIAL_QUALITY = 4
    SOURCE_QUALITY = 5
    SOURCE_PATTERN = 6
    SOURCE_TYPE = 7
    QUALITY = 12
    TANK_BULK_REACTION = 23


class _Link(IntEnum):
    BULK_REACTION = 6
    WALL_REACTION = 7
    QUALITY = 14


class OriginKind(Enum):
    """How water gets into the network."""

    RESERVOIR = "reservoir"
    TANK = "tank"
    INFLOW = "inflow"
    BEGINNING = "beginning"


@dataclass(frozen=True)
class Origin:
    """Where water comes from; `name` as the file's bytes spell it, empty for what is there at the beginning."""

    kind: OriginKind
    index: int
    name: bytes


class Tracer:
    """The quality engine of an engine whose hydraulics are solved.

    What the file says of chemicals, reactions, first concentrations and tolerance is taken out of the project.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.nodes, self.links = engine.count(_NODES), engine.count(_LINKS)
        self._kinds = [engine.integer("EN_getnodetype", node) for node in range(1, self.nodes + 1)]
        for node, kind in enumerate(self._kinds, start=1):
            self._set_node(node, _Node.INITIAL_QUALITY, 0)
            if kind > _RESERVOIR:
                self._set_node(node, _Node.TANK_BULK_REACTION, 0)
            if self._has_source(node):
                self._set_node(node, _Node.SOURCE_QUALITY, 0)
        for link in range(1, self.links + 1):
            for reaction in (_Link.BULK_REACTION, _Link.WALL_REACTION):
                engine.call("EN_setlinkvalue", link, reaction, ctypes.c_double(0))

    def origins(self) -> list[Origin]:
        """The beginning, the reservoirs and tanks, and every junction whose demand may be negative."""
        found = [Origin(OriginKind.BEGINNING, 0, b"")]
        for node, kind in enumerate(self._kinds, start=1):
            if kind:
                of = OriginKind.RESERVOIR if kind == _RESERVOIR else OriginKind.TANK
                found.append(Origin(of, node, self._name(node)))
        falling = self._patterns_below_zero()
        found += [
            Origin(OriginKind.INFLOW, node, self._name(node))
            for node, kind in enumerate(self._kinds, start=1)
            if not kind and self._may_take_in(node, falling)
        ]
        return found

    def follow(self, origin: Origin) -> Iterator[int]:
        """Move the water on, quality step by quality step; yields each time in s, the first and the last one too.

        Raises
        ------
        EngineError
            the engine gave up
        """
        engine = self._engine
        try:
            self._mark(origin)
            # how far two parcels of water may differ and still be merged; the file's own is meant for mg/L
            engine.call("EN_setoption", _OPTION_TOLERANCE, ctypes.c_double(_TOLERANCE_PERCENT))
            engine.call("EN_openQ")
            engine.call("EN_initQ", _NOT_SAVED)
            time_s, left_s = ctypes.c_long(), ctypes.c_long(1)
            while left_s.value > 0:
                engine.call("EN_runQ", ctypes.byref(time_s))
                yield time_s.value
                engine.call("EN_stepQ", ctypes.byref(left_s))
            yield engine.time_parameter(TimeParameter.DURATION)
        finally:
            engine.close_quality()
            self._unmark(origin)

    def percentages(self) -> Floats:
        """Percent of water from the origin that is followed, now: of each node, then of each link."""
        value = ctypes.c_double()
        found, give = np.empty(self.nodes + self.links), ctypes.byref(value)
        node_value, link_value = self._engine.function("EN_getnodevalue"), self._engine.function("EN_getlinkvalue")
        for node in range(self.nodes):
            node_value(node + 1, _Node.QUALITY, give)
            found[node] = value.value
        for link in range(self.links):
            link_value(link + 1, _Link.QUALITY, give)
            found[self.nodes + link] = value.value
        return found

    def _mark(self, origin: Origin) -> None:
        if origin.kind in (OriginKind.RESERVOIR, OriginKind.TANK):
            self._engine.call("EN_setqualtype", _TRACE, b"", b"", origin.name)
            return
        self._engine.call("EN_setqualtype", _CHEMICAL, b"origin", b"mg/L", b"")
        if origin.kind is OriginKind.BEGINNING:
            self._set_beginning(100)
        else:
            self._set_node(origin.index, _Node.SOURCE_QUALITY, 100)
            self._set_node(origin.index, _Node.SOURCE_TYPE, _CONCENTRATION)
            self._set_node(origin.index, _Node.SOURCE_PATTERN, 0)

    def _unmark(self, origin: Origin) -> None:
        if origin.kind is OriginKind.BEGINNING:
            self._set_beginning(0)
        elif origin.kind is OriginKind.INFLOW:
            self._set_node(origin.index, _Node.SOURCE_QUALITY, 0)

    def _set_beginning(self, percent: float) -> None:
        for node, kind in enumerate(self._kinds, start=1):
            if kind != _RESERVOIR:
                self._set_node(node, _Node.INITIAL_QUALITY, percent)

    def _set_node(self, node: int, what: _Node, value: float) -> None:
        self._engine.call("EN_setnodevalue", node, what, ctypes.c_double(value))

    def _name(self, node: int) -> bytes:
        name = ctypes.create_string_buffer(_NAME_BYTES)
        self._engine.call("EN_getnodeid", node, name)
        return name.value

    def _has_source(self, node: int) -> bool:
        try:
            self._engine.call("EN_getnodevalue", node, _Node.SOURCE_QUALITY, ctypes.byref(ctypes.c_double()))
        except EngineError as error:
            if error.number == _NO_SOURCE:
                return False
            raise
        return True

    def _patterns_below_zero(self) -> set[int]:
        value, found = ctypes.c_double(), set()
        for pattern in range(1, self._engine.count(_PATTERNS) + 1):
            for period in range(1, self._engine.integer("EN_getpatternlen", pattern) + 1):
                self._engine.call("EN_getpatternvalue", pattern, period, ctypes.byref(value))
                if value.value < 0:
                    found.add(pattern)
                    break
        return found

    def _may_take_in(self, node: int, falling: set[int]) -> bool:
        base = ctypes.c_double()
        for category in range(1, self._engine.integer("EN_getnumdemands", node) + 1):
            self._engine.call("EN_getbasedemand", node, category, ctypes.byref(base))
            if base.value < 0 or (
                falling and base.value > 0 and self._engine.integer("EN_getdemandpattern", node, category) in falling
            ):
                return True
        return False
