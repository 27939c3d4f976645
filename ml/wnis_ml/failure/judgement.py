"""How good was it? Judged on a period later than anything the fit had seen, beside what needs no model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from scipy.stats import rankdata

from wnis_ml.failure.history import Floats, Integers
from wnis_ml.failure.situations import Situations

BASELINES = ("random", "age", "prior_breaks", "prior_breaks_per_length")
_TOP_PIPES = 0.01
_LEAST_LENGTH_M = 1.0


@dataclass(frozen=True)
class Score:
    """One ranking against what happened.

    Parameters
    ----------
    auc : chance that an asset that broke is ranked above one that did not
    precision_top_1pct : share of the top 1% of assets that broke
    breaks_on_top_1pct_length, breaks_on_top_5pct_length : share of all breaks on the first 1% and 5% of total length,
        taken in the ranking's order of breaks per length
    """

    auc: float
    precision_top_1pct: float
    breaks_on_top_1pct_length: float
    breaks_on_top_5pct_length: float


@dataclass(frozen=True)
class Decile:
    """A tenth of the assets by probability: what was expected and what came."""

    expected: float
    observed: int


@dataclass(frozen=True)
class Judgement:
    """The model on the later period, beside the baselines.

    `brier_constant` is the Brier score of one probability for all assets, the share that broke. `better` is whether
    the model ranks better (AUC) than every baseline and has a Brier score below the constant's.
    """

    assets: int
    broke: int
    breaks: int
    model: Score
    baselines: dict[str, Score]
    brier: float
    brier_constant: float
    expected: float
    deciles: tuple[Decile, ...]
    better: bool

    def document(self) -> dict[str, Any]:
        """JSON types."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """The judgement that `document` was made from."""
        fields = dict(document)
        fields["model"] = Score(**document["model"])
        fields["baselines"] = {name: Score(**score) for name, score in document["baselines"].items()}
        fields["deciles"] = tuple(Decile(**decile) for decile in document["deciles"])
        return cls(**fields)


def judge(situations: Situations, probability: Floats, breaks: Integers, seed: int) -> Judgement | None:
    """`probability` of a break in the period that had `breaks`; None when no asset broke, or every one."""
    broke = breaks > 0
    if not broke.any() or broke.all():
        return None
    length = np.nan_to_num(situations.assets.length_m[situations.asset], nan=0.0)
    model = score(probability, -np.log1p(-np.minimum(probability, 1 - 1e-12)), breaks, length)
    rankings = baseline_rankings(situations, seed)
    baselines = {name: score(ranking, per, breaks, length) for name, (ranking, per) in rankings.items()}
    brier = float(((probability - broke) ** 2).mean())
    rate = float(broke.mean())
    constant = float(((rate - broke) ** 2).mean())
    order = np.argsort(probability, kind="stable")
    deciles = tuple(
        Decile(float(probability[part].sum()), int(broke[part].sum())) for part in np.array_split(order, 10)
    )
    return Judgement(
        assets=len(situations),
        broke=int(broke.sum()),
        breaks=int(breaks.sum()),
        model=model,
        baselines=baselines,
        brier=brier,
        brier_constant=constant,
        expected=float(probability.sum()),
        deciles=deciles,
        better=model.auc > max(s.auc for s in baselines.values()) and brier < constant,
    )


def baseline_rankings(situations: Situations, seed: int) -> dict[str, tuple[Floats, Floats]]:
    """The rankings to beat, and the expected breaks that each stands for when length is dear.

    Ties are broken at random, the same way for a seed.
    """
    noise = np.random.default_rng(seed).random(len(situations)) * 1e-6
    age = np.nan_to_num(situations.age_years, nan=float(np.nanmedian(situations.age_years)))
    length = np.maximum(np.nan_to_num(situations.assets.length_m[situations.asset], nan=0.0), _LEAST_LENGTH_M)
    prior = situations.count()
    return {
        "random": (noise, noise),
        # age says a rate per length, so its expected breaks are age times length
        "age": (age + noise, (age + noise) * length),
        "prior_breaks": (prior + noise, prior + noise),
        "prior_breaks_per_length": (prior / length + noise, prior + noise),
    }


def score(ranking: Floats, expected_breaks: Floats, breaks: Integers, length_m: Floats) -> Score:
    """The measures of one ranking; `expected_breaks` divided by length orders the metres."""
    broke = breaks > 0
    top = np.argsort(-ranking, kind="stable")[: max(1, round(_TOP_PIPES * len(ranking)))]
    return Score(
        auc=_auc(ranking, broke),
        precision_top_1pct=float(broke[top].mean()),
        breaks_on_top_1pct_length=_captured(expected_breaks, breaks, length_m, 0.01),
        breaks_on_top_5pct_length=_captured(expected_breaks, breaks, length_m, 0.05),
    )


def _auc(ranking: Floats, broke: np.ndarray[Any, np.dtype[np.bool_]]) -> float:
    ranks = rankdata(ranking)
    positives = int(broke.sum())
    negatives = len(broke) - positives
    return float((ranks[broke].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def _captured(expected_breaks: Floats, breaks: Integers, length_m: Floats, share: float) -> float:
    """Share of breaks on the first `share` of the length, the pipe at the border counted in part."""
    order = np.argsort(-expected_breaks / np.maximum(length_m, _LEAST_LENGTH_M), kind="stable")
    metres = np.cumsum(length_m[order])
    if metres[-1] <= 0 or not breaks.sum():
        return float("nan")
    return float(np.interp(share * metres[-1], metres, np.cumsum(breaks[order]) / breaks.sum()))
