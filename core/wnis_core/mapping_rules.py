"""The rules of a mapping, checked: which columns fill which property, and how."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from wnis_core.mapping_targets import Target, TargetProperty

Code = str | bool | int | float


@dataclass(frozen=True)
class FileLayout:
    """How the file is written; ``auto`` is found out from its bytes and its first line."""

    encoding: str = "auto"
    delimiter: str = "auto"
    decimal: str = "."
    timezone: str = "UTC"
    layer: str = ""


ROW = "@row"
"""Stands for a column: the name of the file or layer with the number of the row, from 1."""

NETWORK_CRS = "network"
"""In place of a coordinate reference system: the file shares the coordinates of the network's source."""


@dataclass(frozen=True)
class GeometryRule:
    """How the places of a file's rows find the network.

    Parameters
    ----------
    crs : coordinate reference system of the file; empty takes the file's own, `NETWORK_CRS` the network's
    unit_m : length of one unit of coordinates without coordinate system, in m
    tolerance_m : farthest distance of a match; None for targets that are placed, not matched
    margin_m : a second candidate that is farther by no more than this makes a row ambiguous
    components : types that rows may be matched to
    at : which point of a line counts
    x, y : columns that hold coordinates, of a table without geometry
    """

    crs: str = ""
    unit_m: float = 1.0
    tolerance_m: float | None = None
    margin_m: float = 0.0
    components: tuple[str, ...] = ("Pipe",)
    at: Literal["line", "start", "end"] = "line"
    x: str = ""
    y: str = ""


@dataclass(frozen=True)
class Condition:
    """A column's text is (or is not) one of some values, ignoring case and outer blanks."""

    column: str
    values: tuple[str, ...]
    negated: bool = False

    def holds(self, text: str) -> bool:
        """Whether `text` satisfies it."""
        return (text.strip().casefold() in {v.casefold() for v in self.values}) is not self.negated


@dataclass(frozen=True)
class Filter:
    """Rows that do not satisfy the condition are left out, counted under `reason`."""

    condition: Condition
    reason: str


@dataclass(frozen=True)
class Redaction:
    """What a pattern finds in these properties is replaced, before anybody else sees it."""

    properties: tuple[str, ...]
    pattern: re.Pattern[str]
    replacement: str


@dataclass(frozen=True)
class PropertyRule:
    """How one property is filled: from columns, or by a constant.

    Parameters
    ----------
    columns : read and joined by `join`, blank ones left out
    factor : multiplies a number into SI
    missing : texts that mean "not known", ignoring case
    other_codes : what happens to a text outside `codes`
    unreadable : a cell that cannot be read rejects the row, or only leaves the property empty (and is counted)
    """

    target: TargetProperty
    columns: tuple[str, ...] = ()
    constant: Code | None = None
    join: str = ", "
    factor: float = 1.0
    codes: dict[str, Code] = field(default_factory=dict)
    other_codes: Literal["reject", "keep", "missing"] = "reject"
    dates: tuple[str, ...] = ("iso",)
    missing: frozenset[str] = frozenset()
    required: bool = False
    only_when: Condition | None = None
    separator: str | None = None
    unreadable: Literal["reject", "missing"] = "reject"


@dataclass(frozen=True)
class Mapping:
    """A checked mapping. `never` names columns that must not be read, with the reason."""

    name: str
    target: Target
    description: str
    file: FileLayout
    rules: tuple[PropertyRule, ...]
    filters: tuple[Filter, ...] = ()
    redactions: tuple[Redaction, ...] = ()
    never: dict[str, str] = field(default_factory=dict)
    geometry: GeometryRule | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the mapping reads, once."""
        named = [c for rule in self.rules for c in rule.columns]
        named += [rule.only_when.column for rule in self.rules if rule.only_when]
        named += [f.condition.column for f in self.filters]
        if self.geometry:
            named += [column for column in (self.geometry.x, self.geometry.y) if column]
        return tuple(dict.fromkeys(column for column in named if column != ROW))
