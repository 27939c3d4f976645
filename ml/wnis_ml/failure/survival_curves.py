"""From yearly hazards to survival curves: one walk through the coming thirty years for each asset."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from wnis_graph.survival import SurvivalKnots

from wnis_ml.failure.hazard_model import HazardModel
from wnis_ml.failure.history import WINDOW, Floats
from wnis_ml.failure.season import Season
from wnis_ml.failure.situations import Situations

KNOT_DAYS = (30.0, 60.0, 90.0, 180.0, 270.0, 365.0, 730.0, 1095.0, 1825.0, 3650.0, 7300.0, 10950.0)

_YEARS_ASKED = (0, 1, 2, 3, 4, 6, 9, 14, 19, 24, 29)
_LOW, _HIGH = 0.05, 0.95


@dataclass(frozen=True)
class Curves:
    """Probabilities within `days` with 90% intervals, one asset a row; each of shape (assets, days)."""

    days: tuple[float, ...]
    probability: Floats
    low: Floats
    high: Floats

    def knots(self, row: int) -> SurvivalKnots:
        """The curve of one asset."""
        return SurvivalKnots(
            self.days, *(tuple(part[row].tolist()) for part in (self.probability, self.low, self.high))
        )


def survival_curves(
    model: HazardModel, season: Season, situations: Situations, days: tuple[float, ...] = KNOT_DAYS
) -> Curves:
    """Probability of a first break within each of `days` from the situations' origins.

    The hazard of year ``k`` is the model's at ``k`` years later with no break in between, which is what surviving
    until then means: ages and recencies go on, counts in windows fall. Years between those in `_YEARS_ASKED` are
    interpolated; within a year the hazard follows the season.
    """
    last_year = int(np.ceil(max(days) / WINDOW))
    asked = [year for year in _YEARS_ASKED if year < last_year]
    answers = [model.hazards(situations.at(situations.origin + year * WINDOW)) for year in asked]
    share = _shares(season, float(situations.origin[0]) if len(situations) else 0.0, last_year, asked, days)
    best = np.stack([answer[0] for answer in answers], axis=1) @ share
    # one horizon at a time: all draws of all horizons at once would not fit for a large network
    low, high = np.empty_like(best), np.empty_like(best)
    for column in range(len(days)):
        drawn = sum(share[year, column] * answers[year][1] for year in range(len(asked)) if share[year, column])
        low[:, column], high[:, column] = np.quantile(drawn, (_LOW, _HIGH), axis=1)
    low, high = np.minimum(low, best), np.maximum(high, best)
    return Curves(days, -np.expm1(-best), -np.expm1(-low), -np.expm1(-high))


def _shares(season: Season, origin: float, last_year: int, asked: list[int], days: tuple[float, ...]) -> Floats:
    """How much of each asked year's hazard lies within each horizon, shape (asked, days)."""
    spread = np.array([np.interp(range(last_year), asked, np.eye(len(asked))[k]) for k in range(len(asked))])
    within = np.array(
        [[season.share(origin, min(max(d - year * WINDOW, 0.0), WINDOW)) for d in days] for year in range(last_year)]
    )
    return np.asarray(spread @ within)
