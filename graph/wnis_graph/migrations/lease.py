"""A named lock in the graph that ends by itself: its holder renews it, and a dead holder's runs out."""

from __future__ import annotations

import threading
import time
import uuid
from types import TracebackType

import neo4j
from wnis_core.errors import Unavailable

_ACQUIRE = """
MERGE (l:Lease {id: $id})
ON CREATE SET l.holder = $holder, l.until = datetime.realtime()
// a write before the read takes the node's lock, so two starters cannot both see an expired lease
SET l.id = l.id
WITH l WHERE l.holder = $holder OR l.until < datetime.realtime()
SET l.holder = $holder, l.until = datetime.realtime() + duration({milliseconds: $ttl_ms})
RETURN l.holder AS holder
"""
_RENEW = """
MATCH (l:Lease {id: $id, holder: $holder})
SET l.until = datetime.realtime() + duration({milliseconds: $ttl_ms})
RETURN l.holder AS holder
"""
_RELEASE = "MATCH (l:Lease {id: $id, holder: $holder}) DELETE l"


class Lease:
    """Holds the lock called `name` while the ``with`` block runs.

    Parameters
    ----------
    ttl_s : after this many seconds without renewal anybody may take it
    patience_s : how long to wait for another holder

    Raises
    ------
    Unavailable
        another holder kept it for longer than `patience_s`
    """

    def __init__(self, driver: neo4j.Driver, name: str, *, ttl_s: float = 30.0, patience_s: float = 300.0) -> None:
        self._driver = driver
        self._name = name
        self._ttl_s = ttl_s
        self._patience_s = patience_s
        self._holder = uuid.uuid4().hex
        self._stop = threading.Event()
        self._lost = threading.Event()
        self._renewer = threading.Thread(target=self._renew, name=f"lease-{name}", daemon=True)

    def __enter__(self) -> Lease:
        give_up = time.monotonic() + self._patience_s
        while not self._write(_ACQUIRE):
            if time.monotonic() > give_up:
                raise Unavailable(
                    f"Another program has held the lease {self._name!r} for {self._patience_s:.0f} s.",
                    mend=f"Wait for it to finish; a dead one's lease ends by itself after {self._ttl_s:.0f} s.",
                    retry_after_s=30,
                )
            time.sleep(min(0.5, self._ttl_s / 4))
        self._renewer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._renewer.join()
        self._write(_RELEASE)

    def confirm(self) -> None:
        """Stop the holder's work when the lease could not be renewed in time and may be another's by now.

        Raises
        ------
        Unavailable
        """
        if self._lost.is_set():
            raise Unavailable(f"The lease {self._name!r} was lost.", mend="Start again.", retry_after_s=5)

    def _write(self, cypher: str) -> bool:
        def work(tx: neo4j.ManagedTransaction) -> bool:
            result = tx.run(cypher, id=self._name, holder=self._holder, ttl_ms=int(self._ttl_s * 1000))
            return result.single() is not None

        with self._driver.session() as session:
            return session.execute_write(work)

    def _renew(self) -> None:
        renewed = time.monotonic()
        while not self._stop.wait(self._ttl_s / 3):
            try:
                kept = self._write(_RENEW)
            except (neo4j.exceptions.Neo4jError, neo4j.exceptions.DriverError):
                kept = time.monotonic() - renewed < self._ttl_s
            else:
                renewed = time.monotonic()
            if not kept:
                self._lost.set()
                return
