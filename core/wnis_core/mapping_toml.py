"""The TOML notation of a mapping, and its check: every fault is named by its key, with the mend."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wnis_core.errors import FieldProblem, InvalidValue, NotFound
from wnis_core.mapping_rules import (
    NETWORK_CRS,
    ROW,
    Code,
    Condition,
    FileLayout,
    Filter,
    GeometryRule,
    Mapping,
    PropertyRule,
    Redaction,
)  # fmt: skip
from wnis_core.mapping_targets import DEVICES, FILE_UNITS, TARGETS, CellKind, Target, TargetProperty

DATE_WORDS = ("iso", "epoch_ms", "epoch_s", "year")
"""Names of date formats beside the strptime patterns."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _FileTable(_Strict):
    """How the file is written."""

    encoding: Literal["auto", "utf-8", "utf-16", "latin-1", "cp1252"] = Field(
        "auto", description="character encoding; auto knows a byte order mark, UTF-8, and otherwise takes Latin-1"
    )
    delimiter: Literal["auto", ",", ";", "\t", "|"] = Field(
        "auto", description="what separates columns; auto takes the one under which the header names most columns"
    )
    decimal: Literal[".", ","] = Field(".", description="decimal sign of numbers")
    timezone: str = Field("UTC", description="IANA time zone of dates and times that state none")
    layer: str = Field("", description="layer to read, where a GeoPackage has several; `--layer` names another")


class _GeometryTable(_Strict):
    """How the places of rows find the network: lines are matched along their course, points by distance.

    With this table a row of `assets` needs no key, and `pipe`, `near`, `served_by`, `offset_m`, `x` and `y` are found
    from the geometry. A row with two candidates that are about equally near is listed and left out.
    """

    crs: str = Field(
        "",
        description="coordinate reference system of the file, such as EPSG:3089; the file's own when left out; "
        "`network` when the file shares the coordinates of the network's source",
    )
    unit: str = Field(
        "m", description="unit of the coordinates, for a network without coordinate reference system: "
        + ", ".join(FILE_UNITS["m"])
    )  # fmt: skip
    tolerance_m: float | None = Field(
        None, gt=0, le=1000, description="farthest distance of a match in m; required for all targets but `devices`"
    )
    margin_m: float | None = Field(
        None,
        ge=0,
        le=1000,
        description="a second candidate that is farther by no more than this makes a row ambiguous; a tenth of "
        "tolerance_m when left out",
    )
    components: list[Literal[
        "Junction", "Reservoir", "Tank", "Pipe", "Pump", "Valve", "Hydrant", "Sensor"
    ]] = Field(default=["Pipe"], min_length=1, description="types that rows may be matched to")  # fmt: skip
    at: Literal["line", "start", "end"] = Field(
        "line", description="what of a line counts: all of it, or the point where it starts or ends"
    )
    x: str = Field("", description="column of the first coordinate, of a CSV file")
    y: str = Field("", description="column of the second coordinate, of a CSV file")


class _ConditionTable(_Strict):
    """A condition on one column."""

    column: str = Field(description="column to look at")
    equals: list[str] = Field(default=[], description="texts that satisfy it, ignoring case")
    not_equals: list[str] = Field(default=[], description="texts that do not satisfy it; give exactly one of the two")


class _FilterTable(_ConditionTable):
    """Rows to keep; the others are counted under the reason. Several filters all have to hold."""

    reason: str = Field(description="why rows are left out, in words for the report")


class _RedactionTable(_Strict):
    """Patterns whose finds are replaced in texts, such as names of people, before anything else sees them."""

    properties: list[str] = Field(description="properties to clean")
    pattern: str = Field(description="Python regular expression")
    replacement: str = Field("[redacted]", description="what stands in its place; `\\1` is the first group")


