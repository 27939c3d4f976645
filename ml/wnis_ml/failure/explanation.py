"""Why this number: contributions of the factors, and what each incident weighs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wnis_ml.failure.hazard_model import HazardModel
from wnis_ml.failure.history import Floats, Texts
from wnis_ml.failure.situations import Situations


@dataclass(frozen=True)
class Factor:
    """A factor's part of the log-odds beyond the base value, and its value in words."""

    name: str
    importance: float
    value: str


@dataclass(frozen=True)
class Influence:
    """What an incident weighs: the log-odds with it minus those without it. `rank` 1 weighs most, up or down."""

    incident: str
    weight: float
    rank: int


def factors(model: HazardModel, situations: Situations) -> list[tuple[Factor, ...]]:
    """All factors of each situation, the weightiest first; with the base value they sum to the log-odds."""
    contributions = model.contributions(situations)
    words = [(transform.factor, transform.words(situations)) for transform in model.design.transforms]
    explained = []
    for row in range(len(situations)):
        parts = [Factor(name, float(contributions[row, k]), values[row]) for k, (name, values) in enumerate(words)]
        explained.append(tuple(sorted(parts, key=lambda part: (-abs(part.importance), part.name))))
    return explained


def influences(model: HazardModel, situations: Situations, incident_ids: Texts) -> list[tuple[Influence, ...]]:
    """For each situation, the change of its one-year log-odds that each of its incidents makes.

    Parameters
    ----------
    incident_ids : one for each entry of ``situations.broke_on``
    """
    found: list[list[tuple[str, float]]] = [[] for _ in range(len(situations))]
    if len(incident_ids):
        complete = model.log_odds(situations)
        without = model.log_odds(_without_each(situations))
        weights: Floats = complete[situations.broke_row] - without
        for row, incident, weight in zip(situations.broke_row, incident_ids, weights, strict=True):
            found[row].append((str(incident), float(weight)))
    ranked = []
    for pairs in found:
        pairs.sort(key=lambda pair: (-abs(pair[1]), pair[0]))
        ranked.append(tuple(Influence(incident, weight, k + 1) for k, (incident, weight) in enumerate(pairs)))
    return ranked


def _without_each(situations: Situations) -> Situations:
    """One situation for each past break: its own one as if that break had not happened."""
    per_row: list[list[int]] = [[] for _ in range(len(situations))]
    for entry, row in enumerate(situations.broke_row):
        per_row[row].append(entry)
    new_row: list[int] = []
    kept: list[int] = []
    for left_out, row in enumerate(situations.broke_row):
        others = [entry for entry in per_row[row] if entry != left_out]
        new_row.extend([left_out] * len(others))
        kept.extend(others)
    return Situations(
        assets=situations.assets,
        asset=situations.asset[situations.broke_row],
        origin=situations.origin[situations.broke_row],
        broke_row=np.array(new_row, dtype=np.int64),
        broke_on=situations.broke_on[np.array(kept, dtype=np.int64)],
        records_begin=situations.records_begin,
    )
