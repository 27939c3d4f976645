"""The queries of the console that run at this moment, one for each person, seen by all workers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from wnis_core.errors import NotFound, TooMany

from wnis_api.directory import PLATFORM_ADMIN
from wnis_api.sql import Database
from wnis_api.sql.tables import running_queries as rows


@dataclass(frozen=True)
class RunningQuery:
    """A query that somebody waits for, or that the server has not ended yet; moments in s since 1970."""

    query_id: str
    utility: str
    user_id: str
    username: str
    cypher: str
    started_at: float
    cancelled_at: float | None = None
    ended_at: float | None = None


class RunningQueries:
    """Which queries run.

    Parameters
    ----------
    still_runs : whether the graph works on the query of this id
    longest_s : a query that began longer ago is looked for in the graph: its worker may have died
    """

    def __init__(self, database: Database, still_runs: Callable[[str], bool], longest_s: float) -> None:
        self._database = database
        self._still_runs = still_runs
        self._longest_s = longest_s

    def begin(self, query: RunningQuery) -> None:
        """Take the person's place.

        Raises
        ------
        TooMany
            a query of this person runs already
        """
        with self._database.read() as connection:
            known = connection.execute(select(rows).where(rows.c.user_id == query.user_id)).first()
        if known is not None and self._is_there(query := _query(known)):
            raise _taken(query.query_id, waiting=self._is_awaited(query))
        try:
            with self._database.write() as connection:
                connection.execute(
                    insert(rows),
                    {
                        "user_id": query.user_id,
                        "query_id": query.query_id,
                        "utility": query.utility,
                        "username": query.username,
                        "cypher": query.cypher,
                        "started_at": query.started_at,
                    },
                )
        except IntegrityError as error:
            raise _taken(query.query_id, waiting=True) from error

    def end(self, query_id: str) -> None:
        """Give the place back; it stays taken while the graph still works on the query."""
        if self._still_runs(query_id):
            with self._database.write() as connection:
                connection.execute(update(rows).where(rows.c.query_id == query_id).values(ended_at=time.time()))
        else:
            self._forget(query_id)

    def cancel(self, query_id: str, user_id: str, utility: str, roles: frozenset[str]) -> RunningQuery:
        """Note that the query is to end, and return it; NotFound unless it is the caller's to end."""
        for query in self.of(user_id, utility, roles):
            if query.query_id == query_id:
                with self._database.write() as connection:
                    connection.execute(update(rows).where(rows.c.query_id == query_id).values(cancelled_at=time.time()))
                return query
        raise NotFound(f"No query {query_id[:100]!r} of yours runs.")

    def is_cancelled(self, query_id: str) -> bool:
        """Whether somebody asked for its end."""
        found = self._database.first(select(rows.c.cancelled_at).where(rows.c.query_id == query_id), {})
        return found is not None and found[0] is not None

    def of(self, user_id: str, utility: str, roles: frozenset[str]) -> list[RunningQuery]:
        """The caller's own query; all of the utility for its admin, all there are for a platform_admin."""
        query = select(rows).order_by(rows.c.started_at, rows.c.query_id)
        if PLATFORM_ADMIN not in roles:
            query = query.where(rows.c.utility == utility if "admin" in roles else rows.c.user_id == user_id)
        with self._database.read() as connection:
            found = [_query(row) for row in connection.execute(query)]
        return [one for one in found if self._is_there(one)]

    def _is_awaited(self, query: RunningQuery) -> bool:
        return query.ended_at is None and time.time() - query.started_at < self._longest_s

    def _is_there(self, query: RunningQuery) -> bool:
        """Whether somebody waits for it or the graph works on it; what has ended meanwhile is forgotten."""
        if self._is_awaited(query) or self._still_runs(query.query_id):
            return True
        self._forget(query.query_id)
        return False

    def _forget(self, query_id: str) -> None:
        with self._database.write() as connection:
            connection.execute(delete(rows).where(rows.c.query_id == query_id))


def _query(row: Row[tuple[object, ...]]) -> RunningQuery:
    return RunningQuery(
        row.query_id, row.utility, row.user_id, row.username, row.cypher, row.started_at, row.cancelled_at, row.ended_at
    )


def _taken(query_id: str, *, waiting: bool) -> TooMany:
    said = "A query of yours is running." if waiting else "The graph has not ended your last query yet."
    return TooMany(
        said,
        mend=f"Wait for it, or end it with DELETE /graph/queries/{query_id}.",
        retry_after_s=2,
        details={"query_id": query_id},
    )
