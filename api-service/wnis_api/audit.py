"""Who did what, when, from where: one row for every change that a person asked for."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select

from wnis_api.sql import Database
from wnis_api.sql.tables import audit


@dataclass(frozen=True)
class AuditEntry:
    """One recorded action; `id` and `at` are given when it is kept.

    Parameters
    ----------
    detail : named facts of the action, as JSON types; empty for most
    """

    utility: str
    user_id: str
    username: str
    action: str
    subject: str
    status: int
    address: str
    request_id: str
    id: int = 0
    at: float = 0.0
    detail: Mapping[str, Any] = field(default_factory=dict)


class AuditTrail:
    """Append-only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, entry: AuditEntry) -> None:
        """Keep `entry` under the present moment."""
        with self._database.write() as connection:
            connection.execute(
                insert(audit),
                {
                    "at": time.time(),
                    "utility": entry.utility,
                    "user_id": entry.user_id,
                    "username": entry.username[:200],
                    "action": entry.action,
                    "subject": entry.subject[:500],
                    "status": entry.status,
                    "address": entry.address[:100],
                    "request_id": entry.request_id,
                    "detail_json": json.dumps(dict(entry.detail), ensure_ascii=False) if entry.detail else None,
                },
            )

    def page(self, utility: str, *, before: int | None, limit: int) -> list[AuditEntry]:
        """Entries of a utility, newest first, older than the entry `before`."""
        query = select(audit).where(audit.c.utility == utility).order_by(audit.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(audit.c.id < before)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [
            AuditEntry(
                r.utility,
                r.user_id,
                r.username,
                r.action,
                r.subject,
                r.status,
                r.address,
                r.request_id,
                r.id,
                r.at,
                json.loads(r.detail_json or "{}"),
            )
            for r in rows
        ]
