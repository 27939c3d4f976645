"""A light reading of an INP file's text, before the engine sees it.

EPANET says little about where a file is wrong, and some files abort or hang it. This scan walks the lines once and
refuses what the engine would refuse, or not survive, with section, line and id: missing or non-numeric fields, ids
used twice, links to nodes that are not there, junctions without links, periods without end. It is never stricter than
the engine; what it does not know, the engine judges (`engine_check`).

Rules and limits are those of EPANET 2.2 (user manual, appendix C; ``input2.c``, ``input3.c``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from wnis_core.units import ENGINE_ORDER, FlowUnit

from wnis_simulator.inp_text import InpText, Row, check_tokens, decoded, fault, rows_of, shortened

MAX_ID = 31
MAX_DURATION_S = 10 * 366 * 86_400
MAX_RESULT_VALUES = 500_000_000
"""Steps times values a step; 2 GB of the engine's output."""

_PIPE_STATUS = ("OPEN", "CLOSED", "CV")
_VALVE_KINDS = ("FCV", "GPV", "PBV", "PRV", "PSV", "TCV")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_NUMERIC_OPTIONS = {
    "SPEC": 2, "VISC": 1, "TRIAL": 1, "ACCU": 1, "EMIT": 2, "DIFF": 1, "TOLER": 1, "MINI": 2, "REQ": 2,
    "HEADERROR": 1, "FLOWCHANGE": 1, "CHECKFREQ": 1, "MAXCHECK": 1, "DAMPLIMIT": 1,
}  # fmt: skip
"""Options with a number: the letters that the engine goes by, and the token that is the number."""
_CHOICES = (("UNIT", "UNITS"), ("HEADL", "HEADLOSS"), ("PRESSURE", "PRESSURE"))
_TIMES = (
    ("DURA", "DURATION"), ("HYDR", "HYDRAULIC TIMESTEP"), ("REPO", "REPORT"), ("PATT", "PATTERN"),
    ("STAR", "START CLOCKTIME"), ("QUAL", "QUALITY TIMESTEP"), ("RULE", "RULE TIMESTEP"),
)  # fmt: skip
_TIME_UNITS = (("SEC", 1.0), ("MIN", 60.0), ("HOU", 3600.0), ("DAY", 86_400.0))


@dataclass
class Scan:
    """The file's rows, and what the scan learnt of them beside that the file is sound.

    `options` are by their words in capitals but the last, such as ``REQUIRED PRESSURE``.
    """

    text: InpText
    rows: dict[str, list[Row]] = field(default_factory=dict)
    nodes: dict[str, Row] = field(default_factory=dict)
    links: dict[str, Row] = field(default_factory=dict)
    patterns: set[str] = field(default_factory=set)
    located: set[str] = field(default_factory=set)
    first_line: dict[str, int] = field(default_factory=dict)
    headings: list[int] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    times_s: dict[str, float] = field(default_factory=dict)
    hydraulics_line: int | None = None
    default_pattern: str = ""
    ends: bool = False

    @property
    def flow_unit(self) -> FlowUnit:
        """Unit of flows; US gallons a minute when the file states none."""
        return _flow_unit(self.options.get("UNITS", FlowUnit.GPM)) or FlowUnit.GPM

    @property
    def formula(self) -> str:
        """Head-loss formula: ``H-W``, ``D-W`` or ``C-M``."""
        return self.options.get("HEADLOSS", "H-W")[:3]

    def of(self, section: str) -> list[Row]:
        """Rows of every part of the section."""
        return self.rows.get(section, [])


def scan_inp(content: bytes) -> Scan:
    """Walk the whole file; the first fault is raised.

    Raises
    ------
    InvalidModel
        with `details` of section, line and id where they are known
    """
    scan = Scan(decoded(content))
    for row in rows_of(scan.text):
        if not row.tokens:
            scan.first_line.setdefault(row.section, row.line)
            scan.headings.append(row.line)
            scan.ends = row.section == "END"
            continue
        scan.rows.setdefault(row.section, []).append(row)
        check = _CHECKS.get(row.section)
        if check is not None:
            check(scan, row)
        check_tokens(row)
    _check_network(scan)
    _check_period(scan)
    return scan


def _flow_unit(word: str) -> FlowUnit | None:
    if word.upper().startswith("SI"):
        return FlowUnit.LPS
    return next((unit for unit in ENGINE_ORDER if word.upper().startswith(unit.value)), None)


