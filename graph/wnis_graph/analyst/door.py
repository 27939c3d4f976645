"""The analysts' door: Cypher that people write, kept to reading, to a time, and to a number of rows."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import neo4j
from neo4j import graph as neo4j_graph
from neo4j import spatial
from neo4j import time as neo4j_time
from neo4j.exceptions import ClientError, CypherSyntaxError, Neo4jError, TransientError
from wnis_core.errors import BadRequest, FieldProblem, Forbidden, InvalidValue
from wnis_core.metrics import NEO4J_QUERIES, NEO4J_SECONDS

from wnis_graph.runner import translated_errors
from wnis_graph.scope import Scope
from wnis_graph.values import WGS84

PROCEDURES = frozenset(
    {"db.labels", "db.relationshipTypes", "db.propertyKeys", "db.schema.visualization", "db.schema.nodeTypeProperties",
     "db.schema.relTypeProperties", "db.index.fulltext.queryNodes"}
)  # fmt: skip
"""Procedures an analyst may call: they read the graph and its shape, never the server."""

LONGEST_QUERY = 20_000
LONGEST_STRING = 10_000
LONGEST_LIST = 1_000
DEEPEST = 8
LARGEST_ANSWER = 8_000_000
"""Bytes, roughly, of one answer; rows beyond are left out as those beyond the row limit are."""

_METRIC = "analyst.query"
_READING = frozenset({"r"})
_FORBIDDEN_OPERATOR = re.compile(r"^(LoadCSV|Show|Terminate|Create|Drop|Alter|Grant|Deny|Revoke|Rename|Set|Do)")
_QUOTED = re.compile(r"//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|`(?:``|[^`])*`", re.DOTALL)
_POSITION = re.compile(r"\(line (\d+), column (\d+)")


@dataclass(frozen=True)
class AnalystAnswer:
    """Rows of an analyst's query as JSON values; `truncated` when there are more, or longer values, than shown."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool
    elapsed_ms: float


class AnalystDoor:
    """Runs one reading statement.

    The database has no read-only users (Community), so three walls stand one behind the other: the server explains
    the statement and it must be of reading type and free of refused operators and procedures; it runs in READ
    access mode; and it is rolled back. The door keeps to no utility: who may pass is for the caller to decide.
    """

    def __init__(self, driver: neo4j.Driver) -> None:
        self._driver = driver

    def run(
        self,
        scope: Scope,
        cypher: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        timeout_s: float = 10.0,
        row_limit: int = 1_000,
    ) -> AnalystAnswer:
        """The answer to `cypher`; ``$utility`` is bound to the scope's when the statement uses it.

        Raises
        ------
        BadRequest
            it cannot be parsed (with line and column), or a parameter is missing
        Forbidden
            it would do more than read the graph
        InvalidValue
            it ran out of time or memory, or failed on its values
        """
        if not cypher.strip():
            raise BadRequest("There is no query.", fields=[FieldProblem("cypher", "is required")])
        if len(cypher) > LONGEST_QUERY:
            raise InvalidValue(
                f"The query has more than {LONGEST_QUERY} characters.", fields=[FieldProblem("cypher", "is too long")]
            )
        bound = {**(parameters or {}), "utility": scope.utility}
        _refuse_by_text(cypher)
        started = time.perf_counter()
        NEO4J_QUERIES.labels(_METRIC).inc()
        try:
            with (
                translated_errors(),
                self._driver.session(default_access_mode=neo4j.READ_ACCESS, fetch_size=100) as session,
            ):
                try:
                    self._refuse_by_plan(session, cypher, bound, timeout_s)
                    columns, rows, truncated = _stream(session, cypher, bound, timeout_s, row_limit)
                except Neo4jError as error:
                    raise _translated(error, timeout_s) from error
        finally:
            NEO4J_SECONDS.labels(_METRIC).observe(time.perf_counter() - started)
        return AnalystAnswer(columns, rows, truncated, round((time.perf_counter() - started) * 1000, 1))

    def _refuse_by_plan(
        self, session: neo4j.Session, cypher: str, parameters: dict[str, Any], timeout_s: float
    ) -> None:
        with session.begin_transaction(timeout=timeout_s) as tx:
            summary = tx.run("EXPLAIN " + cypher, parameters).consume()
            tx.rollback()
        if summary.query_type not in _READING:
            raise _refused("It would write or administer.")
        for operator, details in _operators(summary.plan or {}):
            if operator == "ProcedureCall":
                name = details.split("(", 1)[0].strip().strip("`")
                if name not in PROCEDURES:
                    raise _refused(f"The procedure {name} may not be called; {', '.join(sorted(PROCEDURES))} may.")
            elif _FORBIDDEN_OPERATOR.match(operator):
                raise _refused(f"It does {operator}.")


def _refuse_by_text(cypher: str) -> None:
    """What a plan does not show: a second statement, another database, and words before the statement."""
    bare = _QUOTED.sub(" ", cypher)
    if ";" in bare.strip().removesuffix(";"):
        raise BadRequest("There is more than one statement.", fields=[FieldProblem("cypher", "must be one statement")])
    words = bare.upper().split()
    if words and words[0] in {"EXPLAIN", "PROFILE", "CYPHER", "SHOW", "TERMINATE", "USE"}:
        raise _refused(f"A query may not begin with {words[0]}.")
    for pattern, what in (
        (r"\bUSE\s+[\w`]", "USE"),
        (r"\bLOAD\s+CSV\b", "LOAD CSV"),
        (r"\bIN\s+(\S+\s+)?(CONCURRENT\s+)?TRANSACTIONS\b", "IN TRANSACTIONS"),
    ):
        if re.search(pattern, bare, re.IGNORECASE):
            raise _refused(f"{what} is not allowed.")


