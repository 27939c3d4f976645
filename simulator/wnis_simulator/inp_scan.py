"""A light reading of an INP file's text, before any parser or engine sees it.

WNTR and EPANET say little about where a file is wrong, and some files abort or hang the engine. This scan walks the
lines once and refuses what cannot be a model with section, line and id: unknown sections, missing or non-numeric
fields, ids used twice, links to nodes that are not there, nodes without links, periods without end.

Rules and limits are those of EPANET 2.2 (user manual, appendix C; ``input2.c``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from wnis_core.errors import InvalidModel
from wnis_core.units import ENGINE_ORDER, FlowUnit

MAX_LINE = 1024
MAX_ID = 31
MAX_DURATION_S = 10 * 366 * 86_400
MAX_RESULT_VALUES = 500_000_000
"""Steps times values a step; 2 GB of the engine's output."""

SECTIONS = (
    "TITLE", "JUNCTIONS", "RESERVOIRS", "TANKS", "PIPES", "PUMPS", "VALVES", "CONTROLS", "RULES", "DEMANDS",
    "SOURCES", "EMITTERS", "PATTERNS", "CURVES", "QUALITY", "STATUS", "ROUGHNESS", "ENERGY", "REACTIONS", "MIXING",
    "REPORT", "TIMES", "OPTIONS", "COORDINATES", "VERTICES", "LABELS", "BACKDROP", "TAGS", "END",
)  # fmt: skip
_NODES = ("JUNCTIONS", "RESERVOIRS", "TANKS")
_LINKS = ("PIPES", "PUMPS", "VALVES")
_PIPE_STATUS = frozenset({"OPEN", "CLOSED", "CV"})
_VALVE_KINDS = frozenset({"PRV", "PSV", "PBV", "FCV", "TCV", "GPV"})
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_TOKEN = re.compile(r'"[^"]*"|[^\s,"]+')
_FREE = frozenset({"TITLE", "CONTROLS", "RULES", "REPORT", "LABELS", "BACKDROP", "TAGS", "END"})
_NUMERIC_OPTIONS = (
    "SPECIFIC", "VISCOSITY", "TRIALS", "ACCURACY", "DEMAND MULTIPLIER", "EMITTER", "DIFFUSIVITY", "TOLERANCE",
    "MINIMUM", "REQUIRED", "HEADERROR", "FLOWCHANGE", "CHECKFREQ", "MAXCHECK", "DAMPLIMIT",
)  # fmt: skip
_TIME_UNITS = (("SEC", 1.0), ("MIN", 60.0), ("HOU", 3600.0), ("DAY", 86_400.0))


@dataclass(frozen=True)
class Row:
    """One line of a section: its tokens, and the comment behind them."""

    section: str
    line: int
    tokens: tuple[str, ...]
    comment: str


@dataclass
class Scan:
    """What the scan learnt beside that the file is sound."""

    encoding: str
    text: str
    nodes: dict[str, Row] = field(default_factory=dict)
    links: dict[str, Row] = field(default_factory=dict)
    patterns: set[str] = field(default_factory=set)
    located: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)
    first_line: dict[str, int] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    times_s: dict[str, float] = field(default_factory=dict)
    hydraulics_line: int | None = None
    default_pattern: str = ""
    default_pattern_line: int | None = None
    ends: bool = False

    @property
    def flow_unit(self) -> FlowUnit:
        return FlowUnit(self.options.get("UNITS", "GPM"))


def scan_inp(content: bytes) -> Scan:
    """Walk the whole file; the first fault is raised.

    Raises
    ------
    InvalidModel
        with `details` of section, line and id where they are known
    """
    text, encoding = _decoded(content)
    scan = Scan(encoding=encoding, text=text)
    for row in _rows(scan):
        scan.counts[row.section] = scan.counts.get(row.section, 0) + 1
        check = _CHECKS.get(row.section)
        if check is not None:
            check(scan, row)
    _check_network(scan)
    _check_period(scan)
    return scan


def fault(message: str, row: Row | None = None, *, section: str = "", line: int = 0, name: str = "") -> InvalidModel:
    """An error that names where it is."""
    section, line = (row.section, row.line) if row else (section, line)
    at = " ".join(([f"[{section}]"] if section else []) + ([f"line {line}"] if line else []))
    return InvalidModel(
        f"{at}: {message}" if at else message,
        mend="Correct the file and import it again; nothing was changed.",
        details={"section": section or None, "line": line or None, "id": name or None},
    )


