"""The rule behind a component's health, the map's green, yellow, red and gray.

The worst evidence decides; without any the health is unknown.

==========  ==============================================================================================
critical    an open incident of severity high or critical, or an open break; a pressure below 0 m, or below
            `PRESSURE_CRITICAL_M` where customers take water; a one-year failure probability of at least
            `PROBABILITY_CRITICAL`
warning     any other open incident; a pressure below `PRESSURE_WARNING_M` where customers take water; a
            one-year failure probability of at least `PROBABILITY_WARNING`
normal      a run or a prediction that says neither
==========  ==============================================================================================

Pressure is the lowest of the last hydraulic run that succeeded. Nodes without demand (pump suctions, tank inlets) may
well run below the service pressure, so only a vacuum counts there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from wnis_graph.queries.health import OpenIncident

PRESSURE_WARNING_M = 14.06
"""20 psi, the least pressure at all points under all conditions of flow (Ten States Standards, 8.2.1)."""

PRESSURE_CRITICAL_M = 7.03
"""10 psi: half of the least pressure, where fixtures no longer work."""

PROBABILITY_WARNING = 0.05
"""One-year failure probability from which inspection is worth planning."""

PROBABILITY_CRITICAL = 0.20
"""One-year failure probability from which a failure within four years is likelier than not (1 - 0.8^4 = 0.59)."""

YEAR_DAYS = 365.0

_GRAVE = frozenset({"high", "critical"})


class Health(StrEnum):
    """From worst to none."""

    CRITICAL = "critical"
    WARNING = "warning"
    NORMAL = "normal"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Evidence:
    """What is known about a component; None is not known."""

    incidents: Sequence[OpenIncident] = ()
    pressure_min_m: float | None = None
    serves_demand: bool = False
    in_run: bool = False
    probability: float | None = None


@dataclass(frozen=True)
class Verdict:
    """A state of health and its reason in words."""

    health: Health
    reason: str


def judge(evidence: Evidence) -> Verdict:
    """The health that `evidence` shows."""
    findings = [*_incidents(evidence), *_pressure(evidence), *_probability(evidence)]
    for health in (Health.CRITICAL, Health.WARNING, Health.NORMAL):
        reasons = [f.reason for f in findings if f.health is health]
        if reasons:
            return Verdict(health, "; ".join(reasons))
    return Verdict(Health.UNKNOWN, "no open incident, no run and no prediction yet")


def _incidents(evidence: Evidence) -> list[Verdict]:
    grave = [i for i in evidence.incidents if i.severity in _GRAVE or i.kind == "break"]
    found = []
    if grave:
        found.append(Verdict(Health.CRITICAL, f"open {_words(grave)}"))
    lesser = [i for i in evidence.incidents if i not in grave]
    if lesser:
        found.append(Verdict(Health.WARNING, f"open {_words(lesser)}"))
    return found


def _words(incidents: Sequence[OpenIncident]) -> str:
    kinds = sorted({i.kind for i in incidents})
    return f"{' and '.join(kinds)} ({len(incidents)})" if len(incidents) > 1 else kinds[0]


def _pressure(evidence: Evidence) -> list[Verdict]:
    pressure = evidence.pressure_min_m
    if pressure is None:
        return [Verdict(Health.NORMAL, "in the last run without remark")] if evidence.in_run else []
    said = f"lowest pressure {pressure:.1f} m in the last run"
    if pressure < 0:
        return [Verdict(Health.CRITICAL, said)]
    if not evidence.serves_demand:
        return [Verdict(Health.NORMAL, said)]
    if pressure < PRESSURE_CRITICAL_M:
        return [Verdict(Health.CRITICAL, f"{said}, below {PRESSURE_CRITICAL_M:g} m")]
    if pressure < PRESSURE_WARNING_M:
        return [Verdict(Health.WARNING, f"{said}, below {PRESSURE_WARNING_M:g} m")]
    return [Verdict(Health.NORMAL, said)]


def _probability(evidence: Evidence) -> list[Verdict]:
    probability = evidence.probability
    if probability is None:
        return []
    said = f"failure probability {probability:.1%} within a year"
    if probability >= PROBABILITY_CRITICAL:
        return [Verdict(Health.CRITICAL, said)]
    if probability >= PROBABILITY_WARNING:
        return [Verdict(Health.WARNING, said)]
    return [Verdict(Health.NORMAL, said)]
