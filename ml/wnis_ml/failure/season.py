"""Season: in which part of the year breaks happen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from wnis_ml.failure.history import WINDOW, YEAR, Breaks, Floats, moment_of

_PRIOR_BREAKS = 60.0
_MONTH_ENDS = np.cumsum([0, 31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


@dataclass(frozen=True)
class Season:
    """Share of a year's breaks in each month, drawn towards an even spread when there are few breaks.

    The hazard of a year is spread over its days by these shares, so that thirty days of winter and thirty days of
    summer get probabilities of their own.
    """

    month_shares: tuple[float, ...]

    @classmethod
    def fit(cls, breaks: Breaks) -> Self:
        """Shares by month, with `_PRIOR_BREAKS` imagined breaks spread evenly."""
        months = [moment_of(day).month - 1 for day in breaks.occurred]
        counts = np.bincount(months, minlength=12) + np.diff(_MONTH_ENDS) / YEAR * _PRIOR_BREAKS
        return cls(tuple((counts / counts.sum()).tolist()))

    def share(self, origin: float, days: float) -> float:
        """Share of the window beginning at `origin` that falls in its first `days`."""
        if days >= WINDOW:
            return 1.0
        moment = moment_of(origin)
        start = moment.timetuple().tm_yday - 1 + (moment.hour + moment.minute / 60) / 24
        start = min(start, YEAR - 1e-6)
        begun = self._until(start)
        return (self._until(start + days) - begun) / (self._until(start + WINDOW) - begun)

    def _until(self, day_of_year: float) -> float:
        ends: Floats = np.concatenate([[0.0], np.cumsum(self.month_shares)])
        years, rest = divmod(day_of_year, YEAR)
        return float(years + np.interp(rest, _MONTH_ENDS, ends))

    def document(self) -> dict[str, Any]:
        """JSON types."""
        return {"month_shares": self.month_shares}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """The season that `document` was made from."""
        return cls(tuple(document["month_shares"]))
