"""Reading a CSV file through a mapping: every row comes out as a row, a rejected row or a filtered row."""

from __future__ import annotations

import codecs
import csv
import difflib
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

from wnis_core.clock import iso
from wnis_core.errors import FieldProblem, InvalidValue, NotFound
from wnis_core.mapping_cells import Unreadable, read_cell
from wnis_core.mapping_rules import ROW, FileLayout, Mapping, PropertyRule
from wnis_core.mapping_targets import ASSETS, DEVICES, INCIDENTS, ISOLATION_VALVES, SERVICE_CONNECTIONS

_DELIMITERS = (",", ";", "\t", "|")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True)
class RowProblem:
    """What is wrong with one row: its number (1 is the first below the header), line in the file, column, message."""

    row: int
    line: int
    column: str
    message: str


@dataclass(frozen=True)
class MappedTable:
    """The outcome, rows of `target`: `read` rows = rows + rejected rows + filtered rows.

    Parameters
    ----------
    rows : our property names and values (str, float, int, bool, date, aware UTC datetime, list of str)
    row_numbers : number in the file of each of `rows`
    rejected : problems of the rows that were refused, every problem of a row
    filtered : rows that a filter left out, by its reason
    emptied : cells that could not be read and were left empty, because the mapping says so
    unused : columns of the file that the mapping does not read
    redacted : replaced finds in texts
    """

    target: str
    read: int
    rows: list[dict[str, object]]
    row_numbers: list[int]
    rejected: list[RowProblem]
    filtered: dict[str, int]
    emptied: list[RowProblem]
    unused: tuple[str, ...]
    redacted: int = 0

    @property
    def rejected_rows(self) -> int:
        """How many rows were refused."""
        return len({problem.row for problem in self.rejected})

    def documents(self) -> list[dict[str, object]]:
        """The rows as the public API takes them: ISO 8601, a location for its coordinates, an id for a connection or
        valve.

        The zone of an asset is left out: a network has zones of its own.
        """
        return [self._document(row) for row in self.rows]

    def _document(self, row: dict[str, object]) -> dict[str, object]:
        document = {name: _plain(value) for name, value in row.items()}
        if self.target == ASSETS.name:
            document.pop("zone", None)
        if self.target == SERVICE_CONNECTIONS.name and "source_id" in document:
            source_id = str(document.pop("source_id"))
            document.setdefault("id", f"connection:{quote(source_id, safe='')}")
        if self.target == ISOLATION_VALVES.name and "source_id" in document:
            document.setdefault("id", f"valve:{quote(str(document['source_id']), safe='')}")
        if self.target == DEVICES.name and "source_id" in document:
            document.setdefault("id", f"{str(document['type']).lower()}:{quote(str(document['source_id']), safe='')}")
        if self.target == INCIDENTS.name:
            x, y = document.pop("longitude", None), document.pop("latitude", None)
            if x is not None and y is not None:
                document["location"] = {"x": x, "y": y, "srid": 4326}
        return document

    def summary(self) -> str:
        """One sentence that accounts for every row."""
        parts = [f"{len(self.rows):,} of {self.read:,} rows read"]
        parts += [f"{count:,} left out ({reason})" for reason, count in self.filtered.items()]
        if self.rejected:
            parts.append(f"{self.rejected_rows:,} rejected")
        if self.emptied:
            parts.append(f"{len(self.emptied):,} cells left empty")
        return ", ".join(parts) + "."


