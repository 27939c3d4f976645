"""Cypher about jobs: a projection that only ever moves forward."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wnis_graph.query import Access, Query, RawRow, nothing
from wnis_graph.values import native


@dataclass(frozen=True)
class Job:
    """A durable job of a service, as last heard of."""

    id: str
    kind: str
    service: str
    utility: str
    state: str
    progress: float
    message: str
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    requested_by: str
    created_at: datetime
    finished_at: datetime | None


def _job(row: RawRow) -> Job:
    p = row["job"]
    return Job(
        id=p["id"],
        kind=p["kind"],
        service=p["service"],
        utility=p["utility"],
        state=p["state"],
        progress=p["progress"],
        message=p.get("message") or "",
        result=json.loads(p["result_json"]) if p.get("result_json") else None,
        error=json.loads(p["error_json"]) if p.get("error_json") else None,
        requested_by=p["requested_by"],
        created_at=native(p["created_at"]),
        finished_at=native(p.get("finished_at")),
    )


_RANK = "CASE {} WHEN 'queued' THEN 0 WHEN 'running' THEN 1 ELSE 2 END"

RECORD = Query(
    "jobs.record",
    Access.WRITE,
    # news may arrive late or twice: an ended job stays as it ended, progress never goes back
    f"""
    MERGE (j:Job {{utility: $utility, id: $id}})
    ON CREATE SET j.state = 'queued', j.progress = -1.0
    SET j.id = j.id
    WITH j, {_RANK.format("j.state")} AS known, {_RANK.format("$properties.state")} AS told
    WHERE known < 2 AND (told > known OR (told = known AND $properties.progress >= j.progress))
    SET j += $properties
    """,
    nothing,
)

GET = Query(
    "jobs.get", Access.READ, "MATCH (j:Job {utility: $utility, id: $id}) RETURN properties(j) AS job", _job
)  # fmt: skip

LIST = Query(
    "jobs.list",
    Access.READ,
    """
    MATCH (j:Job) WHERE j.utility = $utility AND j.created_at IS NOT NULL
      AND ($kind IS NULL OR j.kind = $kind) AND ($state IS NULL OR j.state = $state)
      AND ($after_id IS NULL OR j.created_at < $after_key OR (j.created_at = $after_key AND j.id < $after_id))
    RETURN properties(j) AS job ORDER BY j.created_at DESC, j.id DESC LIMIT $limit
    """,
    _job,
)