def _decoded(content: bytes) -> tuple[str, str]:
    if not content.strip():
        raise fault("The file is empty.")
    # some editors pad a file to whole blocks; the engine stops reading at [END]
    if b"\0" in content.rstrip(b"\0"):
        raise fault("This is not an EPANET input file: it is binary.")
    content = content.rstrip(b"\0")
    try:
        return content.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        return content.decode("latin-1"), "latin-1"


def _rows(scan: Scan) -> Iterator[Row]:
    section = ""
    for number, whole in enumerate(scan.text.splitlines(), start=1):
        statement, _, comment = whole.partition(";")
        if not statement.strip():
            continue
        stripped = statement.strip()
        if stripped.startswith("["):
            section = _section(stripped, number)
            scan.first_line.setdefault(section, number)
            if section == "END":
                scan.ends = True
                return
            continue
        if not section:
            raise fault(
                f"This is not an EPANET input file: {stripped[:40]!r} stands before any [SECTION].", line=number
            )
        if len(whole) > MAX_LINE:
            longest = max(stripped.split(), key=len)
            raise fault(
                f"The line is {len(whole)} characters long, EPANET reads {MAX_LINE}; it begins {stripped[:30]!r}.",
                section=section, line=number, name=stripped.split()[0] if longest != stripped.split()[0] else "",
            )  # fmt: skip
        yield Row(section, number, tuple(_TOKEN.findall(statement)), comment.strip())
    if not scan.first_line:
        raise fault("This is not an EPANET input file: it has no [SECTION].")


def _section(text: str, line: int) -> str:
    word = text[1:].split("]")[0].strip().upper()
    for name in SECTIONS:
        # EPANET compares the first letters only
        if name == word or (len(word) >= 4 and name.startswith(word[:4])) or (name == "END" and word == "END"):
            return name
    raise InvalidModel(
        f"Line {line}: there is no section [{word[:40]}] in an EPANET input file.",
        mend="Remove or rename the section.",
        details={"section": word[:40], "line": line, "id": None},
    )


def number_of(text: str, what: str, row: Row, name: str = "") -> float:
    """`text` as a finite number."""
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise fault(f"{what} is {_short(text)!r}, not a number.", row, name=name)
    return float(text)


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}... ({len(text)} characters)"


def _numbers(row: Row, name: str, fields: tuple[tuple[int, str], ...]) -> None:
    for column, what in fields:
        if column < len(row.tokens):
            number_of(row.tokens[column], what, row, name)


def _at_least(row: Row, count: int, layout: str) -> str:
    name = row.tokens[0] if row.tokens else ""
    if len(row.tokens) < count:
        raise fault(f"The line has {len(row.tokens)} fields; expected {layout}.", row, name=_short(name))
    return name


def _positive(row: Row, column: int, what: str, name: str) -> None:
    if number_of(row.tokens[column], what, row, name) <= 0:
        raise fault(f"{what} is {row.tokens[column]}; it must be positive.", row, name=name)


def _declare(known: dict[str, Row], row: Row, kind: str) -> None:
    name = row.tokens[0]
    if len(name) > MAX_ID:
        raise fault(f"The id {_short(name)!r} is longer than {MAX_ID} characters.", row, name=_short(name))
    if name in known:
        first = known[name]
        raise fault(
            f"There are two {kind} with the id {name}; the first is in [{first.section}] line {first.line}.",
            row, name=name,
        )  # fmt: skip
    known[name] = row


def _junction(scan: Scan, row: Row) -> None:
    name = _at_least(row, 1, "id, elevation, demand, pattern")
    _declare(scan.nodes, row, "nodes")
    _numbers(row, name, ((1, "elevation"), (2, "demand")))


def _reservoir(scan: Scan, row: Row) -> None:
    name = _at_least(row, 1, "id, head, pattern")
    _declare(scan.nodes, row, "nodes")
    _numbers(row, name, ((1, "head"),))


