"""Discrete-time hazard: the probability that an asset breaks in the year after an origin, given that day's knowledge.

A logistic regression on splines, fitted to (asset, origin) pairs pooled over yearly origins (the person-period form of
Singer & Willett, "It's about time", J. Educ. Stat. 18(2), 1993), with a ridge penalty.

Intervals come from a one-step (score) bootstrap with exponential weights, clustered on assets (Kline & Santos,
"A score based approach to wild bootstrap inference", J. Econometric Methods 1(1), 2012): with clusters ``c``, score
``g_c`` at the estimate ``b`` and Hessian ``A``, a draw is ``b - A^-1 sum_c (w_c - 1) g_c``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from wnis_ml.failure.features import TRANSFORMS, Transform
from wnis_ml.failure.history import Floats, Integers
from wnis_ml.failure.situations import Situations

DRAWS = 100
PENALTY = 10.0
"""Ridge penalty on standardised coefficients; between 1 and 50 the judgement barely moves (docs/adr/0005)."""

_CHUNK = 50_000
_SMALLEST_SCALE = 1e-6


@dataclass(frozen=True)
class Design:
    """Fitted transforms and the standardisation of their columns."""

    transforms: tuple[Transform, ...]
    mean: Floats
    scale: Floats
    factor_of_column: Integers

    @classmethod
    def fit(cls, situations: Situations, broke: Integers) -> tuple[Self, Floats]:
        """The design of training situations and its matrix, shape (situations, columns)."""
        transforms = tuple(transform.fit(situations, broke) for transform in TRANSFORMS)
        blocks = [transform.columns(situations) for transform in transforms]
        raw = np.hstack(blocks)
        scale = raw.std(axis=0)
        design = cls(
            transforms=transforms,
            mean=raw.mean(axis=0),
            # a column that never varied in training says nothing: it must not explode when it varies later
            scale=np.where(scale < _SMALLEST_SCALE, np.inf, scale),
            factor_of_column=np.repeat(np.arange(len(blocks)), [block.shape[1] for block in blocks]),
        )
        return design, design.standardised(raw)

    def standardised(self, raw: Floats) -> Floats:
        """Columns with mean 0 and deviation 1 in training."""
        return np.asarray((raw - self.mean) / self.scale)

    def matrix(self, situations: Situations) -> Floats:
        """Standardised columns of `situations`."""
        return self.standardised(np.hstack([transform.columns(situations) for transform in self.transforms]))

    @property
    def factors(self) -> tuple[str, ...]:
        """Names of the factors, in order."""
        return tuple(transform.factor for transform in self.transforms)

    def document(self) -> dict[str, Any]:
        """JSON types."""
        return {
            "transforms": {t.factor: t.document() for t in self.transforms},
            "mean": self.mean.tolist(),
            "scale": [None if np.isinf(s) else s for s in self.scale.tolist()],
            "factor_of_column": self.factor_of_column.tolist(),
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """The design that `document` was made from."""
        fitted = document["transforms"]
        return cls(
            transforms=tuple(transform.from_document(fitted[transform.factor]) for transform in TRANSFORMS),
            mean=np.array(document["mean"], dtype=np.float64),
            scale=np.array([np.inf if s is None else s for s in document["scale"]], dtype=np.float64),
            factor_of_column=np.array(document["factor_of_column"], dtype=np.int64),
        )


@dataclass(frozen=True)
class HazardModel:
    """Coefficients on a design, and bootstrap draws of them (shape (draws, columns + 1), the intercept first)."""

    design: Design
    intercept: float
    coefficients: Floats
    draws: Floats

    def log_odds(self, situations: Situations) -> Floats:
        """Log-odds of a break in the year after each origin."""
        return np.asarray(self.intercept + self.design.matrix(situations) @ self.coefficients)

    def contributions(self, situations: Situations) -> Floats:
        """Each factor's part of the log-odds beyond the intercept, shape (situations, factors).

        A linear model's exact Shapley values: coefficient times distance from the training mean, summed by factor.
        """
        parts = self.design.matrix(situations) * self.coefficients
        columns = self.design.factor_of_column
        return np.column_stack([parts[:, columns == k].sum(axis=1) for k in range(len(self.design.factors))])

    def hazards(self, situations: Situations) -> tuple[Floats, Floats]:
        """Cumulative hazard of the coming year, shape (n,), and its bootstrap draws, shape (n, draws)."""
        best = np.empty(len(situations))
        drawn = np.empty((len(situations), len(self.draws)), dtype=np.float64)
        matrix = self.design.matrix(situations)
        for start in range(0, len(situations), _CHUNK):
            rows = slice(start, start + _CHUNK)
            best[rows] = _hazard(self.intercept + matrix[rows] @ self.coefficients)
            drawn[rows] = _hazard(self.draws[:, 0] + matrix[rows] @ self.draws[:, 1:].T)
        return best, drawn

    def document(self) -> dict[str, Any]:
        """JSON types."""
        return {
            "design": self.design.document(),
            "intercept": self.intercept,
            "coefficients": self.coefficients.tolist(),
            "draws": self.draws.tolist(),
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """The model that `document` was made from."""
        return cls(
            design=Design.from_document(document["design"]),
            intercept=float(document["intercept"]),
            coefficients=np.array(document["coefficients"], dtype=np.float64),
            draws=np.array(document["draws"], dtype=np.float64),
        )


def fit_hazard_model(situations: Situations, breaks: Integers, seed: int) -> HazardModel:
    """Fit to pooled situations and the number of breaks in the year after each.

    Parameters
    ----------
    seed : of the bootstrap weights; the fit itself draws nothing
    """
    broke = (breaks > 0).astype(np.int64)
    design, matrix = Design.fit(situations, broke)
    fitted = LogisticRegression(C=1 / PENALTY, solver="newton-cholesky", tol=1e-6, max_iter=100).fit(matrix, broke)
    intercept, coefficients = float(fitted.intercept_[0]), np.asarray(fitted.coef_[0], dtype=np.float64)
    draws = _score_bootstrap(matrix, broke, situations.asset, intercept, coefficients, seed)
    return HazardModel(design, intercept, coefficients, draws)


def _score_bootstrap(
    matrix: Floats, broke: Integers, cluster: Integers, intercept: float, coefficients: Floats, seed: int
) -> Floats:
    with_one = np.column_stack([np.ones(len(matrix)), matrix])
    probability = expit(intercept + matrix @ coefficients)
    penalty = np.diag([0.0, *([PENALTY] * len(coefficients))])
    hessian = (with_one * (probability * (1 - probability))[:, None]).T @ with_one + penalty
    residual = probability - broke
    _, number = np.unique(cluster, return_inverse=True)
    scores = np.column_stack([np.bincount(number, residual * column) for column in with_one.T])
    weights = np.random.default_rng(seed).exponential(size=(DRAWS, len(scores))) - 1.0
    # the hessian of columns that never varied is the penalty alone, so it can always be solved
    steps = np.linalg.solve(hessian, (weights @ scores).T).T
    return np.asarray(np.concatenate([[intercept], coefficients]) - steps)


def _hazard(log_odds: Floats) -> Floats:
    """Cumulative hazard of a year whose probability has these log-odds: ``-ln(1 - p) = ln(1 + e^x)``."""
    return np.asarray(np.logaddexp(0.0, log_odds))
