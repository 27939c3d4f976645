"""The door of the console: explains a statement, runs it contained, ends it, and knows whether it still runs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import neo4j
from neo4j.exceptions import Neo4jError
from wnis_core.contained import ChildLost, run_contained
from wnis_core.errors import Cancelled, FieldProblem, InvalidValue, Unavailable
from wnis_core.ids import new_id
from wnis_core.metrics import NEO4J_QUERIES, NEO4J_SECONDS

from wnis_graph.analyst.plans import refuse_by_plan, translated
from wnis_graph.analyst.words import refuse_by_words
from wnis_graph.queries.analyst import END, RUNNING
from wnis_graph.runner import translated_errors
from wnis_graph.scope import Scope

TIMEOUT_S = 10.0
ROW_LIMIT = 1_000
GRACE_S = 3.0
"""The server looks every second whether a transaction's time is up, and the child starts and ends within it."""

_METRIC = "analyst.query"
_MEMORY_BYTES = 200_000_000
"""Private memory of the child: some twenty times the largest answer, and little beside the API in its container."""


@dataclass(frozen=True)
class AnalystAnswer:
    """Rows of an analyst's query as JSON values, and what there is of it to draw.

    Parameters
    ----------
    truncated_by : which limits left something out: ``rows``, ``bytes`` (of all rows), ``values`` (of a single one)
    nodes : {key, labels, properties} of each node among the rows
    relationships : {key, type, start, end, properties}; start and end are keys, of nodes that may not be among them
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated_by: tuple[str, ...]
    elapsed_ms: float
    nodes: tuple[Mapping[str, Any], ...] = ()
    relationships: tuple[Mapping[str, Any], ...] = ()

    @property
    def truncated(self) -> bool:
        """Whether there are more rows, or longer values, than shown."""
        return bool(self.truncated_by)


class AnalystDoor:
    """Runs one reading statement.

    The database has no read-only users (Community), so walls stand one behind the other: the words of the statement;
    its plan, which must be of reading type and free of refused operators and procedures; READ access mode; a rollback.
    The door keeps to no utility: who may pass is for the caller to decide.
    """

    def __init__(self, driver: neo4j.Driver, uri: str, user: str, password: str) -> None:
        self._driver = driver
        self._server = {"uri": uri, "user": user, "password": password}

    def run(
        self,
        scope: Scope,
        cypher: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        query_id: str | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        timeout_s: float = TIMEOUT_S,
        row_limit: int = ROW_LIMIT,
    ) -> AnalystAnswer:
        """The answer to `cypher`; ``$utility`` is bound to the scope's when the statement uses it.

        Parameters
        ----------
        query_id : names the transaction, for `end` and `still_runs`
        cancelled : asked some twenty times a second; true ends the query

        Raises
        ------
        BadRequest
            it cannot be parsed (with line and column), or a parameter is missing
        Forbidden
            it would do more than read the graph, or could outgrow the server
        InvalidValue
            it ran out of time or memory, or failed on its values
        Cancelled
            `cancelled` said so, or somebody called `end`
        """
        bound = {**(parameters or {}), "utility": scope.utility}
        refuse_by_words(cypher, bound)
        query_id = query_id or new_id("query")
        started = time.perf_counter()
        NEO4J_QUERIES.labels(_METRIC).inc()
        try:
            self._explain(cypher, bound, timeout_s)
            request = {
                **self._server,
                "cypher": cypher,
                "parameters": bound,
                "query_id": query_id,
                "timeout_s": timeout_s,
                "row_limit": row_limit,
            }
            found = self._contained(request, cancelled, timeout_s)
        finally:
            NEO4J_SECONDS.labels(_METRIC).observe(time.perf_counter() - started)
        return AnalystAnswer(
            tuple(found["columns"]),
            tuple(tuple(row) for row in found["rows"]),
            tuple(found["truncated_by"]),
            round((time.perf_counter() - started) * 1000, 1),
            tuple(found["nodes"]),
            tuple(found["relationships"]),
        )

    def end(self, query_id: str) -> None:
        """Ask the server to end the transaction of a query, whoever runs it; none there is no fault.

        The server ends it between two rows: a single expression runs to its end.
        """
        with translated_errors(), self._driver.session() as session:
            for found in self._transactions(session, query_id):
                session.run(END.cypher, id=found).consume()

    def still_runs(self, query_id: str) -> bool:
        """Whether the server still works on the query."""
        with translated_errors(), self._driver.session(default_access_mode=neo4j.READ_ACCESS) as session:
            return bool(self._transactions(session, query_id))

    @staticmethod
    def _transactions(session: neo4j.Session, query_id: str) -> list[str]:
        return [RUNNING.row(record) for record in session.run(RUNNING.cypher, query_id=query_id)]

    def _explain(self, cypher: str, parameters: dict[str, Any], timeout_s: float) -> None:
        with translated_errors(), self._driver.session(default_access_mode=neo4j.READ_ACCESS) as session:
            try:
                with session.begin_transaction(timeout=timeout_s) as tx:
                    explained = tx.run("EXPLAIN " + cypher, parameters).consume()
                    tx.rollback()
            except Neo4jError as error:
                raise translated(error, timeout_s) from error
        refuse_by_plan(explained)

    def _contained(self, request: dict[str, Any], cancelled: Callable[[], bool], timeout_s: float) -> dict[str, Any]:
        with tempfile.TemporaryDirectory(prefix="wnis-query-") as folder:
            try:
                found: dict[str, Any] = run_contained(
                    "wnis_graph.analyst.child:run",
                    request,
                    folder=Path(folder),
                    memory_bytes=_MEMORY_BYTES,
                    cpu_s=int(timeout_s + GRACE_S) + 1,
                    wall_s=timeout_s + GRACE_S,
                    cancelled=cancelled,
                )
            except ChildLost as lost:
                self.end(str(request["query_id"]))
                raise _explained(lost, timeout_s) from lost
            except Cancelled:
                self.end(str(request["query_id"]))
                raise
        return found


def _explained(lost: ChildLost, timeout_s: float) -> Exception:
    if lost.reason in ("wall", "cpu"):
        return InvalidValue(
            f"The query ran longer than {timeout_s:g} s and was stopped.",
            mend="Ask for less: anchor it on ids, and bound every path.",
            fields=[FieldProblem("cypher", "takes too long")],
        )
    if lost.reason in ("memory", "aborted"):
        return InvalidValue(
            "The answer is larger than one answer may be.",
            mend="Ask for fewer or smaller values, or aggregate in the query.",
            fields=[FieldProblem("cypher", "answers too much")],
        )
    return Unavailable("The query was lost.", retry_after_s=5)