def number_of(text: str, what: str, row: Row, name: str = "") -> float:
    """`text` as a finite number."""
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise fault(f"{what} is {shortened(text)!r}, not a number.", row, name=name)
    return float(text)


def _numbers(row: Row, name: str, fields: tuple[tuple[int, str], ...]) -> None:
    for column, what in fields:
        if column < len(row.tokens):
            number_of(row.tokens[column], what, row, name)


def _at_least(row: Row, count: int, layout: str) -> str:
    name = row.tokens[0] if row.tokens else ""
    if len(row.tokens) < count:
        raise fault(f"The line has {len(row.tokens)} fields; expected {layout}.", row, name=shortened(name))
    return name


def _positive(row: Row, column: int, what: str, name: str) -> None:
    if number_of(row.tokens[column], what, row, name) <= 0:
        raise fault(f"{what} is {row.tokens[column]}; it must be positive.", row, name=name)


def _declare(known: dict[str, Row], row: Row, kind: str) -> None:
    name = row.tokens[0]
    if len(name) > MAX_ID:
        raise fault(f"The id {shortened(name)!r} is longer than {MAX_ID} characters.", row, name=shortened(name))
    if name in known:
        first = known[name]
        raise fault(
            f"There are two {kind} with the id {name}; the first is in [{first.section}] line {first.line}.",
            row, name=name,
        )  # fmt: skip
    known[name] = row


def _junction(scan: Scan, row: Row) -> None:
    name = _at_least(row, 2, "id, elevation, demand, pattern")
    _declare(scan.nodes, row, "nodes")
    _numbers(row, name, ((1, "elevation"), (2, "demand")))


def _tank(scan: Scan, row: Row) -> None:
    # the engine reads both sections alike: up to three fields are a reservoir, six and more a tank
    reservoir = len(row.tokens) <= 3
    layout = "id, elevation, initial, minimum and maximum level, diameter, minimum volume, curve"
    name = _at_least(row, 2, "id, head, pattern" if reservoir else layout)
    _declare(scan.nodes, row, "nodes")
    if reservoir:
        _numbers(row, name, ((1, "head"),))
        return
    _at_least(row, 6, layout)
    columns = ("elevation", "initial level", "minimum level", "maximum level", "diameter", "minimum volume")
    _numbers(row, name, tuple(enumerate(columns, start=1)))
    initial, lowest, highest = (float(row.tokens[i]) for i in (2, 3, 4))
    if not lowest <= initial <= highest:
        raise fault(f"The initial level {initial:g} is not between {lowest:g} and {highest:g}.", row, name=name)


def _pipe(scan: Scan, row: Row) -> None:
    name = _at_least(row, 6, "id, start node, end node, length, diameter, roughness")
    _declare(scan.links, row, "links")
    _positive(row, 3, "length", name)
    _positive(row, 4, "diameter", name)
    number_of(row.tokens[5], "roughness", row, name)
    count = len(row.tokens)
    if count == 8 or (count == 7 and not row.tokens[6].upper().startswith(_PIPE_STATUS)):
        number_of(row.tokens[6], "minor-loss coefficient", row, name)
    if count == 8 and not row.tokens[7].upper().startswith(_PIPE_STATUS):
        raise fault(f"The status {shortened(row.tokens[7])!r} is not OPEN, CLOSED or CV.", row, name=name)


def _pump(scan: Scan, row: Row) -> None:
    _at_least(row, 4, "id, start node, end node, keyword and value")
    _declare(scan.links, row, "links")


def _valve(scan: Scan, row: Row) -> None:
    name = _at_least(row, 6, "id, start node, end node, diameter, type, setting")
    _declare(scan.links, row, "links")
    _positive(row, 3, "diameter", name)
    kind = row.tokens[4].upper()
    if not kind.startswith(_VALVE_KINDS):
        raise fault(f"The valve type {shortened(row.tokens[4])!r} is none of {', '.join(_VALVE_KINDS)}.", row,
                    name=name)  # fmt: skip
    if not kind.startswith("GPV"):
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


def _quality(_scan: Scan, row: Row) -> None:
    if len(row.tokens) > 1:
        number_of(row.tokens[min(len(row.tokens), 3) - 1], "quality", row, row.tokens[0])


def _status(_scan: Scan, row: Row) -> None:
    name = _at_least(row, 2, "link, status or setting")
    if not row.tokens[-1].upper().startswith(("OPEN", "CLOSED")):
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
    key = next((name for letters, name in _TIMES if words[0].startswith(letters)), "")
    if key and key in ("REPORT", "PATTERN"):
        key += " TIMESTEP" if words[1].startswith("TIME") else " START"
    seconds = _seconds(words[-1], "")
    if seconds is None:
        seconds = _seconds(words[-2], words[-1])
    if seconds is None:
        raise fault(f"{(key or words[0]).capitalize()} is {shortened(row.tokens[-1])!r}, not a time.", row)
    scan.times_s[key or words[0]] = seconds


