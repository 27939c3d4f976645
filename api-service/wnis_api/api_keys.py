"""API keys: long-lived credentials of programs, kept as hashes, each for one account in one utility."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from wnis_core.errors import NotAuthenticated, NotFound

from wnis_api.sql import Database
from wnis_api.sql.tables import accounts, api_keys

PREFIX = "wnis_"
_KEY = re.compile(r"wnis_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True)
class ApiKey:
    """A key without its secret."""

    id: str
    user_id: str
    utility: str
    name: str
    created_at: float
    expires_at: float | None


@dataclass(frozen=True)
class KeyHolder:
    """Whom a presented key stands for, in the present epoch of the account."""

    key_id: str
    user_id: str
    username: str
    utility: str
    epoch: int


class ApiKeys:
    """Keys of all accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._presented = (
            select(api_keys, accounts.c.username, accounts.c.active, accounts.c.epoch)
            .join(accounts, accounts.c.user_id == api_keys.c.user_id)
            .where(api_keys.c.id == bindparam("key_id"))
        )

    def issue(self, user_id: str, utility: str, name: str, lifetime_s: float | None) -> tuple[ApiKey, str]:
        """A new key and its text, which is shown this once."""
        now = time.time()
        secret = secrets.token_urlsafe(32)
        key = ApiKey(
            secrets.token_hex(8), user_id, utility, name, now, None if lifetime_s is None else now + lifetime_s
        )
        with self._database.write() as connection:
            connection.execute(
                insert(api_keys),
                {
                    "id": key.id,
                    "secret_sha256": _sha256(secret),
                    "user_id": user_id,
                    "utility": utility,
                    "name": name,
                    "created_at": now,
                    "expires_at": key.expires_at,
                },
            )
        return key, f"{PREFIX}{key.id}_{secret}"

    def holder(self, text: str) -> KeyHolder:
        """Whom the key stands for.

        Raises
        ------
        NotAuthenticated
            not a key of ours, ended, expired, or of a disabled account
        """
        refusal = NotAuthenticated("The API key is not valid.", mend="Issue a new one with POST /auth/keys.")
        parts = _KEY.fullmatch(text)
        if parts is None:
            raise refusal
        row: Any = self._database.first(self._presented, {"key_id": parts[1]})
        if row is None or not hmac.compare_digest(row.secret_sha256, _sha256(parts[2])):
            raise refusal
        expired = row.expires_at is not None and row.expires_at < time.time()
        if row.revoked_at is not None or expired or not row.active:
            raise refusal
        return KeyHolder(row.id, row.user_id, row.username, row.utility, int(row.epoch))

    def of_user(self, user_id: str, utility: str) -> list[ApiKey]:
        """Keys in force, newest first."""
        query = (
            select(api_keys)
            .where(api_keys.c.user_id == user_id, api_keys.c.utility == utility, api_keys.c.revoked_at.is_(None))
            .order_by(api_keys.c.created_at.desc(), api_keys.c.id)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [ApiKey(r.id, r.user_id, r.utility, r.name, r.created_at, r.expires_at) for r in rows]

    def end(self, user_id: str, utility: str, key_id: str) -> None:
        """End a key of the user; raises `NotFound`."""
        with self._database.write() as connection:
            ended = connection.execute(
                update(api_keys)
                .where(
                    api_keys.c.id == key_id,
                    api_keys.c.user_id == user_id,
                    api_keys.c.utility == utility,
                    api_keys.c.revoked_at.is_(None),
                )
                .values(revoked_at=time.time())
            ).rowcount
        if not ended:
            raise NotFound(f"You have no API key {key_id!r}.")


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
