"""The language in which the graph model is declared: properties, labels, relationships, and their self-check."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from wnis_core.errors import FieldProblem, InvalidValue


class Kind(StrEnum):
    """Types of a property; all map one to one to Neo4j's property types."""

    STRING = "string"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    POINT = "point"
    STRINGS = "list of strings"
    FLOATS = "list of floats"
    BYTES = "bytes"


_PYTHON: dict[Kind, tuple[type, ...]] = {
    Kind.STRING: (str,),
    Kind.INTEGER: (int,),
    Kind.FLOAT: (float, int),
    Kind.BOOLEAN: (bool,),
    Kind.DATE: (date,),
    Kind.DATETIME: (datetime,),
    Kind.BYTES: (bytes, bytearray),
}

UNITS = frozenset(
    {
        "m",
        "m2",
        "m3",
        "m3/s",
        "m/s",
        "s",
        "day",
        "year",
        "1",
        "W",
        "degree",
        "mm",
        "event",
        "person",
        "currency",
        "byte",
    }
)
"""Units a numeric property may state; ``1`` is dimensionless."""

LONGEST_INDEXED = 2_000
"""Characters of a string in a range index: Neo4j refuses keys beyond 8 kB only when the transaction commits."""

_UNIT_SUFFIX = {"_m": "m", "_m3": "m3", "_m3s": "m3/s", "_ms": "m/s", "_s": "s", "_w": "W", "_days": "day"}


@dataclass(frozen=True)
class Property:
    """One property: name, type, unit, whether required, what it says, and its closed set of values if any."""

    name: str
    kind: Kind
    description: str
    unit: str | None = None
    required: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Label:
    """A node label.

    Parameters
    ----------
    tenant : nodes carry ``utility`` and are unique by ``(utility, id)``; else by ``id`` alone
    base : label that every such node carries too, whose properties it inherits
    search : properties of a full-text index
    indexed : properties of a range index (with ``utility`` before it, for a tenant's label)
    unique : further properties that no two nodes of the label share
    points : properties of a point index
    """

    name: str
    description: str
    properties: tuple[Property, ...]
    tenant: bool = True
    base: str | None = None
    search: tuple[str, ...] = ()
    indexed: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()


@dataclass(frozen=True)
class Relationship:
    """A relationship type between labels, an active verb."""

    name: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    description: str
    properties: tuple[Property, ...] = ()


class SchemaProblem(ValueError):
    """The declaration contradicts itself; the message names the class and the mend."""


@dataclass(frozen=True)
class Schema:
    """All labels and relationships; checks itself when made."""

    labels: tuple[Label, ...]
    relationships: tuple[Relationship, ...]

    def __post_init__(self) -> None:
        check(self.labels, self.relationships)

    def label(self, name: str) -> Label:
        """The label called `name`; KeyError when there is none."""
        return {label.name: label for label in self.labels}[name]

    def properties_of(self, name: str) -> dict[str, Property]:
        """Own and inherited properties of a label, by name."""
        label = self.label(name)
        inherited = self.properties_of(label.base) if label.base else {}
        return {**inherited, **{p.name: p for p in label.properties}}

    def require(self, name: str, node: dict[str, Any], *, partial: bool = False) -> dict[str, Any]:
        """`node` when it may be written as label `name`: the one write door, as Community enforces nothing.

        Parameters
        ----------
        partial : only some properties are given (an update), so missing ones are no fault

        Raises
        ------
        InvalidValue
            with every field at fault: unknown, missing, of another type, or outside its closed set
        """
        declared = self.properties_of(name)
        problems = [FieldProblem(key, f"is not a property of {name}") for key in node if key not in declared]
        indexed = self._indexed(name)
        if not partial:
            problems += [
                FieldProblem(p.name, "is required")
                for p in declared.values()
                if p.required and node.get(p.name) is None
            ]
        for key, value in node.items():
            if key in declared and value is not None and (fault := _fault(declared[key], value)):
                problems.append(FieldProblem(key, fault))
            elif key in indexed and isinstance(value, str) and len(value) > LONGEST_INDEXED:
                problems.append(FieldProblem(key, f"has more than {LONGEST_INDEXED} characters"))
        if problems:
            raise InvalidValue(
                f"{name}: {'; '.join(f'{p.field} {p.message}' for p in problems)}.",
                mend=f"See {name} in docs/reference/graph.md.",
                fields=problems,
            )
        return node

    def _indexed(self, name: str) -> frozenset[str]:
        label = self.label(name)
        own = {"id", *label.indexed, *label.unique}
        return frozenset(own) | (self._indexed(label.base) if label.base else frozenset())


