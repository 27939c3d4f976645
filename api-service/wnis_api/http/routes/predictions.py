"""Predictions of failure, where they come from, and the models that make them."""

from __future__ import annotations

import json
import time
from typing import Any

from wnis_core.errors import Failure, FieldProblem, InvalidValue, NotFound, Unavailable
from wnis_core.metrics import MODEL_ERRORS, MODEL_PREDICTIONS, MODEL_SECONDS
from wnis_graph.queries.models import ModelVersion
from wnis_graph.repositories.predictions import FailurePrediction, RankBy

from wnis_api.http.route import Call, Nothing, Reply, Role, Route, roles
from wnis_api.http.schemas.common import JobAccepted
from wnis_api.http.schemas.predictions import (
    FactorAnswer,
    FailureAnswer,
    FailureQuery,
    InformingRunAnswer,
    Knot,
    ModelAnswer,
    ModelRef,
    Models,
    PredictionRun,
    RankedAnswer,
    Ranking,
    RankingQuery,
    SupersededAnswer,
    TrainingRun,
    UsedAnswer,
    VersionAnswer,
    Why,
)
from wnis_api.parts import Parts
from wnis_api.request_limits import Rate

FAILABLE = frozenset({"Pipe", "Valve", "Pump"})
FAILURE_MODEL = "failure"

for _series in (MODEL_PREDICTIONS, MODEL_ERRORS, MODEL_SECONDS):
    # an alert on the rate of errors needs the zero before the first one
    _series.labels(FAILURE_MODEL)


def _factors(text: str) -> list[FactorAnswer]:
    return [FactorAnswer.model_validate(factor) for factor in json.loads(text)]


def _horizon(parts: Parts, call: Call[Any, Any]) -> int:
    given = call.query.horizon
    return (
        given if given is not None else int(parts.configuration.of(call.caller.utility)["default_prediction_horizon"])
    )


def show_failure(parts: Parts, call: Call[FailureQuery, None]) -> FailureAnswer:
    began = time.perf_counter()
    try:
        answer = _latest_failure(parts, call)
    except (Unavailable, Failure):
        MODEL_ERRORS.labels(FAILURE_MODEL).inc()
        raise
    MODEL_PREDICTIONS.labels(answer.model.name).inc()
    MODEL_SECONDS.labels(answer.model.name).observe(time.perf_counter() - began)
    return answer


def _latest_failure(parts: Parts, call: Call[FailureQuery, None]) -> FailureAnswer:
    component_id, horizon = call.query.component_id, _horizon(parts, call)
    found = parts.predictions.get_latest(call.scope, component_id, horizon)
    if found is None:
        _require_failable(parts, call, component_id)
        # kept under an id made of its inputs, so that two who ask at once get the same prediction
        parts.ml.call(call.internal, "POST", "/predictions/score", json={"component_id": component_id})
        found = parts.predictions.get_latest(call.scope, component_id, horizon)
    if found is None:
        raise NotFound(f"There is no prediction of {component_id!r}.")
    return _failure(found, horizon)


def _require_failable(parts: Parts, call: Call[Any, Any], component_id: str) -> None:
    component = parts.components.get(call.scope, component_id).component
    fault = None
    if component.type not in FAILABLE:
        fault = f"is a {component.type}; predictions are of {', '.join(sorted(FAILABLE))}"
    elif component.retired_at is not None:
        fault = "is retired"
    if fault:
        raise InvalidValue(f"{component_id!r} {fault}.", fields=[FieldProblem("component_id", fault)])


def _failure(found: FailurePrediction, horizon: int) -> FailureAnswer:
    p = found.prediction
    return FailureAnswer(
        component_id=p.component_id,
        horizon=horizon,
        probability=found.answer.probability,
        low=found.answer.low,
        high=found.answer.high,
        remaining_useful_life=found.remaining.days,
        remaining_useful_life_censored=found.remaining.censored,
        factors=_factors(p.factors_json),
        model=ModelRef(name=p.model_name, version=p.model_version),
        created_at=p.created_at,
        as_of=p.as_of,
        stale=found.stale,
        prediction_id=p.id,
    )


def show_ranking(parts: Parts, call: Call[RankingQuery, None]) -> Ranking:
    asked, horizon = call.query, _horizon(parts, call)
    if asked.network is not None:
        parts.networks.head(call.scope, asked.network)
    rows = parts.predictions.ranking(call.scope, horizon, asked.top, RankBy(asked.by), network=asked.network)
    answers = [
        RankedAnswer(
            rank=r.rank, component_id=r.component.id, component_name=r.component.name,
            component_type=r.component.type, network=r.component.network, prediction_id=r.prediction_id,
            model=ModelRef(name=r.model_name, version=r.model_version), probability=r.probability, low=r.low,
            high=r.high, failures_per_km=r.failures_per_km, customers=r.customers,
            critical_connections=r.critical_connections, risk=r.risk, stale=r.stale,
        )
        for r in rows
    ]  # fmt: skip
    return Ranking(horizon=horizon, by=asked.by, ranking=answers)


