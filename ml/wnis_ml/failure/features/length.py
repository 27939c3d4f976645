"""Length: a longer pipe has more places to break."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from wnis_ml.failure.features.spline import choose_knots, knots_for, restricted_cubic
from wnis_ml.failure.history import Floats, Integers
from wnis_ml.failure.situations import Situations

_SHORTEST_M = 0.5


@dataclass(frozen=True)
class Length:
    """Spline of the log length; what has no length, or none known, takes the usual one (its kind is a factor too)."""

    factor: ClassVar[str] = "length"
    knots: tuple[float, ...]
    usual_m: float

    @classmethod
    def fit(cls, situations: Situations, broke: Integers) -> Self:
        length = situations.assets.length_m[situations.asset]
        known = length[np.isfinite(length)]
        usual = float(np.median(known)) if len(known) else 100.0
        logs = np.log(np.maximum(length, _SHORTEST_M))
        return cls(choose_knots(logs, knots_for(int((broke > 0).sum()))), usual)

    def log_length(self, situations: Situations) -> Floats:
        """ln of the length in m, of half a metre at least."""
        length = situations.assets.length_m[situations.asset]
        return np.log(np.maximum(np.where(np.isnan(length), self.usual_m, length), _SHORTEST_M))

    def columns(self, situations: Situations) -> Floats:
        return restricted_cubic(self.log_length(situations), self.knots)

    def words(self, situations: Situations) -> list[str]:
        lengths = situations.assets.length_m[situations.asset]
        return ["none or unknown" if np.isnan(m) else f"{m:,.0f} m" if m >= 10 else f"{m:.1f} m" for m in lengths]

    def document(self) -> dict[str, Any]:
        return {"knots": self.knots, "usual_m": self.usual_m}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        return cls(tuple(document["knots"]), float(document["usual_m"]))
