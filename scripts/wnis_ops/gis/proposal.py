"""A mapping proposed for a file: from its header, its first values and its geometry. A person has to read it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyproj
from pyproj.exceptions import CRSError
from wnis_core.mapping_rules import ROW
from wnis_core.mapping_targets import TARGETS, CellKind, Target, TargetProperty

from wnis_ops.gis.layers import Layer

_LOOKED_AT = 2_000
_MOST_CODES = 30

# what registers call things, in the order in which they are tried; a word is a whole part of the column's name
_WORDS: dict[str, tuple[str, ...]] = {
    "install_date": ("install", "installed", "installdate", "instdate", "installation", "year", "built", "laid",
                     "baujahr", "einbau"),
    "lined_date": ("lined", "relined", "lining"),
    "material": ("material", "mat", "pipemat", "svconnmat", "matl", "werkstoff"),
    "diameter_m": ("diameter", "diam", "dia", "size", "pipesize", "dn", "width", "nennweite"),
    "length_m": ("length", "len", "laenge"),
    "source_id": ("assetid", "facilityid", "watmainid", "id", "number", "no", "nr", "key", "gid", "fid", "objectid"),
    "name": ("name", "label"),
    "customers": ("customers", "persons", "households", "units", "population"),
    "critical": ("critical", "priority"),
    "served_by": ("node", "junction", "component", "pipe", "main"),
    "pipe": ("pipe", "main", "link"),
    "near": ("node", "near", "junction"),
    "offset_m": ("offset", "distance"),
    "valve_kind": ("kind", "type", "valvetype"),
    "status": ("status", "state"),
    "manufacturer": ("manufacturer", "make", "maker", "hersteller"),
    "description": ("description", "remarks", "comment", "comments", "notes"),
}  # fmt: skip
_MATERIALS = {
    "ac": "asbestos_cement", "asbestos cement": "asbestos_cement", "ci": "cast_iron", "cast iron": "cast_iron",
    "cip": "cast_iron", "di": "ductile_iron", "dip": "ductile_iron", "ductile iron": "ductile_iron", "pvc": "pvc",
    "pvco": "pvco", "hdpe": "hdpe", "pe": "pe", "polyethylene": "pe", "st": "steel", "steel": "steel",
    "cop": "copper", "copper": "copper", "cpp": "concrete", "rcp": "concrete", "concrete": "concrete",
    "gi": "galvanised_iron", "galvanized iron": "galvanised_iron", "galvanised iron": "galvanised_iron",
}  # fmt: skip
_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S",
          "%Y/%m/%d %H:%M:%S%z", "%m/%d/%Y %H:%M", "%Y%m%d")  # fmt: skip


@dataclass(frozen=True)
class Column:
    """One column as it was found: distinct first values, how many cells are blank, and what it is taken for."""

    name: str
    kind: str
    samples: tuple[str, ...]
    blank: int
    property: str | None


@dataclass(frozen=True)
class Proposal:
    """A mapping for a file, and what it was made from.

    Parameters
    ----------
    lines : of the mapping in TOML, with remarks
    """

    layer: Layer
    geometry_type: str | None
    crs: str | None
    target: str
    columns: tuple[Column, ...]
    lines: tuple[str, ...]

    def toml(self) -> str:
        """The mapping as text that `load_mapping` takes."""
        return "\n".join(self.lines) + "\n"

    def document(self) -> dict[str, Any]:
        """Everything, for ``--json``."""
        return {
            "file": self.layer.file,
            "format": self.layer.format,
            "layer": self.layer.name,
            "rows": len(self.layer.rows),
            "geometry": self.geometry_type,
            "crs": self.crs,
            "target": self.target,
            "columns": [
                {"name": c.name, "type": c.kind, "samples": list(c.samples), "blank": c.blank, "property": c.property}
                for c in self.columns
            ],
            "mapping": self.toml(),
        }


def propose(layer: Layer) -> Proposal:
    """A mapping for `layer`, which `load_mapping` accepts as it is written; doubts are remarks in it."""
    geometry_type = _geometry_type(layer)
    target = _target(layer, geometry_type)
    rows = layer.rows[:_LOOKED_AT]
    values = {
        name: [cells[i].strip() for cells in rows if len(cells) == len(layer.header)]
        for i, name in enumerate(layer.header)
    }
    taken = _taken(layer.header, values, target, placed=geometry_type is not None)
    found = {column: name for name, column in taken.items()}
    columns = tuple(
        Column(
            name, kind, tuple(list(dict.fromkeys(v for v in values[name] if v))[:5]),
            sum(not v for v in values[name]), found.get(name),
        )
        for name, kind in zip(layer.header, layer.kinds, strict=True)
    )  # fmt: skip
    crs = _crs_name(layer.crs)
    lines = [f"# Proposed for {_said(layer.where, 200)} ({len(layer.rows):,} rows): read every line before you use it."]
    lines += [f"target = {_quoted(target.name)}", f"description = {_quoted(f'proposed for {layer.file}')}"]
    if geometry_type:
        lines += _geometry_lines(layer, target, geometry_type, crs)
    for name in _order(target, taken, geometry_type is not None):
        lines += ["", f"[properties.{name}]"]
        lines += _property_lines(target, name, taken.get(name), values, layer, geometry_type)
    unread = [column for column in layer.header if column not in found]
    if unread:
        lines += ["", f"# not read: {', '.join(map(_said, unread))}"]
    return Proposal(layer, geometry_type, crs, target.name, columns, tuple(lines))


def _target(layer: Layer, geometry_type: str | None) -> Target:
    said = f"{layer.file} {layer.name} {' '.join(layer.header)}".casefold()
    if "hydrant" in said or "sensor" in said:
        name = "devices" if geometry_type == "Point" else "assets"
    elif "valve" in said and geometry_type in ("Point", None) and "pipesize" not in said:
        name = "isolation_valves"
    elif re.search(r"serv(ice)?_?con|connection|customer", said):
        name = "service_connections"
    else:
        name = "assets"
    return TARGETS[name]


def _taken(header: Sequence[str], values: dict[str, list[str]], target: Target, *, placed: bool) -> dict[str, str]:
    """Column by property."""
    taken: dict[str, str] = {}
    known = {p.name: p for p in target.properties}
    for name, words in _WORDS.items():
        if name not in known or (placed and known[name].placed):
            continue
        usable = [c for c in header if c not in taken.values() and _serves(known[name], values[c])]
        column = next((c for word in words for c in usable if word in _parts(c)), None)
        if column is not None:
            taken[name] = column
    return taken


def _serves(wanted: TargetProperty, cells: Sequence[str]) -> bool:
    """Whether the values of a column can be the property's."""
    filled = [cell for cell in cells if cell]
    if not filled:
        return False
    if wanted.name in ("source_id", "name"):
        return len(set(filled)) == len(cells)  # it is to tell rows apart
    if wanted.kind is CellKind.DAY:
        return bool(_dates(filled))
    if wanted.kind in (CellKind.NUMBER, CellKind.COUNT):
        return all(map(_is_number, filled))
    return not wanted.values or {cell.casefold() for cell in filled} <= set(wanted.values)


