"""Cypher about utilities, and its row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wnis_graph.query import Access, Query
from wnis_graph.values import native


@dataclass(frozen=True)
class Utility:
    """A water utility."""

    id: str
    name: str
    timezone: str | None
    display_units: str | None
    crs: str | None
    created_at: datetime | None


def _utility(p: Mapping[str, Any]) -> Utility:
    return Utility(
        p["id"], p["name"], p.get("timezone"), p.get("display_units"), p.get("crs"), native(p.get("created_at"))
    )


ENSURE = Query(
    "utilities.ensure",
    Access.WRITE,
    """
    MERGE (u:Utility {id: $utility})
    ON CREATE SET u.name = $name, u.created_at = datetime()
    RETURN properties(u) AS utility
    """,
    lambda row: _utility(row["utility"]),
)

GET = Query(
    "utilities.get",
    Access.READ,
    "MATCH (u:Utility {id: $utility}) RETURN properties(u) AS utility",
    lambda row: _utility(row["utility"]),
)

LIST = Query(
    "utilities.list",
    Access.READ,
    "MATCH (u:Utility) RETURN properties(u) AS utility ORDER BY u.id",
    lambda row: _utility(row["utility"]),
    platform=True,
)
