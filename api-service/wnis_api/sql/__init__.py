"""The API's SQL database: SQLite (WAL) by default, PostgreSQL by URL.

`upgrade` brings the schema up to date; `Database` is the one door to connections and turns the driver's
errors into ours.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, Executable, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from wnis_core.errors import Failure, InvalidValue, Unavailable

log = logging.getLogger(__name__)

_UPGRADE_LOCK = 0x574E4953  # "WNIS": the advisory lock that PostgreSQL starters queue for


class Database:
    """Connections to one database; safe for threads.

    Parameters
    ----------
    url : SQLAlchemy URL; ``postgresql://`` means the psycopg 3 driver
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        self._reading = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._kept = threading.local()
        self._writing = self._engine.execution_options(wnis_write=True)

    @property
    def engine(self) -> Engine:
        """The engine below, for the schema's upgrade."""
        return self._engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection whose every statement stands alone."""
        with _translated(), self._reading.connect() as connection:
            yield connection

    def first(self, statement: Executable, parameters: dict[str, Any]) -> Sequence[Any] | None:
        """The first row of a statement that every request asks: on a connection that the thread keeps.

        Taking a connection from the pool and giving it back costs as much again as the statement.
        """
        kept: Connection | None = getattr(self._kept, "connection", None)
        if kept is not None:
            try:
                return kept.execute(statement, parameters).first()
            except DBAPIError:
                # it was closed at the other end (or the statement is at fault, which the next lines will say)
                self._kept.connection = None
                kept.invalidate()
                kept.close()
        with _translated():
            fresh = self._reading.connect()
            self._kept.connection = fresh
            return fresh.execute(statement, parameters).first()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction; on SQLite it takes the write lock at once, so it never fails half-way for want of it."""
        with _translated(), self._writing.begin() as connection:
            yield connection

    def answers(self) -> bool:
        """Whether the database answers a trivial query and has our schema."""
        try:
            with self.read() as connection:
                connection.exec_driver_sql("SELECT 1 FROM accounts LIMIT 1")
        except (Unavailable, DBAPIError):
            return False
        return True

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the schema at `url` to a version, the newest; safe to run twice and by two starters at once.

    A revision named ``NNNN_additive_name`` is one that programs from before it can work with.

    Raises
    ------
    Failure
        a newer program changed the database so that this one cannot work with it
    Unavailable
        the database is away
    """
    database = Database(url)
    try:
        with database.write() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})")
            if _beyond(connection):
                return
            migrations = _migrations()
            migrations.attributes["connection"] = connection
            command.upgrade(migrations, revision)
    finally:
        database.close()


def pending(url: str) -> list[str]:
    """The revisions that `upgrade` would apply, the first to run first; raises as it does."""
    database = Database(url)
    try:
        with database.read() as connection:
            if _beyond(connection):
                return []
            present = MigrationContext.configure(connection).get_current_revision()
        script = ScriptDirectory.from_config(_migrations())
        return [one.revision for one in reversed(list(script.iterate_revisions("heads", present or "base")))]
    finally:
        database.close()


def is_additive(revision: str) -> bool:
    """What the name of a revision, known or not, says of older programs."""
    return revision[4:].startswith("_additive_")


def _beyond(connection: Connection) -> bool:
    """Whether a newer program has been here, with changes that this one can live with."""
    present = MigrationContext.configure(connection).get_current_revision()
    if present is None or knows(present):
        return False
    if is_additive(present):
        log.warning("a newer program has been here (%s); what it added is left alone", present)
        return True
    raise Failure(
        f"The account database (WNIS_SQL_URL) has been migrated by a newer program (it is at {present}).",
        mend="Start that version, or restore a backup from before the upgrade.",
    )


def knows(revision: str) -> bool:
    """Whether the schema had this version at some time; false for one of a newer program."""
    return revision in {script.revision for script in ScriptDirectory.from_config(_migrations()).walk_revisions()}


def _migrations() -> Config:
    migrations = Config()
    migrations.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return migrations


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except sqlalchemy.exc.ArgumentError as error:
        raise InvalidValue("WNIS_SQL_URL is not a SQLAlchemy URL.", mend="Correct WNIS_SQL_URL.") from error
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sqlalchemy.create_engine(parsed, connect_args={"timeout": 5, "check_same_thread": False}, pool_size=16)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if parsed.get_backend_name() == "postgresql":
        return sqlalchemy.create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            connect_args={"connect_timeout": 3, "options": "-c statement_timeout=10000"},
            pool_size=16,
            pool_timeout=5,
            pool_pre_ping=True,
        )
    raise InvalidValue(
        f"WNIS_SQL_URL names {parsed.get_backend_name()}, which is not supported.",
        mend="Use sqlite:///FILE or postgresql://USER@HOST/DATABASE.",
    )


def _prepare_sqlite(connection: Any, _: Any) -> None:
    # the driver's own implicit BEGIN would take a read lock first and fail when it must become a write lock
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get("wnis_write"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OperationalError, PoolTimeout) as error:
        raise Unavailable(
            "The account database is not available.", mend="Try again in a few seconds.", retry_after_s=5
        ) from error
