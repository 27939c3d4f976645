"""Diameter: small mains have thin walls and bend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from wnis_ml.failure.features.spline import choose_knots, restricted_cubic
from wnis_ml.failure.history import Floats, Integers
from wnis_ml.failure.situations import Situations


@dataclass(frozen=True)
class Diameter:
    """Spline of the log diameter; an unknown one takes the usual one and an indicator."""

    factor: ClassVar[str] = "diameter"
    knots: tuple[float, ...]
    usual_m: float

    @classmethod
    def fit(cls, situations: Situations, broke: Integers) -> Self:
        diameter = situations.assets.diameter_m[situations.asset]
        known = diameter[np.isfinite(diameter)]
        usual = float(np.median(known)) if len(known) else 0.15
        return cls(choose_knots(np.log(diameter), 4), usual)

    def log_diameter(self, situations: Situations) -> Floats:
        """ln of the diameter in m, the usual one where it is unknown."""
        diameter = situations.assets.diameter_m[situations.asset]
        return np.log(np.where(np.isnan(diameter), self.usual_m, diameter))

    def columns(self, situations: Situations) -> Floats:
        unknown = np.isnan(situations.assets.diameter_m[situations.asset])
        return np.column_stack([restricted_cubic(self.log_diameter(situations), self.knots), unknown.astype(float)])

    def words(self, situations: Situations) -> list[str]:
        diameters = situations.assets.diameter_m[situations.asset]
        return ["unknown" if np.isnan(d) else f"{d * 1000:.0f} mm" for d in diameters]

    def document(self) -> dict[str, Any]:
        return {"knots": self.knots, "usual_m": self.usual_m}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        return cls(tuple(document["knots"]), float(document["usual_m"]))
