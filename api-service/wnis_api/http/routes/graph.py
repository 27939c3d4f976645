"""The analysts' door to the graph."""

from __future__ import annotations

from wnis_core.errors import FieldProblem, Forbidden, InvalidValue

from wnis_api.directory import PLATFORM_ADMIN
from wnis_api.http.route import Call, Nothing, Role, Route, roles
from wnis_api.http.schemas.graph import GraphAnswer, GraphQuery
from wnis_api.parts import Parts
from wnis_api.request_limits import Rate

_INT64 = 2**63


def query_graph(parts: Parts, call: Call[Nothing, GraphQuery]) -> GraphAnswer:
    if PLATFORM_ADMIN not in call.caller.roles and parts.directory.utilities(call.scope) > 1:
        raise Forbidden(
            "Several utilities share this graph, and a query of one's own could read all of them.",
            mend="Ask a platform_admin, or use the lists and exports of the API.",
        )
    if not _fits(call.body.parameters, 0):
        fault = "must be plain JSON values: whole numbers of 64 bits, at most 20 levels deep"
        raise InvalidValue(f"A parameter {fault}.", fields=[FieldProblem("parameters", fault)])
    found = parts.analyst.run(call.scope, call.body.cypher, call.body.parameters)
    return GraphAnswer(
        columns=list(found.columns),
        rows=[list(row) for row in found.rows],
        truncated=found.truncated,
        elapsed_ms=found.elapsed_ms,
    )


def _fits(value: object, depth: int) -> bool:
    if depth > 20:
        return False
    if isinstance(value, dict):
        return all(_fits(item, depth + 1) for item in value.values())
    if isinstance(value, list):
        return all(_fits(item, depth + 1) for item in value)
    return not isinstance(value, int) or -_INT64 <= value < _INT64


ROUTES: tuple[Route, ...] = (
    Route("POST", "/graph/query", query_graph, "Ask the graph in Cypher", "graph", roles(Role.ANALYST),
          body=GraphQuery, answer=GraphAnswer, errors=(403,), action="graph.query", rate=Rate.COSTLY, reading=True,
          description="One reading statement, within 10 seconds and 1,000 rows. When several utilities share the graph "
          "only a platform_admin may ask, because Cypher knows no borders."),
)  # fmt: skip