def _operators(plan: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield str(plan.get("operatorType", "")).split("@")[0], str((plan.get("args") or {}).get("Details", ""))
    for child in plan.get("children") or []:
        yield from _operators(child)


def _stream(
    session: neo4j.Session, cypher: str, parameters: dict[str, Any], timeout_s: float, row_limit: int
) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...], bool]:
    bounded = _Bounded()
    rows: list[tuple[Any, ...]] = []
    with session.begin_transaction(timeout=timeout_s) as tx:
        result = tx.run(cypher, parameters)
        columns = tuple(result.keys())
        more = False
        for record in result:
            if len(rows) == row_limit or bounded.size > LARGEST_ANSWER:
                more = True
                break
            rows.append(tuple(bounded.json_value(value) for value in record.values()))
        tx.rollback()
    return columns, tuple(rows), more or bounded.shortened


class _Bounded:
    """Makes JSON of the driver's values and notes when it had to shorten one."""

    def __init__(self) -> None:
        self.shortened = False
        self.size = 0

    def json_value(self, value: Any, depth: int = 0) -> Any:
        self.size += 8
        if value is None or isinstance(value, (bool, int)):
            return value
        if isinstance(value, float):
            return value if abs(value) < float("inf") else str(value)  # JSON knows neither NaN nor infinity
        if isinstance(value, str):
            return self._text(value)
        if depth >= DEEPEST:
            self.shortened = True
            return "..."
        return self._composite(value, depth + 1)

    def _composite(self, value: Any, depth: int) -> Any:
        if isinstance(value, neo4j_graph.Node):
            return {"labels": sorted(value.labels), "properties": self._mapping(value, depth)}
        if isinstance(value, neo4j_graph.Relationship):
            ends = [None if n is None else n.get("id") for n in (value.start_node, value.end_node)]
            return {"type": value.type, "start": ends[0], "end": ends[1], "properties": self._mapping(value, depth)}
        if isinstance(value, neo4j_graph.Path):
            return {
                "nodes": self._list(value.nodes, depth),
                "relationships": self._list(value.relationships, depth),
            }
        if isinstance(value, spatial.Point):
            names = ("longitude", "latitude", "height") if value.srid == WGS84 else ("x", "y", "z")
            return {"srid": value.srid, **dict(zip(names, value, strict=False))}
        if isinstance(value, (neo4j_time.Date, neo4j_time.DateTime, neo4j_time.Time, neo4j_time.Duration)):
            return value.iso_format()
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, (bytes, bytearray)):
            self.size += min(len(value) * 2, LONGEST_STRING)
            return self._text(value[:LONGEST_STRING].hex())
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, (list, tuple)):
            return self._list(value, depth)
        return self._text(str(value))

    def _mapping(self, value: Any, depth: int) -> dict[str, Any]:
        return {str(k): self.json_value(v, depth) for k, v in sorted(value.items())}

    def _list(self, values: Any, depth: int) -> list[Any]:
        if len(values) > LONGEST_LIST:
            self.shortened = True
        return [self.json_value(v, depth) for v in values[:LONGEST_LIST]]

    def _text(self, value: str) -> str:
        if len(value) > LONGEST_STRING:
            self.shortened = True
            value = value[:LONGEST_STRING] + "..."
        self.size += len(value)
        return value


def _translated(error: Neo4jError, timeout_s: float) -> Exception:
    code = error.code or ""
    message = (error.message or "").splitlines()[0] if error.message else code
    if "TransactionTimedOut" in code or "Transaction.Terminated" in code:
        return InvalidValue(
            f"The query ran longer than {timeout_s:g} s and was stopped.",
            mend="Ask for less: anchor it on ids, and bound every path.",
            fields=[FieldProblem("cypher", "takes too long")],
        )
    if "MemoryPool" in code or "OutOfMemory" in code:
        return InvalidValue(
            "The query needs more memory than one query may have.",
            mend="Ask for less, or aggregate in the query.",
            fields=[FieldProblem("cypher", "needs too much memory")],
        )
    if "AccessMode" in code or "Security" in code:
        return _refused("It would write or administer.")
    if isinstance(error, CypherSyntaxError) or ".Statement." in code or ".Procedure." in code:
        position = _POSITION.search(error.message or "")
        message = re.split(r"\s*\(line \d+, column", message)[0]
        details: dict[str, str | int | float | None] = {}
        if position:
            # the statement was explained with a word before its first line
            line, column = int(position[1]), int(position[2])
            details = {"line": line, "column": max(column - len("EXPLAIN "), 1) if line == 1 else column}
        kind = InvalidValue if _on_values(code) else BadRequest
        return kind(f"The query was refused: {message}", fields=[FieldProblem("cypher", message)], details=details)
    if isinstance(error, (ClientError, TransientError)):
        return InvalidValue(f"The query failed: {message}", fields=[FieldProblem("cypher", message)])
    return error


def _on_values(code: str) -> bool:
    return any(word in code for word in ("ArithmeticError", "TypeError", "ArgumentError", "EntityNotFound"))


def _refused(why: str) -> Forbidden:
    return Forbidden(
        f"The query is not allowed here. {why}",
        mend="Only reading statements run: MATCH, WITH, UNWIND, RETURN and the like.",
        fields=[FieldProblem("cypher", "is not a reading statement")],
    )
