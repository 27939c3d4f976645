"""Predictions: written once with their provenance, superseded but never changed, and read at any horizon."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import log1p
from typing import Any

from wnis_core.clock import now
from wnis_core.errors import NotFound

from wnis_graph.prediction_inputs import FAILURE_KINDS, FailableComponent, Failure, FailureInputs, inputs_of
from wnis_graph.queries import predictions as queries
from wnis_graph.queries.predictions import (
    InformingRun,
    LatestKey,
    Prediction,
    Provenance,
    Served,
    Superseded,
    UsedIncident,
)
from wnis_graph.runner import Runner, Transaction
from wnis_graph.schema.model import SCHEMA
from wnis_graph.scope import Scope
from wnis_graph.survival import ProbabilityRange, RemainingLife, SurvivalKnots, probability_at, remaining_useful_life

__all__ = [
    "CRITICAL_CONNECTION_AS_CUSTOMERS", "FailurePrediction", "InformingRun", "Prediction", "PredictionDraft",
    "PredictionRepository", "Provenance", "RankBy", "Ranked", "Superseded", "Usage", "UsedIncident",
    "prediction_id",
]  # fmt: skip

CRITICAL_CONNECTION_AS_CUSTOMERS = 50
"""A hospital, school or the like counts as so many customers in a ranking by risk."""

_LEAST_LENGTH_M = 1.0
_TRANSACTION_ROWS = 2_000
_CERTAIN = 1.0 - 1e-12


class RankBy(StrEnum):
    """Orders of a ranking: by probability, by expected failures per km, by probability times who loses water."""

    PROBABILITY = "probability"
    PER_KM = "per_km"
    RISK = "risk"


@dataclass(frozen=True)
class Usage:
    """An incident that a prediction used: its weight, and its rank by weight (1 first)."""

    incident_id: str
    weight: float
    rank: int


@dataclass(frozen=True)
class PredictionDraft:
    """A prediction as a model made it.

    Parameters
    ----------
    previous : id of the prediction that it replaces as belief, if any
    """

    component_id: str
    knots: SurvivalKnots
    factors_json: str
    base_value: float
    input_sha256: str
    inputs_json: str
    usages: tuple[Usage, ...]
    previous: str | None


@dataclass(frozen=True)
class FailurePrediction:
    """The latest prediction of a component, answered at a horizon.

    Parameters
    ----------
    stale : the component or its incidents are not what the prediction knew, or a newer model version is current
    """

    prediction: Prediction
    answer: ProbabilityRange
    remaining: RemainingLife
    model_state: str
    stale: bool


@dataclass(frozen=True)
class Ranked:
    """One component of a ranking.

    Parameters
    ----------
    failures_per_km : expected failures within the horizon per km of its length; None without a length
    customers, critical_connections : who takes water from it or from the nodes at its ends
    risk : probability times (customers + 50 for each critical connection, at least 1)
    """

    rank: int
    component: FailableComponent
    prediction_id: str
    model_name: str
    model_version: str
    probability: float
    low: float
    high: float
    failures_per_km: float | None
    customers: int
    critical_connections: int
    risk: float
    stale: bool


def prediction_id(version_id: str, component_id: str, input_sha256: str, as_of: datetime, previous: str | None) -> str:
    """Id of a prediction: the same model version, facts and day after the same predecessor are the same prediction."""
    parts = "\n".join((version_id, component_id, input_sha256, as_of.date().isoformat(), previous or ""))
    return f"prediction-{hashlib.sha256(parts.encode()).hexdigest()[:32]}"


class PredictionRepository:
    """Reads and writes predictions of failure."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def list_failable(
        self, scope: Scope, component_ids: Sequence[str] | None = None, *, network: str | None = None
    ) -> list[FailableComponent]:
        """Pipes, valves and pumps in the ground, by id: all, or those of `component_ids` or of one network."""
        if component_ids is None:
            return self._runner.run(scope, queries.FAILABLE, network=network)
        return self._runner.run(scope, queries.FAILABLE_OF, ids=list(component_ids), network=network)

    def list_failures(self, scope: Scope, as_of: datetime, component_ids: Sequence[str] | None = None) -> list[Failure]:
        """Breaks and leaks of components in the ground that were known at `as_of`, the earliest first."""
        kinds = list(FAILURE_KINDS)
        if component_ids is None:
            return self._runner.run(scope, queries.FAILURES, kinds=kinds, as_of=as_of)
        return self._runner.run(scope, queries.FAILURES_OF, ids=list(component_ids), kinds=kinds, as_of=as_of)

    def list_inputs(
        self, scope: Scope, as_of: datetime, component_ids: Sequence[str] | None = None, *, network: str | None = None
    ) -> list[FailureInputs]:
        """What a prediction as of `as_of` would be made from, by component id; one state of the graph."""
        return self._runner.read(scope, lambda tx: _inputs(tx, as_of, component_ids, network))

    def latest_keys(self, scope: Scope, component_ids: Sequence[str]) -> dict[str, LatestKey]:
        """By component, what tells whether its latest prediction still stands."""
        rows = self._runner.run(scope, queries.LATEST_KEYS, ids=list(component_ids))
        return {row.component_id: row for row in rows}

    def write(
        self,
        scope: Scope,
        model_name: str,
        version: str,
        version_id: str,
        as_of: datetime,
        drafts: Sequence[PredictionDraft],
        *,
        job_id: str | None = None,
    ) -> list[str]:
        """Record predictions with their provenance; the same again changes nothing. Returns their ids."""
        created = now()
        rows = []
        for draft in drafts:
            identifier = prediction_id(version_id, draft.component_id, draft.input_sha256, as_of, draft.previous)
            node = {
                "id": identifier,
                "utility": scope.utility,
                "component_id": draft.component_id,
                "model_name": model_name,
                "model_version": version,
                "created_at": created,
                "as_of": as_of,
                "knot_days": list(draft.knots.days),
                "knot_probability": list(draft.knots.probability),
                "knot_low": list(draft.knots.low),
                "knot_high": list(draft.knots.high),
                "factors_json": draft.factors_json,
                "base_value": draft.base_value,
                "input_sha256": draft.input_sha256,
                "inputs_json": draft.inputs_json,
            }
            SCHEMA.require("Prediction", node)
            rows.append((draft, node))
        for start in range(0, len(rows), _TRANSACTION_ROWS):
            chunk = rows[start : start + _TRANSACTION_ROWS]
            self._runner.write(scope, lambda tx, chunk=chunk: _write(tx, chunk, version_id, job_id))  # type: ignore[misc]
        return [str(node["id"]) for _, node in rows]

    def get(self, scope: Scope, identifier: str) -> Prediction:
        """One prediction; raises `NotFound`."""
        found = self._runner.run_one(scope, queries.GET, id=identifier)
        if found is None:
            raise NotFound(f"There is no prediction {identifier}.")
        return found

    def get_latest(self, scope: Scope, component_id: str, horizon_days: float) -> FailurePrediction | None:
        """The latest prediction of a component at a horizon, or None when there is none yet."""
        answers = self._answers(scope, horizon_days, [component_id], None)
        return answers[0][0] if answers else None

    def list_latest(self, scope: Scope, horizon_days: float, *, network: str | None = None) -> list[FailurePrediction]:
        """The latest prediction of every component that has one, by component id."""
        return [answer for answer, _ in self._answers(scope, horizon_days, None, network)]

    def ranking(
        self,
        scope: Scope,
        horizon_days: float,
        top: int,
        by: RankBy = RankBy.PROBABILITY,
        *,
        network: str | None = None,
    ) -> list[Ranked]:
        """The `top` components in the order of `by`, the worst first, by id among equals.

        Components without a length are left out of a ranking per km.
        """
        # whole predictions are read of the few that are shown: of all they are megabytes
        served = self._served(scope, None) if by is RankBy.RISK else {}
        ids = self._runner.run(
            scope,
            queries.FOREMOST,
            days=float(horizon_days),
            by=by.value,
            losers={component_id: _losers(one) for component_id, one in served.items()},
            network=network,
            top=top,
        )
        served = served or self._served(scope, ids)
        rows = [
            _ranked(answer, inputs.component, served.get(inputs.component.id))
            for answer, inputs in self._answers(scope, horizon_days, ids, network)
        ]
        key = {RankBy.PROBABILITY: "probability", RankBy.PER_KM: "failures_per_km", RankBy.RISK: "risk"}[by]
        rows.sort(key=lambda row: (-row[key], row["component"].id))
        return [Ranked(rank=k + 1, **row) for k, row in enumerate(rows)]

    def _served(self, scope: Scope, ids: Sequence[str] | None) -> dict[str, Served]:
        rows = (
            self._runner.run(scope, queries.SERVED)
            if ids is None
            else self._runner.run(scope, queries.SERVED_OF, ids=list(ids))
        )
        return {row.component_id: row for row in rows}

    def why(self, scope: Scope, identifier: str) -> Provenance:
        """Everything that a prediction can be followed to; raises `NotFound`."""
        found = self._runner.run_one(scope, queries.WHY, id=identifier)
        if found is None:
            raise NotFound(f"There is no prediction {identifier}.")
        return found

    def _answers(
        self, scope: Scope, horizon_days: float, component_ids: Sequence[str] | None, network: str | None
    ) -> list[tuple[FailurePrediction, FailureInputs]]:
        moment = now()

        def work(tx: Transaction) -> tuple[list[queries.LatestPrediction], list[FailureInputs]]:
            latest = (
                tx.run(queries.LATEST, network=network)
                if component_ids is None
                else tx.run(queries.LATEST_OF, ids=list(component_ids), network=network)
            )
            return latest, _inputs(tx, moment, component_ids, network)

        latest, found = self._runner.read(scope, work)
        inputs = {one.component.id: one for one in found}
        return [
            (_answer(row, inputs[row.prediction.component_id], horizon_days), inputs[row.prediction.component_id])
            for row in latest
            if row.prediction.component_id in inputs
        ]


