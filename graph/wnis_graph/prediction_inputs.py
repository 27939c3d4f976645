"""What a failure prediction is made from, as the graph has it: the raw facts, before any feature.

The same facts on the same day give the same prediction; other facts make the prediction stale.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from wnis_core.clock import iso

FAILURE_KINDS = ("break", "leak")
"""Kinds of incident that count as a failure of the component they affected."""


@dataclass(frozen=True)
class FailableComponent:
    """A pipe, valve or pump in the ground."""

    id: str
    name: str
    type: str
    network: str
    material: str | None
    diameter_m: float | None
    length_m: float | None
    install_date: date | None
    lined_date: date | None


@dataclass(frozen=True)
class Failure:
    """A break or leak of a component: when it happened and when it was known."""

    component_id: str
    id: str
    occurred_at: datetime
    available_at: datetime


@dataclass(frozen=True)
class FailureInputs:
    """The facts about one component that a prediction uses."""

    component: FailableComponent
    failures: tuple[Failure, ...]

    def document(self) -> dict[str, Any]:
        """The facts as JSON types."""
        c = self.component
        return {
            "type": c.type,
            "material": c.material,
            "diameter_m": c.diameter_m,
            "length_m": c.length_m,
            "install_date": c.install_date.isoformat() if c.install_date else None,
            "lined_date": c.lined_date.isoformat() if c.lined_date else None,
            "incidents": [[f.id, iso(f.occurred_at), iso(f.available_at)] for f in self.failures],
        }

    def sha256(self) -> str:
        """Hash of the document."""
        return hashlib.sha256(json.dumps(self.document(), sort_keys=True).encode()).hexdigest()


def inputs_of(components: Sequence[FailableComponent], failures: Sequence[Failure]) -> list[FailureInputs]:
    """The facts of each of `components`; what is dated before a component was installed happened to its predecessor."""
    own: dict[str, list[Failure]] = defaultdict(list)
    for failure in failures:
        own[failure.component_id].append(failure)
    return [
        FailureInputs(c, tuple(f for f in own[c.id] if not _before_installation(f, c.install_date))) for c in components
    ]


def _before_installation(failure: Failure, installed: date | None) -> bool:
    return installed is not None and failure.occurred_at.astimezone(UTC).date() < installed
