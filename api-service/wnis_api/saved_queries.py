"""Queries that people keep for themselves; they run through the console's door, with its rights and limits."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, func, insert, select
from sqlalchemy.exc import IntegrityError
from wnis_core.errors import Conflict, FieldProblem, NotFound
from wnis_graph.scope import Scope

from wnis_api.sql import Database
from wnis_api.sql.tables import saved_queries as rows

MOST = 200


@dataclass(frozen=True)
class SavedQuery:
    """A statement with a name and the parameters it runs with unless others are given."""

    id: str
    name: str
    description: str
    cypher: str
    parameters: Mapping[str, Any]


class SavedQueries:
    """Queries of one person in one utility."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, scope: Scope) -> list[SavedQuery]:
        """All of them, by name."""
        with self._database.read() as connection:
            return [_query(row) for row in connection.execute(_own(scope).order_by(rows.c.name))]

    def get(self, scope: Scope, query_id: str) -> SavedQuery:
        """One of them; NotFound."""
        with self._database.read() as connection:
            row = connection.execute(_own(scope).where(rows.c.id == query_id)).first()
        if row is None:
            raise NotFound(f"There is no saved query {query_id[:100]!r}.", mend="GET /saved lists them.")
        return _query(row)

    def add(self, scope: Scope, query: SavedQuery) -> None:
        """Keep a query.

        Raises
        ------
        Conflict
            one of this name is there, or there are too many
        """
        try:
            with self._database.write() as connection:
                kept = connection.execute(select(func.count()).select_from(_own(scope).subquery())).scalar_one()
                if kept >= MOST:
                    raise Conflict(f"You keep {MOST} queries already.", mend="Delete one.")
                connection.execute(
                    insert(rows),
                    {
                        "id": query.id,
                        "utility": scope.utility,
                        "user_id": scope.user,
                        "name": query.name,
                        "description": query.description,
                        "cypher": query.cypher,
                        "parameters_json": json.dumps(dict(query.parameters)),
                        "created_at": time.time(),
                    },
                )
        except IntegrityError as error:
            raise Conflict(
                f"You keep a query called {query.name!r} already.",
                mend="Choose another name, or delete it first.",
                fields=[FieldProblem("name", "is taken")],
            ) from error

    def remove(self, scope: Scope, query_id: str) -> None:
        """Forget a query; NotFound."""
        self.get(scope, query_id)
        with self._database.write() as connection:
            connection.execute(delete(rows).where(rows.c.id == query_id, rows.c.user_id == scope.user))


def _own(scope: Scope) -> Any:
    return select(rows).where(rows.c.utility == scope.utility, rows.c.user_id == scope.user)


def _query(row: Row[Any]) -> SavedQuery:
    return SavedQuery(row.id, row.name, row.description, row.cypher, json.loads(row.parameters_json))
