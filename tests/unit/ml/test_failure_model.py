"""The model on a town of known hazard: exact explanations, determinism, curves."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest
from scipy.special import expit
from wnis_core.errors import Conflict
from wnis_graph.survival import probability_at
from wnis_ml.failure.explanation import factors, influences
from wnis_ml.failure.history import Breaks, History, day_of
from wnis_ml.failure.judgement import judge
from wnis_ml.failure.season import Season
from wnis_ml.failure.situations import Situations, breaks_after, observe
from wnis_ml.failure.survival_curves import KNOT_DAYS, survival_curves
from wnis_ml.failure.training import FailureModel, TrainedModel, fit_failure_model, train

from tests.unit.ml.towns import AS_OF, history

DAY = day_of(AS_OF)


@pytest.fixture(scope="module")
def known() -> History:
    return history()


@pytest.fixture(scope="module")
def trained(known: History) -> TrainedModel:
    return train(known, DAY, seed=3)


@pytest.fixture(scope="module")
def model(trained: TrainedModel) -> FailureModel:
    return trained.model


@pytest.fixture(scope="module")
def seen(known: History, model: FailureModel) -> Situations:
    return observe(known, DAY, model.records_begin)


def test_factors_and_base_value_sum_to_the_log_odds(model: FailureModel, seen: Situations) -> None:
    sums = [model.hazard.intercept + sum(f.importance for f in parts) for parts in factors(model.hazard, seen)]
    assert np.allclose(sums, model.hazard.log_odds(seen), rtol=0, atol=1e-9)


def test_the_log_odds_are_those_of_the_curve_at_one_year(model: FailureModel, seen: Situations) -> None:
    curves = survival_curves(model.hazard, model.season, seen)
    year = curves.probability[:, KNOT_DAYS.index(365.0)]
    assert np.allclose(year, expit(model.hazard.log_odds(seen)), rtol=1e-9)


def test_influence_is_the_change_when_the_incident_never_happened(
    known: History, model: FailureModel, seen: Situations
) -> None:
    weighed = influences(model.hazard, seen, known.breaks.id)
    row = int(np.argmax(seen.count()))
    complete = model.hazard.log_odds(seen)[row]
    assert len(weighed[row]) == seen.count()[row] >= 3
    for influence in weighed[row]:
        without = History(known.assets, known.breaks.where(known.breaks.id != influence.incident))
        recomputed = model.hazard.log_odds(observe(without, DAY, model.records_begin))[row]
        assert influence.weight == pytest.approx(complete - recomputed, abs=1e-9)
    assert [i.rank for i in weighed[row]] == list(range(1, len(weighed[row]) + 1))


def test_the_same_seed_gives_the_same_model_and_another_seed_other_intervals(known: History) -> None:
    first, again, other = (fit_failure_model(known, DAY, seed).document() for seed in (3, 3, 4))
    assert json.dumps(first) == json.dumps(again)
    assert first["hazard"]["coefficients"] == other["hazard"]["coefficients"]
    assert first["hazard"]["draws"] != other["hazard"]["draws"]


def test_a_model_survives_its_document(model: FailureModel, seen: Situations) -> None:
    back = FailureModel.from_document(json.loads(json.dumps(model.document())))
    assert np.array_equal(back.hazard.log_odds(seen), model.hazard.log_odds(seen))
    assert back.document() == model.document()


def test_curves_rise_and_their_intervals_enclose_them(model: FailureModel, seen: Situations) -> None:
    curves = survival_curves(model.hazard, model.season, seen)
    for row in range(0, len(seen), 7):
        knots = curves.knots(row)  # refuses a curve that falls or leaves its interval
        answer = probability_at(knots, 500.0)
        assert knots.probability[5] <= answer.probability <= knots.probability[6]
    year = KNOT_DAYS.index(365.0)
    assert (curves.high[:, year] > curves.low[:, year]).all()


def test_expected_and_observed_breaks_of_a_later_period_agree(trained: TrainedModel) -> None:
    judgement = trained.judgement
    assert judgement is not None
    assert judgement.better
    assert 0.75 < judgement.expected / judgement.broke < 1.25


def test_a_ranking_without_merit_is_shown_as_such(known: History, model: FailureModel) -> None:
    origin = day_of(date(2022, 1, 1))
    situations = observe(known, origin, model.records_begin)
    broke = breaks_after(known, situations, 1000.0)
    upside_down = 1.0 - model.probability(situations, 1000.0)
    judgement = judge(situations, upside_down, broke, seed=0)
    assert judgement is not None
    assert judgement.model.auc < 0.5
    assert not judgement.better


def test_winter_breaks_make_winter_months_riskier() -> None:
    days = np.array([day_of(date(2000 + k // 12, 1 + (k * 2) % 3, 10)) for k in range(240)])
    days.sort()
    names = np.array([str(k) for k in range(240)])
    season = Season.fit(Breaks(names, np.zeros(240, dtype=np.int64), days, days))
    january, july = (season.share(day_of(date(2021, month, 1)), 30.0) for month in (1, 7))
    assert january > 3 * july
    assert season.share(day_of(date(2021, 7, 1)), 365.0) == 1.0


def test_few_breaks_leave_the_year_even() -> None:
    none = np.array([])
    season = Season.fit(Breaks(none.astype(str), none.astype(np.int64), none, none))
    assert season.share(day_of(date(2021, 7, 1)), 73.0) == pytest.approx(0.2, abs=0.002)


def test_too_few_breaks_are_refused(known: History) -> None:
    few = History(known.assets, known.breaks.where(np.arange(len(known.breaks)) < 5))
    with pytest.raises(Conflict, match="5 breaks"):
        fit_failure_model(few, DAY, seed=0)


def test_a_short_record_is_trained_and_says_that_it_was_not_judged(known: History) -> None:
    short = History(known.assets, known.breaks.where(known.breaks.occurred > DAY - 2.5 * 365.25))
    trained = train(short, DAY, seed=0)
    assert trained.judgement is None
