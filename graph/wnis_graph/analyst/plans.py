"""What is refused by the plan that the server makes of a statement, and the server's errors in our words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from neo4j import ResultSummary
from neo4j.exceptions import ClientError, CypherSyntaxError, Neo4jError, TransientError
from wnis_core.errors import BadRequest, Cancelled, FieldProblem, InvalidValue

from wnis_graph.analyst.words import refused

PROCEDURES = frozenset(
    {"db.labels", "db.relationshipTypes", "db.propertyKeys", "db.schema.visualization", "db.schema.nodeTypeProperties",
     "db.schema.relTypeProperties", "db.index.fulltext.queryNodes"}
)  # fmt: skip
"""Procedures an analyst may call: they read the graph and its shape, never the server."""

_READING = frozenset({"r"})
_FORBIDDEN_OPERATOR = re.compile(r"^(LoadCSV|Show|Terminate|Create|Drop|Alter|Grant|Deny|Revoke|Rename|Set|Do)")
_POSITION = re.compile(r"\(line (\d+), column (\d+)")


def refuse_by_plan(explained: ResultSummary) -> None:
    """Raise `Forbidden` unless the plan reads the graph and nothing else."""
    if explained.query_type not in _READING:
        raise refused("It would write or administer.")
    for operator, details in _operators(explained.plan or {}):
        if operator == "ProcedureCall":
            name = details.split("(", 1)[0].strip().strip("`")
            if name not in PROCEDURES:
                raise refused(f"The procedure {name} may not be called; {', '.join(sorted(PROCEDURES))} may.")
        elif _FORBIDDEN_OPERATOR.match(operator):
            raise refused(f"It does {operator}.")


def _operators(plan: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield str(plan.get("operatorType", "")).split("@")[0], str((plan.get("args") or {}).get("Details", ""))
    for child in plan.get("children") or []:
        yield from _operators(child)


def translated(error: Neo4jError, timeout_s: float) -> Exception:
    """`error`, met on a statement of a person, as ours; itself when it is none of theirs."""
    code = error.code or ""
    message = (error.message or "").splitlines()[0] if error.message else code
    if "Transaction.Terminated" in code:
        return Cancelled("The query was cancelled.")
    if "TransactionTimedOut" in code:
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
        return refused("It would write or administer.")
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
