"""Previous breaks: the best sign of what cannot be seen, such as soil, bedding and corrosion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from wnis_ml.failure.features.length import Length
from wnis_ml.failure.history import Floats, Integers
from wnis_ml.failure.situations import Situations

WINDOWS_YEARS = (1.0, 3.0, 5.0, 10.0)
_LEAST_KM = 0.05
_LEAST_RECENCY_YEARS = 0.1


@dataclass(frozen=True)
class PreviousBreaks:
    """Counts in several windows, rate per km and year on record, recency, and for how long there are records."""

    factor: ClassVar[str] = "previous_breaks"
    length: Length

    @classmethod
    def fit(cls, situations: Situations, broke: Integers) -> Self:
        return cls(Length.fit(situations, broke))

    def columns(self, situations: Situations) -> Floats:
        total = situations.count()
        has_broken = (total > 0).astype(float)
        log_recorded = np.log(situations.recorded_years)
        log_length = self.length.log_length(situations)
        per_km_year = total / (np.exp(log_length) / 1000 + _LEAST_KM) / situations.recorded_years
        since = np.nan_to_num(situations.years_since_break, nan=1.0)
        return np.column_stack(
            [
                *(np.log1p(situations.count(years)) for years in WINDOWS_YEARS),
                np.log1p(total),
                np.log1p(total) * log_recorded,
                np.log1p(per_km_year),
                has_broken,
                has_broken * np.log(since + _LEAST_RECENCY_YEARS),
                has_broken * log_length,
                log_recorded,
            ]
        )

    def words(self, situations: Situations) -> list[str]:
        columns = zip(situations.count(), situations.recorded_years, situations.years_since_break, strict=True)
        return [
            f"{total:.0f} in {years:.0f} years of records, the latest {_ago(since)}"
            if total
            else f"none in {years:.0f} years of records"
            for total, years, since in columns
        ]

    def document(self) -> dict[str, Any]:
        return {"length": self.length.document()}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        return cls(Length.from_document(document["length"]))


def _ago(years: float) -> str:
    days = round(years * 365.25)
    if days < 2:
        return "today" if days < 1 else "yesterday"
    if days < 60:
        return f"{days} days ago"
    return f"{round(days / 30.44)} months ago" if years < 2 else f"{years:.0f} years ago"
