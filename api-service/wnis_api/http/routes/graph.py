"""The analysts' console."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from wnis_core.errors import FieldProblem, InvalidValue
from wnis_graph.analyst.door import AnalystAnswer

from wnis_api.console import Asker
from wnis_api.http.route import Call, Nothing, Reply, Role, Route, roles
from wnis_api.http.schemas.graph import (
    FormatQuery,
    GraphAnswer,
    GraphQuery,
    RunningAnswer,
    RunningQueries,
)
from wnis_api.http.streams import CSV, csv_stream
from wnis_api.parts import Parts
from wnis_api.request_limits import Rate
from wnis_api.running_queries import RunningQuery

_INT64 = 2**63


def query_graph(parts: Parts, call: Call[FormatQuery, GraphQuery]) -> Reply:
    require_plain(call.body.parameters)
    query_id = call.body.query_id or call.new_id("query")
    answer = parts.console.ask(asker(call), call.body.cypher, call.body.parameters, query_id)
    return shown(answer, call.query.format, query_id)


def list_running(parts: Parts, call: Call[Nothing, None]) -> RunningQueries:
    return RunningQueries(queries=[_running(query) for query in parts.console.running(call.scope)])


def cancel_query(parts: Parts, call: Call[Nothing, None]) -> RunningAnswer:
    return _running(parts.console.cancel(call.scope, call.path["id"]))


def asker(call: Call[Any, Any]) -> Asker:
    """Who asks in `call`."""
    return Asker(call.scope, call.caller.username, call.address, call.request_id, call.gone)


def shown(answer: AnalystAnswer, form: str, query_id: str | None = None) -> Reply:
    """`answer` as a table of JSON, with what can be drawn, or as CSV."""
    if form == "csv":
        headers = {"X-Truncated": ",".join(answer.truncated_by)} if answer.truncated_by else {}
        return Reply(
            csv_stream(answer.columns, (dict(zip(answer.columns, r, strict=True)) for r in answer.rows)),
            media_type=CSV,
            headers=headers,
        )
    drawn: dict[str, Any] = {}
    if form == "graph":
        drawn = {"nodes": list(answer.nodes), "relationships": list(answer.relationships)}
    return Reply(
        GraphAnswer(
            columns=list(answer.columns),
            rows=[list(row) for row in answer.rows],
            truncated=answer.truncated,
            truncated_by=list(answer.truncated_by),
            elapsed_ms=answer.elapsed_ms,
            query_id=query_id,
            **drawn,
        )
    )


def require_plain(parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that the graph could not take."""
    if not _fits(parameters, 0):
        fault = "must be plain JSON values: whole numbers of 64 bits, at most 20 levels deep"
        raise InvalidValue(f"A parameter {fault}.", fields=[FieldProblem("parameters", fault)])


def _fits(value: object, depth: int) -> bool:
    if depth > 20:
        return False
    if isinstance(value, dict):
        return all(_fits(item, depth + 1) for item in value.values())
    if isinstance(value, list):
        return all(_fits(item, depth + 1) for item in value)
    return not isinstance(value, int) or -_INT64 <= value < _INT64


def _running(query: RunningQuery) -> RunningAnswer:
    return RunningAnswer(
        query_id=query.query_id,
        username=query.username,
        cypher=query.cypher,
        started_at=datetime.fromtimestamp(query.started_at, UTC),
    )


_TAG = "graph"
_ANALYSTS = roles(Role.ANALYST)

ROUTES: tuple[Route, ...] = (
    Route("POST", "/graph/query", query_graph, "Ask the graph in Cypher", _TAG, _ANALYSTS, query=FormatQuery,
          body=GraphQuery, answer=GraphAnswer, media_types=("text/csv",), errors=(403, 409, 429), rate=Rate.COSTLY,
          reading=True,
          description="One reading statement at a time, within 10 seconds, 1,000 rows and 8 MB; `truncated_by` names "
          "the limits that left something out (of CSV the header `X-Truncated`). When several utilities share the "
          "graph only a platform_admin may ask, because Cypher knows no borders. Every query is in the audit trail."),
    Route("GET", "/graph/queries", list_running, "Queries that run now", _TAG, _ANALYSTS, answer=RunningQueries,
          description="One's own; an admin sees those of the utility."),
    Route("DELETE", "/graph/queries/{id}", cancel_query, "Cancel a query", _TAG, _ANALYSTS, answer=RunningAnswer,
          action="graph.cancel"),
)  # fmt: skip
