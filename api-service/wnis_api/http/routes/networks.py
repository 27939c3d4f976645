"""Networks: imported by the simulator, kept in the graph, drawn on a map."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any
from urllib.parse import quote

from wnis_core.errors import NotFound
from wnis_graph.checks.findings import Severity
from wnis_graph.queries.networks import Network

from wnis_api.http.route import Call, Nothing, Reply, Role, Route, roles
from wnis_api.http.schemas.common import decode_cursor, encode_cursor
from wnis_api.http.schemas.components import AsOfQuery
from wnis_api.http.schemas.networks import (
    FileVersion,
    InpQuery,
    NetworkAnswer,
    NetworkJob,
    NetworkQuery,
    Networks,
    NewNetwork,
    PlaneAnswer,
    SampleNetwork,
    ZoneAnswer,
    Zones,
)
from wnis_api.http.schemas.quality import CategoryAnswer, CheckAnswer, FindingAnswer, QualityAnswer
from wnis_api.parts import Parts
from wnis_api.request_limits import Rate

_UPLOAD_TIMEOUT_S = 60.0
_EXPORT_TIMEOUT_S = 60.0


def _answer(network: Network, as_of: datetime | None = None) -> NetworkAnswer:
    plane = network.plane
    return NetworkAnswer(
        id=network.id,
        name=network.name,
        title=network.title,
        source_name=network.source_name,
        source_sha256=network.source_sha256,
        flow_unit=network.flow_unit,
        headloss_formula=network.headloss_formula,
        duration_s=network.duration_s,
        crs=network.crs,
        plane=PlaneAnswer(x=plane.x, y=plane.y, scale=plane.scale) if plane else None,
        revision=network.revision,
        remarks=list(network.remarks),
        created_at=network.created_at,
        updated_at=network.updated_at,
        synthetic=network.synthetic,
        counts=dict(network.counts),
        as_of=as_of,
    )


def list_networks(parts: Parts, call: Call[NetworkQuery, None]) -> Networks:
    after = decode_cursor(call.query.cursor, str)
    found = [n for n in parts.networks.list(call.scope) if after is None or n.id > after[0]]
    shown = found[: call.query.limit]
    more = encode_cursor(shown[-1].id) if len(found) > len(shown) else None
    return Networks(networks=[_answer(network) for network in shown], next_cursor=more)


def import_network(parts: Parts, call: Call[Nothing, NewNetwork]) -> Reply:
    asked, file = call.body, call.files["file"]
    form: dict[str, Any] = {
        "network_id": asked.id,
        "name": asked.name,
        "crs": asked.crs,
        "strict": str(asked.strict).lower(),
        "dry_run": str(asked.dry_run).lower(),
        "synthetic": str(asked.synthetic).lower(),
        "job_id": call.new_id("job"),
    }
    accepted = parts.simulator.call(
        call.internal,
        "POST",
        "/imports",
        files={"file": (_plain_name(file.filename), file.stream, "application/octet-stream")},
        data={name: value for name, value in form.items() if value is not None},
        timeout_s=_UPLOAD_TIMEOUT_S,
    )
    return Reply(NetworkJob.model_validate(accepted), status=202, subject=asked.id)


def _plain_name(name: str | None) -> str:
    """The last part of a file name in ASCII; the rest is nobody's business."""
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in last if c.isascii() and c.isprintable() and c not in '"')[:100] or "network.inp"


def load_sample(parts: Parts, call: Call[Nothing, SampleNetwork]) -> Reply:
    asked = call.body
    body = {"name": str(asked.name), "network_id": asked.network_id or str(asked.name), "job_id": call.new_id("job")}
    accepted = parts.simulator.call(call.internal, "POST", "/imports/sample", json=body, timeout_s=10)
    return Reply(NetworkJob.model_validate(accepted), status=202, subject=body["network_id"])


def show_network(parts: Parts, call: Call[AsOfQuery, None]) -> Reply:
    if call.query.as_of is not None:
        past = parts.networks.get_as_of(call.scope, call.id(), call.query.as_of)
        return Reply(_answer(past, call.query.as_of))
    network = parts.networks.get(call.scope, call.id())
    return Reply(_answer(network), revision=network.revision)


def list_zones(parts: Parts, call: Call[Nothing, None]) -> Zones:
    network = parts.networks.head(call.scope, call.id())
    return Zones(zones=[ZoneAnswer.model_validate(zone) for zone in parts.networks.zones(call.scope, network.id)])