def _seconds(figure: str, unit: str) -> float | None:
    parts = figure.split(":")
    if len(parts) > 3 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    values = [float(part) for part in parts]
    if len(values) > 1:
        return math.fsum(value * 60**power for value, power in zip(values, (2, 1, 0), strict=False))
    for prefix, factor in _TIME_UNITS:
        if unit.startswith(prefix):
            return values[0] * factor
    return values[0] * 3600 if unit in ("", "AM", "PM") else None


def _option(scan: Scan, row: Row) -> None:
    words = [token.upper() for token in row.tokens]
    if words[0].startswith("HYDR"):
        scan.hydraulics_line = row.line
    if words[0].startswith("PATT") and len(words) > 1:
        scan.default_pattern = row.tokens[1]
    if len(words) > 1:
        choice = next((name for letters, name in _CHOICES if words[0].startswith(letters)), "")
        if choice and not words[1].startswith("EXP"):
            scan.options[choice] = words[1]
        else:
            scan.options[" ".join(words[:-1])] = words[-1]
    if words[0].startswith("UNIT") and len(words) > 1 and _flow_unit(words[1]) is None:
        known = ", ".join(unit.value for unit in ENGINE_ORDER)
        raise fault(f"The flow unit {shortened(words[1])!r} is none of {known} (engine 2.2).", row)
    if words[0].startswith("HEADL") and len(words) > 1 and words[1][:3] not in ("H-W", "D-W", "C-M"):
        raise fault("The head-loss formula is none of H-W, D-W, C-M.", row)
    for first, column in _NUMERIC_OPTIONS.items():
        # PRESSURE may also state a unit, DEMAND and QUALITY a kind
        if words[0].startswith(first) and len(words) > column:
            number_of(row.tokens[column], " ".join(words[:column]).capitalize(), row)


_CHECKS: dict[str, Callable[[Scan, Row], None]] = {
    "JUNCTIONS": _junction,
    "RESERVOIRS": _tank,
    "TANKS": _tank,
    "PIPES": _pipe,
    "PUMPS": _pump,
    "VALVES": _valve,
    "DEMANDS": _demand,
    "EMITTERS": _fields("junction, coefficient", 2, (1, "coefficient")),
    "PATTERNS": _pattern,
    "CURVES": _curve,
    "QUALITY": _quality,
    "STATUS": _status,
    "COORDINATES": _coordinate,
    "VERTICES": _fields("link, x, y", 3, (1, "x"), (2, "y")),
    "SOURCES": _fields("node, type, strength, pattern", 2),
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
                raise fault(f"{name} ends at node {shortened(node)}, which is not in the model.", row, name=name)
        if start == end:
            raise fault(f"{name} begins and ends at node {start}.", row, name=name)
        joined |= {start, end}
    for name, row in scan.nodes.items():
        # a source without a link does the engine no harm
        if name not in joined and row.section == "JUNCTIONS":
            raise fault(f"Node {name} is joined to no link.", row, name=name)


def _check_period(scan: Scan) -> None:
    line = scan.first_line.get("TIMES", 0)
    duration = scan.times_s.get("DURATION", 0.0)
    if duration > MAX_DURATION_S:
        raise fault(
            f"The duration of {duration / 3600:g} h is longer than {MAX_DURATION_S / 3600:g} h.",
            section="TIMES", line=line,
        )  # fmt: skip
    # the engine's own: no step at all is an hour, and it solves at least once a pattern and report step
    pattern = max(scan.times_s.get("PATTERN TIMESTEP", 0.0), 0.0) or 3600.0
    step = scan.times_s.get("REPORT TIMESTEP", 3600.0) or pattern
    solve = min(max(scan.times_s.get("HYDRAULIC TIMESTEP", 0.0), 0.0) or 3600.0, pattern, step)
    values = (4 * len(scan.nodes) + 8 * len(scan.links)) * duration
    if duration and (step <= 0 or solve <= 0 or values / step > MAX_RESULT_VALUES or duration / solve > 1e7):
        raise fault(
            f"A duration of {duration:g} s at steps of {solve:g} s, reported every {step:g} s, has no end in sight.",
            section="TIMES", line=line,
        )  # fmt: skip
