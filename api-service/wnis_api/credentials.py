"""Password hashes and the state of accounts, in SQL."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from wnis_core.errors import Conflict, FieldProblem

from wnis_api import passwords
from wnis_api.sql import Database
from wnis_api.sql.tables import accounts, api_keys, families

_SEEN_EVERY_S = 60.0
ACTIVE_WINDOW_S = 900.0


@dataclass(frozen=True)
class Account:
    """What SQL knows about one account."""

    user_id: str
    username: str
    password_hash: str
    active: bool
    epoch: int


@dataclass(frozen=True)
class AccountState:
    """What every request with a token asks: may the account act, and is its session still in force."""

    active: bool
    epoch: int
    session_in_force: bool


class Credentials:
    """Accounts of all utilities."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: dict[str, float] = {}
        self._state = (
            select(accounts.c.active, accounts.c.epoch, families.c.id, families.c.revoked_at)
            .select_from(accounts.outerjoin(families, families.c.user_id == accounts.c.user_id))
            .where(accounts.c.user_id == bindparam("user_id"), families.c.id == bindparam("session"))
        )

    def add(self, user_id: str, username: str, password: str, *, then: Callable[[], None] | None = None) -> None:
        """Keep a password for a new account, and run `then` before that takes effect.

        Raises
        ------
        InvalidValue
            the password is against the policy
        Conflict
            the user name is taken
        """
        passwords.check_policy(password, username)
        row = {
            "user_id": user_id,
            "username": username,
            "password_hash": passwords.hash_password(password),
            "active": True,
            "epoch": 1,
            "seen_at": 0.0,
            "changed_at": time.time(),
        }
        try:
            with self._database.write() as connection:
                connection.execute(insert(accounts), row)
                if then is not None:
                    then()
        except IntegrityError as error:
            raise Conflict(
                f"The user name {username!r} is taken.", fields=[FieldProblem("username", "is taken")]
            ) from error

    def replace(self, user_id: str, username: str, password: str) -> None:
        """Keep a password for an identity whose credentials were lost, whoever held the user name before."""
        with self._database.write() as connection:
            connection.execute(delete(accounts).where(accounts.c.username == username))
        self.add(user_id, username, password)

    def by_username(self, username: str) -> Account | None:
        """The account that signs in as `username`."""
        return self._one(accounts.c.username == username)

    def by_id(self, user_id: str) -> Account | None:
        """The account of a user."""
        return self._one(accounts.c.user_id == user_id)

    def state(self, user_id: str, session: str) -> AccountState | None:
        """The state that decides about a token; nothing when the account or its session is unknown."""
        row = self._database.first(self._state, {"user_id": user_id, "session": session})
        return None if row is None else AccountState(bool(row[0]), int(row[1]), row[3] is None)

    def set_password(self, user_id: str, username: str, password: str, *, field: str = "password") -> None:
        """Replace the password; every session and key of the account ends."""
        passwords.check_policy(password, username, field=field)
        self._change(user_id, end_keys=True, password_hash=passwords.hash_password(password))

    def renew_hash(self, user_id: str, password: str) -> None:
        """Keep the same password under today's parameters."""
        with self._database.write() as connection:
            connection.execute(
                update(accounts)
                .where(accounts.c.user_id == user_id)
                .values(password_hash=passwords.hash_password(password))
            )

    def set_active(self, user_id: str, active: bool) -> None:
        """Disable or enable; takes effect with the next request."""
        self._change(user_id, end_keys=not active, active=active)

    def end_tokens(self, user_id: str) -> None:
        """Tokens issued so far are refused (a role changed); refresh tokens go on and carry the new role."""
        with self._database.write() as connection:
            connection.execute(
                update(accounts)
                .where(accounts.c.user_id == user_id)
                .values(epoch=accounts.c.epoch + 1, changed_at=time.time())
            )

    def note_seen(self, user_id: str) -> None:
        """Remember that the account is in use; written once a minute at most."""
        now = time.time()
        if now - self._seen.get(user_id, 0.0) < _SEEN_EVERY_S:
            return
        self._seen[user_id] = now
        with self._database.write() as connection:
            connection.execute(update(accounts).where(accounts.c.user_id == user_id).values(seen_at=now))

    def _one(self, condition: ColumnElement[bool]) -> Account | None:
        query = select(
            accounts.c.user_id, accounts.c.username, accounts.c.password_hash, accounts.c.active, accounts.c.epoch
        ).where(condition)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else Account(row[0], row[1], row[2], bool(row[3]), int(row[4]))

    def _change(self, user_id: str, *, end_keys: bool, **values: object) -> None:
        now = time.time()
        with self._database.write() as connection:
            connection.execute(
                update(accounts)
                .where(accounts.c.user_id == user_id)
                .values(epoch=accounts.c.epoch + 1, changed_at=now, **values)
            )
            connection.execute(
                update(families)
                .where(families.c.user_id == user_id, families.c.revoked_at.is_(None))
                .values(revoked_at=now)
            )
            if end_keys:
                connection.execute(
                    update(api_keys)
                    .where(api_keys.c.user_id == user_id, api_keys.c.revoked_at.is_(None))
                    .values(revoked_at=now)
                )
