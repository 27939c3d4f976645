"""Where in an INP file nodes and links are named, and what becomes of the line when one of them goes.

Formats are those of EPANET 2.2 (user manual, appendix C; ``input3.c``, ``rules.c``).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from wnis_simulator.inp_scan import Scan
from wnis_simulator.inp_text import Row


class Place(Enum):
    """What a reference means to its line."""

    OWN = "the line is about the component and goes with it"
    END = "the line is a link that ends there"
    LISTED = "the line goes on without the token"
    COMMANDED = "the line is a control, a rule or an option that somebody wrote for a purpose"


class Reference(NamedTuple):
    """One naming of a node (or of a link) in a row."""

    row: Row
    column: int
    node: bool
    place: Place


_NODE_LINES = ("JUNCTIONS", "RESERVOIRS", "TANKS", "EMITTERS", "SOURCES", "MIXING", "COORDINATES")
_NODE_WORDS = ("NODE", "JUNC", "RESER", "TANK")
_LINK_WORDS = ("LINK", "PIPE", "PUMP", "VALVE")


def references_of(scan: Scan) -> Iterator[Reference]:
    """Every naming of a node or link, but for ranges of ids (``STATUS 10 20 CLOSED``), which name none."""
    for section in _NODE_LINES:
        for row in scan.of(section):
            yield Reference(row, 0, True, Place.OWN)
    for section in ("PIPES", "PUMPS", "VALVES"):
        for row in scan.of(section):
            yield Reference(row, 0, False, Place.OWN)
            yield Reference(row, 1, True, Place.END)
            yield Reference(row, 2, True, Place.END)
    for section in ("VERTICES", "ROUGHNESS"):
        for row in scan.of(section):
            yield Reference(row, 0, False, Place.OWN)
    for row in scan.of("DEMANDS"):
        if not row.tokens[0].upper().startswith("MULT"):
            yield Reference(row, 0, True, Place.OWN)
    for section, node in (("QUALITY", True), ("STATUS", False)):
        for row in scan.of(section):
            if len(row.tokens) == 2:
                yield Reference(row, 0, node, Place.OWN)
    for row in scan.of("TAGS"):
        if len(row.tokens) > 1:
            yield Reference(row, 1, _is(row.tokens[0], "NODE"), Place.OWN)
    for row in scan.of("ENERGY"):
        if _is(row.tokens[0], "PUMP") and len(row.tokens) > 3:
            yield Reference(row, 1, False, Place.OWN)
    for row in scan.of("REACTIONS"):
        if _is(row.tokens[0], "BULK", "WALL", "TANK") and len(row.tokens) == 3:
            yield Reference(row, 1, _is(row.tokens[0], "TANK"), Place.OWN)
    yield from _listed(scan)
    yield from _commanded(scan)


def rule_of(scan: Scan, row: Row) -> list[Row]:
    """All lines of the rule that `row` is a line of."""
    rules = scan.of("RULES")
    place = next(i for i, one in enumerate(rules) if one.line == row.line)
    first = next((i for i in range(place, -1, -1) if _is(rules[i].tokens[0], "RULE")), 0)
    last = next((i for i in range(place + 1, len(rules)) if _is(rules[i].tokens[0], "RULE")), len(rules))
    return rules[first:last]


def _listed(scan: Scan) -> Iterator[Reference]:
    for row in scan.of("REPORT"):
        if _is(row.tokens[0], "NODE", "LINK") and not (len(row.tokens) == 2 and _is(row.tokens[1], "NONE", "ALL")):
            for column in range(1, len(row.tokens)):
                yield Reference(row, column, _is(row.tokens[0], "NODE"), Place.LISTED)
    for row in scan.of("LABELS"):
        if len(row.tokens) > 3:
            yield Reference(row, 3, True, Place.LISTED)


def _commanded(scan: Scan) -> Iterator[Reference]:
    for row in scan.of("CONTROLS"):
        if len(row.tokens) > 1:
            yield Reference(row, 1, False, Place.COMMANDED)
        if len(row.tokens) > 5 and not _is(row.tokens[4], "TIME", "CLOCKTIME"):
            yield Reference(row, 5, True, Place.COMMANDED)
    for row in scan.of("RULES"):
        if len(row.tokens) > 2 and _is(row.tokens[0], "IF", "AND", "OR", "THEN", "ELSE"):
            if _is(row.tokens[1], *_NODE_WORDS):
                yield Reference(row, 2, True, Place.COMMANDED)
            elif _is(row.tokens[1], *_LINK_WORDS):
                yield Reference(row, 2, False, Place.COMMANDED)
    for row in scan.of("OPTIONS"):
        if _is(row.tokens[0], "QUAL") and len(row.tokens) > 2 and _is(row.tokens[1], "TRACE"):
            yield Reference(row, 2, True, Place.COMMANDED)


def _is(word: str, *letters: str) -> bool:
    return word.upper().startswith(letters)
