"""An INP file as a `NetworkModel`: what the engine makes of the file, in SI."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from wnis_core.units import KPA_M, FlowUnit
from wnis_graph.network_model import (
    JunctionModel,
    LinkStatus,
    NetworkModel,
    PipeModel,
    PumpModel,
    ReservoirModel,
    TankModel,
    ValveKind,
    ValveModel,
)

from wnis_simulator.inp_report import remarks_of
from wnis_simulator.inp_scan import Scan
from wnis_simulator.inp_text import Row

PRESSURE_VALVES = frozenset({ValveKind.PRV, ValveKind.PSV, ValveKind.PBV})


@dataclass(frozen=True)
class FileUnits:
    """What one of the file's numbers is in SI.

    Parameters
    ----------
    pressure_m : m of head of one unit of pressure; the file's specific gravity is in it
    roughness : m of one unit of roughness for D-W; one for the other formulas, which have no unit
    """

    flow: FlowUnit
    pressure_m: float
    roughness: float

    @classmethod
    def of(cls, scan: Scan) -> FileUnits:
        """The units that the file states (EPANET 2.2, ``initunits`` in ``input1.c``)."""
        flow = scan.flow_unit
        gravity = float(scan.options.get("SPECIFIC GRAVITY", 1.0))
        kilopascal = not flow.us_customary and scan.options.get("PRESSURE", "").startswith("KPA")
        pressure_m = (KPA_M if kilopascal else flow.pressure_m) / gravity
        return cls(flow, pressure_m, flow.darcy_roughness_m if scan.formula == "D-W" else 1.0)

    def setting(self, kind: ValveKind) -> float:
        """SI value of one unit of a valve's setting."""
        return self.pressure_m if kind in PRESSURE_VALVES else self.flow.m3s if kind is ValveKind.FCV else 1.0


@dataclass
class InitialStatus:
    """What ``[STATUS]`` says of one link: the last line of its own, and whether a range of ids covers it."""

    word: str | None = None
    rows: list[Row] = field(default_factory=list)
    in_range: bool = False


def read_model(scan: Scan) -> NetworkModel:
    """The model of a file that the scan found sound."""
    return _Reader(scan).model()


def statuses_of(scan: Scan) -> dict[str, InitialStatus]:
    """What ``[STATUS]`` says of links, in the file's order: the last word counts."""
    found: defaultdict[str, InitialStatus] = defaultdict(InitialStatus)
    for row in scan.of("STATUS"):
        word = row.tokens[-1].upper()
        if len(row.tokens) == 2:
            one = found[row.tokens[0]]
            one.word, one.rows = word, [*one.rows, row]
        else:
            for name in _in_range(scan.links, row.tokens[0], row.tokens[1]):
                found[name].word, found[name].in_range = word, True
    return found


def keywords_of(row: Row) -> dict[str, int]:
    """Columns of the values behind a pump's keywords (POWER, HEAD, PATTERN, SPEED); none in the format of EPANET 1."""
    if len(row.tokens) > 3 and row.tokens[3][:1] in "+-.0123456789":
        return {}
    columns = {}
    for column in range(3, len(row.tokens) - 1, 2):
        word = row.tokens[column].upper()
        for letters, name in (("POWER", "POWER"), ("HEAD", "HEAD"), ("PATT", "PATTERN"), ("SPEE", "SPEED")):
            if word.startswith(letters):
                columns[name] = column + 1
    return columns


def is_tank(row: Row) -> bool:
    """Whether a row of ``[TANKS]`` or ``[RESERVOIRS]`` is a tank: it has levels and a diameter."""
    return len(row.tokens) > 5 and float(row.tokens[5]) != 0


def _in_range(names: dict[str, Row], first: str, last: str) -> Iterator[str]:
    """Names between two, as numbers when both begin with one."""
    low, high = _whole(first), _whole(last)
    for name in names:
        if low > 0 and high > 0:
            if low <= _whole(name) <= high:
                yield name
        elif first <= name <= last:
            yield name


