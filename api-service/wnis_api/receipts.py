"""Receipts of POST requests that carry an ``Idempotency-Key``: the same request again gets the same answer."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from wnis_core.errors import Conflict, FieldProblem, InvalidValue

from wnis_api.sql import Database
from wnis_api.sql.tables import receipts

KEPT_S = 86_400.0
_ABANDONED_S = 120.0


@dataclass(frozen=True)
class StoredAnswer:
    """The first answer to a request."""

    status: int
    media_type: str
    etag: str | None
    body: bytes


class Receipts:
    """Answers by key; a key is the hash of utility, user, route and the caller's own key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, key: str, request_sha256: str) -> StoredAnswer | None:
        """Claim `key` for a request that is about to run, or get the answer it had before.

        Raises
        ------
        InvalidValue
            the key was used for another request
        Conflict
            the same request is running at this moment
        """
        now = time.time()
        with self._database.write() as connection:
            connection.execute(
                delete(receipts).where(
                    (receipts.c.created_at < now - KEPT_S)
                    | (receipts.c.status.is_(None) & (receipts.c.created_at < now - _ABANDONED_S))
                )
            )
        try:
            with self._database.write() as connection:
                connection.execute(
                    insert(receipts), {"key_sha256": key, "request_sha256": request_sha256, "created_at": now}
                )
            return None
        except IntegrityError:
            with self._database.read() as connection:
                row = connection.execute(select(receipts).where(receipts.c.key_sha256 == key)).first()
        if row is not None and row.request_sha256 != request_sha256:
            raise InvalidValue(
                "The Idempotency-Key was used for another request.",
                mend="Use a new key for a new request.",
                fields=[FieldProblem("Idempotency-Key", "was used for another request")],
            )
        if row is None or row.status is None:
            raise Conflict("A request with this Idempotency-Key is being answered.", retry_after_s=1)
        return StoredAnswer(row.status, row.media_type, row.etag, bytes(row.body))

    def keep(self, key: str, answer: StoredAnswer) -> None:
        """Keep the answer for a day."""
        with self._database.write() as connection:
            connection.execute(
                update(receipts)
                .where(receipts.c.key_sha256 == key)
                .values(status=answer.status, media_type=answer.media_type, etag=answer.etag, body=answer.body)
            )

    def release(self, key: str) -> None:
        """Give the key back: the request failed and may be tried again."""
        with self._database.write() as connection:
            connection.execute(delete(receipts).where(receipts.c.key_sha256 == key, receipts.c.status.is_(None)))
