"""What a check says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from wnis_graph.checks.survey import Survey


class Severity(StrEnum):
    """An error makes answers wrong, a warning doubtful; information may well be intended."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Category(StrEnum):
    """What a check is about; the score is by these."""

    TOPOLOGY = "topology"
    GEOMETRY = "geometry"
    HYDRAULICS = "hydraulics"
    REGISTER = "register"


@dataclass(frozen=True)
class Finding:
    """One doubtful thing.

    Parameters
    ----------
    message : what is wrong, with the figures
    components : ids of the components concerned
    """

    message: str
    components: tuple[str, ...]


@dataclass(frozen=True)
class Check:
    """One check.

    Parameters
    ----------
    id : stable, for links and filters
    mend : how a person puts it right
    examines : types of component that it looks at; a share of these is what the score counts
    find : the check itself
    """

    id: str
    title: str
    severity: Severity
    category: Category
    mend: str
    examines: frozenset[str]
    find: Callable[[Survey], Iterable[Finding]]