class _PropertyTable(_Strict):
    """How the property NAME of the target is filled: exactly one of `column`, `columns` and `constant`."""

    column: str | None = Field(
        None,
        description=f"column to read; `{ROW}` is the name of the file (or layer) with the number of the row, for rows "
        "without a key",
    )
    columns: list[str] = Field(default=[], description="several columns, joined (texts and lists only)")
    constant: Code | None = Field(None, description="the same value in every row, in place of a column")
    join: str = Field(", ", description="between several columns")
    unit: str | None = Field(
        None, description="unit of the file; required where the property has one and reads a column"
    )
    codes: dict[str, Code] = Field(default={}, description="texts of the file and what they mean, ignoring case")
    other_codes: Literal["reject", "keep", "missing"] = Field("reject", description="a text that codes does not list")
    dates: list[str] = Field(
        default=["iso"],
        description=f"formats tried in turn: {', '.join(DATE_WORDS)}, or a strptime pattern such as %d.%m.%Y",
    )
    missing: list[str] = Field(default=[], description="texts that mean: not known (blank always does)")
    required: bool = Field(False, description="reject rows without it")
    only_when: _ConditionTable | None = Field(
        None,
        description="read it only in rows that satisfy `{ column = ..., equals = [...] }` (or `not_equals`)",
    )
    separator: str | None = Field(None, description="splits one cell into a list")
    unreadable: Literal["reject", "missing"] = Field(
        "reject", description="what a cell that cannot be read does: reject the row, or count and leave it empty"
    )


class _MappingTable(_Strict):
    """What the file may hold."""

    target: str = Field(description=f"what the rows are: {', '.join(TARGETS)}")
    description: str = Field("", description="what file this is for")
    file: _FileTable = Field(default_factory=lambda: _FileTable.model_validate({}), description="how it is written")
    geometry: _GeometryTable | None = Field(None, description="how places find the network")
    properties: dict[str, _PropertyTable] = Field(description="our properties and how each is filled")
    filters: list[_FilterTable] = Field(default=[], description="rows to keep")
    redactions: list[_RedactionTable] = Field(default=[], description="texts to clean")
    never: dict[str, str] = Field(default={}, description="columns that must not be read, with the reason")


TABLES: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The file", _MappingTable),
    ("`[file]`", _FileTable),
    ("`[geometry]`", _GeometryTable),
    ("`[properties.NAME]`", _PropertyTable),
    ("`[[filters]]`", _FilterTable),
    ("`[[redactions]]`", _RedactionTable),
)
"""Every table of the notation with its heading on the reference page."""


class _Faults:
    """Collects every fault, so that one look mends the file."""

    def __init__(self) -> None:
        self.found: list[FieldProblem] = []

    def add(self, key: str, message: str) -> None:
        self.found.append(FieldProblem(key, message))


def load_mapping(path: Path | str) -> Mapping:
    """The mapping in the TOML file `path`.

    Raises
    ------
    NotFound
        there is no such file
    InvalidValue
        not TOML, or keys that are unknown, missing or wrong; each is named with its mend in `fields`
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound(f"There is no mapping {path}.", mend="Name a TOML file; see config/mappings.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValue(f"The mapping {path} cannot be read: {error}.", mend="Save it as UTF-8 text.") from error
    return parse_mapping(text, path.stem)


def parse_mapping(text: str, name: str) -> Mapping:
    """The mapping that the TOML `text` states; `name` is used in messages. Raises as `load_mapping`."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidValue(f"Mapping {name} is not TOML: {error}.", mend="Correct that line.") from error
    try:
        table = _MappingTable.model_validate(document)
    except ValidationError as error:
        raise _refusal(name, [_translated(e) for e in error.errors()]) from None
    faults = _Faults()
    mapping = _checked(name, table, faults)
    if mapping is None or faults.found:
        raise _refusal(name, faults.found)
    return mapping


def _refusal(name: str, problems: Sequence[FieldProblem]) -> InvalidValue:
    said = "; ".join(f"{p.field}: {p.message}" for p in problems)
    return InvalidValue(
        f"Mapping {name}: {said}.",
        mend="Correct these keys; docs/reference/mapping.md describes them.",
        fields=problems,
    )


def _translated(error: Any) -> FieldProblem:
    key = ".".join(str(part) for part in error["loc"] if part not in ("str", "bool", "int", "float")) or "mapping"
    if error["type"] == "extra_forbidden":
        where = _PropertyTable if key.startswith("properties.") and key.count(".") == 2 else _MappingTable
        return FieldProblem(
            key, f"is not a key{_instead(key.rsplit('.', 1)[-1], where.model_fields)}; drop or rename it"
        )
    if error["type"] == "missing":
        return FieldProblem(key, "is missing; add it")
    return FieldProblem(key, str(error["msg"]))


