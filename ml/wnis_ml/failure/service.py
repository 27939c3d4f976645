"""Training and predicting for one utility, from the graph and back into it."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from wnis_core.clock import iso, now
from wnis_core.errors import Cancelled, Conflict, FieldProblem, InvalidValue, NotFound
from wnis_core.metrics import MODEL_ERRORS, MODEL_PREDICTIONS, MODEL_SECONDS
from wnis_graph.prediction_inputs import FailureInputs
from wnis_graph.queries.models import ModelVersion
from wnis_graph.queries.predictions import LatestKey
from wnis_graph.repositories.health import HealthRepository
from wnis_graph.repositories.predictions import PredictionRepository
from wnis_graph.scope import Scope

from wnis_ml.failure.contained import train_contained
from wnis_ml.failure.facts import history_of, score
from wnis_ml.failure.history import day_of, moment_of
from wnis_ml.failure.training import MODEL_NAME, FailureModel, Progress
from wnis_ml.registry.model_registry import ModelRegistry, metrics_document

log = logging.getLogger(__name__)

_CHUNK = 2_000
_CLOCKS_MAY_DIFFER = timedelta(minutes=5)


class FailureService:
    """What the ML service does about failures.

    Parameters
    ----------
    scratch : folder for the working folders of training processes
    """

    def __init__(
        self, predictions: PredictionRepository, health: HealthRepository, registry: ModelRegistry, scratch: Path
    ) -> None:
        self._predictions = predictions
        self._health = health
        self._registry = registry
        self._scratch = scratch
        # a counter that appears with its first error has no increase that an alert could see
        MODEL_ERRORS.labels(MODEL_NAME)
        MODEL_PREDICTIONS.labels(MODEL_NAME)

    def train(
        self,
        scope: Scope,
        *,
        job_id: str,
        as_of: datetime,
        seed: int,
        progress: Progress,
        cancelled: Callable[[], bool],
    ) -> dict[str, Any]:
        """Train on everything known at `as_of` and make the result the current model."""
        progress(0.02, "reading components and incidents")
        components = self._predictions.list_failable(scope)
        history = history_of(components, self._predictions.list_failures(scope, as_of))
        folder = self._scratch / sha256(f"{scope.utility}\n{job_id}".encode()).hexdigest()[:32]
        try:
            trained = train_contained(
                history, day_of(as_of), seed, folder=folder, progress=_within(progress, 0.1, 0.9), cancelled=cancelled
            )
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        progress(0.95, "signing and storing")
        version = self._registry.register(scope, trained, job_id=job_id)
        metrics = metrics_document(trained)
        return {
            "model": MODEL_NAME,
            "version": version,
            "verdict": metrics["verdict"],
            "underperforming": metrics["underperforming"],
            "components": trained.assets,
            "breaks": trained.breaks,
            "train_to": iso(moment_of(trained.model.trained_to)),
        }

    def predict_all(
        self, scope: Scope, *, job_id: str, as_of: datetime, progress: Progress, cancelled: Callable[[], bool]
    ) -> dict[str, Any]:
        """Bring the prediction of every component up to `as_of`; those that still stand are left alone."""
        version, model = self._registry.current(scope)
        _check_as_of(as_of, model)
        progress(0.02, "reading components and incidents")
        inputs = self._predictions.list_inputs(scope, as_of)
        written, standing = 0, 0
        for start in range(0, len(inputs), _CHUNK):
            if cancelled():
                raise Cancelled("The prediction run was cancelled; what it wrote stands.")
            chunk = inputs[start : start + _CHUNK]
            ids = self._predict(scope, version, model, chunk, as_of, job_id)
            written += len(ids)
            standing += len(chunk) - len(ids)
            progress(0.05 + 0.85 * (start + len(chunk)) / len(inputs), f"{start + len(chunk)} components scored")
        networks = sorted({i.component.network for i in inputs})
        for network in networks:
            self._health.refresh(scope, network)
        return {
            "model": MODEL_NAME,
            "version": version.version,
            "as_of": iso(as_of),
            "written": written,
            "unchanged_or_not_yet_installed": standing,
            "networks": networks,
        }

    def score(self, scope: Scope, component_id: str) -> str:
        """Id of a prediction of the component as of now, made when there is none that stands.

        Raises
        ------
        NotFound
            there is no such component in the ground
        InvalidValue
            it is of a type that does not fail by this model, or is to be installed later
        Conflict
            no model was trained yet
        """
        moment = now()
        inputs = self._predictions.list_inputs(scope, moment, [component_id])
        if not inputs:
            raise NotFound(
                f"There is no pipe, valve or pump {component_id} in the ground.",
                mend="Name a component of one of these types that is not retired.",
            )
        version, model = self._registry.current(scope)
        made = self._predict(scope, version, model, inputs, moment, None)
        if made:
            return made[0]
        standing = self._predictions.latest_keys(scope, [component_id]).get(component_id)
        if standing is None:
            raise InvalidValue(
                f"Component {component_id} is to be installed later, so nothing is predicted about it yet.",
                fields=[FieldProblem("component_id", "is installed in the future")],
            )
        return standing.prediction_id

    def _predict(
        self,
        scope: Scope,
        version: ModelVersion,
        model: FailureModel,
        inputs: list[FailureInputs],
        as_of: datetime,
        job_id: str | None,
    ) -> list[str]:
        """Write what does not stand yet; ids of what was written."""
        started = time.perf_counter()
        try:
            latest = self._predictions.latest_keys(scope, [i.component.id for i in inputs])
            due = [i for i in inputs if not _stands(latest.get(i.component.id), i, version, as_of)]
            previous = {c: key.prediction_id for c, key in latest.items() if key.as_of <= as_of}
            drafts = score(model, due, as_of, previous)
            ids = self._predictions.write(scope, MODEL_NAME, version.version, version.id, as_of, drafts, job_id=job_id)
        except Exception:
            MODEL_ERRORS.labels(MODEL_NAME).inc()
            raise
        MODEL_PREDICTIONS.labels(MODEL_NAME).inc(len(ids))
        MODEL_SECONDS.labels(MODEL_NAME).observe(time.perf_counter() - started)
        return ids


def _stands(latest: LatestKey | None, inputs: FailureInputs, version: ModelVersion, as_of: datetime) -> bool:
    """Whether the latest prediction says what a new one would: same model, same facts, same day."""
    return (
        latest is not None
        and latest.model_version == version.version
        and latest.input_sha256 == inputs.sha256()
        and latest.as_of.date() == as_of.date()
    )


def _check_as_of(as_of: datetime, model: FailureModel) -> None:
    if as_of > now() + _CLOCKS_MAY_DIFFER:
        raise InvalidValue(
            "Nothing is known of the future yet.",
            mend="Leave as_of out to predict from now; horizons look ahead.",
            fields=[FieldProblem("as_of", "lies in the future")],
        )
    if day_of(as_of) < model.trained_to:
        raise Conflict(
            f"The current model learned from events until {iso(moment_of(model.trained_to))}, so it knows what came"
            f" after {iso(as_of)}.",
            mend="Leave as_of out; to judge predictions of the past use wnis backtest.",
        )


def _within(progress: Progress, start: float, end: float) -> Progress:
    return lambda fraction, message: progress(start + (end - start) * fraction, message)