def _tank(scan: Scan, row: Row) -> None:
    # a tank with three fields or fewer is a reservoir of old files
    name = _at_least(row, 1, "id, elevation, initial, minimum and maximum level, diameter, minimum volume, curve")
    _declare(scan.nodes, row, "nodes")
    columns = ("elevation", "initial level", "minimum level", "maximum level", "diameter", "minimum volume")
    if len(row.tokens) > 3:
        _at_least(row, 6, "id, elevation, initial, minimum and maximum level, diameter")
        _numbers(row, name, tuple(enumerate(columns, start=1)))
        initial, lowest, highest = (float(row.tokens[i]) for i in (2, 3, 4))
        if not lowest <= initial <= highest:
            raise fault(f"The initial level {initial:g} is not between {lowest:g} and {highest:g}.", row, name=name)
    else:
        _numbers(row, name, ((1, "head"),))


def _pipe(scan: Scan, row: Row) -> None:
    name = _at_least(row, 6, "id, start node, end node, length, diameter, roughness")
    _declare(scan.links, row, "links")
    for column, what in ((3, "length"), (4, "diameter"), (5, "roughness")):
        _positive(row, column, what, name)
    if len(row.tokens) > 6 and row.tokens[6].upper() not in _PIPE_STATUS:
        number_of(row.tokens[6], "minor-loss coefficient", row, name)
    if len(row.tokens) > 7 and row.tokens[7].upper() not in _PIPE_STATUS:
        raise fault(f"The status {_short(row.tokens[7])!r} is not OPEN, CLOSED or CV.", row, name=name)


def _pump(scan: Scan, row: Row) -> None:
    _at_least(row, 4, "id, start node, end node, keyword and value")
    _declare(scan.links, row, "links")


def _valve(scan: Scan, row: Row) -> None:
    name = _at_least(row, 6, "id, start node, end node, diameter, type, setting")
    _declare(scan.links, row, "links")
    _positive(row, 3, "diameter", name)
    kind = row.tokens[4].upper()
    if kind not in _VALVE_KINDS:
        raise fault(f"The valve type {_short(row.tokens[4])!r} is none of {', '.join(sorted(_VALVE_KINDS))}.", row,
                    name=name)  # fmt: skip
    if kind != "GPV":
        number_of(row.tokens[5], "setting", row, name)
    _numbers(row, name, ((6, "minor-loss coefficient"),))


def _fields(layout: str, least: int, *numeric: tuple[int, str]) -> Callable[[Scan, Row], None]:
    def check(_scan: Scan, row: Row) -> None:
        _numbers(row, _at_least(row, least, layout), numeric)

    return check


def _demand(_scan: Scan, row: Row) -> None:
    name = _at_least(row, 2, "junction, demand, pattern")
    number_of(row.tokens[1], "demand", row, name)


def _pattern(scan: Scan, row: Row) -> None:
    name = _at_least(row, 2, "id, multipliers")
    scan.patterns.add(name)
    for token in row.tokens[1:]:
        number_of(token, "multiplier", row, name)


def _curve(_scan: Scan, row: Row) -> None:
    name = _at_least(row, 3, "id, x, y")
    for token in row.tokens[1:]:
        number_of(token, "value", row, name)


def _last_is_number(_scan: Scan, row: Row) -> None:
    name = _at_least(row, 2, "id or keyword, value")
    number_of(row.tokens[-1], "value", row, _short(name))


def _status(_scan: Scan, row: Row) -> None:
    name = _at_least(row, 2, "link, status or setting")
    if row.tokens[-1].upper() not in ("OPEN", "CLOSED", "ACTIVE"):
        number_of(row.tokens[-1], "status", row, name)


def _coordinate(scan: Scan, row: Row) -> None:
    name = _at_least(row, 3, "node, x, y")
    _numbers(row, name, ((1, "x"), (2, "y")))
    scan.located.add(name)


def _time(scan: Scan, row: Row) -> None:
    words = [token.upper() for token in row.tokens]
    if words[0].startswith("STAT"):
        return
    _at_least(row, 2, "parameter, value")
    key = " ".join(w for w in words if w[0].isalpha() and not w.startswith(("AM", "PM", *(u for u, _ in _TIME_UNITS))))
    figures = [w for w in words if not w[0].isalpha()]
    if not figures:
        raise fault(f"{key.capitalize()} is {_short(row.tokens[-1])!r}, not a time.", row)
    seconds = _seconds(figures[0], words[-1], key, row)
    scan.times_s[key] = seconds


