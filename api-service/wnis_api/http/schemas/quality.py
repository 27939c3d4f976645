"""What is doubtful in a network."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from wnis_api.http.schemas.common import Output


class FindingAnswer(Output):
    """One doubtful thing."""

    check: str = Field(description="id of the check")
    severity: str = Field(description="error: answers are wrong; warning: doubtful; info: may be intended")
    category: str
    message: str
    components: list[str]
    mend: str


class CheckAnswer(Output):
    """A check, whether or not it found something."""

    id: str
    title: str
    severity: str
    category: str
    mend: str
    examined: int = Field(description="components that it looked at")
    findings: int


class CategoryAnswer(Output):
    """The share of components in percent that no finding names; a warning counts 0.3 of an error."""

    name: str
    score: float
    errors: int
    warnings: int


class QualityAnswer(Output):
    """Outcome of all checks; nothing is corrected."""

    network_id: str
    revision: int
    checked_on: date
    score: float = Field(description="the lowest score of a category")
    categories: list[CategoryAnswer]
    checks: list[CheckAnswer]
    findings: list[FindingAnswer] = Field(description="errors first")
