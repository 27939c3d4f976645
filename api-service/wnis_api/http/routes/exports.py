"""Whole networks as files of other programs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from urllib.parse import quote

from wnis_graph.exports.bundle import MEDIA_TYPE, BundleExporter
from wnis_graph.exports.geopackage import write_geopackage
from wnis_graph.repositories.components import ComponentFilter
from wnis_graph.schema.model import COMPONENT_LABELS

from wnis_api.http.route import Call, Nothing, Reply, Route
from wnis_api.http.streams import started
from wnis_api.parts import Parts
from wnis_api.request_limits import Rate

GEOPACKAGE = "application/geopackage+sqlite3"
_CHUNK_BYTES = 1 << 16


def show_geopackage(parts: Parts, call: Call[Nothing, None]) -> Reply:
    network = parts.networks.head(call.scope, call.id())
    components = chain.from_iterable(
        parts.components.stream(call.scope, ComponentFilter(network=network.id, type=label))
        for label in COMPONENT_LABELS
    )
    folder = tempfile.TemporaryDirectory(prefix="wnis-gpkg-")
    try:
        file = Path(folder.name) / "network.gpkg"
        write_geopackage(file, components, network.crs)
    except BaseException:
        folder.cleanup()
        raise
    return Reply(_sent(folder, file), media_type=GEOPACKAGE, headers=_named(network.id, "gpkg"))


def show_bundle(parts: Parts, call: Call[Nothing, None]) -> Reply:
    lines = BundleExporter(parts.runner).lines(call.scope, call.id())
    return Reply(started(lines), media_type=MEDIA_TYPE, headers=_named(call.id(), "jsonl"))


def _sent(folder: tempfile.TemporaryDirectory[str], file: Path) -> Iterator[bytes]:
    # the file goes with the last byte, or with the generator when the client hangs up
    with folder, file.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk


def _named(network_id: str, suffix: str) -> dict[str, str]:
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(network_id, safe='')}.{suffix}"}


_TAG = "networks"

ROUTES: tuple[Route, ...] = (
    Route("GET", "/networks/{id}/gpkg", show_geopackage, "The network as a GeoPackage", _TAG, rate=Rate.COSTLY,
          media_types=(GEOPACKAGE,),
          description="One layer for each type of component, in the network's own coordinate system; every property "
          "is a column whose name carries its unit."),
    Route("GET", "/networks/{id}/bundle", show_bundle, "The network as lines of JSON", _TAG, rate=Rate.COSTLY,
          media_types=(MEDIA_TYPE,),
          description="Zones, components, connections, customers and incidents; the last line counts those before. "
          "The schema of a line is docs/reference/bundle.schema.json."),
)  # fmt: skip
