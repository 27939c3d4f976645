"""Rows go from SQLite to PostgreSQL and back without a change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from dbos import DBOS
from wnis_api.sql import upgrade
from wnis_api.sql.tables import audit, receipts
from wnis_core.job_store import JobKey, JobStore
from wnis_core.tokens import Caller
from wnis_ops.backup import sql

from tests.component.core.conftest import postgresql

__all__ = ["postgresql"]


def prepared(url: str) -> str:
    """A database with every table of the programs."""
    upgrade(url)
    DBOS.migrate(url)
    JobStore(url, "ml").close()
    return sql.with_driver(url)


def dumped(url: str, folder: Path) -> list[str]:
    """All rows as lines, in an order of their own."""
    folder.mkdir()
    snapshot = sql.Snapshot("accounts", url, folder)
    try:
        return sorted(json.dumps(json.loads(line), sort_keys=True) for line in snapshot.lines())
    finally:
        snapshot.close()


@pytest.mark.system
def test_postgresql_and_sqlite_exchange_rows(postgresql: str, tmp_path: Path) -> None:
    first = prepared(f"sqlite:///{tmp_path / 'first.sqlite'}")
    jobs = JobStore(first, "ml")
    for n in range(3):
        jobs.accept(JobKey("u", f"j{n}"), "kind", {"ü": n}, Caller("u", "me", frozenset(), "r"))
    jobs.close()
    with sql.opened(first) as connection:
        connection.execute(sa.insert(receipts), {"key_sha256": "a", "request_sha256": "b", "created_at": 1.5,
                                                 "status": 201, "body": bytes(range(256))})  # fmt: skip
        for n in range(3):
            connection.execute(sa.insert(audit), {"at": 0.1 + n, "utility": "u", "user_id": "i", "username": "n",
                                                  "action": "a", "subject": "ß", "status": 200, "address": "::1",
                                                  "request_id": "r"})  # fmt: skip
    rows = dumped(first, tmp_path / "1")
    assert len(rows) >= 7
    # other tests have the server's first database
    engine = sa.create_engine(sql.with_driver(postgresql), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE rows_of_a_set")
    engine.dispose()
    second = prepared(sa.make_url(postgresql).set(database="rows_of_a_set").render_as_string())
    with sql.opened(second) as connection:
        sql.load(connection, ((table, values) for _, table, values in map(sql.parsed, map(str.encode, rows))))
    assert dumped(second, tmp_path / "2") == rows
    # numbers that the database gives go on after those that were brought
    with sql.opened(second) as connection:
        entry = {"at": 9.0, "utility": "u", "user_id": "i", "username": "n", "action": "a", "subject": "s",
                 "status": 200, "address": "::1", "request_id": "r"}  # fmt: skip
        assert connection.execute(sa.insert(audit).returning(audit.c.id), entry).scalar() == 4