def _instead(given: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(given, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _checked(name: str, table: _MappingTable, faults: _Faults) -> Mapping | None:
    target = TARGETS.get(table.target)
    if target is None:
        faults.add("target", f"is {table.target!r}; write one of {', '.join(TARGETS)}")
        return None
    try:
        ZoneInfo(table.file.timezone)
    except (KeyError, ValueError, OSError):
        faults.add("file.timezone", f"{table.file.timezone!r} is no IANA time zone; write one such as America/Toronto")
    geometry = _geometry(target, table, faults) if table.geometry else None
    rules = [r for key, entry in table.properties.items() if (r := _rule(target, key, entry, faults)) is not None]
    filled = {rule.target.name for rule in rules}
    if not filled & set(target.keys) and not (geometry and _any_placed_key(target)):
        faults.add("properties", f"fills no key; add one of {', '.join(target.keys)}")
    for p in target.properties:
        if p.placed and geometry and p.name in table.properties:
            faults.add(f"properties.{p.name}", "is found from the geometry; drop it, or the table geometry")
        if p.required and p.name not in table.properties and not (p.placed and geometry):
            faults.add(f"properties.{p.name}", f"is required for {target.name}; add it with a column or a constant")
    if ("longitude" in filled) != ("latitude" in filled):
        faults.add("properties", "fills only one of longitude and latitude; add the other")
    mapping = Mapping(
        name,
        target,
        table.description,
        FileLayout(
            table.file.encoding, table.file.delimiter, table.file.decimal, table.file.timezone, table.file.layer
        ),
        tuple(rules),
        tuple(
            Filter(c, f.reason)
            for i, f in enumerate(table.filters)
            if (c := _condition(f"filters.{i}", f, faults)) is not None
        ),
        tuple(
            found
            for i, entry in enumerate(table.redactions)
            if (found := _redaction(i, entry, filled, faults)) is not None
        ),
        dict(table.never),
        geometry,
    )
    for column in sorted(set(mapping.columns) & set(table.never)):
        faults.add(f"never.{column}", f"is read all the same, but {table.never[column]}; stop reading it")
    return mapping


def _any_placed_key(target: Target) -> bool:
    return any(target.property(key).placed for key in target.keys)


def _geometry(target: Target, table: _MappingTable, faults: _Faults) -> GeometryRule:
    given = table.geometry or _GeometryTable.model_validate({})
    if not any(p.placed for p in target.properties):
        faults.add("geometry", f"is not for {target.name}; drop it")
    units = FILE_UNITS["m"]
    if given.unit not in units:
        faults.add("geometry.unit", f"is {given.unit!r}; write one of {', '.join(units)}")
    if given.tolerance_m is None and target.name != DEVICES.name:
        faults.add("geometry.tolerance_m", "is missing; state how far a match may lie away, in m")
    if bool(given.x) != bool(given.y):
        faults.add("geometry", "names only one of x and y; add the other")
    if given.crs != NETWORK_CRS and given.crs and not re.fullmatch(r"EPSG:\d{1,6}", given.crs):
        faults.add("geometry.crs", f"is {given.crs!r}; write EPSG:n, or {NETWORK_CRS}")
    if given.x and not given.crs:
        faults.add("geometry.crs", f"is missing: a table states none; write EPSG:n, or {NETWORK_CRS}")
    margin_m = given.margin_m if given.margin_m is not None else (given.tolerance_m or 0.0) / 10
    return GeometryRule(
        given.crs, units.get(given.unit, 1.0), given.tolerance_m, margin_m, tuple(given.components), given.at, given.x,
        given.y,
    )  # fmt: skip


def _rule(target: Target, name: str, entry: _PropertyTable, faults: _Faults) -> PropertyRule | None:
    key = f"properties.{name}"
    known = [p.name for p in target.properties]
    if name not in known:
        faults.add(key, f"is not a property of {target.name}{_instead(name, known)}; use one of {', '.join(known)}")
        return None
    wanted = target.property(name)
    columns = tuple([entry.column] if entry.column else entry.columns)
    if (entry.column is not None) + bool(entry.columns) + (entry.constant is not None) != 1:
        faults.add(key, "needs exactly one of column, columns and constant")
    if len(columns) > 1 and wanted.kind not in (CellKind.TEXT, CellKind.LIST):
        faults.add(f"{key}.columns", f"joins texts, but {name} is a {wanted.kind}; name one column")
    _check_constant(key, wanted, entry.constant, faults)
    for text, code in entry.codes.items():
        if wanted.values and code not in wanted.values:
            faults.add(f"{key}.codes.{text}", f"is {code!r}; write one of {', '.join(wanted.values)}")
    if wanted.kind in (CellKind.DAY, CellKind.MOMENT):
        for pattern in entry.dates:
            if pattern not in DATE_WORDS and "%" not in pattern:
                faults.add(
                    f"{key}.dates", f"{pattern!r} is no format; write {', '.join(DATE_WORDS)} or a strptime pattern"
                )
    elif "dates" in entry.model_fields_set:
        faults.add(f"{key}.dates", f"is for dates, but {name} is a {wanted.kind}; drop it")
    if entry.separator is not None and wanted.kind is not CellKind.LIST:
        faults.add(f"{key}.separator", f"is for lists, but {name} is a {wanted.kind}; drop it")
    return PropertyRule(
        wanted,
        columns,
        entry.constant,
        entry.join,
        _factor(key, wanted, entry, bool(columns), faults),
        {text.strip().casefold(): code for text, code in entry.codes.items()},
        entry.other_codes,
        tuple(entry.dates),
        frozenset(text.strip().casefold() for text in entry.missing),
        entry.required or wanted.required,
        _condition(f"{key}.only_when", entry.only_when, faults) if entry.only_when else None,
        entry.separator,
        entry.unreadable,
    )


def _check_constant(key: str, wanted: TargetProperty, constant: Code | None, faults: _Faults) -> None:
    if constant is None:
        return
    expected: dict[CellKind, tuple[type, ...]] = {
        CellKind.FLAG: (bool,),
        CellKind.NUMBER: (int, float),
        CellKind.COUNT: (int,),
    }
    fits = isinstance(constant, expected.get(wanted.kind, (str,)))
    if not fits or (isinstance(constant, bool) and wanted.kind is not CellKind.FLAG):
        faults.add(f"{key}.constant", f"is {constant!r}, but {wanted.name} is a {wanted.kind}; write one")
    elif wanted.values and constant not in wanted.values:
        faults.add(f"{key}.constant", f"is {constant!r}; write one of {', '.join(wanted.values)}")


def _factor(key: str, wanted: TargetProperty, entry: _PropertyTable, reads: bool, faults: _Faults) -> float:
    if wanted.unit is None:
        if entry.unit is not None:
            faults.add(f"{key}.unit", f"{wanted.name} has no unit; drop it")
        return 1.0
    units = FILE_UNITS[wanted.unit]
    if len(units) == 1 and entry.unit is None:
        return 1.0
    if entry.unit is None:
        if reads:
            faults.add(f"{key}.unit", f"is missing; state the unit of the file: {', '.join(units)}")
        return 1.0
    if entry.unit not in units:
        faults.add(f"{key}.unit", f"is {entry.unit!r}; write one of {', '.join(units)}")
    return units.get(entry.unit, 1.0)


def _condition(key: str, entry: _ConditionTable, faults: _Faults) -> Condition | None:
    if bool(entry.equals) == bool(entry.not_equals):
        faults.add(key, "needs exactly one of equals and not_equals")
        return None
    negated = bool(entry.not_equals)
    return Condition(entry.column, tuple(entry.not_equals if negated else entry.equals), negated)


def _redaction(index: int, entry: _RedactionTable, filled: set[str], faults: _Faults) -> Redaction | None:
    key = f"redactions.{index}"
    for name in entry.properties:
        if name not in filled:
            faults.add(f"{key}.properties", f"names {name}, which no column fills; drop it or fill it")
    try:
        return Redaction(tuple(entry.properties), re.compile(entry.pattern), entry.replacement)
    except re.error as error:
        faults.add(f"{key}.pattern", f"is not a regular expression ({error}); correct it")
        return None
