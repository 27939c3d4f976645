"""One transform a file: situations in, columns of the model's design out, and the value in words."""

from __future__ import annotations

from wnis_ml.failure.features.age import Age
from wnis_ml.failure.features.diameter import Diameter
from wnis_ml.failure.features.kind import Kind
from wnis_ml.failure.features.length import Length
from wnis_ml.failure.features.lining import Lining
from wnis_ml.failure.features.material import Material
from wnis_ml.failure.features.previous_breaks import PreviousBreaks
from wnis_ml.failure.features.transform import Transform

TRANSFORMS: tuple[type[Transform], ...] = (Age, Material, Diameter, Length, PreviousBreaks, Lining, Kind)
"""In the order of the design's columns. Each is one factor of an explanation."""

__all__ = ["TRANSFORMS", "Transform"]
