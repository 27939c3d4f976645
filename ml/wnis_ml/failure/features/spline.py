"""Restricted cubic splines (linear beyond the outer knots), which extrapolate without surprises.

Basis of Harrell, Regression Modeling Strategies (2nd ed. 2015), section 2.4.5.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wnis_ml.failure.history import Floats

_QUANTILES = {3: (0.10, 0.50, 0.90), 4: (0.05, 0.35, 0.65, 0.95), 5: (0.05, 0.275, 0.50, 0.725, 0.95)}


def choose_knots(values: Floats, count: int) -> tuple[float, ...]:
    """Up to `count` (3 to 5) distinct knots at Harrell's quantiles of the finite `values`; fewer where values tie."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return ()
    return tuple(float(k) for k in np.unique(np.quantile(finite, _QUANTILES[count]).round(6)))


def restricted_cubic(values: Floats, knots: Sequence[float]) -> Floats:
    """Columns of the spline, shape (n, max(1, knots - 1)): the value itself and, from three knots on, its bends."""
    columns = [values]
    if len(knots) >= 3:
        t = np.asarray(knots)
        last, before = t[-1], t[-2]

        def cube(knot: float) -> Floats:
            return np.asarray(np.maximum(values - knot, 0.0) ** 3)

        for knot in t[:-2]:
            bend = (
                cube(knot)
                - cube(before) * (last - knot) / (last - before)
                + cube(last) * (before - knot) / (last - before)
            )
            columns.append(bend / (last - t[0]) ** 2)
    return np.column_stack(columns)


def knots_for(breaks: int) -> int:
    """How many knots so many observed breaks can bear."""
    return 3 if breaks < 100 else 4 if breaks < 400 else 5
