"""Survival curves as predictions keep them: a few knots, and any horizon answered between them.

With ``F(t)`` the probability of failure within ``t`` days, the cumulative hazard is ``H(t) = -ln(1 - F(t))``. Between
knots, and from ``(0, 0)`` to the first, ``H`` is linear in time: the hazard is constant from knot to knot. Beyond the
last knot the hazard of the last stretch goes on.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import expm1, inf, log, log1p

from wnis_core.errors import FieldProblem, InvalidValue

_CERTAIN = 1.0 - 1e-12
_HALF_LIFE_HAZARD = log(2.0)


@dataclass(frozen=True)
class ProbabilityRange:
    """A probability with its 90% interval."""

    probability: float
    low: float
    high: float


@dataclass(frozen=True)
class RemainingLife:
    """Days until the probability of failure reaches one half; `censored` when the curve ends before that."""

    days: float
    censored: bool


@dataclass(frozen=True)
class SurvivalKnots:
    """Probability of failure within each of `days`, with the bounds of its 90% interval.

    Raises
    ------
    ValueError
        lengths differ, days do not increase, a probability lies outside [0, 1] or decreases, or bounds do not enclose
    """

    days: tuple[float, ...]
    probability: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def __post_init__(self) -> None:
        curves = (self.probability, self.low, self.high)
        if not self.days or any(len(curve) != len(self.days) for curve in curves):
            raise ValueError("A survival curve needs one probability, low and high for each of its days.")
        if self.days[0] <= 0 or not _increasing(self.days, strictly=True):
            raise ValueError("The days of a survival curve are positive and increase.")
        for curve in curves:
            if not all(0.0 <= p <= 1.0 for p in curve) or not _increasing(curve, strictly=False):
                raise ValueError("Probabilities of a survival curve lie in [0, 1] and never decrease.")
        if any(not a <= b <= c for a, b, c in zip(self.low, self.probability, self.high, strict=True)):
            raise ValueError("The interval of a survival curve encloses its probability.")


def probability_at(knots: SurvivalKnots, days: float) -> ProbabilityRange:
    """Probability of failure within `days` (positive), by linear interpolation of the cumulative hazard.

    Raises
    ------
    InvalidValue
        `days` is not a positive finite number
    """
    if not 0 < days < inf:
        raise InvalidValue(
            f"A horizon of {days} days cannot be answered.",
            mend="Give a positive number of days.",
            fields=[FieldProblem("horizon", "must be a positive number of days")],
        )
    probability, low, high = (_at(knots.days, curve, days) for curve in (knots.probability, knots.low, knots.high))
    # beyond the last knot the three curves run on with hazards of their own
    return ProbabilityRange(probability, min(low, probability), max(high, probability))


def remaining_useful_life(knots: SurvivalKnots) -> RemainingLife:
    """Days until the probability of failure reaches 0.5; the last knot, censored, when it does not by then."""
    hazards = [_hazard(p) for p in knots.probability]
    if hazards[-1] < _HALF_LIFE_HAZARD:
        return RemainingLife(knots.days[-1], censored=True)
    k = bisect_left(hazards, _HALF_LIFE_HAZARD)
    before_day, before = (knots.days[k - 1], hazards[k - 1]) if k else (0.0, 0.0)
    share = (_HALF_LIFE_HAZARD - before) / (hazards[k] - before)
    return RemainingLife(before_day + share * (knots.days[k] - before_day), censored=False)


def _at(days: Sequence[float], curve: Sequence[float], wanted: float) -> float:
    k = min(bisect_left(days, wanted), len(days) - 1)
    before_day, before = (days[k - 1], _hazard(curve[k - 1])) if k else (0.0, 0.0)
    slope = (_hazard(curve[k]) - before) / (days[k] - before_day)
    return -expm1(-(before + slope * (wanted - before_day)))


def _hazard(probability: float) -> float:
    return -log1p(-min(probability, _CERTAIN))


def _increasing(values: Sequence[float], *, strictly: bool) -> bool:
    return all(a < b if strictly else a <= b for a, b in pairwise(values))
