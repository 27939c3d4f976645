"""Material, and how it changes what age, length and diameter mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from wnis_ml.failure.features.age import Age
from wnis_ml.failure.features.diameter import Diameter
from wnis_ml.failure.features.length import Length
from wnis_ml.failure.features.spline import choose_knots, restricted_cubic
from wnis_ml.failure.history import Floats, Integers
from wnis_ml.failure.situations import Situations

_BREAKS_FOR_OWN_SHAPE = 50
_ROWS_TO_BE_NAMED = 20


@dataclass(frozen=True)
class Material:
    """One indicator a material; materials with many breaks also get ageing, length and diameter of their own.

    Materials met too seldom in training share the zero of all indicators, and so does one never met.
    """

    factor: ClassVar[str] = "material"
    materials: tuple[str, ...]
    shaped: tuple[tuple[str, tuple[float, ...]], ...]
    age: Age
    length: Length
    diameter: Diameter

    @classmethod
    def fit(cls, situations: Situations, broke: Integers) -> Self:
        material = situations.assets.material[situations.asset]
        age = Age.fit(situations, broke)
        names, counts = np.unique(material, return_counts=True)
        shaped = []
        for name in names:
            own = material == name
            if (broke[own] > 0).sum() >= _BREAKS_FOR_OWN_SHAPE:
                shaped.append((str(name), choose_knots(age.years(situations)[own], 4)))
        return cls(
            materials=tuple(str(n) for n, c in zip(names, counts, strict=True) if c >= _ROWS_TO_BE_NAMED),
            shaped=tuple(shaped),
            age=age,
            length=Length.fit(situations, broke),
            diameter=Diameter.fit(situations, broke),
        )

    def columns(self, situations: Situations) -> Floats:
        material = situations.assets.material[situations.asset]
        age = self.age.years(situations)
        log_length = self.length.log_length(situations)
        log_diameter = self.diameter.log_diameter(situations)
        has_broken = (situations.count() > 0).astype(float)
        columns = [(material == name).astype(float)[:, None] for name in self.materials]
        for name, knots in self.shaped:
            own = (material == name).astype(float)[:, None]
            columns.append(own * restricted_cubic(age, knots))
            columns.append(own * np.column_stack([log_length, log_diameter, has_broken]))
        return np.hstack([np.empty((len(situations), 0)), *columns])

    def words(self, situations: Situations) -> list[str]:
        return [str(name).replace("_", " ") for name in situations.assets.material[situations.asset]]

    def document(self) -> dict[str, Any]:
        return {
            "materials": self.materials,
            "shaped": self.shaped,
            "age": self.age.document(),
            "length": self.length.document(),
            "diameter": self.diameter.document(),
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        return cls(
            materials=tuple(document["materials"]),
            shaped=tuple((str(name), tuple(knots)) for name, knots in document["shaped"]),
            age=Age.from_document(document["age"]),
            length=Length.from_document(document["length"]),
            diameter=Diameter.from_document(document["diameter"]),
        )
