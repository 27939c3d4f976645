"""The ML service: every part is wired and every route registered here."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from dataclasses import asdict
from functools import partial

from flask import Flask, Response, jsonify
from wnis_core import operating_figures, service
from wnis_core.clock import iso
from wnis_core.figures import Figures
from wnis_core.jobs import JobEngine, JobView
from wnis_core.metrics import COMPONENT_HEALTH
from wnis_core.objects import open_object_store
from wnis_core.settings import Settings, require_secret
from wnis_core.tokens import Caller
from wnis_graph.exporter import GraphFigures
from wnis_graph.repositories.health import HealthRepository
from wnis_graph.repositories.incidents import IncidentRepository
from wnis_graph.repositories.jobs import JobRepository
from wnis_graph.repositories.models import ModelRepository
from wnis_graph.repositories.outbox import OutboxRepository
from wnis_graph.repositories.predictions import PredictionRepository
from wnis_graph.repositories.topology import TopologyRepository
from wnis_graph.runner import Runner, open_driver
from wnis_graph.scope import Scope

from wnis_ml.embedding.encoder import SentenceEncoder
from wnis_ml.failure.http import register_failure
from wnis_ml.failure.service import FailureService
from wnis_ml.registry.model_file import Signer
from wnis_ml.registry.model_registry import ModelRegistry
from wnis_ml.search.embedded_store import EmbeddedStore
from wnis_ml.search.http import register_search
from wnis_ml.search.incident_search import IncidentSearch
from wnis_ml.search.index_keeper import IndexKeeper
from wnis_ml.search.jargon import read_jargon
from wnis_ml.search.meaning import Meaning
from wnis_ml.search.server_store import ServerStore, open_client
from wnis_ml.search.vectors import VectorStore

SERVICE = "ml"
JOBS = "wnis_jobs"
"""Under which name the application keeps its job engine."""


def create_app(settings: Settings) -> Flask:
    """The service, with its jobs launched and its index followed.

    Raises
    ------
    InvalidValue
        a secret is missing or malformed
    Unavailable
        the embedding model or the vector store cannot be opened
    """
    app = Flask("wnis_ml")
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # the default provider has it
    secret = require_secret("WNIS_INTERNAL_SECRET", settings.internal_secret)
    signer = Signer(settings.signing_key)
    caller = partial(service.internal_caller, secret, SERVICE)
    driver = open_driver(settings.neo4j_uri, settings.neo4j_user, settings.neo4j_password)
    runner = Runner(driver)
    jobs = _jobs(settings, runner)

    registry = ModelRegistry(ModelRepository(runner), open_object_store(settings.object_store), signer)
    failures = FailureService(
        PredictionRepository(runner), HealthRepository(runner), registry, settings.home / "run" / "training"
    )
    register_failure(app, service=failures, jobs=jobs, caller=caller)

    encoder = SentenceEncoder(settings.model_dir)
    incidents, meaning = IncidentRepository(runner), Meaning(encoder, read_jargon())
    # from here on there is one process of this name: the vectors have one writer
    jobs.own()
    store = _vector_store(settings, meaning.fingerprint)
    keeper = IndexKeeper(incidents, OutboxRepository(runner), store, meaning)
    search = IncidentSearch(incidents, store, meaning, TopologyRepository(runner).within)
    register_search(app, search=search, keeper=keeper, jobs=jobs, caller=caller)
    _register_jobs(app, jobs, caller)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_upload_bytes

    def ready() -> tuple[dict[str, object], int]:
        parts = {"neo4j": runner.alive(), "jobs": jobs.ready(), "vector_store": keeper.follows()}
        for name, answers in parts.items():
            COMPONENT_HEALTH.labels(name).set(float(answers))
        state = "ready" if all(parts.values()) else "degraded" if parts["neo4j"] else "down"
        return {"status": state, "parts": parts}, 200 if parts["neo4j"] else 503

    # one instance of this service runs, so what the graph as a whole holds is told here and once
    figures = Figures(
        (
            *GraphFigures(driver).look_ups(),
            operating_figures.jobs(jobs),
            operating_figures.backups(settings.home),
            operating_figures.certificates(settings.tls_targets),
        )
    )
    service.install(app, ready=ready, collectors=(figures,))
    jobs.launch()
    keeper.start()

    def close() -> None:
        keeper.stop()
        jobs.shutdown()
        store.close()
        runner.close()

    atexit.register(close)
    app.extensions[JOBS] = jobs
    return app


def _jobs(settings: Settings, runner: Runner) -> JobEngine:
    projection = JobRepository(runner)
    return JobEngine(
        service=SERVICE,
        database_url=settings.jobs_url_of(SERVICE),
        executor_id=settings.executor_id,
        home=settings.home,
        sink=lambda view: projection.record(Scope(view.utility, view.requested_by), view),
    )


def _vector_store(settings: Settings, fingerprint: str) -> VectorStore:
    if settings.qdrant_url:
        return ServerStore(open_client(settings.qdrant_url, settings.qdrant_api_key), fingerprint)
    return EmbeddedStore(settings.home / "vectors", fingerprint)


def _register_jobs(app: Flask, jobs: JobEngine, caller: Callable[[], Caller]) -> None:
    @app.get("/jobs/<path:job_id>")
    def show_job(job_id: str) -> Response:
        return jsonify(_job_document(jobs.get(caller().utility, job_id)))

    @app.post("/jobs/<path:job_id>/cancel")
    def cancel_job(job_id: str) -> Response:
        return jsonify(_job_document(jobs.cancel(caller().utility, job_id)))


def _job_document(view: JobView) -> dict[str, object]:
    document = asdict(view)
    del document["utility"]
    return {**document, "created_at": iso(view.created_at), "finished_at": iso(view.finished_at)}
