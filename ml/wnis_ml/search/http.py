"""The ml service's routes of search and index; they answer internal callers only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from flask import Flask, Response, jsonify, request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from wnis_core.clock import iso
from wnis_core.errors import BadRequest, FieldProblem, InvalidValue
from wnis_core.jobs import JobContext, JobEngine
from wnis_core.tokens import Caller
from wnis_graph.repositories.incidents import Incident
from wnis_graph.schema.model import INCIDENT_KINDS
from wnis_graph.scope import Scope

from wnis_ml.search.incident_search import DEFAULT_LIMIT, MOST_RESULTS, Asked, Found, IncidentSearch
from wnis_ml.search.index_keeper import IndexKeeper, IndexState

REBUILD = "index_rebuild"

_MALFORMED = frozenset({"missing", "json_invalid", "extra_forbidden"})
_Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]
_Id = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


Body = TypeVar("Body", bound=_Body)


class _SearchBody(_Body):
    query: _Words
    component_id: _Id | None = None
    hops: Annotated[int, Field(ge=0, le=100)] | None = None
    zone: _Id | None = None
    kind: _Id | None = None
    since: AwareDatetime | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_RESULTS)] = DEFAULT_LIMIT


class _RebuildBody(_Body):
    job_id: _Id


def register_search(
    app: Flask, *, search: IncidentSearch, keeper: IndexKeeper, jobs: JobEngine, caller: Callable[[], Caller]
) -> None:
    """Give `app` the routes ``/incidents/search`` and ``/index...``, and `jobs` the kind ``index_rebuild``.

    Call it before `jobs` is launched.

    Parameters
    ----------
    caller : who sends the current request; raises `NotAuthenticated`
    """

    def rebuild_index(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
        scope = Scope(context.caller.utility, context.caller.user, context.caller.roles)
        return _state(keeper.rebuild(scope, context.progress, context.raise_if_cancelled))

    jobs.register(REBUILD, rebuild_index)

    def scope() -> Scope:
        known = caller()
        return Scope(known.utility, known.user, known.roles)

    @app.post("/incidents/search")
    def search_incidents() -> Response:
        whose = scope()
        body = _read(_SearchBody)
        if body.kind is not None and body.kind not in INCIDENT_KINDS:
            fault = f"must be one of {', '.join(INCIDENT_KINDS)}"
            raise InvalidValue(f"kind {fault}.", fields=[FieldProblem("kind", fault)])
        if body.hops is not None and body.component_id is None:
            fault = "counts from component_id, which is missing"
            raise InvalidValue(f"hops {fault}.", fields=[FieldProblem("hops", fault)])
        found = search.search(whose, Asked(**body.model_dump()))
        return jsonify(results=[_document(one) for one in found])

    @app.get("/index")
    def show_index() -> Response:
        return jsonify(_state(keeper.state(scope())))

    @app.post("/index/sync")
    def sync_index() -> Response:
        return jsonify(_state(keeper.sync(scope())))

    @app.post("/index/rebuild")
    def begin_rebuild() -> tuple[Response, int]:
        known = caller()
        view = jobs.submit(REBUILD, {}, _read(_RebuildBody).job_id, known)
        return jsonify(job_id=view.id), 202


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


def _state(state: IndexState) -> dict[str, Any]:
    return {"indexed": state.indexed, "pending": state.pending}


def _document(found: Found) -> dict[str, Any]:
    return {
        "incident": incident_document(found.incident),
        "source_id": found.incident.source_id,
        "score": round(found.score, 6),
        "parts": {"semantic": found.semantic, "lexical": found.lexical},
        "highlights": list(found.highlights),
        "components": [{"id": c.id, "type": c.type, "name": c.name} for c in found.incident.components],
        "hops": found.hops,
    }


def incident_document(incident: Incident) -> dict[str, Any]:
    """An incident in JSON, as ``GET /incidents/{id}`` answers it."""
    place = incident.location
    return {
        "id": incident.id,
        "kind": incident.kind,
        "occurred_at": iso(incident.occurred_at),
        "available_at": iso(incident.available_at),
        "status": incident.status,
        "source_id": incident.source_id,
        "narrative": incident.narrative,
        "severity": incident.severity,
        "cause": incident.cause,
        "repair": incident.repair,
        "location": None if place is None else {"x": place.x, "y": place.y, "srid": place.srid},
        "created_at": iso(incident.created_at),
        "synthetic": incident.synthetic,
        "components": [{"id": c.id, "type": c.type, "name": c.name} for c in incident.components],
    }
