"""How much larger one measurement is than another, and whether that is more than noise.

A stage is repeated in blocks that are spread over the whole run; the scatter of the blocks is the noise. Ratios are
compared on the logarithm, where a factor of two up and down are equally far: Welch's t for two runs (their scatter may
differ), a paired t for blocks that took turns. Where many figures are compared at once the confidence of each is
raised (Bonferroni), so that the table as a whole is wrong with the stated probability.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Ratio:
    """After by before, with an interval; no interval where there is but one block."""

    estimate: float
    low: float | None
    high: float | None

    @property
    def differs(self) -> bool | None:
        """Whether 1 lies outside the interval; None when nobody can tell."""
        if self.low is None or self.high is None:
            return None
        return not self.low <= 1.0 <= self.high


def ratio(before: Sequence[float], after: Sequence[float], *, figures: int = 1) -> Ratio | None:
    """Geometric mean of `after` by that of `before`, of blocks of two runs.

    Parameters
    ----------
    figures : how many such comparisons are made together

    Returns
    -------
    None when a block has no figure (nothing was answered)
    """
    if not _usable(before, after):
        return None
    x, y = np.log(before), np.log(after)
    difference = float(y.mean() - x.mean())
    if len(x) < 2 or len(y) < 2:
        return _around(difference, None)
    of_x, of_y = float(x.var(ddof=1)) / len(x), float(y.var(ddof=1)) / len(y)
    error = math.sqrt(of_x + of_y)
    if error == 0:
        return _around(difference, 0.0)
    freedom = (of_x + of_y) ** 2 / (of_x**2 / (len(x) - 1) + of_y**2 / (len(y) - 1))
    return _around(difference, error * _quantile(freedom, figures))


def paired_ratio(before: Sequence[float], after: Sequence[float]) -> Ratio | None:
    """The same of blocks that took turns: what slows both at a moment cancels."""
    if not _usable(before, after) or len(before) != len(after):
        return None
    differences = np.log(after) - np.log(before)
    mean = float(differences.mean())
    if len(differences) < 2:
        return _around(mean, None)
    error = float(differences.std(ddof=1)) / math.sqrt(len(differences))
    return _around(mean, error * _quantile(len(differences) - 1, 1))


def _usable(*runs: Sequence[float]) -> bool:
    return all(len(blocks) > 0 and min(blocks) > 0 for blocks in runs)


def _quantile(freedom: float, figures: int) -> float:
    return float(stats.t.ppf(1 - (1 - CONFIDENCE) / 2 / figures, freedom))


def _around(difference: float, half_width: float | None) -> Ratio:
    def factor(exponent: float) -> float:
        return round(math.exp(exponent), 4)

    if half_width is None:
        return Ratio(factor(difference), None, None)
    return Ratio(factor(difference), factor(difference - half_width), factor(difference + half_width))