def show_why(parts: Parts, call: Call[Nothing, None]) -> Why:
    found = parts.predictions.why(call.scope, call.id())
    p = found.prediction
    knots = zip(p.knots.days, p.knots.probability, p.knots.low, p.knots.high, strict=True)
    return Why(
        prediction_id=p.id,
        component_id=p.component_id,
        component_name=found.component_name,
        component_type=found.component_type,
        created_at=p.created_at,
        as_of=p.as_of,
        knots=[Knot(days=d, probability=q, low=low, high=high) for d, q, low, high in knots],
        base_value=p.base_value,
        factors=_factors(p.factors_json),
        inputs=json.loads(p.inputs_json),
        input_sha256=p.input_sha256,
        model=_version(found.model),
        incidents=[UsedAnswer.model_validate(incident) for incident in found.incidents],
        runs=[InformingRunAnswer.model_validate(run) for run in found.runs],
        supersedes=[SupersededAnswer.model_validate(earlier) for earlier in found.supersedes],
        superseded_by=found.superseded_by,
    )


def start_predictions(parts: Parts, call: Call[Nothing, PredictionRun]) -> Reply:
    return _started(parts, call, "/predictions/runs", call.body.model_dump(mode="json", exclude_none=True))


def start_training(parts: Parts, call: Call[Nothing, TrainingRun]) -> Reply:
    return _started(parts, call, "/training", call.body.model_dump(exclude_none=True))


def _started(parts: Parts, call: Call[Any, Any], path: str, asked: dict[str, Any]) -> Reply:
    accepted = parts.ml.call(call.internal, "POST", path, json={**asked, "job_id": call.new_id("job")}, timeout_s=10)
    return Reply(JobAccepted.model_validate(accepted), status=202, subject=str(accepted["job_id"]))


def list_models(parts: Parts, call: Call[Nothing, None]) -> Models:
    return Models(
        models=[
            ModelAnswer(
                name=model.name,
                task=model.task,
                created_at=model.created_at,
                versions=[_version(version) for version in model.versions],
            )
            for model in parts.models.list(call.scope)
        ]
    )


def show_version(parts: Parts, call: Call[Nothing, None]) -> Reply:
    version = parts.models.get_version(call.scope, call.path["name"], call.path["version"])
    return Reply(_version(version), revision=version.state)


def _version(v: ModelVersion) -> VersionAnswer:
    return VersionAnswer(
        id=v.id, name=v.model_name, version=v.version, state=v.state, sha256=v.sha256, signer=v.signer,
        train_from=v.train_from, train_to=v.train_to, judged_from=v.judged_from, judged_to=v.judged_to,
        data_sha256=v.data_sha256, metrics=json.loads(v.metrics_json), seed=v.seed, created_at=v.created_at,
    )  # fmt: skip


_TAG = "predictions"
_MODELLERS = roles(Role.ENGINEER, Role.ANALYST)

ROUTES: tuple[Route, ...] = (
    Route("GET", "/predictions/failure", show_failure, "Will it fail?", _TAG, query=FailureQuery, answer=FailureAnswer,
          errors=(404, 409),
          description="From the latest prediction, at any horizon. A pipe, valve or pump without one is scored now and "
          "the prediction kept; other types answer 422."),
    Route("GET", "/predictions/failure/ranking", show_ranking, "What fails first?", _TAG, query=RankingQuery,
          answer=Ranking, errors=(404,)),
    Route("GET", "/predictions/{id}/why", show_why, "Where a prediction comes from", _TAG, answer=Why),
    Route("POST", "/predictions/runs", start_predictions, "Predict for every component", _TAG, _MODELLERS,
          body=PredictionRun, answer=JobAccepted, status=202, errors=(409,), action="predictions.run",
          rate=Rate.COSTLY, repeatable=True),
    Route("GET", "/models", list_models, "Models and how good they proved", _TAG, answer=Models),
    Route("GET", "/models/{name}/versions/{version}", show_version, "One version of a model", _TAG,
          answer=VersionAnswer, errors=(304,)),
    Route("POST", "/models/runs", start_training, "Train a new version", _TAG, _MODELLERS, body=TrainingRun,
          answer=JobAccepted, status=202, errors=(409,), action="models.train", rate=Rate.COSTLY, repeatable=True),
)  # fmt: skip
