"""Intervals on blocks whose true ratio is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from wnis_ops.bench.api.statistics import paired_ratio, ratio

RUNS = 2_000


def blocks(chance: np.random.Generator, mean: float, scatter: float, count: int) -> list[float]:
    """Log-normal, as times and rates are."""
    return list(np.exp(chance.normal(math.log(mean), scatter, count)))


def test_equal_runs_are_called_different_as_seldom_as_promised() -> None:
    chance = np.random.default_rng(1)
    found = [ratio(blocks(chance, 100, 0.05, 5), blocks(chance, 100, 0.20, 8)) for _ in range(RUNS)]
    wrong = sum(bool(one and one.differs) for one in found) / RUNS
    assert 0.03 < wrong < 0.07


def test_intervals_hold_the_true_ratio_as_often_as_promised() -> None:
    chance = np.random.default_rng(2)
    held = 0
    for _ in range(RUNS):
        found = ratio(blocks(chance, 100, 0.1, 5), blocks(chance, 130, 0.1, 5))
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 1.3 <= found.high
    assert 0.93 < held / RUNS < 0.97


def test_many_figures_together_are_wrong_as_seldom_as_one() -> None:
    chance = np.random.default_rng(3)
    figures, tables = 20, 300
    wrong = 0
    for _ in range(tables):
        found = [
            ratio(blocks(chance, 100, 0.1, 5), blocks(chance, 100, 0.1, 5), figures=figures) for _ in range(figures)
        ]
        wrong += any(one and one.differs for one in found)
    assert wrong / tables < 0.08


def test_a_difference_well_beyond_the_scatter_is_found() -> None:
    chance = np.random.default_rng(4)
    found = [ratio(blocks(chance, 100, 0.05, 5), blocks(chance, 130, 0.05, 5)) for _ in range(200)]
    assert sum(bool(one and one.differs) for one in found) > 195


def test_blocks_that_took_turns_share_what_slowed_both() -> None:
    chance = np.random.default_rng(5)
    weather = chance.normal(0, 0.5, 6)
    before = list(100 * np.exp(weather))
    after = list(60 * np.exp(weather + chance.normal(0, 0.02, 6)))
    together, apart = paired_ratio(before, after), ratio(before, after)
    assert together is not None
    assert apart is not None
    assert together.differs is True
    assert together.estimate == pytest.approx(0.6, abs=0.03)
    assert apart.differs is False


def test_one_block_gives_a_ratio_without_an_interval() -> None:
    found = ratio([100.0], [150.0])
    assert found is not None
    assert (found.estimate, found.low, found.high, found.differs) == (1.5, None, None, None)


def test_a_block_without_an_answer_cannot_be_compared() -> None:
    assert ratio([0.0, 1.0], [1.0, 2.0]) is None
    assert ratio([], [1.0]) is None
