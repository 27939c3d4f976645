"""Questions that come with the system: templates with typed parameters, each confined to one utility."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from wnis_core.clock import now
from wnis_core.errors import BadRequest, FieldProblem, InvalidValue

from wnis_graph.query import Query

MOST_ROWS = 1_000
LARGEST = 100_000


class ParameterKind(StrEnum):
    """What a parameter takes; a date is text as YYYY-MM-DD."""

    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"
    TEXTS = "texts"
    DATE = "date"


@dataclass(frozen=True)
class Parameter:
    """A parameter of a question.

    Parameters
    ----------
    default : its value when none is given; ``today`` of a date is the present day; None means that it must be given
    least : smallest number accepted; the greatest is `LARGEST`
    """

    name: str
    kind: ParameterKind
    description: str
    default: Any = None
    least: int = 0

    def value(self, given: Mapping[str, Any]) -> Any:
        """The value to bind.

        Raises
        ------
        BadRequest
            it is missing
        InvalidValue
            it is of another kind
        """
        value = given.get(self.name, self.default)
        if value is None:
            raise BadRequest(
                f"The parameter {self.name} is missing.", fields=[FieldProblem(self.name, self.description)]
            )
        if self.kind is ParameterKind.DATE:
            return self._day(value)
        fits = {
            ParameterKind.INTEGER: isinstance(value, int) and not isinstance(value, bool) and self._within(value),
            ParameterKind.NUMBER: isinstance(value, (int, float))
            and not isinstance(value, bool)
            and self._within(value),
            ParameterKind.TEXT: isinstance(value, str) and len(value) <= 500,
            ParameterKind.TEXTS: isinstance(value, (list, tuple))
            and len(value) <= 100
            and all(isinstance(item, str) and len(item) <= 500 for item in value),
        }
        if not fits[self.kind]:
            raise self._wrong()
        return list(value) if self.kind is ParameterKind.TEXTS else value

    def _within(self, value: float) -> bool:
        return self.least <= value <= LARGEST

    def _day(self, value: Any) -> date:
        if value == "today":
            return now().date()
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError) as error:
            raise self._wrong() from error

    def _range(self) -> str:
        numeric = self.kind in (ParameterKind.INTEGER, ParameterKind.NUMBER)
        return f", {self.least} to {LARGEST}" if numeric else ""

    def _wrong(self) -> InvalidValue:
        return InvalidValue(
            f"The parameter {self.name} must be of kind {self.kind}{self._range()}.",
            fields=[FieldProblem(self.name, f"{self.kind}: {self.description}")],
        )


@dataclass(frozen=True)
class Question:
    """A question with a name.

    Parameters
    ----------
    name : how it is called, such as ``old-pipes-feeding-critical-customers``
    title : what it answers, in a sentence
    columns : names of the values of a row, with their unit
    """

    name: str
    title: str
    columns: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    query: Query[tuple[Any, ...]]

    def bound(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters to run it with; one row more than is shown tells whether there are more.

        Raises
        ------
        BadRequest
            one is unknown or missing
        InvalidValue
            one is of another kind
        """
        known = {parameter.name for parameter in self.parameters}
        for name in given:
            if name not in known:
                raise BadRequest(
                    f"{self.name} takes no parameter {name[:60]!r}.",
                    mend=f"It takes: {', '.join(sorted(known)) or 'none'}.",
                    fields=[FieldProblem(name[:60], "is not known")],
                )
        return {p.name: p.value(given) for p in self.parameters} | {"most": MOST_ROWS + 1}
