"""Limits on how often an account or an address may ask, counted once for all workers.

The counting is `limits`' fixed window. With ``REDIS_URL`` the counters live in Redis; else in one SQLite file that
every worker opens: an upsert is atomic across processes, and nothing is lost that matters when the machine falls.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from limits import RateLimitItemPerMinute
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from wnis_core.errors import TooMany

log = logging.getLogger(__name__)

_COSTLY_SHARE = 10
_SWEEP_EVERY = 5_000


class Rate(StrEnum):
    """How a route is counted: not at all, as one of many, or as one of few."""

    FREE = "free"
    ORDINARY = "ordinary"
    COSTLY = "costly"


@dataclass(frozen=True)
class Window:
    """What the headers ``X-RateLimit-*`` say."""

    limit: int
    remaining: int
    reset_at: int


class SqliteCounters(Storage):
    """A storage of `limits` on a SQLite file shared by processes (``sqlite-counters:///file``)."""

    STORAGE_SCHEME = ["sqlite-counters"]  # noqa: RUF012  # the library's own registry reads a list here

    def __init__(self, uri: str, wrap_exceptions: bool = False, **options: Any) -> None:
        self._file = uri.removeprefix("sqlite-counters://")
        self._local = threading.local()
        self._hits = 0
        Path(self._file).parent.mkdir(parents=True, exist_ok=True)
        # SQLite lets whoever meets its lock sleep for milliseconds; those waiting for these two are woken at once
        self._thread_turn = threading.Lock()
        self._process_turn = os.open(f"{self._file}.turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        connection = self._connection()
        connection.execute(
            "CREATE TABLE IF NOT EXISTS counters (key TEXT PRIMARY KEY, count INTEGER NOT NULL, expires REAL NOT NULL)"
            " WITHOUT ROWID"
        )
        super().__init__(uri, wrap_exceptions, **options)

    @property
    def base_exceptions(self) -> type[Exception]:
        """What the storage may raise."""
        return sqlite3.Error

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count `amount` in the window of `key`, which begins anew when it has ended."""
        now = time.time()
        connection = self._connection()
        with self._turn():
            row = connection.execute(
                "INSERT INTO counters VALUES (?1, ?2, ?3 + ?4) ON CONFLICT (key) DO UPDATE SET"
                " count = CASE WHEN expires <= ?3 THEN ?2 ELSE count + ?2 END,"
                " expires = CASE WHEN expires <= ?3 THEN ?3 + ?4 ELSE expires END RETURNING count, expires",
                (key, amount, now, expiry),
            ).fetchone()
            self._hits += 1
            if self._hits % _SWEEP_EVERY == 0:
                connection.execute("DELETE FROM counters WHERE expires <= ?", (now,))
        self._local.last = (key, row[0], row[1])
        return int(row[0])

    def get(self, key: str) -> int:
        """The count of the running window."""
        count, expires = self._row(key)
        return count if expires > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """When the running window ends."""
        _, expires = self._row(key)
        return expires or time.time()

    def check(self) -> bool:
        """Whether the file can be read."""
        try:
            self._connection().execute("SELECT count(*) FROM counters").fetchone()
        except sqlite3.Error:
            return False
        return True

    def reset(self) -> int:
        """Forget every window."""
        return self._connection().execute("DELETE FROM counters").rowcount

    def clear(self, key: str) -> None:
        """Forget one window."""
        self._connection().execute("DELETE FROM counters WHERE key = ?", (key,))

    def _row(self, key: str) -> tuple[int, float]:
        # the two questions that follow a hit are answered from what the hit returned
        last = getattr(self._local, "last", None)
        if last and last[0] == key:
            return int(last[1]), float(last[2])
        row = self._connection().execute("SELECT count, expires FROM counters WHERE key = ?", (key,)).fetchone()
        return (0, 0.0) if row is None else (int(row[0]), float(row[1]))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._thread_turn:
            fcntl.flock(self._process_turn, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._process_turn, fcntl.LOCK_UN)

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._file, timeout=2.0, isolation_level=None)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=OFF")
            self._local.connection = connection
        return connection


class RequestLimits:
    """Counts requests by account or address.

    Parameters
    ----------
    redis_url : Redis with the counters; empty for the file
    file : SQLite file with the counters
    per_minute : ordinary requests a minute; costly ones have a tenth of it
    """

    def __init__(self, redis_url: str, file: Path, per_minute: int) -> None:
        if redis_url:
            self._storage = storage_from_string(redis_url, socket_timeout=1, socket_connect_timeout=1)
        else:
            self._storage = SqliteCounters(f"sqlite-counters://{file}")
        self._limiter = FixedWindowRateLimiter(self._storage)
        self._items = {
            Rate.ORDINARY: RateLimitItemPerMinute(per_minute, namespace="wnis"),
            Rate.COSTLY: RateLimitItemPerMinute(max(1, per_minute // _COSTLY_SHARE), namespace="wnis-costly"),
        }

    def count(self, rate: Rate, subject: str) -> tuple[Window | None, TooMany | None]:
        """Count one request of `subject`; returns what is left and, when nothing was, the refusal.

        When the counters cannot be reached the request goes on uncounted: ``/ready`` and the log say so, and the
        throttle of sign-in attempts, which is in SQL, still holds.
        """
        if rate is Rate.FREE:
            return None, None
        item = self._items[rate]
        try:
            allowed = self._limiter.hit(item, subject)
            stats = self._limiter.get_window_stats(item, subject)
        except Exception as error:  # Redis and SQLite share no base; whatever it was, the API goes on
            log.error("request counters cannot be reached: %s", error)
            return None, None
        window = Window(item.amount, stats.remaining, int(stats.reset_time) + 1)
        if allowed:
            return window, None
        wait_s = max(1, window.reset_at - int(time.time()))
        return window, TooMany(
            f"More than {item.amount} requests in a minute.", mend=f"Wait {wait_s} seconds.", retry_after_s=wait_s
        )

    def answers(self) -> bool:
        """Whether the counters can be reached."""
        try:
            return bool(self._storage.check())
        except Exception:  # see count
            return False
