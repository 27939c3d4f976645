"""Bring a graph to the schema of this program.

Safe to run twice, by two starters at once, and after being killed: a lease in the graph admits one starter, every
statement can be repeated, and a migration counts as done only when its node says so. (Schema statements cannot share
a transaction with data, so a migration as a whole cannot be atomic; it is repeatable instead.)
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import neo4j
from neo4j.exceptions import ClientError, TransientError
from wnis_core.errors import Failure

from wnis_graph.migrations.lease import Lease
from wnis_graph.migrations.steps import MIGRATIONS, Migration, is_additive
from wnis_graph.runner import translated_errors

__all__ = ["MIGRATIONS", "Migration", "migrate", "pending"]

log = logging.getLogger(__name__)

_APPLIED = "MATCH (m:Migration) RETURN m.id AS id, m.sha256 AS sha256, m.state AS state"
_BEGIN = """
MERGE (m:Migration {id: $id})
SET m.sha256 = $sha256, m.state = 'running', m.started_at = datetime(), m.finished_at = null
"""
_FINISH = "MATCH (m:Migration {id: $id}) SET m.state = 'done', m.finished_at = datetime()"

_THERE_ALREADY = "Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists"
_ATTEMPTS = 5


def migrate(
    driver: neo4j.Driver,
    migrations: Sequence[Migration] = MIGRATIONS,
    *,
    lease_ttl_s: float = 30.0,
    patience_s: float = 300.0,
) -> list[str]:
    """Apply what is missing and return the ids of the migrations applied now.

    Raises
    ------
    Failure
        a newer program changed the graph so that this one cannot work with it, or a migration was altered after it ran
    Unavailable
        the server is away, or another starter holds the lease for too long
    """
    with translated_errors():
        if not _pending(driver, migrations):
            return []
        for statement in MIGRATIONS[0].statements:
            _run_statement(driver, statement)  # the lease itself needs its constraint
        with Lease(driver, "migrations", ttl_s=lease_ttl_s, patience_s=patience_s) as lease:
            applied = []
            for migration in _pending(driver, migrations):
                _apply(driver, migration, lease)
                applied.append(migration.id)
            return applied


def pending(driver: neo4j.Driver, migrations: Sequence[Migration] = MIGRATIONS) -> list[Migration]:
    """What `migrate` would apply; raises as it does."""
    with translated_errors():
        return _pending(driver, migrations)


def _pending(driver: neo4j.Driver, migrations: Sequence[Migration]) -> list[Migration]:
    with driver.session(default_access_mode=neo4j.READ_ACCESS) as session:
        found = session.execute_read(lambda tx: {r["id"]: (r["sha256"], r["state"]) for r in tx.run(_APPLIED)})
    unknown = sorted(set(found) - {m.id for m in migrations})
    if locking := [identifier for identifier in unknown if not is_additive(identifier)]:
        raise Failure(
            f"This graph has been migrated by a newer program (it has {', '.join(locking)}).",
            mend="Start that version, or restore a backup from before the upgrade.",
        )
    if unknown:
        log.warning("a newer program has been here (%s); what it added is left alone", ", ".join(unknown))
    missing = []
    for migration in migrations:
        sha256, state = found.get(migration.id, ("", ""))
        if state == "done" and sha256 == migration.sha256:
            continue
        if state == "done" and not migration.repeatable:
            raise Failure(
                f"Migration {migration.id} was altered after it had been applied to this graph.",
                mend="Restore its statements and put the change into a new migration.",
            )
        missing.append(migration)
    return missing


def _apply(driver: neo4j.Driver, migration: Migration, lease: Lease) -> None:
    log.info("migration %s begins", migration.id)
    _record(driver, _BEGIN, migration)
    for statement in migration.statements:
        lease.confirm()
        _run_statement(driver, statement)
    _run_statement(driver, "CALL db.awaitIndexes(300)")
    lease.confirm()
    _record(driver, _FINISH, migration)
    log.info("migration %s done", migration.id)


def _record(driver: neo4j.Driver, cypher: str, migration: Migration) -> None:
    parameters = {"id": migration.id, "sha256": migration.sha256}
    with driver.session() as session:
        session.execute_write(lambda tx: tx.run(cypher, parameters).consume())


def _run_statement(driver: neo4j.Driver, statement: str) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with driver.session() as session:
                session.run(statement).consume()
            return
        except ClientError as error:
            # IF NOT EXISTS does not cover a twin that is created between its look and its write
            if error.code == _THERE_ALREADY:
                return
            raise
        except TransientError:
            if attempt == _ATTEMPTS:
                raise
