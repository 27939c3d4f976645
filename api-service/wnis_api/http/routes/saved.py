"""Saved queries."""

from __future__ import annotations

from typing import Any

from wnis_core.cells import plain
from wnis_core.errors import Forbidden, InvalidValue
from wnis_graph.analyst.door import AnalystAnswer
from wnis_graph.analyst.words import refuse_by_words
from wnis_graph.questions import Question

from wnis_api.http.route import Call, Nothing, Reply, Role, Route, roles
from wnis_api.http.routes.graph import asker, require_plain, shown
from wnis_api.http.schemas.graph import FormatQuery, GraphAnswer
from wnis_api.http.schemas.saved import NewSaved, RunSaved, Saved, SavedAnswer, SavedParameter
from wnis_api.parts import Parts
from wnis_api.request_limits import Rate
from wnis_api.saved_queries import SavedQuery

_ANALYSTS = roles(Role.ANALYST)


def list_saved(parts: Parts, call: Call[Nothing, None]) -> Saved:
    own = [_own(query) for query in parts.saved.list(call.scope)]
    return Saved(saved=[*(_shipped(question) for question in parts.questions.list()), *own])


def save(parts: Parts, call: Call[Nothing, NewSaved]) -> Reply:
    asked = call.body
    require_plain(asked.parameters)
    refuse_by_words(asked.cypher, asked.parameters)
    query = SavedQuery(call.new_id("saved"), asked.name, asked.description, asked.cypher, asked.parameters)
    parts.saved.add(call.scope, query)
    return Reply(_own(query), status=201, subject=query.id)


def forget(parts: Parts, call: Call[Nothing, None]) -> Reply:
    parts.saved.remove(call.scope, call.path["id"])
    return Reply(None, status=204)


def run_saved(parts: Parts, call: Call[FormatQuery, RunSaved]) -> Reply:
    name, given = call.path["id"], call.body.parameters
    require_plain(given)
    if name in {question.name for question in parts.questions.list()}:
        if call.query.format == "graph":
            raise InvalidValue("This query answers with a table only.", mend="Ask for format=json or format=csv.")
        found = parts.questions.ask(call.scope, name, given)
        rows = tuple(tuple(_json(value) for value in row) for row in found.rows)
        cut = ("rows",) if found.truncated else ()
        return shown(AnalystAnswer(found.columns, rows, cut, found.elapsed_ms), call.query.format)
    query = parts.saved.get(call.scope, name)
    if not call.caller.roles & _ANALYSTS:
        raise Forbidden("Only analysts and admins run Cypher of their own.", mend="Run one that comes with the system.")
    query_id = call.new_id("query")
    answer = parts.console.ask(asker(call), query.cypher, {**query.parameters, **given}, query_id, saved=query.name)
    return shown(answer, call.query.format, query_id)


def _json(value: Any) -> Any:
    return [plain(item) for item in value] if isinstance(value, list) else plain(value)


def _shipped(question: Question) -> SavedAnswer:
    parameters = [
        SavedParameter(name=p.name, kind=p.kind.value, description=p.description, default=p.default)
        for p in question.parameters
    ]
    return SavedAnswer(
        id=question.name,
        name=question.name,
        description=question.title,
        shipped=True,
        columns=list(question.columns),
        parameters=parameters,
    )


def _own(query: SavedQuery) -> SavedAnswer:
    return SavedAnswer(
        id=query.id,
        name=query.name,
        description=query.description,
        shipped=False,
        cypher=query.cypher,
        values=dict(query.parameters),
    )


_TAG = "graph"

ROUTES: tuple[Route, ...] = (
    Route("GET", "/saved", list_saved, "Saved queries", _TAG, answer=Saved,
          description="Those that come with the system are for everybody; one's own are Cypher."),
    Route("POST", "/saved", save, "Keep a query of one's own", _TAG, _ANALYSTS, body=NewSaved, answer=SavedAnswer,
          status=201, errors=(409,), action="saved.add", repeatable=True),
    Route("DELETE", "/saved/{id}", forget, "Forget a query of one's own", _TAG, _ANALYSTS, status=204,
          action="saved.forget"),
    Route("POST", "/saved/{id}/run", run_saved, "Run a saved query", _TAG, query=FormatQuery, body=RunSaved,
          answer=GraphAnswer, media_types=("text/csv",), errors=(403, 409, 429), rate=Rate.ORDINARY, reading=True,
          description="Those that come with the system see the caller's utility and nothing else, so everybody may "
          "run them; one's own run as `/graph/query` does."),
)  # fmt: skip
