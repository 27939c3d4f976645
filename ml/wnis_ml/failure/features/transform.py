"""What every transform offers."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, Self

from wnis_ml.failure.history import Floats, Integers
from wnis_ml.failure.situations import Situations


class Transform(Protocol):
    """One factor: fitted on training situations, then the same for ever.

    Attributes
    ----------
    factor : its name in explanations and in model files
    """

    factor: ClassVar[str]

    @classmethod
    def fit(cls, situations: Situations, broke: Integers) -> Self:
        """Choose knots and categories from training situations and whether each broke afterwards."""

    def columns(self, situations: Situations) -> Floats:
        """Columns of the design, shape (situations, k); finite."""

    def words(self, situations: Situations) -> list[str]:
        """The factor's value of each situation, for people."""

    def document(self) -> dict[str, Any]:
        """What was fitted, as JSON types."""

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """The transform that `document` was made from."""
