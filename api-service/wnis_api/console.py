"""The analysts' console: who may ask, one query at a time, to be cancelled, on record."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from wnis_core.errors import Cancelled, Forbidden, WnisError
from wnis_core.problem import STATUS_BY_CODE
from wnis_graph.analyst.door import AnalystAnswer, AnalystDoor
from wnis_graph.scope import Scope

from wnis_api.audit import AuditEntry, AuditTrail
from wnis_api.directory import PLATFORM_ADMIN, Directory
from wnis_api.running_queries import RunningQueries, RunningQuery

ACTION = "graph.query"
_LOOK_EVERY_S = 0.5


@dataclass(frozen=True)
class Asker:
    """Who asks, from where, and whether they are still there."""

    scope: Scope
    username: str
    address: str
    request_id: str
    gone: Callable[[], bool]


class Console:
    """Runs what people write."""

    def __init__(self, door: AnalystDoor, running: RunningQueries, audit: AuditTrail, directory: Directory) -> None:
        self._door = door
        self._running = running
        self._audit = audit
        self._directory = directory

    def ask(
        self, who: Asker, cypher: str, parameters: Mapping[str, Any], query_id: str, saved: str | None = None
    ) -> AnalystAnswer:
        """The answer to `cypher`; every attempt is recorded, with what became of it.

        Raises
        ------
        Forbidden
            several utilities share the graph, or the statement does more than read
        TooMany
            a query of this person runs already
        Cancelled
            by somebody, or because the client has gone
        WnisError
            as `AnalystDoor.run`
        """
        began = time.monotonic()
        fate: dict[str, Any] = {}
        status = 500
        try:
            self._require_right(who.scope)
            answer = self._run(who, cypher, parameters, query_id)
            fate, status = {"rows": len(answer.rows), "truncated_by": list(answer.truncated_by)}, 200
            return answer
        except WnisError as error:
            fate, status = {"refused": error.message}, STATUS_BY_CODE[error.code]
            raise
        finally:
            detail = {"cypher": cypher, **fate, "elapsed_ms": round((time.monotonic() - began) * 1000)}
            if saved:
                detail["saved"] = saved
            s = who.scope
            entry = AuditEntry(
                s.utility, s.user, who.username, ACTION, query_id, status, who.address, who.request_id, detail=detail
            )
            self._audit.record(entry)

    def cancel(self, scope: Scope, query_id: str) -> RunningQuery:
        """End a query; NotFound unless it runs and is the caller's own, or of the utility that the caller admins."""
        query = self._running.cancel(query_id, scope.user, scope.utility, scope.roles)
        self._door.end(query_id)
        return query

    def running(self, scope: Scope) -> list[RunningQuery]:
        """The queries that the caller may cancel."""
        return self._running.of(scope.user, scope.utility, scope.roles)

    def _require_right(self, scope: Scope) -> None:
        if PLATFORM_ADMIN not in scope.roles and self._directory.utilities(scope) > 1:
            raise Forbidden(
                "Several utilities share this graph, and a query of one's own could read all of them.",
                mend="Ask a platform_admin, run one of the saved queries, or use the lists and exports of the API.",
            )

    def _run(self, who: Asker, cypher: str, parameters: Mapping[str, Any], query_id: str) -> AnalystAnswer:
        s = who.scope
        self._running.begin(RunningQuery(query_id, s.utility, s.user, who.username, cypher, time.time()))
        looked = time.monotonic()
        why = ""

        def cancelled() -> bool:
            nonlocal looked, why
            if who.gone():
                why = "The query was ended: its client has gone."
            elif time.monotonic() - looked > _LOOK_EVERY_S:
                looked = time.monotonic()
                why = "The query was cancelled." if self._running.is_cancelled(query_id) else ""
            return bool(why)

        try:
            return self._door.run(s, cypher, parameters, query_id=query_id, cancelled=cancelled)
        except Cancelled as error:
            raise Cancelled(why or error.message) from error
        finally:
            self._running.end(query_id)
