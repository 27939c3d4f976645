"""Networks drawn: GeoJSON of everything, lines for registers, vector tiles of what is in view."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from wnis_core.errors import NotFound
from wnis_graph.repositories.maps import NetworkMap

from wnis_api.http.route import Call, Nothing, Reply, Route
from wnis_api.http.streams import GEOJSON, geojson_stream, geometry, started
from wnis_api.parts import Parts
from wnis_api.tiles import MAX_ZOOM, MEDIA_TYPE, Tile, map_properties, tile_bytes


def show_geojson(parts: Parts, call: Call[Nothing, None]) -> Reply:
    drawn = parts.maps.get(call.scope, call.id())
    members: dict[str, Any] = {
        "network": drawn.network.id,
        "crs_of_source": drawn.network.crs,
        "on_blank_plane": drawn.network.crs is None,
        "run_id": drawn.run_id,
        "synthetic": drawn.network.synthetic,
    }
    if drawn.extent:
        members["bbox"] = drawn.extent
    return Reply(started(geojson_stream(_features(drawn), members)), media_type=GEOJSON)


def _features(drawn: NetworkMap) -> Iterator[dict[str, Any]]:
    for feature in drawn.features:
        yield {
            "type": "Feature",
            "id": feature.id,
            "geometry": geometry(feature.line[0], feature.line, lambda x, y: (x, y)),
            "properties": map_properties(feature),
        }


def show_geometry(parts: Parts, call: Call[Nothing, None]) -> Reply:
    network, components = parts.maps.drawn(call.scope, call.id())
    members = {"network": network.id, "crs_of_source": network.crs, "on_plane_of_source": network.crs is None}
    features = (
        {
            "type": "Feature",
            "id": one.id,
            "geometry": geometry(
                (one.shape[0], one.shape[1]), zip(one.shape[::2], one.shape[1::2], strict=True), lambda x, y: (x, y)
            ),
            "properties": {
                "type": one.type,
                "name": one.name,
                "source_id": one.source_id,
                "length_m": one.length_m,
                "start": one.start,
                "end": one.end,
            },
        }
        for one in components
    )
    return Reply(started(geojson_stream(features, members)), media_type=GEOJSON)


def show_tile(parts: Parts, call: Call[Nothing, None]) -> Reply:
    tile = _tile(call)
    drawn = parts.maps.get(call.scope, call.id())
    content = tile_bytes(tile, drawn.within(*tile.bounds))
    if not content:
        return Reply(None, status=204)
    version = hashlib.blake2b(content, digest_size=12).hexdigest()
    return Reply(content, media_type=MEDIA_TYPE, revision=f"{drawn.network.revision}.{version}")


def _tile(call: Call[Any, Any]) -> Tile:
    numbers = [call.path[name] for name in "zxy"]
    if all(number.isascii() and number.isdigit() and len(number) <= 8 for number in numbers):
        z, x, y = (int(number) for number in numbers)
        if z <= MAX_ZOOM and x < 2**z and y < 2**z:
            return Tile(z, x, y)
    raise NotFound("There is no such tile.", mend=f"z is 0 to {MAX_ZOOM}, x and y are below 2^z.")


_TAG = "networks"

ROUTES: tuple[Route, ...] = (
    Route("GET", "/networks/{id}/geojson", show_geojson, "The network as GeoJSON", _TAG, media_types=(GEOJSON,),
          description="Pressure and flow are of the latest run, the failure probability is within one year. A network "
          "without coordinate system is drawn on a blank plane around 0,0 (`on_blank_plane`)."),
    Route("GET", "/networks/{id}/geometry", show_geometry, "Lines and points to match registers against", _TAG,
          media_types=(GEOJSON,),
          description="Each component that has a place, with its type, name, length and the ids of its end nodes. In "
          "degrees (WGS 84); a network without coordinate system in the coordinates of its source file "
          "(`on_plane_of_source`)."),
    Route("GET", "/networks/{id}/tiles/{z}/{x}/{y}.mvt", show_tile, "The network as a vector tile", _TAG,
          media_types=(MEDIA_TYPE,), errors=(204, 304), description="Layers `links` and `nodes`."),
)  # fmt: skip
