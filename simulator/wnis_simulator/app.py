"""The simulator service: imports and runs as durable jobs, and the series of runs. Serves the api service only."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, TypeVar

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from wnis_core import operating_figures
from wnis_core.clock import iso
from wnis_core.errors import BadRequest, Conflict, FieldProblem, InvalidValue, NotFound
from wnis_core.figures import Figures
from wnis_core.ids import given_id
from wnis_core.jobs import JobEngine, JobView
from wnis_core.objects import ObjectStore, open_object_store
from wnis_core.service import install, internal_caller
from wnis_core.settings import Settings, require_secret
from wnis_core.tokens import Caller
from wnis_graph.mini import MINI_ID
from wnis_graph.repositories.jobs import JobRepository
from wnis_graph.repositories.networks import NetworkRepository
from wnis_graph.repositories.simulations import SimulationRepository, SimulationRun
from wnis_graph.runner import Runner, open_driver
from wnis_graph.scope import Scope

from wnis_simulator.contained_runs import DEMAND_MODELS, LIBRARY
from wnis_simulator.engine import ENGINE, ENGINE_VERSION
from wnis_simulator.import_job import Importer, ImportRequest, scope_of, upload_key
from wnis_simulator.inp_edit import refuse_orphans
from wnis_simulator.network_file import NetworkFiles
from wnis_simulator.run_job import GREATEST_DURATION_S, KINDS, LEAST_DURATION_S, Simulations
from wnis_simulator.series import column_of, read_flows, read_series

SERVICE = "simulator"
_SERIES_IN_MEMORY = 4


Parsed = TypeVar("Parsed", bound=BaseModel)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SampleBody(_Body):
    name: str
    network_id: str | None = None
    job_id: str


class SimulationBody(_Body):
    network_id: str
    kind: str = "hydraulic"
    demand_model: str = Field(default="as-file")
    duration_s: int | None = Field(default=None, ge=LEAST_DURATION_S, le=GREATEST_DURATION_S)
    job_id: str
    run_id: str


@dataclass(frozen=True)
class Service:
    """The parts of one running simulator service."""

    settings: Settings
    runner: Runner
    objects: ObjectStore
    jobs: JobEngine
    importer: Importer
    simulations: Simulations


def open_service(settings: Settings) -> Service:
    """Wire and launch the parts; jobs that a killed process left begin to run again."""
    require_secret("WNIS_INTERNAL_SECRET", settings.internal_secret)
    runner = Runner(open_driver(settings.neo4j_uri, settings.neo4j_user, settings.neo4j_password))
    objects = open_object_store(settings.object_store)
    scratch_root = settings.home / "run" / SERVICE
    job_nodes, runs = JobRepository(runner), SimulationRepository(runner)

    def project(view: JobView) -> None:
        scope = Scope(view.utility, view.requested_by)
        job_nodes.record(scope, view)
        # also the ends that no body lives to write: cancelled while waiting, given up after crashes
        if view.kind == "simulation" and view.state in ("failed", "cancelled"):
            runs.end_of_job(scope, view.id, view.state, str((view.error or {}).get("error") or view.state))

    jobs = JobEngine(
        service=SERVICE,
        database_url=settings.jobs_url_of(SERVICE),
        executor_id=settings.executor_id,
        home=settings.home,
        sink=project,
        concurrency=2,
    )
    importer = Importer(runner, objects, scratch_root)
    simulations = Simulations(runner, objects, scratch_root)
    jobs.register("import", importer.import_file)
    jobs.register("import_sample", importer.import_sample)
    jobs.register("simulation", simulations.run)
    jobs.launch()
    return Service(settings, runner, objects, jobs, importer, simulations)


def create_app(settings: Settings) -> Flask:
    """The service as a WSGI application; launches its job engine."""
    service = open_service(settings)
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_upload_bytes + 1_000_000
    app.extensions["wnis_simulator"] = service
    install(app, ready=lambda: _ready(service), collectors=(Figures((operating_figures.jobs(service.jobs),)),))
    _add_routes(app, service)
    return app


def _ready(service: Service) -> tuple[dict[str, object], int]:
    parts = {"jobs": service.jobs.ready(), "neo4j": service.runner.alive()}
    state = "ready" if all(parts.values()) else "down"
    document: dict[str, object] = {"status": state, "parts": {n: "up" if ok else "down" for n, ok in parts.items()}}
    return document, 200 if state == "ready" else 503


def _add_routes(app: Flask, service: Service) -> None:
    repository = SimulationRepository(service.runner)

    def caller() -> Caller:
        return internal_caller(service.settings.internal_secret, SERVICE)

    @app.post("/imports")
    def start_import() -> ResponseReturnValue:
        who = caller()
        file = request.files.get("file")
        if file is None:
            raise BadRequest("There is no file.", fields=[FieldProblem("file", "missing")])
        form = request.form
        job_id = _id(form.get("job_id"), "job_id")
        network_id = _id(form.get("network_id"), "network_id")
        content = file.read()
        wanted = ImportRequest(
            network_id=network_id,
            source_name=(file.filename or "network.inp")[-200:],
            sha256=hashlib.sha256(content).hexdigest(),
            upload_key=upload_key(who.utility, job_id),
            name=form.get("name") or None,
            crs=form.get("crs") or None,
            strict=_flag("strict"),
            dry_run=_flag("dry_run"),
            synthetic=_flag("synthetic"),
        )
        service.objects.put(wanted.upload_key, content)
        view = service.jobs.submit("import", asdict(wanted), job_id, who)
        return jsonify(job_id=view.id, network_id=network_id), 202

    @app.post("/imports/sample")
    def start_sample() -> ResponseReturnValue:
        who, body = caller(), _parsed(SampleBody)
        if body.name != MINI_ID and body.name not in LIBRARY:
            known = ", ".join((MINI_ID, *LIBRARY))
            raise InvalidValue(
                f"There is no sample network {body.name!r}.",
                mend=f"Samples: {known}.",
                fields=[FieldProblem("name", f"must be one of: {known}")],
            )
        network_id = _id(body.network_id or body.name, "network_id")
        arguments = {"name": body.name, "network_id": network_id}
        view = service.jobs.submit("import_sample", arguments, _id(body.job_id, "job_id"), who)
        return jsonify(job_id=view.id, network_id=network_id), 202

    @app.get("/networks/<network_id>/inp")
    def export(network_id: str) -> ResponseReturnValue:
        who, orphans = caller(), request.args.get("orphans", "refuse")
        _one_of(orphans, ("refuse", "drop"), "orphans")
        file = NetworkFiles(service.runner, service.objects).present(scope_of(who), network_id)
        if orphans == "refuse":
            refuse_orphans(file.orphans)
        return jsonify(
            content=base64.b64encode(file.content).decode("ascii"),
            sha256=file.sha256,
            revision=file.network.revision,
            changed=len(file.changes),
            dropped=[asdict(orphan) for orphan in file.orphans],
        )

    @app.post("/simulations")
    def start_simulation() -> ResponseReturnValue:
        who, body = caller(), _parsed(SimulationBody)
        _one_of(body.kind, KINDS, "kind")
        _one_of(body.demand_model, DEMAND_MODELS, "demand_model")
        scope, job_id, run_id = scope_of(who), _id(body.job_id, "job_id"), _id(body.run_id, "run_id")
        NetworkRepository(service.runner).head(scope, body.network_id)
        service.simulations.check(scope, body.network_id)
        repository.request(
            scope,
            run_id,
            body.network_id,
            kind=body.kind,
            job_id=job_id,
            engine=ENGINE,
            engine_version=ENGINE_VERSION,
        )
        arguments = {
            "network_id": body.network_id,
            "run_id": run_id,
            "kind": body.kind,
            "demand_model": body.demand_model,
            "duration_s": body.duration_s,
        }
        view = service.jobs.submit("simulation", arguments, job_id, who)
        return jsonify(job_id=view.id, run_id=run_id), 202

    @lru_cache(maxsize=_SERIES_IN_MEMORY)
    def stored(key: str) -> bytes:
        return service.objects.get(key)

    @app.get("/simulations/<run_id>/results")
    def results(run_id: str) -> ResponseReturnValue:
        scope = scope_of(caller())
        component_id, quantity = _argument("component_id"), _argument("quantity")
        run = repository.get(scope, run_id)
        nodes_key, links_key = _series_of(run)
        component = repository.get_component_key(scope, component_id)
        column, unit, of_node = column_of(component.type, quantity)
        if repository.get_result(scope, run_id, component_id) is None:
            raise NotFound(f"Component {component_id} was not in run {run_id}.")
        times, values = read_series(stored(nodes_key if of_node else links_key), component.name, column)
        return jsonify(unit=unit, times_s=times, values=values)

    @app.get("/simulations/<run_id>/flows")
    def flows(run_id: str) -> ResponseReturnValue:
        time_s = _argument("time_s")
        run = repository.get(scope_of(caller()), run_id)
        _nodes_key, links_key = _series_of(run)
        if not (time_s.isascii() and time_s.isdigit()):
            raise InvalidValue("time_s is no number.", fields=[FieldProblem("time_s", "must be whole seconds")])
        at, found = read_flows(stored(links_key), int(time_s))
        return jsonify(time_s=at, flows=found)

    @app.get("/jobs/<job_id>")
    def job(job_id: str) -> ResponseReturnValue:
        return jsonify(job_document(service.jobs.get(caller().utility, job_id)))

    @app.post("/jobs/<job_id>/cancel")
    def cancel(job_id: str) -> ResponseReturnValue:
        return jsonify(job_document(service.jobs.cancel(caller().utility, job_id)))


def _series_of(run: SimulationRun) -> tuple[str, str]:
    """Keys of the series of nodes and of links."""
    if run.state != "succeeded":
        raise Conflict(f"Run {run.id} has no results: it is {run.state}.", mend="Wait until it has succeeded.")
    if not run.nodes_key or not run.links_key:
        raise Conflict(
            f"Run {run.id} is a {run.kind}, which keeps no series.",
            mend="Ask for the sources of a component (GET /components/{id}/sources), or for a hydraulic run.",
        )
    return run.nodes_key, run.links_key


def job_document(view: JobView) -> dict[str, Any]:
    """The job as CONTRACT.md shows it."""
    return {
        **asdict(view),
        "created_at": iso(view.created_at),
        "finished_at": iso(view.finished_at),
    }


def _parsed(kind: type[Parsed]) -> Parsed:
    document = request.get_json(silent=True)
    if not isinstance(document, dict):
        raise BadRequest("The body is not a JSON object.")
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        problems = [FieldProblem(".".join(map(str, e["loc"])), e["msg"]) for e in error.errors()]
        missing = any(e["type"] == "missing" for e in error.errors())
        raise (BadRequest if missing else InvalidValue)("The body is not as it should be.", fields=problems) from error


def _argument(name: str) -> str:
    value = request.args.get(name)
    if not value:
        raise BadRequest(f"The parameter {name} is missing.", fields=[FieldProblem(name, "missing")])
    return value


def _id(text: str | None, field: str) -> str:
    if not text:
        raise BadRequest(f"The field {field} is missing.", fields=[FieldProblem(field, "missing")])
    return given_id(text, field)


def _flag(name: str) -> bool:
    text = request.form.get(name, "false").lower()
    if text not in ("true", "false", "1", "0"):
        raise InvalidValue(f"{name} is neither true nor false.", fields=[FieldProblem(name, "must be true or false")])
    return text in ("true", "1")


def _one_of(value: str, allowed: tuple[str, ...], field: str) -> None:
    if value not in allowed:
        known = ", ".join(allowed)
        raise InvalidValue(
            f"{field} is {value!r}, which is none of: {known}.",
            fields=[FieldProblem(field, f"must be one of: {known}")],
        )
