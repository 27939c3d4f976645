"""Age and the era it was laid in: one factor, because on a given day either follows from the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from wnis_ml.failure.features.spline import choose_knots, knots_for, restricted_cubic
from wnis_ml.failure.history import YEAR, Floats, Integers, moment_of
from wnis_ml.failure.situations import Situations


@dataclass(frozen=True)
class Age:
    """Splines of the age and of the year of installation; an unknown age takes the usual one and an indicator."""

    factor: ClassVar[str] = "age"
    age_knots: tuple[float, ...]
    era_knots: tuple[float, ...]
    usual_age: float

    @classmethod
    def fit(cls, situations: Situations, broke: Integers) -> Self:
        count = knots_for(int((broke > 0).sum()))
        age = situations.age_years
        known = age[np.isfinite(age)]
        return cls(
            age_knots=choose_knots(age, count),
            era_knots=choose_knots(_era(situations), count),
            usual_age=float(np.median(known)) if len(known) else 40.0,
        )

    def years(self, situations: Situations) -> Floats:
        """Age in years, the usual one where it is unknown."""
        age = situations.age_years
        return np.where(np.isnan(age), self.usual_age, age)

    def columns(self, situations: Situations) -> Floats:
        unknown = np.isnan(situations.age_years)
        age = self.years(situations)
        era = np.where(unknown, situations.origin / YEAR - self.usual_age, _era(situations))
        return np.column_stack(
            [restricted_cubic(age, self.age_knots), restricted_cubic(era, self.era_knots), unknown.astype(float)]
        )

    def words(self, situations: Situations) -> list[str]:
        installed = situations.assets.installed[situations.asset]
        return [
            "unknown" if np.isnan(day) else f"{age:.0f} years (laid {moment_of(day).year})"
            for day, age in zip(installed, situations.age_years, strict=True)
        ]

    def document(self) -> dict[str, Any]:
        return {"age_knots": self.age_knots, "era_knots": self.era_knots, "usual_age": self.usual_age}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        return cls(tuple(document["age_knots"]), tuple(document["era_knots"]), float(document["usual_age"]))


def _era(situations: Situations) -> Floats:
    return situations.assets.installed[situations.asset] / YEAR
