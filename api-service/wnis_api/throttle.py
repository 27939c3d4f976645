"""Throttle of sign-in attempts, per account and per address, kept in SQL so that a restart forgets nothing."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, text, update
from wnis_core.errors import TooMany

from wnis_api.sql import Database
from wnis_api.sql.tables import sign_in_throttle as rows

WINDOW_S = 900.0
FREE_PER_ACCOUNT = 5
FREE_PER_ADDRESS = 50
_FIRST_WAIT_S = 30.0
_LONGEST_WAIT_S = 900.0


@dataclass(frozen=True)
class _Subject:
    key: str
    free: int


class SignInThrottle:
    """Counts an attempt before its password is looked at, so that attempts in parallel gain nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, username: str, address: str) -> None:
        """Count an attempt.

        Raises
        ------
        TooMany
            too many failures for this user name (known or not) or from this address; the attempt is not counted
        """
        now = time.time()
        with self._database.write() as connection:
            # always in the same order, so that two attempts cannot wait for each other
            known = [(subject, _locked(connection, subject.key, now)) for subject in _subjects(username, address)]
            waits = [row.blocked_until - now for _, row in known]
            if max(waits) <= 0:
                for subject, row in known:
                    _count(connection, subject, row, now)
        if max(waits) > 0:
            seconds = math.ceil(max(waits))
            raise TooMany(
                "Too many failed attempts to sign in.", mend=f"Wait {seconds} seconds.", retry_after_s=seconds
            )

    def succeeded(self, username: str, address: str) -> None:
        """Forget the account's failures and take this attempt back from the address's."""
        account, place = _subjects(username, address)
        with self._database.write() as connection:
            connection.execute(delete(rows).where(rows.c.subject == account.key))
            connection.execute(
                update(rows)
                .where(rows.c.subject == place.key, rows.c.failures > 0)
                .values(failures=rows.c.failures - 1, blocked_until=0.0)
            )
            connection.execute(delete(rows).where(rows.c.since < time.time() - 2 * WINDOW_S))

    def forget(self, username: str) -> None:
        """Lift the account's wait (its password was reset)."""
        with self._database.write() as connection:
            connection.execute(delete(rows).where(rows.c.subject == _subjects(username, "")[0].key))


def _subjects(username: str, address: str) -> tuple[_Subject, _Subject]:
    return (
        _Subject(f"account:{username.casefold()[:200]}", FREE_PER_ACCOUNT),
        _Subject(f"address:{address[:100]}", FREE_PER_ADDRESS),
    )


_MAKE = text(
    "INSERT INTO sign_in_throttle (subject, failures, since, blocked_until) VALUES (:subject, 0, :since, 0)"
    " ON CONFLICT (subject) DO NOTHING"
)


@dataclass(frozen=True)
class _Counted:
    failures: int
    since: float
    blocked_until: float


def _locked(connection: Connection, key: str, now: float) -> _Counted:
    """What is known of a subject, locked until the end of the transaction."""
    connection.execute(_MAKE, {"subject": key, "since": now})
    row = connection.execute(select(rows).where(rows.c.subject == key).with_for_update()).one()
    return _Counted(row.failures, row.since, row.blocked_until)


def _count(connection: Connection, subject: _Subject, known: _Counted, now: float) -> None:
    failures = 1 if known.since < now - WINDOW_S else known.failures + 1
    beyond = failures - subject.free
    wait = 0.0 if beyond < 0 else min(_FIRST_WAIT_S * 2.0 ** min(beyond, 10), _LONGEST_WAIT_S)
    connection.execute(
        update(rows)
        .where(rows.c.subject == subject.key)
        .values(failures=failures, since=now, blocked_until=now + wait if wait else 0.0)
    )
