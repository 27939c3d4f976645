"""Incidents: what happened, and whether it happened before."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from wnis_core.errors import FieldProblem
from wnis_graph.queries.incidents import Incident
from wnis_graph.repositories.incidents import IncidentDraft, IncidentFilter, Outcome
from wnis_graph.values import Location

from wnis_api.http.route import EVERYBODY, Call, Nothing, Reply, Role, Route, roles
from wnis_api.http.schemas.common import JobAccepted
from wnis_api.http.schemas.components import LocationAnswer
from wnis_api.http.schemas.incidents import (
    AffectedAnswer,
    IncidentAnswer,
    IncidentImport,
    IncidentImported,
    IncidentQuery,
    Incidents,
    IncidentSearch,
    IndexAnswer,
    NewIncident,
    RowErrors,
    RowFault,
    SearchAnswer,
)
from wnis_api.parts import Parts
from wnis_api.request_limits import Rate


def incident_answer(incident: Incident) -> IncidentAnswer:
    place = incident.location
    return IncidentAnswer(
        id=incident.id,
        kind=incident.kind,
        occurred_at=incident.occurred_at,
        available_at=incident.available_at,
        status=incident.status,
        source_id=incident.source_id,
        narrative=incident.narrative,
        severity=incident.severity,
        cause=incident.cause,
        repair=incident.repair,
        location=LocationAnswer(x=place.x, y=place.y, srid=place.srid) if place else None,
        created_at=incident.created_at,
        synthetic=incident.synthetic,
        components=[AffectedAnswer(id=c.id, type=c.type, name=c.name) for c in incident.components],
    )


def _draft(asked: NewIncident, incident_id: str | None) -> IncidentDraft:
    place = Location(asked.location.x, asked.location.y, asked.location.srid) if asked.location else None
    return IncidentDraft(
        kind=asked.kind,
        occurred_at=asked.occurred_at,
        components=(*asked.components, *([asked.component_id] if asked.component_id else [])),
        id=asked.id or incident_id,
        source_id=asked.source_id,
        narrative=asked.narrative,
        available_at=asked.available_at,
        severity=asked.severity,
        status=asked.status,
        cause=asked.cause,
        repair=asked.repair,
        location=place,
        synthetic=asked.synthetic,
    )


def list_incidents(parts: Parts, call: Call[IncidentQuery, None]) -> Incidents:
    asked = call.query
    wanted = IncidentFilter(
        kind=asked.kind,
        status=asked.status,
        since=asked.since,
        until=asked.until,
        component_id=asked.component_id,
        zone=asked.zone,
        words=asked.q,
    )
    page = parts.incidents.list_incidents(call.scope, wanted, limit=asked.limit, cursor=asked.cursor)
    return Incidents(incidents=[incident_answer(i) for i in page.incidents], next_cursor=page.next_cursor)


def add_incident(parts: Parts, call: Call[Nothing, NewIncident]) -> Reply:
    asked = call.body
    given = asked.id or (None if asked.source_id else call.new_id("incident"))
    incident = parts.incidents.create(call.scope, _draft(asked, given))
    affected = parts.components.by_ids(call.scope, [c.id for c in incident.components])
    for network in {component.network for component in affected}:
        parts.health.refresh(call.scope, network)
    return Reply(incident_answer(incident), status=201, subject=incident.id)


def show_incident(parts: Parts, call: Call[Nothing, None]) -> Reply:
    answer = incident_answer(parts.incidents.get(call.scope, call.id()))
    return Reply(answer, revision="i")


def import_incidents(parts: Parts, call: Call[Nothing, IncidentImport]) -> IncidentImported:
    drafts: list[IncidentDraft] = []
    row_of: list[int] = []
    rejected: list[RowErrors] = []
    for row, stated in enumerate(call.body.incidents):
        try:
            drafts.append(_draft(NewIncident.model_validate(stated), None))
            row_of.append(row)
        except ValidationError as error:
            rejected.append(RowErrors(row=row, errors=row_faults(error)))
    report = parts.incidents.upsert_many(call.scope, drafts, network=call.body.network)
    for known in parts.networks.list(call.scope):
        parts.health.refresh(call.scope, known.id)
    rejected += [RowErrors(row=row_of[item.row], errors=_faults(item.problems)) for item in report.rejected]
    return IncidentImported(
        created=report.count(Outcome.CREATED),
        updated=report.count(Outcome.UPDATED),
        unchanged=report.count(Outcome.UNCHANGED),
        rejected=sorted(rejected, key=lambda fault: fault.row),
    )


def row_faults(error: ValidationError) -> list[RowFault]:
    return [
        RowFault(field=".".join(str(part) for part in fault["loc"]), message=fault["msg"])
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def _faults(problems: tuple[FieldProblem, ...]) -> list[RowFault]:
    return [RowFault(field=problem.field, message=problem.message) for problem in problems]


def search_incidents(parts: Parts, call: Call[Nothing, IncidentSearch]) -> SearchAnswer:
    asked: dict[str, Any] = call.body.model_dump(mode="json", exclude_none=True)
    found = parts.ml.call(call.internal, "POST", "/incidents/search", json=asked, timeout_s=20)
    return SearchAnswer.model_validate(found)


def show_index(parts: Parts, call: Call[Nothing, None]) -> IndexAnswer:
    return IndexAnswer.model_validate(parts.ml.call(call.internal, "GET", "/index", timeout_s=10))


def rebuild_index(parts: Parts, call: Call[Nothing, None]) -> Reply:
    job_id = call.new_id("job")
    accepted = parts.ml.call(call.internal, "POST", "/index/rebuild", json={"job_id": job_id}, timeout_s=10)
    return Reply(JobAccepted(job_id=accepted["job_id"]), status=202, subject=job_id)


_TAG = "incidents"
_REPORTERS = roles(Role.OPERATOR, Role.MAINTENANCE, Role.ENGINEER, Role.MANAGER)

ROUTES: tuple[Route, ...] = (
    Route("GET", "/incidents", list_incidents, "List incidents", _TAG, query=IncidentQuery, answer=Incidents),
    Route("POST", "/incidents", add_incident, "Record an incident", _TAG, _REPORTERS, body=NewIncident,
          answer=IncidentAnswer, status=201, errors=(409,), action="incident.add", repeatable=True),
    Route("GET", "/incidents/{id}", show_incident, "One incident", _TAG, answer=IncidentAnswer, errors=(304,)),
    Route("POST", "/incidents/search", search_incidents, "Find similar incidents", _TAG, EVERYBODY,
          body=IncidentSearch, answer=SearchAnswer, errors=(404,), reading=True,
          description="By meaning and by words; with `component_id` and `hops` only near that component."),
    Route("POST", "/incidents/import", import_incidents, "Import incidents", _TAG, roles(Role.ENGINEER),
          body=IncidentImport, answer=IncidentImported, action="incident.import", rate=Rate.COSTLY, repeatable=True,
          large=True, description="Rows with a known `source_id` or `id` are updated; each is judged on its own."),
    Route("GET", "/index", show_index, "How far the index of incidents is", _TAG, answer=IndexAnswer),
    Route("POST", "/index/rebuild", rebuild_index, "Rebuild the index of incidents", _TAG, roles(), answer=JobAccepted,
          status=202, action="index.rebuild", rate=Rate.COSTLY, repeatable=True),
)  # fmt: skip
