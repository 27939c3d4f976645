"""Files of GIS and tables as cells and geometries: CSV, GeoJSON, Shapefile, GeoPackage."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from pyogrio.raw import read
from wnis_core.errors import InvalidValue, NotFound
from wnis_core.mapping import decode
from wnis_core.mapping_rules import FileLayout

MAX_BYTES = 2 * 1024**3
MAX_ROWS = 1_000_000
"""A register larger than this is refused before it is read: everything of it is held in memory."""

_SIDE_FILES = frozenset({".dbf", ".shx", ".prj", ".cpg", ".qpj", ".sbn", ".sbx"})
_OGR_NAMES = {"latin-1": "ISO-8859-1", "cp1252": "CP1252"}
_DRIVERS = {"GPKG": "GeoPackage", "ESRI Shapefile": "Shapefile", "GeoJSON": "GeoJSON"}


@dataclass(frozen=True)
class Layer:
    """One table of a file.

    Parameters
    ----------
    name : of the layer; the file's own without layers
    rows : cells as texts, blank when not known
    kinds : type of each column as the file states it
    geometries : (rows,) of shapely, None where a row has none; None for a table without geometry
    crs : coordinate reference system that the file states
    """

    file: str
    format: str
    name: str
    header: tuple[str, ...]
    kinds: tuple[str, ...]
    rows: list[list[str]]
    geometries: Any
    crs: str | None

    @property
    def where(self) -> str:
        """The file, and the layer where it is called otherwise."""
        return self.file if self.name == Path(self.file).stem else f"{self.file}, layer {self.name}"


def is_geographic(path: Path) -> bool:
    """Whether `path` is a file of GIS by its content; False for anything else, such as CSV.

    Raises
    ------
    NotFound
        no such file
    InvalidValue
        too large, unreadable, a companion of a Shapefile, or not what its suffix says
    """
    if not path.is_file():
        raise NotFound(f"There is no file {path}.")
    if path.stat().st_size > MAX_BYTES:
        raise InvalidValue(
            f"{path.name} has {path.stat().st_size / 1024**3:.1f} GB; {MAX_BYTES / 1024**3:.0f} GB is the most.",
            mend="Divide it by area.",
        )
    suffix = path.suffix.lower()
    if suffix in _SIDE_FILES:
        raise InvalidValue(f"{path.name} is a part of a Shapefile.", mend=f"Name {path.with_suffix('.shp').name}.")
    try:
        with path.open("rb") as file:
            head = file.read(1024)
    except OSError as error:
        raise InvalidValue(f"{path} cannot be read: {error.strerror}.", mend="Name a readable file.") from error
    found = (
        ".gpkg" if head.startswith(b"SQLite format 3\0")
        else ".shp" if head.startswith(b"\x00\x00\x27\x0a")
        else ".geojson" if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
        else ""
    )  # fmt: skip
    if suffix in (".gpkg", ".shp", ".geojson") and found != suffix:
        raise InvalidValue(f"{path.name} is no {suffix[1:]} file by its content.", mend="Export it again.")
    return found != ""


def read_layer(path: Path, wanted: str = "", layout: FileLayout | None = None) -> Layer:
    """The layer `wanted` (the only one unless named) of a file, or the table of a CSV file.

    Raises
    ------
    NotFound
        no such file, or no such layer
    InvalidValue
        not readable, several layers and none named, or too many rows
    """
    layout = layout or FileLayout()
    if not is_geographic(path):
        return _table(path, layout)
    layer = _layer_of(path, wanted)
    encoding = _OGR_NAMES.get(layout.encoding, layout.encoding) if layout.encoding != "auto" else None
    try:
        facts = pyogrio.read_info(path, layer=layer, encoding=encoding, force_feature_count=True)
        if facts["driver"] not in _DRIVERS:
            raise InvalidValue(
                f"{path.name} is a file of {facts['driver']}.",
                mend=f"Save it as {', '.join(_DRIVERS.values())} or CSV.",
            )
        if facts["features"] > MAX_ROWS:
            raise InvalidValue(f"{path.name} has {facts['features']:,} rows; {MAX_ROWS:,} is the most.",
                               mend="Divide it by area.")  # fmt: skip
        meta, _, wkb, columns = _read(path, layer, encoding)
        geometries = None if wkb is None or meta["geometry_type"] is None else shapely.from_wkb(wkb)
    except (DataSourceError, DataLayerError, shapely.errors.GEOSException) as error:
        raise InvalidValue(
            f"{path.name}, layer {layer}, cannot be read: {error}.",
            mend="Open it in a GIS and export it again; a Shapefile needs its .dbf and .shx beside it.",
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidValue(
            f"{path.name}, layer {layer}: its texts are not in {error.encoding}.",
            mend="State file.encoding in the mapping.",
        ) from error
    if path.suffix.lower() == ".shp" and not path.with_suffix(".dbf").is_file():
        raise InvalidValue(f"{path.name} has no {path.with_suffix('.dbf').name} beside it.", mend="Copy all its parts.")
    texts = [_texts(column) for column in columns]
    rows = [list(cells) for cells in zip(*texts, strict=True)] if texts else [[] for _ in range(facts["features"])]
    crs = meta["crs"]
    if facts["driver"] == "GeoJSON" and crs is None:
        crs = "EPSG:4326"  # RFC 7946 has no other
    return Layer(
        path.name,
        _DRIVERS[facts["driver"]],
        layer,
        tuple(str(name).strip() for name in meta["fields"]),
        tuple(str(np.dtype(kind)) for kind in meta["dtypes"]),
        rows,
        geometries,
        crs,
    )


def _read(path: Path, layer: str, encoding: str | None) -> Any:
    try:
        return read(path, layer=layer, encoding=encoding, force_2d=True)
    except UnicodeDecodeError:
        if encoding is not None:
            raise
        # a .dbf says nothing reliable of its encoding; every byte is a letter of Latin-1
        return read(path, layer=layer, encoding="ISO-8859-1", force_2d=True)


def _layer_of(path: Path, wanted: str) -> str:
    try:
        names = [str(name) for name, _ in pyogrio.list_layers(path)]
    except DataSourceError as error:
        raise InvalidValue(
            f"{path.name} cannot be read: {error}.",
            mend="Open it in a GIS and export it again; a Shapefile needs its .dbf and .shx beside it.",
        ) from error
    if wanted:
        if wanted not in names:
            raise NotFound(f"{path.name} has no layer {wanted!r}.", mend=f"Its layers are {', '.join(names)}.")
        return wanted
    if len(names) != 1:
        raise InvalidValue(
            f"{path.name} has {len(names)} layers: {', '.join(names)}.", mend="Name one with --layer or file.layer."
        )
    return names[0]


def _table(path: Path, layout: FileLayout) -> Layer:
    text = decode(path.read_bytes(), layout, path.name)
    if layout.delimiter == "auto":
        first = text.split("\n", 1)[0]
        delimiter = max(",;\t|", key=first.count)
    else:
        delimiter = layout.delimiter
    try:
        rows = [cells for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(cells)]
    except csv.Error as error:
        raise InvalidValue(f"{path.name}: {error}.", mend="Export it again as CSV with quoted texts.") from error
    if not rows:
        raise InvalidValue(f"{path.name} is empty.", mend="Name a file with a header and rows.")
    header = tuple(cell.strip() for cell in rows[0])
    return Layer(path.name, "CSV", path.stem, header, tuple("object" for _ in header), rows[1:], None, None)


def _texts(column: Any) -> Sequence[str]:
    if column.dtype.kind in "fiu":
        return [_number(value) for value in column.tolist()]
    if column.dtype.kind == "M":
        return ["" if text == "NaT" else text for text in np.datetime_as_string(column).tolist()]
    return [_text(value) for value in column.tolist()]


def _number(value: float) -> str:
    if value != value:
        return ""
    # a whole number is a code as often as a quantity, and a code has no decimals
    return str(int(value)) if abs(value) < 2**53 and value == int(value) else repr(value)


def _text(value: Any) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    return str(value)
