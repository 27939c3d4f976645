"""From the graph's facts to the model's columns, and back from a score to a prediction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from wnis_core.clock import iso
from wnis_graph.prediction_inputs import FailableComponent, Failure, FailureInputs
from wnis_graph.repositories.predictions import PredictionDraft, Usage

from wnis_ml.failure.explanation import factors, influences
from wnis_ml.failure.history import UNKNOWN_MATERIAL, Assets, Breaks, History, day_of
from wnis_ml.failure.situations import observe
from wnis_ml.failure.survival_curves import survival_curves
from wnis_ml.failure.training import FailureModel


def history_of(components: Sequence[FailableComponent], failures: Sequence[Failure]) -> History:
    """The graph's components and their failures as columns; failures of predecessors are left out and counted."""
    nan = float("nan")
    row_of = {c.id: row for row, c in enumerate(components)}
    assets = Assets(
        id=np.array([c.id for c in components], dtype=np.str_),
        kind=np.array([c.type.lower() for c in components], dtype=np.str_),
        material=np.array([c.material or UNKNOWN_MATERIAL for c in components], dtype=np.str_),
        diameter_m=np.array([c.diameter_m or nan for c in components], dtype=np.float64),
        length_m=np.array([c.length_m or nan for c in components], dtype=np.float64),
        installed=np.array([day_of(c.install_date) if c.install_date else nan for c in components], dtype=np.float64),
        lined=np.array([day_of(c.lined_date) if c.lined_date else nan for c in components], dtype=np.float64),
    )
    own = sorted(
        (day_of(f.occurred_at), f.id, row_of[f.component_id], day_of(f.available_at))
        for f in failures
        if f.component_id in row_of
    )
    breaks = Breaks(
        id=np.array([row[1] for row in own], dtype=np.str_),
        asset=np.array([row[2] for row in own], dtype=np.int64),
        occurred=np.array([row[0] for row in own], dtype=np.float64),
        # some record the knowledge with less precision than the event
        available=np.array([max(row[0], row[3]) for row in own], dtype=np.float64),
    )
    return History.of(assets, breaks)


def score(
    model: FailureModel, inputs: Sequence[FailureInputs], as_of: datetime, previous: dict[str, str]
) -> list[PredictionDraft]:
    """Predictions of those components of `inputs` that were in the ground at `as_of`.

    Parameters
    ----------
    previous : by component, the id of the prediction that the new one replaces
    """
    origin = day_of(as_of)
    history = history_of([i.component for i in inputs], [f for i in inputs for f in i.failures])
    known = history.known_at(origin).breaks
    situations = observe(history, origin, model.records_begin)
    curves = survival_curves(model.hazard, model.season, situations)
    explained = factors(model.hazard, situations)
    weighed = influences(model.hazard, situations, known.id)
    drafts = []
    for row, asset in enumerate(situations.asset):
        facts = inputs[asset]
        drafts.append(
            PredictionDraft(
                component_id=facts.component.id,
                knots=curves.knots(row),
                factors_json=_json(
                    [{"name": f.name, "importance": f.importance, "value": f.value} for f in explained[row]]
                ),
                base_value=model.hazard.intercept,
                input_sha256=facts.sha256(),
                inputs_json=_json({"as_of": iso(as_of), **facts.document()}),
                usages=tuple(Usage(w.incident, w.weight, w.rank) for w in weighed[row]),
                previous=previous.get(facts.component.id),
            )
        )
    return drafts


def _json(document: Any) -> str:
    return json.dumps(document, sort_keys=True, ensure_ascii=False, allow_nan=False)
