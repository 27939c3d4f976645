"""The registry: a trained model as a file in the object store and as a `ModelVersion` in the graph."""

from __future__ import annotations

import hashlib
import json
import threading
from typing import Any

from wnis_core.errors import Conflict, NotFound
from wnis_core.objects import ObjectStore
from wnis_graph.repositories.models import ModelRepository, ModelVersion
from wnis_graph.scope import Scope

from wnis_ml.failure.history import moment_of
from wnis_ml.failure.training import MODEL_NAME, FailureModel, TrainedModel
from wnis_ml.registry.model_file import RefusedModel, Signer

TASK = "failure of pipes, valves and pumps within any horizon"
FORMAT = "failure-hazard/1"

_LEAST_READABLE = 12


class ModelRegistry:
    """Stores and loads failure models; safe for threads."""

    def __init__(self, models: ModelRepository, objects: ObjectStore, signer: Signer) -> None:
        self._models = models
        self._objects = objects
        self._signer = signer
        self._lock = threading.Lock()
        self._loaded: dict[str, FailureModel] = {}

    def register(self, scope: Scope, trained: TrainedModel, *, job_id: str | None) -> str:
        """Sign, store and register a trained model as the current version; returns the version.

        The version follows from the content: the same training gives the same version, however often it runs.
        """
        model = trained.model
        content = self._signer.seal({"format": FORMAT, "name": MODEL_NAME, "model": model.document()})
        sha256 = hashlib.sha256(content).hexdigest()
        version = f"{moment_of(model.trained_to):%Y%m%d}-{sha256[:_LEAST_READABLE]}"
        key = f"models/{MODEL_NAME}/{sha256}.model"
        # the file first: a version in the graph always has its file
        self._objects.put(key, content)
        judged = trained.judgement is not None
        self._models.register(
            scope,
            MODEL_NAME,
            TASK,
            {
                "version": version,
                "sha256": sha256,
                "file_key": key,
                "signer": self._signer.fingerprint,
                "train_from": moment_of(model.trained_from).date(),
                "train_to": moment_of(model.trained_to).date(),
                "judged_from": moment_of(trained.judged_from).date() if judged else None,
                "judged_to": moment_of(trained.judged_to).date() if judged else None,
                "data_sha256": trained.data_sha256,
                "metrics_json": json.dumps(metrics_document(trained), sort_keys=True),
                "seed": model.seed,
            },
            job_id=job_id,
        )
        return version

    def current(self, scope: Scope) -> tuple[ModelVersion, FailureModel]:
        """The version that scores now, and its model.

        Raises
        ------
        Conflict
            no model was trained yet
        RefusedModel
            its file is missing, altered, unsigned, or signed by another key
        """
        version = self._models.get_current(scope, MODEL_NAME)
        if version is None:
            raise Conflict(
                "There is no failure model yet.", mend="Train one: wnis train, or POST /models/runs.", retry_after_s=30
            )
        with self._lock:
            model = self._loaded.get(version.sha256)
        if model is None:
            model = self._load(version)
            with self._lock:
                self._loaded = {version.sha256: model, **dict(list(self._loaded.items())[:7])}
        return version, model

    def _load(self, version: ModelVersion) -> FailureModel:
        try:
            content = self._objects.get(version.file_key)
        except NotFound as error:
            raise RefusedModel("it is missing from the object store") from error
        document = self._signer.open(content, version.sha256)
        if document.get("format") != FORMAT or document.get("name") != MODEL_NAME:
            raise RefusedModel(f"it is no {FORMAT} model called {MODEL_NAME}")
        return FailureModel.from_document(document["model"])


def metrics_document(trained: TrainedModel) -> dict[str, Any]:
    """What a model version is shown with: its judgement beside the baselines, and what it was trained on."""
    judgement = trained.judgement
    if judgement is None:
        verdict = "not judged: too few breaks on record to hold a later period back"
    elif judgement.better:
        verdict = "better than random, age and previous breaks on a later period"
    else:
        verdict = "not better than the best of random, age and previous breaks on a later period: use with care"
    return {
        "verdict": verdict,
        "underperforming": judgement is None or not judgement.better,
        "judgement": judgement.document() if judgement else None,
        "trained_on": {
            "components": trained.assets,
            "breaks": trained.breaks,
            "predecessor_breaks_left_out": trained.predecessors,
        },
    }
