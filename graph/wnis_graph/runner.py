"""Runs named queries: binds ``$utility``, limits time, retries what is transient, counts by name.

This module, the schema's migrations and the analysts' read-only door are the only places that hold a session.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, LiteralString, TypeVar

import neo4j
from neo4j.exceptions import (
    AuthError,
    ClientError,
    ConfigurationError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
    TransientError,
)
from wnis_core import traces
from wnis_core.errors import Conflict, Failure, TooLarge, Unavailable
from wnis_core.metrics import NEO4J_QUERIES, NEO4J_SECONDS

from wnis_graph.query import Access, Query
from wnis_graph.scope import Scope
from wnis_graph.write_gate import Paused, build_gate, pass_gate, write_permit

Row = TypeVar("Row")
Result = TypeVar("Result")

_RETRY_S = 10.0
"""How long a statement that failed for a passing reason is tried again, as long as the driver does it."""

_LOOK_AGAIN_S = 0.2
"""Between two looks at a closed gate."""

BATCH = 5_000
"""Rows of one ``UNWIND`` batch; larger ones gain nothing (measured, see docs/adr)."""


def open_driver(uri: str, user: str, password: str) -> neo4j.Driver:
    """A driver that gives up after seconds rather than half a minute when the server is away."""
    return neo4j.GraphDatabase.driver(
        uri,
        auth=(user, password),
        connection_timeout=5.0,
        connection_acquisition_timeout=10.0,
        max_transaction_retry_time=_RETRY_S,
        notifications_min_severity="OFF",
        user_agent="wnis",
    )


class _AutoCommit:
    """A session as `_timed` wants a transaction: every statement stands alone."""

    def __init__(self, session: neo4j.Session, timeout_s: float) -> None:
        self._session = session
        self._timeout_s = timeout_s

    def run(self, cypher: LiteralString, parameters: dict[str, Any]) -> neo4j.Result:
        return self._session.run(neo4j.Query(cypher, timeout=self._timeout_s), parameters)


class Transaction:
    """Several named queries that take effect together or not at all."""

    def __init__(self, raw: neo4j.ManagedTransaction, scope: Scope) -> None:
        self._raw = raw
        self._scope = scope

    def run(self, query: Query[Row], /, **parameters: Any) -> list[Row]:
        """The rows of `query`, mapped to its row type."""
        return _timed(self._raw, query, self._scope, parameters)

    def run_one(self, query: Query[Row], /, **parameters: Any) -> Row | None:
        """The first row, or nothing."""
        rows = self.run(query, **parameters)
        return rows[0] if rows else None

    def run_batches(self, query: Query[Row], rows: Sequence[Any], /, **parameters: Any) -> int:
        """`query` over `rows` in batches bound as ``$rows``; returns how many rows were sent."""
        for start in range(0, len(rows), BATCH):
            self.run(query, rows=list(rows[start : start + BATCH]), **parameters)
        return len(rows)


class Runner:
    """The one door to the graph; safe for threads.

    Parameters
    ----------
    pause_patience_s : how long a write waits at the gate while a backup has closed it (see `write_gate`); 0 where
        somebody waits for an answer, else longer than any pause, so that steps of jobs go on after it
    """

    def __init__(self, driver: neo4j.Driver, *, pause_patience_s: float = 300.0) -> None:
        self._driver = driver
        self._pause_patience_s = pause_patience_s

    def impatient(self) -> Runner:
        """The same door for writes that fail at once while a backup has closed the gate."""
        return Runner(self._driver, pause_patience_s=0.0)

    def permit(self) -> AbstractContextManager[None]:
        """A block of several writes, not only to the graph, that a backup has either whole or not at all.

        Raises
        ------
        Unavailable
            a backup has paused the writes
        """
        return _permit(self._driver)

    def run(self, scope: Scope, query: Query[Row], /, **parameters: Any) -> list[Row]:
        """The rows of one query in a transaction of its own.

        Raises
        ------
        Unavailable
            the server is away, or the query ran out of time
        Failure
            the statement itself was refused
        """
        if query.access is Access.WRITE:
            return self._managed(query.access, query.timeout_s, lambda tx: _timed(tx, query, scope, parameters))
        # one statement needs no BEGIN and COMMIT around it, each a trip to the server; the driver then leaves
        # the second attempt to us
        until = time.monotonic() + _RETRY_S
        pause_s = 0.05
        while True:
            try:
                with translated_errors(), self._driver.session(default_access_mode=neo4j.READ_ACCESS) as session:
                    return _timed(_AutoCommit(session, query.timeout_s), query, scope, parameters)
            except Unavailable as error:
                again = isinstance(error.__cause__, DriverError | Neo4jError) and error.__cause__.is_retryable()
                if not again or time.monotonic() + pause_s > until:
                    raise
            time.sleep(pause_s)
            pause_s *= 2

    def run_one(self, scope: Scope, query: Query[Row], /, **parameters: Any) -> Row | None:
        """The first row, or nothing."""
        rows = self.run(scope, query, **parameters)
        return rows[0] if rows else None

    def write(self, scope: Scope, work: Callable[[Transaction], Result], *, timeout_s: float = 60.0) -> Result:
        """`work` in one write transaction; it may run again after a transient error, so it must be idempotent."""
        return self._managed(Access.WRITE, timeout_s, lambda tx: work(Transaction(tx, scope)))

    def read(self, scope: Scope, work: Callable[[Transaction], Result], *, timeout_s: float = 60.0) -> Result:
        """`work` in one read transaction: all its queries see the same state."""
        return self._managed(Access.READ, timeout_s, lambda tx: work(Transaction(tx, scope)))

    def alive(self) -> bool:
        """Whether the server answers a trivial query."""
        try:
            with self._driver.session(default_access_mode=neo4j.READ_ACCESS) as session:
                session.run("RETURN 1").consume()
        except (DriverError, Neo4jError):
            return False
        return True

    def clock_ahead_s(self) -> float:
        """By how many seconds at least this machine's clock is ahead of the graph's; negative when it is behind.

        Raises
        ------
        Unavailable
            the server is away
        """
        began_s = time.time()
        with translated_errors(), self._driver.session(default_access_mode=neo4j.READ_ACCESS) as session:
            record = session.run("RETURN datetime.realtime().epochMillis AS at_ms").single()
        ended_s = time.time()
        there_s = record["at_ms"] / 1000 if record else began_s
        # between question and answer it may have been any time
        return max(began_s - there_s, 0.0) + min(ended_s - there_s, 0.0)

    def close(self) -> None:
        """Give back every connection."""
        self._driver.close()

    def _managed(self, access: Access, timeout_s: float, work: Callable[[neo4j.ManagedTransaction], Result]) -> Result:
        if access is Access.READ:
            with translated_errors(), self._driver.session() as session:
                return session.execute_read(neo4j.unit_of_work(timeout=timeout_s)(work))

        def through_the_gate(tx: neo4j.ManagedTransaction) -> Result:
            pass_gate(tx)
            return work(tx)

        until = time.monotonic() + self._pause_patience_s
        while True:
            try:
                with translated_errors(), self._driver.session() as session:
                    build_gate(self._driver)
                    return session.execute_write(neo4j.unit_of_work(timeout=timeout_s)(through_the_gate))
            except Paused:
                if time.monotonic() > until:
                    raise
            time.sleep(_LOOK_AGAIN_S)


@contextmanager
def _permit(driver: neo4j.Driver) -> Any:
    with ExitStack() as held:
        with translated_errors():
            held.enter_context(write_permit(driver))
        yield


def _timed(
    tx: neo4j.ManagedTransaction | _AutoCommit, query: Query[Row], scope: Scope, given: dict[str, Any]
) -> list[Row]:
    parameters = given if query.platform else {**given, "utility": scope.utility}
    if parameters.keys() != query.parameters:
        raise Failure(
            f"Query {query.name} takes {sorted(query.parameters)} and was given {sorted(parameters)}.",
        )
    started = time.perf_counter()
    NEO4J_QUERIES.labels(query.name).inc()
    try:
        with traces.query(query.name, query.access.value):
            return [query.row(record) for record in tx.run(query.cypher, parameters)]
    except TransientError as error:
        # the driver would try again and again what does not fit
        if "MemoryPoolOutOfMemory" in (error.code or ""):
            raise TooLarge(
                "This is more than one transaction of the graph may hold.",
                mend="Raise the graph's dbms.memory.transaction.total.max and heap (locally WNIS_NEO4J_HEAP_MB).",
            ) from error
        raise
    finally:
        NEO4J_SECONDS.labels(query.name).observe(time.perf_counter() - started)


@contextmanager
def translated_errors() -> Any:
    """Driver and server errors as our own."""
    try:
        yield
    except (AuthError, ConfigurationError) as error:
        raise Unavailable(
            f"The graph refused our credentials or configuration ({error}).",
            mend="Check NEO4J_URI, NEO4J_USER and NEO4J_PASSWORD.",
            retry_after_s=30,
        ) from error
    except ClientError as error:
        if "TransactionTimedOut" in (error.code or ""):
            raise Unavailable("The graph took too long to answer.", retry_after_s=5) from error
        if "ConstraintValidationFailed" in (error.code or ""):
            raise Conflict("Something with this id exists already.", mend="Choose another id.") from error
        raise Failure(f"The graph refused a statement ({error.code}).") from error
    except (ServiceUnavailable, SessionExpired, TransientError, DriverError) as error:
        raise Unavailable(
            "The graph database is not available.", mend="Try again in a few seconds.", retry_after_s=5
        ) from error
    except Neo4jError as error:
        raise Failure(f"The graph failed ({error.code}).", mend="Look into the log of the graph database.") from error
