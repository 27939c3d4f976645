"""Lining: whether the pipe had been lined by the origin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from wnis_ml.failure.history import Floats, Integers, moment_of
from wnis_ml.failure.situations import Situations


@dataclass(frozen=True)
class Lining:
    """Indicator of a lining dated on or before the origin; a later one is not known yet."""

    factor: ClassVar[str] = "lining"

    @classmethod
    def fit(cls, situations: Situations, broke: Integers) -> Self:
        return cls()

    def columns(self, situations: Situations) -> Floats:
        lined: Floats = situations.assets.lined[situations.asset]
        return np.asarray(lined <= situations.origin, dtype=np.float64)[:, None]

    def words(self, situations: Situations) -> list[str]:
        lined = situations.assets.lined[situations.asset]
        return [
            f"lined {moment_of(day).year}" if day <= origin else "not lined"
            for day, origin in zip(lined, situations.origin, strict=True)
        ]

    def document(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        return cls()
