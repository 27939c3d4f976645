"""A small town in the graph, with breaks, and the ML service's parts around it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from wnis_core.objects import FolderStore
from wnis_graph.network_model import JunctionModel, NetworkModel, PipeModel, ReservoirModel
from wnis_graph.persist import SourceFile
from wnis_graph.repositories.health import HealthRepository
from wnis_graph.repositories.incidents import IncidentDraft, IncidentRepository
from wnis_graph.repositories.models import ModelRepository
from wnis_graph.repositories.networks import NetworkRepository
from wnis_graph.repositories.predictions import PredictionRepository
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope
from wnis_ml.failure.service import FailureService
from wnis_ml.registry.model_file import Signer
from wnis_ml.registry.model_registry import ModelRegistry

from tests.unit.ml.towns import components, failures

NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Town:
    """A utility with a network of 228 pipes and about 17 years of breaks that end yesterday."""

    scope: Scope
    incidents: IncidentRepository
    predictions: PredictionRepository
    models: ModelRepository
    objects: FolderStore
    service: FailureService
    registry: ModelRegistry
    broken: str
    whole: str

    def train(self, job_id: str = "job-train", seed: int = 7) -> dict[str, Any]:
        return self.service.train(
            self.scope, job_id=job_id, as_of=NOW, seed=seed, progress=_silent, cancelled=lambda: False
        )

    def predict(self, job_id: str = "job-predict", as_of: datetime | None = None) -> dict[str, Any]:
        return self.service.predict_all(
            self.scope, job_id=job_id, as_of=as_of or datetime.now(UTC), progress=_silent, cancelled=lambda: False
        )


def _silent(_fraction: float, _message: str) -> None:
    return None


@pytest.fixture
def town(runner: Runner, scope: Scope, tmp_path: Path) -> Town:
    pipes = [c for c in components() if c.type == "Pipe"]
    breaks = failures(pipes)
    NetworkRepository(runner).persist(
        scope,
        "net",
        NetworkModel(
            title="town",
            flow_unit="LPS",
            headloss_formula="H-W",
            duration_s=0,
            reservoirs=(ReservoirModel("R", 50.0, 0.0, 0.0),),
            junctions=tuple(JunctionModel(f"J{k}", 10.0, 0.001, float(k + 1), 0.0) for k in range(len(pipes))),
            pipes=tuple(
                PipeModel(
                    c.name,
                    "R" if k == 0 else f"J{k - 1}",
                    f"J{k}",
                    c.length_m or 1.0,
                    c.diameter_m or 0.15,
                    material=c.material,
                    install_date=c.install_date,
                )
                for k, c in enumerate(pipes)
            ),
        ),
        SourceFile("town.inp", "ab" * 32, "sources/town"),
    )
    incidents = IncidentRepository(runner)
    # the record has to end now, or its end would be taken for the end of what is known
    shift = NOW - timedelta(days=1) - breaks[-1].available_at
    drafts = [
        IncidentDraft(
            "break",
            f.occurred_at + shift,
            (f"net:pipe:{f.component_id}",),
            source_id=f.id,
            available_at=f.available_at + shift,
            narrative="circumferential break",
        )
        for f in breaks
    ]
    assert not incidents.upsert_many(scope, drafts).rejected
    counts = {c.id: sum(f.component_id == c.id for f in breaks) for c in pipes}
    objects = FolderStore(tmp_path / "objects")
    registry = ModelRegistry(ModelRepository(runner), objects, Signer(secrets.token_hex(32)))
    predictions = PredictionRepository(runner)
    return Town(
        scope=scope,
        incidents=incidents,
        predictions=predictions,
        models=ModelRepository(runner),
        objects=objects,
        service=FailureService(predictions, HealthRepository(runner), registry, tmp_path / "training"),
        registry=registry,
        broken=f"net:pipe:{max(counts, key=lambda c: counts[c])}",
        whole=f"net:pipe:{min(counts, key=lambda c: counts[c])}",
    )