def network_file(parts: Parts, call: Call[InpQuery, None]) -> Reply:
    network, query = parts.networks.head(call.scope, call.id()), call.query
    name = quote(network.source_name or f"{network.id}.inp", safe="")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    media_type = "text/plain; charset=utf-8"
    if query.version is FileVersion.IMPORTED:
        if network.source_key is None:
            raise NotFound(f"The network {network.id!r} was not made from a file.")
        content, revision = parts.objects.get(network.source_key), (network.source_sha256 or "")[:32] or None
        return Reply(content, media_type=media_type, headers=headers, revision=revision)
    path = f"/networks/{quote(network.id, safe='')}/inp"
    params = {"orphans": str(query.orphans)}
    made = parts.simulator.call(call.internal, "GET", path, params=params, timeout_s=_EXPORT_TIMEOUT_S)
    content = base64.b64decode(made["content"])
    headers |= {"X-Changed-Components": str(made["changed"]), "X-Dropped-Orphans": str(len(made["dropped"]))}
    return Reply(content, media_type=media_type, headers=headers, revision=made["sha256"][:32])


def judge_network(parts: Parts, call: Call[Nothing, None]) -> QualityAnswer:
    judged = parts.quality.judge(call.scope, call.id())
    outcomes = judged.quality.outcomes
    findings = [
        FindingAnswer(
            check=o.check.id,
            severity=o.check.severity,
            category=o.check.category,
            message=finding.message,
            components=list(finding.components),
            mend=o.check.mend,
        )
        for severity in Severity
        for o in outcomes
        if o.check.severity is severity
        for finding in o.findings
    ]
    return QualityAnswer(
        network_id=call.id(),
        revision=judged.revision,
        checked_on=judged.checked_on,
        score=judged.quality.score,
        categories=[
            CategoryAnswer(name=c.category, score=c.score, errors=c.errors, warnings=c.warnings)
            for c in judged.quality.categories
        ],
        checks=[
            CheckAnswer(
                id=o.check.id,
                title=o.check.title,
                severity=o.check.severity,
                category=o.check.category,
                mend=o.check.mend,
                examined=o.examined,
                findings=len(o.findings),
            )
            for o in outcomes
        ],
        findings=findings,
    )


_TAG = "networks"
_EDITORS = roles(Role.ENGINEER)

ROUTES: tuple[Route, ...] = (
    Route("GET", "/networks", list_networks, "List networks", _TAG, query=NetworkQuery, answer=Networks),
    Route("POST", "/networks", import_network, "Import an EPANET INP file", _TAG, _EDITORS, body=NewNetwork,
          files=("file",), answer=NetworkJob, status=202, errors=(409,), action="network.import", rate=Rate.COSTLY,
          repeatable=True,
          description="A job reads, checks and keeps the file; follow it at `/jobs/{job_id}`. A file that is no model "
          "is a failed job with section, line and id in its error, and the graph is unchanged."),
    Route("POST", "/networks/samples", load_sample, "Load a sample network", _TAG, _EDITORS, body=SampleNetwork,
          answer=NetworkJob, status=202, errors=(409,), action="network.sample", rate=Rate.COSTLY, repeatable=True),
    Route("GET", "/networks/{id}", show_network, "One network", _TAG, query=AsOfQuery, answer=NetworkAnswer,
          errors=(304,), description="With `as_of` its own properties, its revision and the number of its components "
          "are as they were recorded at that moment."),
    Route("GET", "/networks/{id}/quality", judge_network, "What is doubtful in a network", _TAG, answer=QualityAnswer,
          description="Every consistency check with what it found, the components and how to mend it, and a score by "
          "category. Nothing is corrected."),
    Route("GET", "/networks/{id}/zones", list_zones, "Zones of a network", _TAG, answer=Zones),
    Route("GET", "/networks/{id}/inp", network_file, "The network as an EPANET INP file", _TAG, query=InpQuery,
          errors=(304, 409, 422), media_types=("text/plain",),
          description="The imported file with what changed since written into it; an unchanged network is its file "
          "byte for byte. Controls, rules and options that name what was removed are a 409 that lists them, until "
          "`orphans=drop` says to leave them out; `X-Dropped-Orphans` counts those. `version=imported` is the file as "
          "it came."),
)  # fmt: skip
