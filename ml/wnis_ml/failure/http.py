"""The ml service's routes of training and prediction; they answer internal callers only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar

from flask import Flask, Response, jsonify, request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from wnis_core.clock import iso, now
from wnis_core.errors import BadRequest, FieldProblem, InvalidValue
from wnis_core.jobs import JobContext, JobEngine
from wnis_core.tokens import Caller
from wnis_graph.scope import Scope

from wnis_ml.failure.service import FailureService

TRAINING = "training"
PREDICTION_RUN = "prediction_run"

_MALFORMED = frozenset({"missing", "json_invalid", "extra_forbidden"})
_Id = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _TrainingBody(_Body):
    job_id: _Id
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0


class _RunBody(_Body):
    job_id: _Id
    as_of: AwareDatetime | None = None


class _ScoreBody(_Body):
    component_id: _Id


Body = TypeVar("Body", bound=_Body)


def register_failure(app: Flask, *, service: FailureService, jobs: JobEngine, caller: Callable[[], Caller]) -> None:
    """Give `app` the routes ``/training`` and ``/predictions/...``, and `jobs` their kinds.

    Call it before `jobs` is launched.

    Parameters
    ----------
    caller : who sends the current request; raises `NotAuthenticated`
    """

    def train(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
        return service.train(
            _scope(context.caller),
            job_id=context.job_id,
            as_of=datetime.fromisoformat(arguments["as_of"]),
            seed=arguments["seed"],
            progress=context.progress,
            cancelled=context.cancelled,
        )

    def predict(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
        return service.predict_all(
            _scope(context.caller),
            job_id=context.job_id,
            as_of=datetime.fromisoformat(arguments["as_of"]),
            progress=context.progress,
            cancelled=context.cancelled,
        )

    jobs.register(TRAINING, train)
    jobs.register(PREDICTION_RUN, predict)

    @app.post("/training")
    def begin_training() -> tuple[Response, int]:
        known = caller()
        body = _read(_TrainingBody)
        # the moment is fixed here: a job that runs again after a crash sees the same past
        arguments = {"as_of": iso(now()), "seed": body.seed}
        return jsonify(job_id=jobs.submit(TRAINING, arguments, body.job_id, known).id), 202

    @app.post("/predictions/runs")
    def begin_run() -> tuple[Response, int]:
        known = caller()
        body = _read(_RunBody)
        arguments = {"as_of": iso(body.as_of or now())}
        return jsonify(job_id=jobs.submit(PREDICTION_RUN, arguments, body.job_id, known).id), 202

    @app.post("/predictions/score")
    def score_component() -> Response:
        known = caller()
        return jsonify(prediction_id=service.score(_scope(known), _read(_ScoreBody).component_id))


def _scope(caller: Caller) -> Scope:
    return Scope(caller.utility, caller.user, caller.roles)


def _read(kind: type[Body]) -> Body:
    """The body of the request as `kind`; BadRequest when malformed or incomplete, InvalidValue when wrong."""
    try:
        return kind.model_validate_json(request.get_data())
    except ValidationError as error:
        faults = [
            (str(fault["type"]), FieldProblem(".".join(map(str, fault["loc"])) or "body", str(fault["msg"])))
            for fault in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        problem = BadRequest if any(kind in _MALFORMED for kind, _ in faults) else InvalidValue
        said = "; ".join(f"{f.field}: {f.message}" for _, f in faults)
        raise problem(f"The request cannot be read: {said}.", fields=[f for _, f in faults]) from error
