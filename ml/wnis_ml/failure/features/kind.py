"""Kind of component: pipes, valves and pumps fail at rates of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from wnis_ml.failure.history import KINDS, Floats, Integers
from wnis_ml.failure.situations import Situations


@dataclass(frozen=True)
class Kind:
    """Indicators of valve and pump; a pipe is neither."""

    factor: ClassVar[str] = "kind"

    @classmethod
    def fit(cls, situations: Situations, broke: Integers) -> Self:
        return cls()

    def columns(self, situations: Situations) -> Floats:
        kind = situations.assets.kind[situations.asset]
        return np.column_stack([kind == name for name in KINDS if name != "pipe"]).astype(np.float64)

    def words(self, situations: Situations) -> list[str]:
        return [str(kind) for kind in situations.assets.kind[situations.asset]]

    def document(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        return cls()
