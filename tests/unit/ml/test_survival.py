"""Any horizon from a few knots."""

from __future__ import annotations

from itertools import pairwise
from math import exp, log

import pytest
from wnis_core.errors import InvalidValue
from wnis_graph.survival import SurvivalKnots, probability_at, remaining_useful_life


def _constant_hazard(rate: float, days: tuple[float, ...] = (30.0, 365.0, 3650.0)) -> SurvivalKnots:
    curves = [tuple(1 - exp(-r * d) for d in days) for r in (rate, rate / 2, rate * 2)]
    return SurvivalKnots(days, *curves)


@pytest.mark.parametrize("days", [1.0, 30.0, 100.0, 365.0, 2000.0, 3650.0, 9000.0])
def test_a_constant_hazard_is_answered_exactly_at_any_horizon(days: float) -> None:
    answer = probability_at(_constant_hazard(1e-4), days)
    expected = [1 - exp(-r * days) for r in (1e-4, 5e-5, 2e-4)]
    assert [answer.probability, answer.low, answer.high] == pytest.approx(expected, rel=1e-12)


def test_probability_never_falls_with_the_horizon() -> None:
    knots = SurvivalKnots((30.0, 365.0, 730.0), (0.1, 0.1, 0.6), (0.05, 0.05, 0.3), (0.2, 0.2, 0.9))
    answers = [probability_at(knots, float(d)) for d in range(1, 2000, 7)]
    assert all(a.probability <= b.probability for a, b in pairwise(answers))
    assert all(a.low <= a.probability <= a.high for a in answers)


def test_remaining_life_is_when_half_have_failed() -> None:
    life = remaining_useful_life(_constant_hazard(1e-3))
    assert life.days == pytest.approx(log(2) / 1e-3)
    assert not life.censored
    assert probability_at(_constant_hazard(1e-3), life.days).probability == pytest.approx(0.5)


def test_remaining_life_beyond_the_last_knot_is_censored() -> None:
    life = remaining_useful_life(_constant_hazard(1e-5))
    assert life.censored
    assert life.days == 3650.0


def test_a_certain_failure_is_answered() -> None:
    knots = SurvivalKnots((30.0, 365.0), (0.5, 1.0), (0.2, 1.0), (0.8, 1.0))
    assert probability_at(knots, 365.0).probability == pytest.approx(1.0)
    assert probability_at(knots, 10_000.0).high <= 1.0
    assert remaining_useful_life(knots).days == pytest.approx(30.0)


@pytest.mark.parametrize("days", [0.0, -1.0, float("nan"), float("inf")])
def test_a_horizon_that_is_none_is_refused(days: float) -> None:
    with pytest.raises(InvalidValue, match="horizon"):
        probability_at(_constant_hazard(1e-4), days)


@pytest.mark.parametrize(
    ("days", "probability", "low", "high"),
    [
        ((30.0, 20.0), (0.1, 0.2), (0.1, 0.2), (0.1, 0.2)),
        ((30.0, 60.0), (0.2, 0.1), (0.1, 0.1), (0.3, 0.3)),
        ((30.0, 60.0), (0.1, 0.2), (0.15, 0.15), (0.3, 0.3)),
        ((30.0,), (1.2,), (0.1,), (1.3,)),
        ((), (), (), ()),
    ],
)
def test_a_curve_that_cannot_be_is_refused(
    days: tuple[float, ...], probability: tuple[float, ...], low: tuple[float, ...], high: tuple[float, ...]
) -> None:
    with pytest.raises(ValueError, match=r"survival curve|Probabilities"):
        SurvivalKnots(days, probability, low, high)