def _whole(text: str) -> int:
    """The whole number that `text` begins with, as C's ``atol``."""
    digits = ""
    for character in text:
        if not character.isdecimal():
            break
        digits += character
    return int(digits or 0)


class _Reader:
    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self._units = FileUnits.of(scan)
        self._status = statuses_of(scan)
        self._places = {row.tokens[0]: (float(row.tokens[1]), float(row.tokens[2])) for row in scan.of("COORDINATES")}
        self._bends: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
        for row in scan.of("VERTICES"):
            self._bends[row.tokens[0]].append((float(row.tokens[1]), float(row.tokens[2])))
        self._node_tags: dict[str, str] = {}
        self._link_tags: dict[str, str] = {}
        for row in scan.of("TAGS"):
            if len(row.tokens) > 2:
                tags = self._node_tags if row.tokens[0].upper().startswith("NODE") else self._link_tags
                tags[row.tokens[1]] = " ".join(row.tokens[2:])
        self._demands: defaultdict[str, list[float]] = defaultdict(list)
        for row in scan.of("DEMANDS"):
            self._demands[row.tokens[0]].append(float(row.tokens[1]))

    def model(self) -> NetworkModel:
        scan = self._scan
        nodes = scan.nodes.values()
        stores = [row for row in nodes if row.section != "JUNCTIONS"]
        return NetworkModel(
            title="\n".join(text for text in (_title_line(scan, row) for row in scan.of("TITLE")) if text),
            flow_unit=scan.flow_unit.value,
            headloss_formula=scan.formula,
            duration_s=scan.times_s.get("DURATION", 0.0),
            junctions=tuple(self._junction(row) for row in nodes if row.section == "JUNCTIONS"),
            reservoirs=tuple(self._reservoir(row) for row in stores if not is_tank(row)),
            tanks=tuple(self._tank(row) for row in stores if is_tank(row)),
            pipes=tuple(self._pipe(row) for row in scan.links.values() if row.section == "PIPES"),
            pumps=tuple(self._pump(row) for row in scan.links.values() if row.section == "PUMPS"),
            valves=tuple(self._valve(row) for row in scan.links.values() if row.section == "VALVES"),
            remarks=remarks_of(scan),
        )

    def _node(self, row: Row) -> dict[str, Any]:
        name = row.tokens[0]
        x, y = self._places.get(name, (None, None))
        tag = self._node_tags.get(name)
        return {"name": name, "x": x, "y": y, "tag": tag, "description": row.comment or None}

    def _link(self, row: Row) -> dict[str, Any]:
        name = row.tokens[0]
        return {
            "name": name,
            "start": row.tokens[1],
            "end": row.tokens[2],
            "vertices": tuple(self._bends.get(name, ())),
            "tag": self._link_tags.get(name),
            "description": row.comment or None,
        }

    def _junction(self, row: Row) -> JunctionModel:
        # demands of [DEMANDS] take the place of the one stated here
        stated = self._demands.get(row.tokens[0]) or [float(row.tokens[2]) if len(row.tokens) > 2 else 0.0]
        return JunctionModel(
            elevation_m=float(row.tokens[1]) * self._units.flow.length_m,
            base_demand_m3s=math.fsum(stated) * self._units.flow.m3s,
            **self._node(row),
        )

    def _reservoir(self, row: Row) -> ReservoirModel:
        # a tank without a diameter is a reservoir as high as its initial level
        level = float(row.tokens[2]) if len(row.tokens) > 5 else 0.0
        return ReservoirModel(head_m=(float(row.tokens[1]) + level) * self._units.flow.length_m, **self._node(row))

    def _tank(self, row: Row) -> TankModel:
        unit = self._units.flow
        elevation, initial, lowest, highest, diameter = (float(token) * unit.length_m for token in row.tokens[1:6])
        volume = float(row.tokens[6]) * unit.volume_m3 if len(row.tokens) > 6 else 0.0
        curve = row.tokens[7] if len(row.tokens) > 7 and not row.tokens[7].startswith("*") else ""
        area = math.pi * diameter**2 / 4
        # the minimum volume stands for whatever shape lies below the lowest level
        capacity = (volume or area * lowest) + area * (highest - lowest)
        if curve:
            capacity = self._on_curve(curve, float(row.tokens[4])) * unit.volume_m3
        return TankModel(
            elevation_m=elevation,
            init_level_m=initial,
            min_level_m=lowest,
            max_level_m=highest,
            diameter_m=diameter,
            min_volume_m3=volume,
            capacity_m3=capacity,
            **self._node(row),
        )

    def _on_curve(self, name: str, x: float) -> float:
        points = [(float(r.tokens[1]), float(r.tokens[2])) for r in self._scan.of("CURVES") if r.tokens[0] == name]
        for (x0, y0), (x1, y1) in pairwise(points):
            if x0 <= x <= x1 and x1 > x0:
                return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
        return points[-1][1] if points else 0.0

    def _pipe(self, row: Row) -> PipeModel:
        unit, words = self._units.flow, [token.upper() for token in row.tokens]
        # with nine fields and more the engine takes neither a minor loss nor a status from the line
        word = words[-1] if len(words) in (7, 8) else ""
        loss = float(words[6]) if len(words) == 8 or (len(words) == 7 and _is_number(word)) else 0.0
        stated = self._status.get(row.tokens[0])
        check_valve = word.startswith("CV")
        closed = word.startswith("CLOSED")
        if stated and stated.word and not check_valve and not _is_number(stated.word):
            closed = stated.word.startswith("CLOSED")
        return PipeModel(
            length_m=float(words[3]) * unit.length_m,
            diameter_m=float(words[4]) * unit.diameter_m,
            roughness=float(words[5]) * self._units.roughness,
            minor_loss=loss,
            status=LinkStatus.CLOSED if closed else LinkStatus.OPEN,
            check_valve=check_valve,
            **self._link(row),
        )

    def _pump(self, row: Row) -> PumpModel:
        columns = keywords_of(row)
        old_format = not columns and len(row.tokens) > 3
        power = row.tokens[columns["POWER"]] if "POWER" in columns else None
        if old_format and len(row.tokens) == 4:
            power = row.tokens[3]
        speed, status = (float(row.tokens[columns["SPEED"]]) if "SPEED" in columns else 1.0), LinkStatus.OPEN
        stated = self._status.get(row.tokens[0])
        if stated and stated.word:
            if stated.word.startswith("CLOSED"):
                status = LinkStatus.CLOSED
            elif stated.word.startswith("OPEN"):
                speed = 1.0
            else:
                speed = float(stated.word)
                status = LinkStatus.OPEN if speed else LinkStatus.CLOSED
        return PumpModel(
            power_w=float(power) * self._units.flow.power_w if power else None,
            head_curve=row.tokens[columns["HEAD"]] if "HEAD" in columns and not power else None,
            speed=speed,
            status=status,
            **self._link(row),
        )

    def _valve(self, row: Row) -> ValveModel:
        kind = ValveKind(row.tokens[4][:3].lower())
        setting = None if kind is ValveKind.GPV else float(row.tokens[5])
        status = LinkStatus.OPEN if kind is ValveKind.GPV else LinkStatus.ACTIVE
        stated = self._status.get(row.tokens[0])
        if stated and stated.word:
            if stated.word.startswith("CLOSED"):
                status = LinkStatus.CLOSED
            elif stated.word.startswith("OPEN"):
                status = LinkStatus.OPEN
            elif kind is not ValveKind.GPV:
                setting, status = float(stated.word), LinkStatus.ACTIVE
        return ValveModel(
            kind=kind,
            diameter_m=float(row.tokens[3]) * self._units.flow.diameter_m,
            setting=None if setting is None else setting * self._units.setting(kind),
            minor_loss=float(row.tokens[6]) if len(row.tokens) > 6 else 0.0,
            status=status,
            **self._link(row),
        )


def _title_line(scan: Scan, row: Row) -> str:
    return scan.text.lines[row.line - 1].strip()


def _is_number(word: str) -> bool:
    return bool(word) and word[0] in "+-.0123456789"
