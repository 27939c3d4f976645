"""All checks, run over a network, with a score by category."""

from __future__ import annotations

from dataclasses import dataclass

from wnis_graph.checks import geometry, properties, topology
from wnis_graph.checks.findings import Category, Check, Finding, Severity
from wnis_graph.checks.survey import Survey

CHECKS: tuple[Check, ...] = (*topology.CHECKS, *geometry.CHECKS, *properties.CHECKS)

WEIGHTS = {Severity.ERROR: 1.0, Severity.WARNING: 0.3, Severity.INFO: 0.0}
"""What a component named by a finding of that severity takes off the score."""


@dataclass(frozen=True)
class Outcome:
    """A check with what it found; `examined` components were looked at."""

    check: Check
    examined: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class CategoryScore:
    """100 is nothing doubtful; see `judge`."""

    category: Category
    score: float
    errors: int
    warnings: int


@dataclass(frozen=True)
class Quality:
    """What all checks found. `score` is the lowest of the categories': a chain is as strong as that."""

    score: float
    categories: tuple[CategoryScore, ...]
    outcomes: tuple[Outcome, ...]


def judge(survey: Survey) -> Quality:
    """Run every check.

    The score of a category is 100 times the share of its components that no finding names, where a component named
    by a warning alone counts 0.3 of one named by an error.
    """
    outcomes = tuple(
        Outcome(check, len(survey.of(*check.examines)), tuple(check.find(survey))) for check in CHECKS
    )  # fmt: skip
    categories = tuple(_score(survey, category, outcomes) for category in Category)
    return Quality(min(c.score for c in categories), categories, outcomes)


def _score(survey: Survey, category: Category, outcomes: tuple[Outcome, ...]) -> CategoryScore:
    own = [o for o in outcomes if o.check.category is category]
    examined = len(survey.of(*frozenset().union(*(o.check.examines for o in own))))
    lost: dict[str, float] = {}
    for outcome in own:
        for finding in outcome.findings:
            for component in finding.components:
                lost[component] = max(lost.get(component, 0.0), WEIGHTS[outcome.check.severity])
    share = sum(lost.values()) / examined if examined else 0.0
    counts = {s: sum(len(o.findings) for o in own if o.check.severity is s) for s in Severity}
    return CategoryScore(
        category, round(100 * max(0.0, 1 - share), 1), counts[Severity.ERROR], counts[Severity.WARNING]
    )
