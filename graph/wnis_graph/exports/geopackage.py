"""A network as a GeoPackage: one layer for each type of component, in the network's own coordinate system."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyogrio.raw
import pyproj
import shapely
from wnis_core.cells import plain

from wnis_graph.queries.components import Component
from wnis_graph.schema.declaration import Kind, Property
from wnis_graph.schema.model import SCHEMA

_OWN = ("id", "name", "status", "health", "network", "zone")
_NOT_COLUMNS = frozenset({*_OWN, "utility", "type", "location", "shape", "vertices", "x", "y", "retired_at"})
_DTYPES: dict[Kind, tuple[str, Any]] = {
    Kind.INTEGER: ("int64", 0),
    Kind.FLOAT: ("float64", np.nan),
    Kind.BOOLEAN: ("bool", False),
    Kind.DATE: ("datetime64[D]", np.datetime64("NaT")),
}
_LINKS = frozenset({"Pipe", "Pump", "Valve"})
BATCH = 5_000


def write_geopackage(
    path: Path, components: Iterable[Component], crs: str | None, *, batch_rows: int = BATCH
) -> dict[str, int]:
    """Write `components`, ordered by type, to a new file at `path`; returns features by layer.

    Parameters
    ----------
    crs : the network's coordinate reference system (``EPSG:n``), which the layers are in; None writes source
        coordinates without a system
    batch_rows : components held in memory at once

    Every declared property is a column under its own name, which carries its unit (``length_m``). A component without
    a place is a row without geometry: nothing is left out.
    """
    to_source = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True) if crs else None
    written: dict[str, int] = {}
    for label, batch in _batches(components, batch_rows):
        _write_layer(path, label, batch, crs, to_source, append=label in written)
        written[label] = written.get(label, 0) + len(batch)
    if not written:
        # a file without a layer is none that a program opens
        _write_layer(path, "Pipe", [], crs, to_source, append=False)
    return written


def _write_layer(
    path: Path,
    label: str,
    batch: Sequence[Component],
    crs: str | None,
    to_source: pyproj.Transformer | None,
    *,
    append: bool,
) -> None:
    columns = _columns(label)
    rows = [_row(component) for component in batch]
    fields = [*_OWN, *columns]
    arrays = [_array(columns.get(name), [row.get(name) for row in rows]) for name in fields]
    pyogrio.raw.write(
        path,
        geometry=np.array([_wkb(component, to_source) for component in batch], dtype=object),
        field_data=[values for values, _ in arrays],
        field_mask=[missing for _, missing in arrays],
        fields=fields,
        layer=label.lower(),
        driver="GPKG",
        geometry_type="LineString" if label in _LINKS else "Point",
        promote_to_multi=False,
        crs=crs,
        append=append,
        layer_options={"IDENTIFIER": label, "DESCRIPTION": SCHEMA.label(label).description},
    )


def _batches(components: Iterable[Component], batch_rows: int) -> Iterator[tuple[str, Sequence[Component]]]:
    remaining = iter(components)
    held: list[Component] = []
    while batch := [*held, *islice(remaining, batch_rows)]:
        same = [one for one in batch if one.type == batch[0].type]
        # ordered by type: whatever is of another type begins the next batch
        held = batch[len(same) :]
        yield batch[0].type, same


def _columns(label: str) -> dict[str, Property]:
    kinds = (*_DTYPES, Kind.STRING, Kind.DATETIME)
    return {n: p for n, p in SCHEMA.properties_of(label).items() if n not in _NOT_COLUMNS and p.kind in kinds}


def _row(component: Component) -> dict[str, Any]:
    own = {name: getattr(component, name) for name in _OWN}
    return dict(component.properties) | own | {"zone": component.zone.id if component.zone else None}


def _array(declared: Property | None, values: Sequence[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    missing = np.array([value is None for value in values], dtype=bool)
    dtype, empty = _DTYPES.get(declared.kind, ("object", None)) if declared else ("object", None)
    if dtype == "object":
        return np.array([plain(value) for value in values], dtype=object), missing
    return np.array([empty if value is None else value for value in values], dtype=dtype), missing


def _wkb(component: Component, to_source: pyproj.Transformer | None) -> bytes | None:
    line = list(component.shape)
    if len(line) < 2:
        line = [(component.location.x, component.location.y)] if component.location else []
    if not line:
        return None
    xs, ys = [p[0] for p in line], [p[1] for p in line]
    if to_source is not None:
        xs, ys = to_source.transform(xs, ys)
    if component.type in _LINKS and len(line) == 1:
        # a valve on a pipe has a place and no length; its layer holds lines
        xs, ys = [*xs, *xs], [*ys, *ys]
    points = list(zip(xs, ys, strict=True))
    made = shapely.LineString(points) if len(points) > 1 else shapely.Point(points[0])
    return bytes(shapely.to_wkb(made))
