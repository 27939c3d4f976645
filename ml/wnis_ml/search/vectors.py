"""What a store of incident vectors does, whichever engine is behind it.

The store is derived: the graph is the truth, and a store that is lost is filled again from it. Every vector belongs
to one utility, and no method reaches another's.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

_NAMESPACE = uuid.UUID("6f1a6d5e-9c1c-4f0e-8a52-1d0f1f8f7c11")

Vector = NDArray[np.float32]


@dataclass(frozen=True)
class IncidentVector:
    """One incident as the store keeps it: the meaning of its words and what searches filter by."""

    id: str
    vector: Vector
    kind: str
    occurred_at: datetime
    components: tuple[str, ...]


@dataclass(frozen=True)
class VectorFilter:
    """Which vectors of the utility to compare; `components` keeps those that affected any of them."""

    kind: str | None = None
    components: Sequence[str] | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class VectorHit:
    """An incident and the cosine of its words and the query's."""

    id: str
    score: float


class VectorStore(Protocol):
    """Vectors of incidents by utility. Zones are no filter here: the graph turns them into components, because a
    network that is imported again moves components between zones without touching an incident."""

    def upsert(self, utility: str, vectors: Sequence[IncidentVector]) -> None:
        """Store `vectors`, in place of those of the same ids; they are durable when this returns."""

    def delete(self, utility: str, ids: Sequence[str]) -> None:
        """Forget the vectors of `ids`; unknown ones are no fault."""

    def search(self, utility: str, vector: Vector, wanted: VectorFilter, limit: int) -> list[VectorHit]:
        """The `limit` nearest incidents, nearest first."""

    def count(self, utility: str) -> int:
        """How many vectors the utility has."""

    def ids(self, utility: str) -> set[str]:
        """Ids of all incidents that the utility has vectors of."""

    def close(self) -> None:
        """Give the store back; it is not used afterwards."""


def point_id(utility: str, incident_id: str) -> str:
    """The engine's id of an incident: the same each time, different in each utility."""
    return str(uuid.uuid5(_NAMESPACE, f"{utility}\0{incident_id}"))


def payload_of(utility: str, vector: IncidentVector) -> dict[str, object]:
    """What the engines store beside a vector."""
    return {
        "utility": utility,
        "incident": vector.id,
        "kind": vector.kind,
        "components": list(vector.components),
        "occurred_at": vector.occurred_at.timestamp(),
    }


INDEXED_KEYWORDS = ("utility", "kind", "components")
"""Payload fields with an index of exact values; ``occurred_at`` has one of numbers."""
