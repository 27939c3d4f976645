"""The gate that every write passes, and the pause that closes it for the seconds of a backup's cut.

Two nodes carry it. ``(:Lease {id: 'writes'})`` is the gate: every write transaction takes a *shared* lock on its index
entry, which is what ``MERGE`` on a unique property does when it finds the node, and keeps it to its end; writers do
not wait for each other. ``(:WritePause {until})`` is the sign at the gate: while `until` lies ahead,
writers turn back. A pause puts up the sign and then takes the *exclusive* lock of the gate for a moment: that succeeds
when the last writer who had passed before the sign is through, on whichever machine it runs. A pause whose holder died
ends by itself, because nobody renews `until`.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Protocol
from weakref import WeakSet

import neo4j
from neo4j.exceptions import DriverError, Neo4jError
from wnis_core.errors import Conflict, Unavailable

log = logging.getLogger(__name__)

RETRY_AFTER_S = 3
_PERMIT_LIMIT_S = 300.0
_ATTEMPT_S = 1.0

_BUILD = "MERGE (gate:Lease {id: 'writes'})"
# the first look spares a writer the wait behind whoever drains the gate, the second one is what counts
_ENTER = """
OPTIONAL MATCH (sign:WritePause) WHERE sign.until > datetime.realtime()
WITH sign IS NOT NULL AS refused
FOREACH (_ IN CASE WHEN refused THEN [] ELSE [1] END | MERGE (:Lease {id: 'writes'}))
WITH refused
OPTIONAL MATCH (sign:WritePause) WHERE sign.until > datetime.realtime()
RETURN refused OR sign IS NOT NULL AS paused
"""
# without a constraint on purpose: a statement that writes locks every unique value it looks up, found or not
_PUT_UP = """
MERGE (turn:Lease {id: 'write-pause'})
// a write takes the node's lock, so two backups cannot both see an expired sign
SET turn.id = turn.id
WITH turn
MERGE (sign:WritePause)
WITH sign WHERE sign.until IS NULL OR sign.until < datetime.realtime()
SET sign.holder = $holder, sign.until = datetime.realtime() + duration({milliseconds: $ttl_ms})
RETURN sign.holder AS holder
"""
_RENEW = """
MATCH (sign:WritePause {holder: $holder}) WHERE sign.until > datetime.realtime()
SET sign.until = datetime.realtime() + duration({milliseconds: $ttl_ms})
RETURN sign.holder AS holder
"""
_TAKE_DOWN = "MATCH (sign:WritePause {holder: $holder}) DELETE sign"
# leaving the unique value and coming back to it takes the exclusive lock of its index entry
_DRAIN = "MATCH (gate:Lease {id: 'writes'}) SET gate.id = 'writes-drained' WITH gate SET gate.id = 'writes'"

_built: WeakSet[neo4j.Driver] = WeakSet()
_permitted: ContextVar[bool] = ContextVar("wnis_write_permit", default=False)


class _Runs(Protocol):
    def run(self, cypher: Any, /) -> neo4j.Result: ...


class Paused(Unavailable):
    """What a writer hears at the closed gate."""

    def __init__(self) -> None:
        super().__init__(
            "Writes are paused for the seconds of a backup.",
            mend="Try again in a few seconds.",
            retry_after_s=RETRY_AFTER_S,
        )


def build_gate(driver: neo4j.Driver) -> None:
    """Make the gate where it is missing: whoever passed it first would otherwise keep all others out meanwhile."""
    if driver not in _built:
        with driver.session() as session:
            session.execute_write(lambda tx: tx.run(_BUILD).consume())
        _built.add(driver)


def pass_gate(tx: _Runs) -> None:
    """Take the shared lock of the gate for the rest of the transaction.

    Raises
    ------
    Paused
        a backup is being made
    """
    if _permitted.get():
        return
    record = tx.run(_ENTER).single()
    if record is not None and record["paused"]:
        raise Paused


@contextmanager
def write_permit(driver: neo4j.Driver) -> Iterator[None]:
    """Hold the gate open over several steps (SQL, objects, several transactions) that belong together.

    A pause waits for the end of the block; writes inside it pass. A holder that dies lets go with its connection.

    Raises
    ------
    Paused
        a backup is being made
    """
    build_gate(driver)
    with driver.session() as session, session.begin_transaction(timeout=_PERMIT_LIMIT_S) as tx:
        pass_gate(tx)
        token = _permitted.set(True)
        try:
            yield
        finally:
            _permitted.reset(token)
            # it wrote nothing: whether its own end reaches the server changes nothing for the holder
            with suppress(DriverError, Neo4jError):
                tx.close()


class WritePause:
    """No write passes the gate while the ``with`` block runs; those under way are waited for first.

    Parameters
    ----------
    ttl_s : the pause ends by itself this long after its holder's last sign of life
    patience_s : how long to wait for writes under way

    Raises
    ------
    Conflict
        another backup holds the pause
    Unavailable
        a write went on for longer than `patience_s`
    """

    def __init__(self, driver: neo4j.Driver, *, ttl_s: float = 10.0, patience_s: float = 90.0) -> None:
        self._driver = driver
        self._ttl_s = ttl_s
        self._patience_s = patience_s
        self._holder = uuid.uuid4().hex
        self._stop = threading.Event()
        self._lost = threading.Event()
        self._renewer = threading.Thread(target=self._renew, name="write-pause", daemon=True)
        self._began = 0.0
        self.seconds = 0.0
        """How long writes were refused, known after the block."""

    def __enter__(self) -> WritePause:
        build_gate(self._driver)
        self._began = time.monotonic()
        if not self._write(_PUT_UP):
            raise Conflict(
                "Another backup has paused the writes of this graph.",
                mend=f"Wait for it; the pause of a dead one ends by itself after {self._ttl_s:.0f} s.",
            )
        self._renewer.start()
        try:
            self._drain()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        if kind is None:
            self.confirm()

    def confirm(self) -> None:
        """Refuse to go on when the pause may have ended in between, and a write with it.

        Raises
        ------
        Unavailable
        """
        if self._lost.is_set():
            raise Unavailable(
                "The pause of writes ended before the backup did.", mend="Start the backup again.", retry_after_s=5
            )

    def _end(self) -> None:
        self._stop.set()
        self._renewer.join()
        if not self._lost.is_set() and not self._write(_RENEW):
            # the process slept (a suspended machine) beyond the lease
            self._lost.set()
        self._write(_TAKE_DOWN)
        self.seconds = time.monotonic() - self._began

    def _drain(self) -> None:
        until = time.monotonic() + self._patience_s
        while True:
            self.confirm()
            try:
                # short attempts: whoever arrives meanwhile waits behind this one before it sees the sign
                with self._driver.session() as session, session.begin_transaction(timeout=_ATTEMPT_S) as tx:
                    tx.run(_DRAIN).consume()
                    tx.commit()
                return
            except Neo4jError as error:
                if not any(word in (error.code or "") for word in ("TimedOut", "Terminated", "Lock")):
                    raise
                if time.monotonic() > until:
                    raise Unavailable(
                        f"A write has been under way for more than {self._patience_s:.0f} s.",
                        mend="Wait for running imports to finish and start the backup again.",
                        retry_after_s=60,
                    ) from error
            time.sleep(_ATTEMPT_S / 4)

    def _write(self, cypher: str) -> bool:
        def work(tx: neo4j.ManagedTransaction) -> bool:
            parameters = {"holder": self._holder, "ttl_ms": int(self._ttl_s * 1000)}
            return tx.run(cypher, parameters).single() is not None

        with self._driver.session() as session:
            return bool(session.execute_write(work))

    def _renew(self) -> None:
        while not self._stop.wait(self._ttl_s / 4):
            try:
                kept = self._write(_RENEW)
            except (Neo4jError, DriverError) as error:
                # the sign itself decides at the end whether that was too long
                log.warning("the pause of writes could not be renewed: %s", error)
                continue
            if not kept:
                self._lost.set()
                return
