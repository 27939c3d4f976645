"""Training: judged on the later part of the record, then fitted on all of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from wnis_core.errors import Conflict, InvalidValue

from wnis_ml.failure.hazard_model import HazardModel, fit_hazard_model
from wnis_ml.failure.history import WINDOW, YEAR, Floats, History, records_begin, records_end
from wnis_ml.failure.judgement import Judgement, judge
from wnis_ml.failure.season import Season
from wnis_ml.failure.situations import Situations, breaks_after, observe, pooled
from wnis_ml.failure.survival_curves import survival_curves

MODEL_NAME = "failure"
FEWEST_BREAKS = 10
LONGEST_JUDGED_YEARS = 3.0

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class FailureModel:
    """Everything that scoring needs. Times are days since 1970-01-01.

    Parameters
    ----------
    trained_from, trained_to : first origin, and the moment after which nothing was used
    """

    hazard: HazardModel
    season: Season
    records_begin: float
    trained_from: float
    trained_to: float
    seed: int

    def document(self) -> dict[str, Any]:
        """JSON types; `from_document` gives the same model back."""
        return {
            "hazard": self.hazard.document(),
            "season": self.season.document(),
            "records_begin": self.records_begin,
            "trained_from": self.trained_from,
            "trained_to": self.trained_to,
            "seed": self.seed,
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """The model that `document` was made from."""
        return cls(
            hazard=HazardModel.from_document(document["hazard"]),
            season=Season.from_document(document["season"]),
            records_begin=float(document["records_begin"]),
            trained_from=float(document["trained_from"]),
            trained_to=float(document["trained_to"]),
            seed=int(document["seed"]),
        )

    def probability(self, situations: Situations, days: float) -> Floats:
        """Probability of a break within `days` of each origin."""
        return survival_curves(self.hazard, self.season, situations, (days,)).probability[:, 0]


@dataclass(frozen=True)
class TrainedModel:
    """A model with its judgement; without one (None) when the later period is too poor in breaks to judge.

    Parameters
    ----------
    judged_from, judged_to : the later period: the judged fit knew nothing after its first day
    """

    model: FailureModel
    assets: int
    breaks: int
    predecessors: int
    data_sha256: str
    judged_from: float
    judged_to: float
    judgement: Judgement | None


def fit_failure_model(history: History, as_of: float, seed: int) -> FailureModel:
    """Fit on what was known on `as_of`, up to the end of the record.

    Raises
    ------
    Conflict
        fewer than `FEWEST_BREAKS` breaks, or less than two years of records
    """
    known = history.known_at(as_of)
    begin, as_of = records_begin(known.breaks), records_end(known.breaks, as_of)
    years = (as_of - begin) / YEAR if len(known.breaks) else 0.0
    if len(known.breaks) < FEWEST_BREAKS or years < 2:
        raise Conflict(
            f"A failure model cannot be trained: {len(known.breaks)} breaks of components over {years:.1f} years were"
            " known on the day asked for.",
            mend=f"Import at least {FEWEST_BREAKS} breaks over at least two years: wnis incidents import FILE.",
        )
    count = int((as_of - begin) / WINDOW - 1e-9)
    # the year before the first origin is there so that the first situations have had a chance to break
    origins = [as_of - WINDOW * k for k in range(count, 0, -1)]
    origins = origins[1:] if len(origins) > 2 else origins
    situations = pooled([observe(known, origin, begin) for origin in origins])
    breaks = breaks_after(known, situations, WINDOW)
    if len(np.unique(breaks > 0)) < 2:
        raise Conflict(
            "A failure model cannot be trained: no component, or every one, broke in the years on record.",
            mend="Import breaks that happened to components that are in the ground.",
        )
    hazard = fit_hazard_model(situations, breaks, seed)
    return FailureModel(hazard, Season.fit(known.breaks), begin, origins[0], as_of, seed)


def train(history: History, as_of: float, seed: int, progress: Progress = lambda _f, _m: None) -> TrainedModel:
    """Judge the recipe on the last years before `as_of`, then fit it on everything known by then."""
    if not len(history.assets):
        raise InvalidValue("There are no pipes, valves or pumps.", mend="Import a network or an asset register first.")
    known = history.known_at(as_of)
    begin, as_of = records_begin(known.breaks), records_end(known.breaks, as_of)
    years = (as_of - begin) / YEAR if len(known.breaks) else 0.0
    judged_from = as_of - min(LONGEST_JUDGED_YEARS, max(1.0, years // 4)) * YEAR
    progress(0.1, "judging on the later years")
    try:
        judgement = backtest(known, judged_from, as_of - judged_from, seed)
    except Conflict:
        # too little before the later period to fit anything: the model stands unjudged, and says so
        judgement = None
    progress(0.6, "fitting on all years")
    model = fit_failure_model(known, as_of, seed)
    return TrainedModel(
        model=model,
        assets=len(history.assets),
        breaks=len(known.breaks),
        predecessors=history.predecessors,
        data_sha256=known.sha256(),
        judged_from=judged_from,
        judged_to=as_of,
        judgement=judgement,
    )


def backtest(history: History, origin: float, days: float, seed: int) -> Judgement | None:
    """Fit on what was known on `origin`, judge on the `days` after it."""
    model = fit_failure_model(history, origin, seed)
    situations = observe(history, origin, model.records_begin)
    return judge(situations, model.probability(situations, days), breaks_after(history, situations, days), seed)