def _inputs(
    tx: Transaction, as_of: datetime, component_ids: Sequence[str] | None, network: str | None
) -> list[FailureInputs]:
    kinds = list(FAILURE_KINDS)
    if component_ids is None:
        components = tx.run(queries.FAILABLE, network=network)
        return inputs_of(components, tx.run(queries.FAILURES, kinds=kinds, as_of=as_of))
    ids = list(component_ids)
    components = tx.run(queries.FAILABLE_OF, ids=ids, network=network)
    return inputs_of(components, tx.run(queries.FAILURES_OF, ids=ids, kinds=kinds, as_of=as_of))


def _answer(row: queries.LatestPrediction, inputs: FailureInputs, horizon_days: float) -> FailurePrediction:
    return FailurePrediction(
        prediction=row.prediction,
        answer=probability_at(row.prediction.knots, horizon_days),
        remaining=remaining_useful_life(row.prediction.knots),
        model_state=row.model_state,
        stale=row.model_state != "current" or inputs.sha256() != row.prediction.input_sha256,
    )


def _losers(served: Served | None) -> int:
    """How many lose their water, and at least one."""
    if served is None:
        return 1
    return max(1, served.customers + CRITICAL_CONNECTION_AS_CUSTOMERS * served.critical_connections)


def _ranked(answer: FailurePrediction, component: FailableComponent, served: Served | None) -> dict[str, Any]:
    probability = answer.answer.probability
    expected = -log1p(-min(probability, _CERTAIN))
    customers, critical = (served.customers, served.critical_connections) if served else (0, 0)
    length = component.length_m
    return {
        "component": component,
        "prediction_id": answer.prediction.id,
        "model_name": answer.prediction.model_name,
        "model_version": answer.prediction.model_version,
        "probability": probability,
        "low": answer.answer.low,
        "high": answer.answer.high,
        "failures_per_km": None if length is None else expected / max(length, _LEAST_LENGTH_M) * 1000,
        "customers": customers,
        "critical_connections": critical,
        "risk": probability * _losers(served),
        "stale": answer.stale,
    }


def _write(
    tx: Transaction, chunk: Sequence[tuple[PredictionDraft, Mapping[str, Any]]], version_id: str, job_id: str | None
) -> None:
    tx.run_batches(
        queries.WRITE,
        [
            {"id": node["id"], "component_id": draft.component_id, "version_id": version_id, "properties": node}
            for draft, node in chunk
        ],
    )
    tx.run_batches(
        queries.WRITE_USED,
        [
            {"id": node["id"], "incident_id": use.incident_id, "weight": use.weight, "rank": use.rank}
            for draft, node in chunk
            for use in draft.usages
        ],
    )
    superseding = [{"id": node["id"], "old_id": draft.previous} for draft, node in chunk if draft.previous]
    tx.run_batches(queries.WRITE_SUPERSEDES, superseding)
    if job_id is not None:
        tx.run_batches(queries.CREDIT_JOB, [{"id": node["id"]} for _, node in chunk], job=job_id)
