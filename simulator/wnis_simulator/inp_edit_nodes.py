"""Changed properties of nodes, written into their lines."""

from __future__ import annotations

import math
from collections.abc import Sequence

from wnis_graph.network_model import JunctionModel, ReservoirModel, TankModel

from wnis_simulator.inp_lines import Lines
from wnis_simulator.inp_read import FileUnits
from wnis_simulator.inp_rows import figure
from wnis_simulator.inp_text import Row

_TANK_COLUMNS = {"elevation_m": 1, "init_level_m": 2, "min_level_m": 3, "max_level_m": 4, "diameter_m": 5}


def set_junction(
    lines: Lines, units: FileUnits, row: Row, now: JunctionModel, changed: frozenset[str], demands: Sequence[Row]
) -> None:
    """Elevation and base demand; of several demand categories each keeps its share and its pattern."""
    if "elevation_m" in changed:
        lines.put(row, 1, figure(now.elevation_m, units.flow.length_m))
    if "base_demand_m3s" not in changed:
        return
    if not demands:
        lines.put(row, 2, figure(now.base_demand_m3s, units.flow.m3s))
        return
    parts = [float(one.tokens[1]) for one in demands]
    before = math.fsum(parts)
    for place, (one, part) in enumerate(zip(demands, parts, strict=True)):
        share = part / before if before else float(place == 0)
        lines.put(one, 1, figure(now.base_demand_m3s * share, units.flow.m3s))


def set_reservoir(lines: Lines, units: FileUnits, row: Row, now: ReservoirModel, changed: frozenset[str]) -> None:
    """The head; above the level that a reservoir written as a tank without diameter has."""
    if "head_m" in changed:
        level = float(row.tokens[2]) if len(row.tokens) > 5 else 0.0
        lines.put(row, 1, figure(now.head_m - level * units.flow.length_m, units.flow.length_m))


def set_tank(lines: Lines, units: FileUnits, row: Row, now: TankModel, changed: frozenset[str]) -> None:
    """Elevation, levels, diameter and minimum volume."""
    for name, column in _TANK_COLUMNS.items():
        if name in changed:
            lines.put(row, column, figure(getattr(now, name), units.flow.length_m))
    if "min_volume_m3" in changed:
        lines.put(row, 6, figure(now.min_volume_m3 or 0.0, units.flow.volume_m3))