def _parts(column: str) -> set[str]:
    """The words of a column's name: ``InstallDate`` has install, date and installdate."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column).casefold()
    return {column.casefold(), *re.split(r"[^a-z0-9]+", words)}


def _order(target: Target, taken: dict[str, str], placed: bool) -> list[str]:
    """Properties to write: keys first, then what is required, then what was found."""
    named = [p.name for p in target.properties if p.name in taken or (p.required and not (placed and p.placed))]
    if target.name != "assets" and "source_id" not in named:
        named.insert(0, "source_id")
    if target.name == "assets" and not placed and not {"name", "source_id", "id"} & set(named):
        named.insert(0, "source_id")
    return sorted(named, key=lambda name: name not in target.keys)


def _property_lines(
    target: Target, name: str, column: str | None, values: dict[str, list[str]], layer: Layer, geometry_type: str | None
) -> list[str]:
    wanted = target.property(name)
    if column is None:
        return _without_column(target, name, layer)
    filled = [v for v in values[column] if v]
    lines = [f"column = {_quoted(column)}    # such as {'; '.join(_said(v) for v in dict.fromkeys(filled[:3]))}"]
    if wanted.unit == "m":
        unit = _unit(name, filled)
        lines.append(f'unit = "{unit}"    # a guess from the values: m, mm, cm, km, in, ft')
    if wanted.positive and any(_is_number(v) and float(v) <= 0 for v in filled):
        zeros = sorted({v for v in filled if _is_number(v) and float(v) <= 0})
        lines.append(f"missing = [{', '.join(map(_quoted, zeros[:10]))}]")
    if wanted.kind is CellKind.DAY:
        dates = _dates(filled)
        doubt = "    # both fit: keep one" if len(dates) > 1 else ""
        lines.append(f"dates = [{', '.join(map(_quoted, dates))}]{doubt}")
    return lines + (_code_lines(filled) if name == "material" else [])


def _code_lines(filled: Sequence[str]) -> list[str]:
    codes = [code for code, _ in Counter(filled).most_common(_MOST_CODES)]
    known = {code: _MATERIALS[code.casefold()] for code in codes if code.casefold() in _MATERIALS}
    if not known:
        return []
    unknown = ", ".join(_said(code) for code in codes if code not in known)
    pairs = ", ".join(f"{_quoted(code)} = {_quoted(material)}" for code, material in known.items())
    return [f"codes = {{ {pairs} }}", 'other_codes = "keep"' + (f"    # unknown here: {unknown}" if unknown else "")]


def _without_column(target: Target, name: str, layer: Layer) -> list[str]:
    if name in ("source_id", "id"):
        return [f"column = {_quoted(ROW)}    # no column tells rows apart; the order of the file must then stay"]
    if name == "type":
        return [f'constant = "{"Sensor" if "sensor" in layer.file.casefold() else "Hydrant"}"']
    if name == "customers":
        return ["constant = 1    # no column says how many; write the column or the number"]
    if name == "name":
        return [f"column = {_quoted(ROW)}    # no column holds a name"]
    return [f"column = {_quoted(layer.header[0])}    # required, and no column looks like it: name the right one"]


def _geometry_lines(layer: Layer, target: Target, geometry_type: str, crs: str | None) -> list[str]:
    lines = ["", "[geometry]"]
    if crs is None:
        lines.append('crs = "network"    # the file states none: EPSG:n, or network when it shares its coordinates')
        lines.append('unit = "m"         # of the coordinates, for a network without coordinate reference system')
    else:
        lines.append(f"# the file says {_said(crs, 100)}")
    if target.name == "devices":
        return lines
    lines.append("tolerance_m = 2.0  # a guess: how far the file and the model may lie apart")
    if target.name == "service_connections" and geometry_type == "LineString":
        lines.append('at = "start"       # or end: which end of a line is at the main')
    return lines


def _geometry_type(layer: Layer) -> str | None:
    if layer.geometries is None:
        return None
    names = Counter(g.geom_type.removeprefix("Multi") for g in layer.geometries[:_LOOKED_AT] if g is not None)
    return names.most_common(1)[0][0] if names else None


def _crs_name(crs: str | None) -> str | None:
    if crs is None:
        return None
    try:
        return str(pyproj.CRS.from_user_input(crs).name) if not crs.startswith("EPSG:") else crs
    except CRSError:
        return crs[:60]


def _dates(values: Sequence[str]) -> list[str]:
    """Formats in which every value is a date."""
    if all(_is_number(v) and float(v) == int(float(v)) and 1700 <= float(v) <= 2200 for v in values):
        return ["year"]
    return [pattern for pattern in _DATES if all(_fits(v, pattern) for v in values)][:2]


def _fits(text: str, pattern: str) -> bool:
    if pattern.endswith("%z"):
        text = re.sub(r"([+-]\d\d)$", r"\g<1>00", text)
    try:
        return 1700 <= datetime.strptime(text, pattern).year <= 2200  # noqa: DTZ007  # only whether it fits
    except ValueError:
        return False


def _unit(name: str, values: Sequence[str]) -> str:
    sizes = sorted(float(v) for v in values if float(v) > 0)
    middle = sizes[len(sizes) // 2] if sizes else 0.0
    if name != "diameter_m":
        return "m"
    return "m" if middle < 2 else "in" if middle < 40 else "mm"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _said(text: str, most: int = 30) -> str:
    """`text` as a remark of TOML may hold it: no line breaks, no control characters."""
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text)[:most]


def _quoted(text: str) -> str:
    """`text` as a basic string of TOML, which is one of JSON but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
