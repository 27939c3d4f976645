"""Training and predicting on a real graph."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from wnis_core.errors import Cancelled, Conflict, InvalidValue, NotFound
from wnis_graph.repositories.components import ComponentRepository
from wnis_graph.repositories.incidents import IncidentDraft
from wnis_graph.repositories.predictions import RankBy
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope
from wnis_ml.registry.model_file import RefusedModel

from tests.component.ml.conftest import Town


def test_training_registers_a_version_with_its_judgement_beside_the_baselines(town: Town) -> None:
    result = town.train()

    version = town.models.get_version(town.scope, "failure", result["version"])
    metrics = json.loads(version.metrics_json)
    assert version.state == "current"
    assert set(metrics["judgement"]["baselines"]) == {"random", "age", "prior_breaks", "prior_breaks_per_length"}
    assert version.judged_from is not None
    assert version.train_from < version.judged_from < (version.judged_to or version.judged_from)
    assert metrics["verdict"] == result["verdict"]
    assert [m.name for m in town.models.list(town.scope)] == ["failure"]


def test_the_same_training_gives_the_same_version_and_a_later_one_supersedes_it(town: Town) -> None:
    first, again, other = town.train(), town.train(), town.train(seed=8)

    assert first["version"] == again["version"] != other["version"]
    (model,) = town.models.list(town.scope)
    assert {(v.version, v.state) for v in model.versions} == {
        (first["version"], "superseded"),
        (other["version"], "current"),
    }


def test_a_run_predicts_every_pipe_once_and_can_be_followed_to_its_incidents(town: Town) -> None:
    version = town.train()["version"]
    first, again = town.predict(), town.predict()

    assert first["written"] == 228
    assert again["written"] == 0
    latest = town.predictions.get_latest(town.scope, town.broken, 365)
    assert latest is not None
    why = town.predictions.why(town.scope, latest.prediction.id)
    known = {i.id for i in town.incidents.of_component(town.scope, town.broken)}
    assert {i.id for i in why.incidents} == known
    assert sorted(i.retrieval_rank for i in why.incidents) == list(range(1, len(known) + 1))
    assert why.model.version == version
    assert why.superseded_by is None
    assert not latest.stale
    factors = json.loads(latest.prediction.factors_json)
    year = latest.answer.probability
    log_odds = latest.prediction.base_value + sum(f["importance"] for f in factors)
    assert 1 / (1 + 2.718281828459045**-log_odds) == pytest.approx(year, rel=1e-9)


def test_a_new_incident_makes_the_prediction_stale_and_the_next_run_supersedes_it(town: Town) -> None:
    town.train()
    town.predict()
    before = town.predictions.get_latest(town.scope, town.whole, 365)
    assert before is not None
    town.incidents.create(town.scope, IncidentDraft("break", datetime.now(UTC), (town.whole,)))
    stale = town.predictions.get_latest(town.scope, town.whole, 365)
    result = town.predict("job-2")
    after = town.predictions.get_latest(town.scope, town.whole, 365)

    assert stale is not None
    assert stale.stale
    assert after is not None
    assert not after.stale
    assert result["written"] == 1
    assert after.answer.probability > before.answer.probability
    why = town.predictions.why(town.scope, after.prediction.id)
    assert [s.id for s in why.supersedes] == [before.prediction.id]
    assert town.predictions.why(town.scope, before.prediction.id).superseded_by == after.prediction.id
    assert town.predictions.get(town.scope, before.prediction.id) == before.prediction


def test_returning_to_former_facts_gives_a_belief_of_its_own(town: Town) -> None:
    town.train()
    first = town.service.score(town.scope, town.whole)
    new = town.incidents.create(town.scope, IncidentDraft("break", datetime.now(UTC), (town.whole,)))
    second = town.service.score(town.scope, town.whole)
    town.incidents.upsert_many(town.scope, [IncidentDraft("complaint", new.occurred_at, (town.whole,), id=new.id)])
    third = town.service.score(town.scope, town.whole)

    latest = town.predictions.get_latest(town.scope, town.whole, 365)
    assert len({first, second, third}) == 3
    assert latest is not None
    assert latest.prediction.id == third
    assert not latest.stale


def test_a_changed_component_makes_its_prediction_stale(town: Town, runner: Runner) -> None:
    town.train()
    town.service.score(town.scope, town.whole)
    ComponentRepository(runner).patch(town.scope, town.whole, {"material": "steel"})

    latest = town.predictions.get_latest(town.scope, town.whole, 365)
    assert latest is not None
    assert latest.stale


def test_scoring_on_request_is_idempotent(town: Town) -> None:
    town.train()
    assert town.service.score(town.scope, town.broken) == town.service.score(town.scope, town.broken)


def test_scoring_without_a_model_says_how_to_get_one(town: Town) -> None:
    with pytest.raises(Conflict, match="wnis train"):
        town.service.score(town.scope, town.broken)


@pytest.mark.parametrize("component", ["net:junction:J1", "nothing"])
def test_what_cannot_fail_is_not_scored(town: Town, component: str) -> None:
    town.train()
    with pytest.raises(NotFound):
        town.service.score(town.scope, component)


def test_a_run_as_of_a_day_the_model_has_seen_past_is_refused(town: Town) -> None:
    town.train()
    with pytest.raises(Conflict, match="knows what came"):
        town.predict(as_of=datetime.now(UTC) - timedelta(days=400))
    with pytest.raises(InvalidValue, match="future"):
        town.predict(as_of=datetime.now(UTC) + timedelta(days=2))


def test_a_cancelled_training_leaves_no_model(town: Town) -> None:
    with pytest.raises(Cancelled):
        town.service.train(
            town.scope,
            job_id="j",
            as_of=datetime.now(UTC),
            seed=1,
            progress=lambda _f, _m: None,
            cancelled=lambda: True,
        )
    assert town.models.get_current(town.scope, "failure") is None


def test_too_few_breaks_are_refused_with_the_mend(runner: Runner, town: Town) -> None:
    empty = Scope(f"{town.scope.utility}-empty", "tester")
    with pytest.raises((Conflict, InvalidValue), match=r"[Ii]mport"):
        town.service.train(
            empty, job_id="j", as_of=datetime.now(UTC), seed=1, progress=lambda _f, _m: None, cancelled=lambda: False
        )


def test_an_altered_model_file_is_refused(town: Town) -> None:
    town.train()
    version = town.models.get_current(town.scope, "failure")
    assert version is not None
    content = bytearray(town.objects.get(version.file_key))
    content[-20] ^= 1
    town.objects.put(version.file_key, bytes(content))

    with pytest.raises(RefusedModel, match="hash"):
        town.service.score(town.scope, town.broken)


def test_rankings_are_total_and_follow_their_order(town: Town) -> None:
    town.train()
    town.predict()
    by = {order: town.predictions.ranking(town.scope, 365, 50, order) for order in RankBy}

    assert all(len(rows) == 50 for rows in by.values())
    assert [r.rank for r in by[RankBy.RISK]] == list(range(1, 51))
    probability = [r.probability for r in by[RankBy.PROBABILITY]]
    per_km = [r.failures_per_km or 0.0 for r in by[RankBy.PER_KM]]
    assert probability == sorted(probability, reverse=True)
    assert per_km == sorted(per_km, reverse=True)
    # nobody is connected in this town, so every failure concerns one
    assert [r.component.id for r in by[RankBy.RISK]] == [r.component.id for r in by[RankBy.PROBABILITY]]
    assert by[RankBy.PROBABILITY][0].low <= probability[0] <= by[RankBy.PROBABILITY][0].high


def test_predictions_colour_the_map(town: Town, runner: Runner) -> None:
    town.train()
    town.predict()
    healths = {c.health for c in ComponentRepository(runner).by_ids(town.scope, [town.broken, town.whole])}
    assert "unknown" not in healths