def _seconds(figure: str, unit: str, key: str, row: Row) -> float:
    parts = figure.split(":")
    if len(parts) > 3:
        raise fault(f"{key.capitalize()} is {_short(figure)!r}, not a time.", row)
    values = [number_of(part, key.capitalize(), row) for part in parts]
    if len(values) > 1:
        return float(sum(value * 60**power for value, power in zip(values, (2, 1, 0), strict=False)))
    for prefix, factor in _TIME_UNITS:
        if unit.startswith(prefix):
            return values[0] * factor
    return values[0] * 3600


def _option(scan: Scan, row: Row) -> None:
    words = [token.upper() for token in row.tokens]
    if words[0] == "HYDRAULICS":
        scan.hydraulics_line = row.line
    if words[0] == "PATTERN" and len(words) > 1:
        scan.default_pattern, scan.default_pattern_line = row.tokens[1], row.line
    if len(words) > 1:
        scan.options[" ".join(words[:-1])] = words[-1]
    if words[0] == "UNITS":
        known = [unit.value for unit in ENGINE_ORDER]
        if len(words) < 2 or words[1] not in known:
            given = _short(words[1]) if len(words) > 1 else ""
            raise fault(f"The flow unit {given!r} is none of {', '.join(known)} (engine 2.2).", row)
    if words[0] == "HEADLOSS" and (len(words) < 2 or words[1] not in ("H-W", "D-W", "C-M")):
        raise fault("The head-loss formula is none of H-W, D-W, C-M.", row)
    if len(words) > 1 and " ".join(words).startswith(_NUMERIC_OPTIONS):
        number_of(row.tokens[-1], " ".join(words[:-1]).capitalize(), row)


_CHECKS: dict[str, Callable[[Scan, Row], None]] = {
    "JUNCTIONS": _junction,
    "RESERVOIRS": _reservoir,
    "TANKS": _tank,
    "PIPES": _pipe,
    "PUMPS": _pump,
    "VALVES": _valve,
    "DEMANDS": _demand,
    "EMITTERS": _fields("junction, coefficient", 2, (1, "coefficient")),
    "PATTERNS": _pattern,
    "CURVES": _curve,
    "QUALITY": _last_is_number,
    "STATUS": _status,
    "COORDINATES": _coordinate,
    "VERTICES": _fields("link, x, y", 3, (1, "x"), (2, "y")),
    "SOURCES": _fields("node, type, strength, pattern", 3, (2, "strength")),
    "ROUGHNESS": _last_is_number,
    "TIMES": _time,
    "OPTIONS": _option,
}


def _check_network(scan: Scan) -> None:
    if len(scan.nodes) < 2:
        raise fault("The model has fewer than two nodes.", section="JUNCTIONS")
    if not scan.links:
        raise fault("The model has no links.", section="PIPES")
    if all(row.section == "JUNCTIONS" for row in scan.nodes.values()):
        raise fault("The model has no source: neither reservoir nor tank.", section="RESERVOIRS")
    joined: set[str] = set()
    for name, row in scan.links.items():
        start, end = row.tokens[1], row.tokens[2]
        for node in (start, end):
            if node not in scan.nodes:
                raise fault(f"{name} ends at node {_short(node)}, which is not in the model.", row, name=name)
        if start == end:
            raise fault(f"{name} begins and ends at node {start}.", row, name=name)
        joined |= {start, end}
    for name, row in scan.nodes.items():
        if name not in joined:
            raise fault(f"Node {name} is joined to no link.", row, name=name)


def _check_period(scan: Scan) -> None:
    line = scan.first_line.get("TIMES", 0)
    duration = scan.times_s.get("DURATION", 0.0)
    if duration > MAX_DURATION_S:
        raise fault(
            f"The duration of {duration / 3600:g} h is longer than {MAX_DURATION_S / 3600:g} h.",
            section="TIMES", line=line,
        )  # fmt: skip
    step = scan.times_s.get("REPORT TIMESTEP", 3600.0)
    solve = scan.times_s.get("HYDRAULIC TIMESTEP", 3600.0)
    values = (4 * len(scan.nodes) + 8 * len(scan.links)) * duration
    if duration and (step <= 0 or solve <= 0 or values / step > MAX_RESULT_VALUES or duration / solve > 1e7):
        raise fault(
            f"A duration of {duration:g} s at steps of {solve:g} s, reported every {step:g} s, has no end in sight.",
            section="TIMES", line=line,
        )  # fmt: skip
