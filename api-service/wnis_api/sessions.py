"""Sessions: rotating refresh tokens in families, where the reuse of one ends the whole family."""

from __future__ import annotations

import hashlib
import secrets
import time
import uuid
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update
from wnis_core.errors import NotAuthenticated

from wnis_api.credentials import ACTIVE_WINDOW_S
from wnis_api.sql import Database
from wnis_api.sql.tables import accounts, families, refresh_tokens

SESSION_LIFETIME_S = 14 * 86_400.0


@dataclass(frozen=True)
class Session:
    """One sign-in: a family of refresh tokens for one account in one utility."""

    id: str
    user_id: str
    utility: str


class Sessions:
    """Refresh families of all accounts; only hashes of tokens are kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, user_id: str, utility: str) -> tuple[Session, str]:
        """A new session and its first refresh token."""
        session = Session(uuid.uuid4().hex, user_id, utility)
        token = _new_token()
        now = time.time()
        with self._database.write() as connection:
            stale = select(families.c.id).where(families.c.expires_at < now)
            connection.execute(delete(refresh_tokens).where(refresh_tokens.c.family_id.in_(stale)))
            connection.execute(delete(families).where(families.c.expires_at < now))
            connection.execute(
                insert(families),
                {
                    "id": session.id,
                    "user_id": user_id,
                    "utility": utility,
                    "created_at": now,
                    "expires_at": now + SESSION_LIFETIME_S,
                },
            )
            connection.execute(insert(refresh_tokens), {"token_sha256": _sha256(token), "family_id": session.id})
        return session, token

    def rotate(self, token: str) -> tuple[Session, str]:
        """Trade a refresh token for the next one of its family.

        Raises
        ------
        NotAuthenticated
            unknown, expired or ended; a token presented twice ends its family, because one of the two is a thief
        """
        now = time.time()
        fresh = _new_token()
        refusal = NotAuthenticated("The refresh token is not valid.", mend="Sign in again.")
        with self._database.write() as connection:
            family = connection.execute(
                select(families)
                .join(refresh_tokens, refresh_tokens.c.family_id == families.c.id)
                .where(refresh_tokens.c.token_sha256 == _sha256(token))
            ).first()
            if family is None or family.revoked_at is not None or family.expires_at < now:
                raise refusal
            taken = connection.execute(
                update(refresh_tokens)
                .where(refresh_tokens.c.token_sha256 == _sha256(token), refresh_tokens.c.used_at.is_(None))
                .values(used_at=now)
            ).rowcount
            if taken:
                connection.execute(insert(refresh_tokens), {"token_sha256": _sha256(fresh), "family_id": family.id})
                connection.execute(
                    update(families).where(families.c.id == family.id).values(expires_at=now + SESSION_LIFETIME_S)
                )
            else:
                connection.execute(update(families).where(families.c.id == family.id).values(revoked_at=now))
        if not taken:
            raise refusal
        return Session(family.id, family.user_id, family.utility), fresh

    def end(self, session_id: str) -> None:
        """End a session at once: its refresh and access tokens are refused from now on."""
        with self._database.write() as connection:
            connection.execute(
                update(families)
                .where(families.c.id == session_id, families.c.revoked_at.is_(None))
                .values(revoked_at=time.time())
            )

    def count_in_force(self) -> tuple[int, int]:
        """Accounts seen in the last 15 minutes, and sessions in force."""
        now = time.time()
        with self._database.read() as connection:
            users = connection.execute(
                select(func.count()).select_from(accounts).where(accounts.c.seen_at > now - ACTIVE_WINDOW_S)
            ).scalar_one()
            sessions = connection.execute(
                select(func.count())
                .select_from(families)
                .where(families.c.revoked_at.is_(None), families.c.expires_at > now)
            ).scalar_one()
        return int(users), int(sessions)


def _new_token() -> str:
    return secrets.token_urlsafe(32)


def _sha256(token: str) -> str:
    # 256 random bits need no slow hash
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
