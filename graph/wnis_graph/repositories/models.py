"""Models: what was trained, when, on what, and how good it proved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wnis_core.clock import now
from wnis_core.errors import NotFound

from wnis_graph.queries import models as queries
from wnis_graph.queries.models import Model, ModelVersion
from wnis_graph.runner import Runner, Transaction
from wnis_graph.schema.model import SCHEMA
from wnis_graph.scope import Scope

__all__ = ["Model", "ModelRepository", "ModelVersion", "version_id"]


def version_id(model_name: str, version: str) -> str:
    """Id of a model version."""
    return f"{model_name}:{version}"


class ModelRepository:
    """Reads and registers model versions."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def list(self, scope: Scope) -> list[Model]:
        """All models by name, each with its versions, the latest first."""
        return self._runner.run(scope, queries.LIST)

    def get_version(self, scope: Scope, model_name: str, version: str) -> ModelVersion:
        """One version; raises `NotFound`."""
        found = self._runner.run_one(scope, queries.VERSION, id=version_id(model_name, version))
        if found is None:
            raise NotFound(f"There is no version {version} of a model {model_name}.")
        return found

    def get_current(self, scope: Scope, model_name: str) -> ModelVersion | None:
        """The version that scores new components, if the model was ever trained."""
        return self._runner.run_one(scope, queries.CURRENT, name=model_name)

    def register(
        self, scope: Scope, model_name: str, task: str, properties: Mapping[str, Any], *, job_id: str | None
    ) -> None:
        """Make a version the current one; the one before is superseded. Again changes nothing.

        Parameters
        ----------
        properties : of the `ModelVersion`, but for id, model_name, state and created_at
        job_id : the job that trained it
        """
        identifier = version_id(model_name, properties["version"])
        created = now()
        node = {
            **properties,
            "id": identifier,
            "utility": scope.utility,
            "model_name": model_name,
            "state": "current",
            "created_at": created,
        }
        model = {"id": model_name, "utility": scope.utility, "name": model_name, "task": task, "created_at": created}
        SCHEMA.require("ModelVersion", node)
        SCHEMA.require("Model", model)

        def work(tx: Transaction) -> None:
            tx.run(queries.REGISTER, name=model_name, id=identifier, model=model, properties=node)
            if job_id is not None:
                tx.run(queries.CREDIT_JOB, job=job_id, id=identifier)

        self._runner.write(scope, work)
