"""Map features as Mapbox vector tiles (version 2.1), in the usual web Mercator grid."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import mapbox_vector_tile
from shapely.geometry import LineString, Point, box
from wnis_graph.repositories.maps import MapFeature

MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
MAX_ZOOM = 22
_EXTENT = 4096
# lines go on beyond the tile's edge by a 32nd of it, so that their ends are not drawn there
_MARGIN = 1 / 32


@dataclass(frozen=True)
class Tile:
    """A tile of the grid: zoom, column from the west, row from the north."""

    z: int
    x: int
    y: int

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north with the margin, in degrees."""
        return (
            _longitude(self.x - _MARGIN, self.z),
            _latitude(self.y + 1 + _MARGIN, self.z),
            _longitude(self.x + 1 + _MARGIN, self.z),
            _latitude(self.y - _MARGIN, self.z),
        )

    def to_tile(self, longitude: float, latitude: float) -> tuple[float, float]:
        """Place within the tile: 0 to `_EXTENT` from its lower left corner."""
        n = 2.0**self.z
        sine = max(-0.9999, min(0.9999, math.sin(math.radians(latitude))))
        x = (longitude + 180.0) / 360.0 * n - self.x
        y = (0.5 - math.log((1 + sine) / (1 - sine)) / (4 * math.pi)) * n - self.y
        return x * _EXTENT, (1 - y) * _EXTENT


def tile_bytes(tile: Tile, features: Iterable[MapFeature]) -> bytes:
    """`features` as layers ``links`` and ``nodes``; empty when nothing lies in the tile."""
    margin = _EXTENT * _MARGIN
    window = box(-margin, -margin, _EXTENT + margin, _EXTENT + margin)
    layers: dict[str, list[dict[str, Any]]] = {"links": [], "nodes": []}
    for feature in features:
        places = [tile.to_tile(*place) for place in feature.line]
        shape = (LineString(places) if len(places) > 1 else Point(places[0])).intersection(window)
        if shape.is_empty:
            continue
        properties = {name: value for name, value in map_properties(feature).items() if value is not None}
        layers["links" if len(places) > 1 else "nodes"].append({"geometry": shape, "properties": properties})
    drawn = [{"name": name, "features": found} for name, found in layers.items() if found]
    if not drawn:
        return b""
    encoded: bytes = mapbox_vector_tile.encode(drawn, default_options={"extents": _EXTENT})
    return encoded


def map_properties(feature: MapFeature) -> dict[str, Any]:
    """What the map shows and colours by."""
    return {
        "id": feature.id,
        "type": feature.type,
        "name": feature.name,
        "status": feature.status,
        "health": feature.health,
        "zone": feature.zone,
        "material": feature.material,
        "diameter_m": feature.diameter_m,
        "install_date": feature.install_date.isoformat() if feature.install_date else None,
        "pressure_min_m": feature.pressure_min_m,
        "pressure_mean_m": feature.pressure_mean_m,
        "flow_mean_m3s": feature.flow_mean_m3s,
        "velocity_max_ms": feature.velocity_max_ms,
        "failure_probability": feature.failure_probability,
    }


def _longitude(x: float, z: int) -> float:
    return x / 2.0**z * 360.0 - 180.0


def _latitude(y: float, z: int) -> float:
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / 2.0**z))))