def _fault(declared: Property, value: Any) -> str | None:
    expected = _PYTHON.get(declared.kind)
    if expected is not None:
        if isinstance(value, bool) and declared.kind is not Kind.BOOLEAN:
            return f"must be {declared.kind}"
        if not isinstance(value, expected) or (declared.kind is Kind.DATE and isinstance(value, datetime)):
            return f"must be {declared.kind}"
    if declared.kind is Kind.FLOAT and not abs(value) < float("inf"):
        return "must be a finite number"
    if declared.kind is Kind.DATETIME and value.tzinfo is None:
        return "must have a time zone"
    if declared.kind is Kind.STRINGS and not all(isinstance(v, str) for v in value):
        return f"must be {declared.kind}"
    if declared.kind is Kind.FLOATS and not all(isinstance(v, (int, float)) for v in value):
        return f"must be {declared.kind}"
    if declared.values and value not in declared.values:
        return f"must be one of {', '.join(declared.values)}"
    return None


def check(labels: Sequence[Label], relationships: Sequence[Relationship]) -> None:
    """Refuse a declaration that contradicts itself.

    Raises
    ------
    SchemaProblem
        naming the class and how to mend it
    """
    names = [label.name for label in labels]
    for name in names:
        if names.count(name) > 1:
            raise SchemaProblem(f"Label {name} is declared twice; merge the two.")
        if not re.fullmatch(r"[A-Z][A-Za-z0-9]+", name):
            raise SchemaProblem(f"Label {name}: write it in CamelCase.")
    by_name = {label.name: label for label in labels}
    for label in labels:
        if label.base and label.base not in by_name:
            raise SchemaProblem(f"Label {label.name}: base {label.base} is not declared; declare it or drop base.")
        _check_properties(f"Label {label.name}", label.properties)
        own = {p.name for p in label.properties}
        inherited = {p.name for p in by_name[label.base].properties} if label.base else set()
        for twice in own & inherited:
            raise SchemaProblem(f"Label {label.name}: {twice} is inherited from {label.base}; drop it here.")
        for wanted in (*label.search, *label.indexed, *label.points, *label.unique):
            if wanted not in own | inherited:
                raise SchemaProblem(f"Label {label.name}: indexes {wanted}, which it lacks; declare the property.")
        if "id" not in own | inherited:
            raise SchemaProblem(f"Label {label.name}: has no id; add one or give it a base.")
        if label.tenant and "utility" not in own | inherited:
            raise SchemaProblem(f"Label {label.name}: belongs to a utility but lacks the property utility; add it.")
    for relationship in relationships:
        if not re.fullmatch(r"[A-Z][A-Z_]*[A-Z]", relationship.name):
            raise SchemaProblem(f"Relationship {relationship.name}: write it in UPPER_CASE.")
        for end in (*relationship.sources, *relationship.targets):
            if end not in by_name:
                raise SchemaProblem(f"Relationship {relationship.name}: end {end} is not a declared label; declare it.")
        _check_properties(f"Relationship {relationship.name}", relationship.properties)


def _check_properties(owner: str, properties: Iterable[Property]) -> None:
    seen: set[str] = set()
    for p in properties:
        if p.name in seen:
            raise SchemaProblem(f"{owner}: property {p.name} is declared twice; drop one.")
        seen.add(p.name)
        if not re.fullmatch(r"[a-z][a-z0-9_]*", p.name):
            raise SchemaProblem(f"{owner}: property {p.name}: write it in snake_case.")
        if not p.description:
            raise SchemaProblem(f"{owner}: property {p.name} has no description; say what it is.")
        if p.kind in (Kind.FLOAT, Kind.INTEGER, Kind.FLOATS) and p.unit is None:
            raise SchemaProblem(f"{owner}: numeric property {p.name} states no unit; give one ('1' if none).")
        if p.unit is not None and p.unit not in UNITS:
            raise SchemaProblem(
                f"{owner}: property {p.name} has the unknown unit {p.unit}; use one of {sorted(UNITS)}."
            )
        for suffix, unit in _UNIT_SUFFIX.items():
            if p.name.endswith(suffix) and p.unit is not None and p.unit != unit:
                raise SchemaProblem(f"{owner}: property {p.name} is named for {unit} but states {p.unit}; rename it.")
