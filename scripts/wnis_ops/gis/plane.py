"""The network and a register on one plane in metres."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj
import shapely
from pyproj.exceptions import CRSError, ProjError
from wnis_core.errors import FieldProblem, InvalidValue
from wnis_core.mapping_rules import NETWORK_CRS, GeometryRule

from wnis_ops.gis.layers import Layer

_WGS84 = "EPSG:4326"

_NEARBY_M = 1_000.0
"""A file of which nothing lies closer to the network is one of another place, or in another reference system."""


@dataclass(frozen=True)
class Drawn:
    """The components of a network that have a place.

    Parameters
    ----------
    lines : (components,) shapely geometries in m: links from start to end, nodes as points
    """

    ids: list[str]
    types: list[str]
    names: list[str]
    lengths_m: list[float | None]
    starts: list[str | None]
    ends: list[str | None]
    lines: Any


def on_one_plane(network: Mapping[str, Any], layer: Layer, rule: GeometryRule) -> tuple[Drawn, Any]:
    """The network (the answer of ``GET /networks/{id}/geometry``), and the geometries of `layer`, both in metres.

    A network with a coordinate reference system is projected around its own centre (azimuthal equidistant, exact to
    a millionth within 10 km); one without keeps its coordinates, times the unit that the mapping states.

    Raises
    ------
    InvalidValue
        the layer has no geometry, nobody states its coordinate reference system, or it lies elsewhere
    """
    features = network["features"]
    lines = shapely.from_geojson([json.dumps(feature["geometry"]) for feature in features])
    if not len(lines):
        raise InvalidValue(f"Network {network['network']} has no coordinates.", mend="Match by id or name.")
    crs = crs_of_file(network["crs_of_source"], layer, rule)
    if layer.geometries is None:
        raise InvalidValue(
            f"{layer.where} has no geometry.", mend="Leave the table geometry out, or state its columns x and y."
        )
    rows = layer.geometries
    if crs is None:
        lines, rows = _scaled(lines, rule.unit_m), _scaled(rows, rule.unit_m)
    else:
        west, south, east, north = shapely.total_bounds(lines)
        local = pyproj.CRS.from_dict(
            {"proj": "aeqd", "lat_0": (south + north) / 2, "lon_0": (west + east) / 2, "datum": "WGS84", "units": "m"}
        )
        # by the degrees that the server made of the network's coordinates: another way may choose another datum shift
        degrees = _projected(rows, crs, pyproj.CRS.from_user_input(_WGS84))
        lines, rows = _projected(lines, _WGS84, local), _projected(degrees, _WGS84, local)
    _require_near(network["network"], lines, rows, layer)
    properties = [feature["properties"] for feature in features]
    drawn = Drawn(
        [feature["id"] for feature in features],
        [p["type"] for p in properties],
        [p["name"] for p in properties],
        [p["length_m"] for p in properties],
        [p["start"] for p in properties],
        [p["end"] for p in properties],
        lines,
    )
    return drawn, rows


def crs_of_file(network_crs: str | None, layer: Layer, rule: GeometryRule) -> str | None:
    """The coordinate reference system of the layer's coordinates; None for those of a network without one.

    Raises
    ------
    InvalidValue
        neither mapping nor file states one, or the network has none that the file's could be brought to
    """
    if rule.crs == NETWORK_CRS:
        return network_crs
    crs = rule.crs or layer.crs
    if crs is None:
        raise _fault(
            f"{layer.where} does not say its coordinate reference system.",
            f"State geometry.crs in the mapping: EPSG:n, or {NETWORK_CRS} when it shares the network's coordinates.",
        )
    if network_crs is None:
        raise _fault(
            f"{layer.where} is in {crs[:60]}, but the network has no coordinate reference system.",
            f"Import the network with --crs, or state geometry.crs = {NETWORK_CRS!r} when both share coordinates.",
        )
    try:
        pyproj.CRS.from_user_input(crs)
    except CRSError as error:
        raise _fault(f"{crs[:60]} is no coordinate reference system.", "Write EPSG:n with a known n.") from error
    return crs


def in_source_coordinates(network_crs: str | None, layer: Layer, rule: GeometryRule) -> Any:
    """(rows, 2) points of the layer in the coordinates of the network's source; NaN where a row has none.

    Raises
    ------
    InvalidValue
        as `on_one_plane`
    """
    crs = crs_of_file(network_crs, layer, rule)
    if layer.geometries is None:
        raise InvalidValue(f"{layer.where} has no geometry.", mend="State geometry.x and geometry.y.")
    rows = points_of(layer.geometries, rule.at)
    if crs is not None and network_crs is not None:
        rows = _projected(rows, crs, pyproj.CRS.from_user_input(network_crs))
    return np.column_stack([shapely.get_x(rows), shapely.get_y(rows)])


def points_of(geometries: Any, at: str) -> Any:
    """The point of each geometry that counts: a point itself, of a line its start or end; None for anything else."""
    kinds = shapely.get_type_id(geometries)
    single = shapely.get_geometry(geometries, 0)
    made: Any = np.where(kinds == 0, geometries, None)
    made = np.where((kinds == 4) & (shapely.get_num_geometries(geometries) == 1), single, made)
    if at != "line":
        last = at == "end"
        part = shapely.get_geometry(geometries, -1 if last else 0)
        made = np.where((kinds == 1) | (kinds == 5), shapely.get_point(part, -1 if last else 0), made)
    return made


def _scaled(geometries: Any, factor: float) -> Any:
    return shapely.transform(geometries, lambda points: points * factor)


def _projected(geometries: Any, crs: str, to: pyproj.CRS) -> Any:
    transformer = pyproj.Transformer.from_crs(crs, to, always_xy=True)

    def move(points: Any) -> Any:
        return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))

    try:
        return shapely.transform(geometries, move)
    except ProjError as error:
        raise _fault(f"The coordinates do not fit {crs[:60]}: {error}.", "State the right geometry.crs.") from error


def _require_near(network: str, lines: Any, rows: Any, layer: Layer) -> None:
    """Refuse a layer of which nothing lies about the network: its reference system is wrong, not its rows."""
    west, south, east, north = shapely.total_bounds(lines)
    given = shapely.bounds(rows)[~(shapely.is_missing(rows) | shapely.is_empty(rows))]
    known = given[np.isfinite(given).all(axis=1)]
    away = np.maximum.reduce([known[:, 0] - east, west - known[:, 2], known[:, 1] - north, south - known[:, 3]])
    if len(given) and not (away <= _NEARBY_M).any():
        where = f"it is {away.min() / 1000:,.0f} km away" if len(known) else "its coordinates cannot be placed"
        raise _fault(
            f"Nothing of {layer.where} lies within network {network}: {where}.",
            "Check geometry.crs of the mapping and the coordinate reference system of the network.",
        )


def _fault(message: str, mend: str) -> InvalidValue:
    return InvalidValue(message, mend=mend, fields=[FieldProblem("geometry.crs", "does not fit")])
