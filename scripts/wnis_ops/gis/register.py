"""A file through a mapping, with the component of each row found from its geometry where the mapping says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from wnis_core.errors import InvalidValue
from wnis_core.mapping import MappedTable, read_rows, read_table
from wnis_core.mapping import Mapping as Rules
from wnis_core.mapping_rules import GeometryRule
from wnis_core.mapping_targets import ASSETS, DEVICES, ISOLATION_VALVES

from wnis_ops.gis.layers import Layer, is_geographic, read_layer
from wnis_ops.gis.matching import Matches, accounted, is_line_layer, match_courses, match_places, seat
from wnis_ops.gis.plane import Drawn, in_source_coordinates, on_one_plane


@dataclass(frozen=True)
class Register:
    """Rows ready to be sent.

    Parameters
    ----------
    summary : accounts for every row of the file, before it was matched
    report : the lists of the geometry: `matched`, `ambiguous`, `unplaced`, `uncovered`; empty without it
    """

    table: MappedTable
    summary: str
    report: Mapping[str, Any] = field(default_factory=dict)


def read_register(path: Path, rules: Rules, layer_name: str, network: Callable[[], Mapping[str, Any]]) -> Register:
    """The rows of `path`; `network` answers the network as it is drawn, when geometry is to be matched.

    Raises
    ------
    NotFound, InvalidValue
        the file, its layer, its columns or its coordinates are not what the mapping says; see `read_layer`,
        `read_rows`, `on_one_plane`
    """
    rule = rules.geometry
    geographic = is_geographic(path)
    if layer_name and not geographic:
        raise InvalidValue(f"{path.name} is a table without layers.", mend="Leave --layer out.")
    if rule is None and not geographic:
        table = read_table(path, rules)
        return Register(table, table.summary())
    layer = read_layer(path, layer_name or rules.file.layer, rules.file)
    numbered = ((number, cells) for number, cells in enumerate(layer.rows, start=1))
    table = read_rows(layer.header, numbered, rules, layer.where, layer.name)
    if rule is None:
        return Register(table, table.summary())
    if rule.x:
        layer = _with_points(layer, rule, rules.file.decimal)
    if table.target == DEVICES.name:
        return _devices(table, layer, rule, network()["crs_of_source"])
    drawn, geometries = on_one_plane(network(), layer, rule)
    rows = [number - 1 for number in table.row_numbers]
    if table.target == ASSETS.name and rule.at == "line" and is_line_layer(geometries):
        matches = match_courses(drawn, geometries, rows, rule)
    else:
        matches = match_places(drawn, geometries, rows, rule, one_each=table.target == ASSETS.name)
    return Register(_filled(table, drawn, geometries, matches), table.summary(), accounted(drawn, matches))


def _filled(table: MappedTable, drawn: Drawn, geometries: Any, matches: Matches) -> MappedTable:
    by_number = dict(zip(table.row_numbers, table.rows, strict=True))
    rows, numbers = [], []
    for match in sorted(matches.found, key=lambda m: (m.row, m.component)):
        component = drawn.ids[match.component]
        row = dict(by_number[match.row + 1])
        if table.target == ASSETS.name:
            row["id"] = component
        else:
            near, offset_m, from_start_m = seat(drawn, match, geometries[match.row])
            on_link = drawn.lengths_m[match.component] is not None
            if table.target == ISOLATION_VALVES.name:
                row |= {"pipe": component, "offset_m": offset_m} | ({"near": near} if near else {})
            else:
                row |= {"served_by": component} | ({"offset_m": from_start_m} if on_link else {})
        rows.append(row)
        numbers.append(match.row + 1)
    return replace(table, rows=rows, row_numbers=numbers)


def _devices(table: MappedTable, layer: Layer, rule: GeometryRule, crs: str | None) -> Register:
    points = in_source_coordinates(crs, layer, rule)
    rows, numbers, unplaced = [], [], []
    for number, row in zip(table.row_numbers, table.rows, strict=True):
        x, y = points[number - 1].tolist()
        if not (np.isfinite(x) and np.isfinite(y)):
            unplaced.append({"row": number, "message": "has no point that can be placed"})
            continue
        rows.append({**row, "x": x, "y": y})
        numbers.append(number)
    return Register(replace(table, rows=rows, row_numbers=numbers), table.summary(), {"unplaced": unplaced})


def _with_points(layer: Layer, rule: GeometryRule, decimal: str) -> Layer:
    """A table whose columns hold coordinates, with its points; None where they cannot be read."""
    x, y = layer.header.index(rule.x), layer.header.index(rule.y)
    points = [_point(cells[x], cells[y], decimal) if len(cells) == len(layer.header) else None for cells in layer.rows]
    return replace(layer, geometries=np.array(points, dtype=object))


def _point(x: str, y: str, decimal: str) -> Any:
    try:
        place = [float(text.replace(",", ".") if decimal == "," else text) for text in (x, y)]
    except ValueError:
        return None
    return shapely.Point(place) if np.isfinite(place).all() else None