@dataclass
class _Tally:
    rows: list[dict[str, object]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    rejected: list[RowProblem] = field(default_factory=list)
    emptied: list[RowProblem] = field(default_factory=list)
    filtered: Counter[str] = field(default_factory=Counter)
    redacted: int = 0


def read_table(path: Path | str, mapping: Mapping) -> MappedTable:
    """The rows of the CSV file `path` in our names, types and units.

    Raises
    ------
    NotFound
        there is no such file
    InvalidValue
        not a text table, or its header lacks columns that the mapping reads
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.", mend="Name a CSV file.") from error
    except OSError as error:
        raise InvalidValue(f"{path} cannot be read: {error.strerror}.", mend="Name a readable CSV file.") from error
    return read_text(decode(content, mapping.file, path.name), mapping, path.name, path.stem)


def decode(content: bytes, layout: FileLayout, name: str) -> str:
    """`content` as text. Raises InvalidValue when it is no text in the stated (or any likely) encoding."""
    encoding = layout.encoding
    for mark, marked in _BOMS:
        if content.startswith(mark):
            encoding = marked
    tried = ("utf-8", "latin-1") if encoding == "auto" else (encoding,)
    for candidate in tried:
        try:
            text = content.decode(candidate)
        except UnicodeError:
            continue
        if "\0" not in text:
            return text
    raise InvalidValue(
        f"{name} is not a text table ({', '.join(tried)}).",
        mend="Export it as CSV in UTF-8, or state file.encoding in the mapping.",
    )


def read_text(text: str, mapping: Mapping, name: str = "the table", origin: str = "row") -> MappedTable:
    """As `read_table`, from text; `origin` is what row numbers are told apart by."""
    delimiter = _delimiter(text, mapping)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = [column.strip() for column in next(reader, [])]
        rows = ((reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells))
        return read_rows(header, rows, mapping, name, origin, f"; quote cells that hold {delimiter!r}")
    except csv.Error as error:
        raise InvalidValue(
            f"{name}, line {reader.line_num}: {error}.", mend="Export it again as CSV with quoted texts."
        ) from error


def read_rows(
    header: Sequence[str],
    rows: Iterable[tuple[int, Sequence[str]]],
    mapping: Mapping,
    name: str,
    origin: str,
    mend: str = "",
) -> MappedTable:
    """As `read_text`, from cells with the line each row ends in; `mend` is for rows of another length."""
    positions = _positions(header, mapping, name)
    seen: dict[tuple[str, object], int] = {}
    zone = ZoneInfo(mapping.file.timezone)
    tally = _Tally()
    read = 0
    for line, cells in rows:
        read += 1
        if len(cells) != len(header):
            message = f"has {len(cells)} cells where the header has {len(header)}{mend}"
            tally.rejected.append(RowProblem(read, line, "", message))
            continue
        _take(_Row(read, line, cells, positions, origin), mapping, zone, seen, tally)
    used = set(mapping.columns)
    return MappedTable(
        mapping.target.name, read, tally.rows, tally.numbers, tally.rejected, dict(tally.filtered), tally.emptied,
        tuple(column for column in header if column not in used), tally.redacted,
    )  # fmt: skip


@dataclass(frozen=True)
class _Row:
    number: int
    line: int
    cells: Sequence[str]
    positions: dict[str, int]
    origin: str

    def text(self, column: str) -> str:
        return f"{self.origin}-{self.number}" if column == ROW else self.cells[self.positions[column]].strip()


def _take(row: _Row, mapping: Mapping, zone: ZoneInfo, seen: dict[tuple[str, object], int], tally: _Tally) -> None:
    for f in mapping.filters:
        if not f.condition.holds(row.text(f.condition.column)):
            tally.filtered[f.reason] += 1
            return
    values: dict[str, object] = {}
    problems: list[RowProblem] = []
    for rule in mapping.rules:
        name = rule.target.name
        column = ", ".join(rule.columns)
        try:
            value = _value(rule, row, mapping.file.decimal, zone)
        except Unreadable as error:
            problem = RowProblem(row.number, row.line, column, f"{name}: {error}")
            (tally.emptied if rule.unreadable == "missing" and not rule.required else problems).append(problem)
            continue
        if value is None and rule.required:
            problems.append(RowProblem(row.number, row.line, column, f"{name} is required but not known here"))
        elif value is not None:
            values[name] = value
    if not problems:
        problems = _key_problems(row, values, mapping, seen)
    if problems:
        tally.rejected.extend(problems)
        return
    tally.redacted += _redact(values, mapping)
    tally.rows.append(values)
    tally.numbers.append(row.number)


def _value(rule: PropertyRule, row: _Row, decimal: str, zone: ZoneInfo) -> object | None:
    if rule.only_when and not rule.only_when.holds(row.text(rule.only_when.column)):
        return None
    if rule.constant is not None:
        return read_cell(str(rule.constant), rule, ".", zone)
    texts = [text for column in rule.columns if (text := row.text(column)) and text.casefold() not in rule.missing]
    return read_cell(rule.join.join(texts), rule, decimal, zone) if texts else None


def _key_problems(
    row: _Row, values: dict[str, object], mapping: Mapping, seen: dict[tuple[str, object], int]
) -> list[RowProblem]:
    placed = mapping.geometry is not None and any(mapping.target.property(key).placed for key in mapping.target.keys)
    if not placed and not any(key in values for key in mapping.target.keys):
        wanted = " or ".join(mapping.target.keys)
        return [RowProblem(row.number, row.line, "", f"has no {wanted}, so it cannot be told from others")]
    columns = {rule.target.name: ", ".join(rule.columns) for rule in mapping.rules}
    problems = []
    for key in mapping.target.unique:
        if key in values:
            first = seen.setdefault((key, values[key]), row.number)
            if first != row.number:
                message = f"{key} {values[key]!r} is that of row {first} already"
                problems.append(RowProblem(row.number, row.line, columns[key], message))
    return problems


def _redact(values: dict[str, object], mapping: Mapping) -> int:
    finds = 0
    for redaction in mapping.redactions:
        for name in redaction.properties:
            text = values.get(name)
            if isinstance(text, str):
                values[name], count = redaction.pattern.subn(redaction.replacement, text)
                finds += count
    return finds


def _delimiter(text: str, mapping: Mapping) -> str:
    if mapping.file.delimiter != "auto":
        return mapping.file.delimiter
    wanted = set(mapping.columns)

    def known(delimiter: str) -> tuple[int, int]:
        header = next(csv.reader(io.StringIO(text[:100_000]), delimiter=delimiter), [])
        return len(wanted & {column.strip() for column in header}), len(header)

    return max(_DELIMITERS, key=known)


def _positions(header: Sequence[str], mapping: Mapping, name: str) -> dict[str, int]:
    problems = []
    for column in mapping.columns:
        if column not in header:
            close = difflib.get_close_matches(column, header, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}?" if close else f"the file has {', '.join(header[:40])}"
            problems.append(FieldProblem(column, f"is not a column of {name}; {hint}"))
        elif header.count(column) > 1:
            problems.append(FieldProblem(column, f"is there twice in the header of {name}; rename one"))
    if problems:
        said = "; ".join(f"{p.field} {p.message}" for p in problems)
        raise InvalidValue(
            f"Mapping {mapping.name} does not fit: {said}.",
            mend="Name the columns as the header does, or take another mapping.",
            fields=problems,
        )
    return {column: header.index(column) for column in mapping.columns}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return iso(value)
    return value.isoformat() if isinstance(value, date) else value
