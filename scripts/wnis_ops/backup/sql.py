"""SQL databases as lines of JSON: one dump for SQLite and PostgreSQL, restored into either.

SQLite is copied by its online backup first, PostgreSQL is read in one repeatable-read transaction: either way the dump
is the state of one moment. The tables themselves are made by the programs that own them, never by a dump.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from wnis_core.errors import Conflict, InvalidValue, Unavailable
from wnis_core.settings import Settings

SERVICES = ("ml", "simulator")
_OF_THE_PROGRAM = frozenset({"alembic_version", "dbos_migrations"})
_NOT_OURS = ("information_schema", "pg_")
_BATCH = 500


def stores_of(settings: Settings) -> dict[str, str]:
    """The databases of an installation, by name; URLs with their driver."""
    stores = {"accounts": settings.sql_url}
    if settings.jobs_url:
        if sa.make_url(settings.jobs_url) != sa.make_url(settings.sql_url):
            stores["jobs"] = settings.jobs_url
    else:
        stores |= {f"jobs-{service}": settings.jobs_url_of(service) for service in SERVICES}
    return {name: with_driver(url) for name, url in stores.items()}


def with_driver(url: str) -> str:
    """PostgreSQL through psycopg 3, which is the driver that we install."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed.render_as_string(hide_password=False)


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite URL, None for another database."""
    parsed = sa.make_url(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


class Snapshot:
    """The state of one database at one moment, to be read later.

    Parameters
    ----------
    folder : takes the copy of a SQLite database
    """

    def __init__(self, name: str, url: str, folder: Path) -> None:
        self.name = name
        self.rows: dict[str, int] = defaultdict(int)
        source = sqlite_file(url)
        self._connection: sa.Connection | None = None
        if source is not None:
            copy = folder / f"{name}.sqlite"
            if source.is_file():
                with closing(sqlite3.connect(source, timeout=30)) as live, closing(sqlite3.connect(copy)) as kept:
                    live.backup(kept)
            url = f"sqlite:///{copy}"
        self._engine = sa.create_engine(url)
        try:
            level = "SERIALIZABLE" if source is not None else "REPEATABLE READ"
            self._connection = self._engine.connect().execution_options(isolation_level=level)
            # the first statement fixes what PostgreSQL shows from now on
            self._metadata = reflected(self._connection)
        except sa.exc.SQLAlchemyError as error:
            self.close()
            raise Unavailable(f"The SQL database of {name} does not answer.", mend="Check its URL.") from error

    def lines(self) -> Iterator[bytes]:
        """Every row of every table, tables in the order in which they can be filled."""
        assert self._connection is not None
        for table in self._metadata.sorted_tables:
            if table.name in _OF_THE_PROGRAM:
                continue
            self.rows[table.name] += 0
            for row in self._connection.execution_options(yield_per=_BATCH).execute(sa.select(table)).mappings():
                self.rows[table.name] += 1
                values = {name: _to_json(value) for name, value in row.items()}
                yield _line({"s": self.name, "t": table.name, "v": values})

    def revision(self) -> str:
        """The revision of the accounts' schema, empty where there is none."""
        assert self._connection is not None
        if "alembic_version" not in {table.name for table in self._metadata.sorted_tables}:
            return ""
        return str(self._connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() or "")

    def close(self) -> None:
        """Let go of the database."""
        if self._connection is not None:
            self._connection.close()
        self._engine.dispose()


def reflected(connection: sa.Connection) -> sa.MetaData:
    """All tables of a database, in whatever schema."""
    metadata = sa.MetaData()
    schemas: list[str | None] = [None]
    if connection.dialect.name == "postgresql":
        default = connection.dialect.default_schema_name
        names = sa.inspect(connection).get_schema_names()
        schemas += [n for n in names if n != default and not n.startswith(_NOT_OURS)]
    for schema in schemas:
        metadata.reflect(connection, schema=schema)
    return metadata


def load(connection: sa.Connection, rows: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Insert `rows` (table, values) in their order, within the transaction of `connection`.

    Raises
    ------
    InvalidValue
        a table is unknown here
    """
    tables = {table.name: table for table in reflected(connection).sorted_tables}
    filled: set[str] = set()
    for name, batch in _batches(rows):
        if name not in tables:
            raise InvalidValue(
                f"The set has rows for the table {name!r}, which this program does not know.",
                mend="Use the version of the program that made the set.",
            )
        connection.execute(sa.insert(tables[name]), batch)
        filled.add(name)
    if connection.dialect.name == "postgresql":
        for name in sorted(filled):
            _continue_numbering(connection, tables[name])


def counts(connection: sa.Connection) -> dict[str, int]:
    """Rows by table."""
    found = {}
    for table in reflected(connection).sorted_tables:
        if table.name not in _OF_THE_PROGRAM:
            found[table.name] = int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() or 0)
    return found


def refuse_unless_empty(name: str, url: str, expected: Mapping[str, int] | None) -> None:
    """Raise `Conflict` when the database has rows, unless they are exactly those that were `expected` of ours."""
    file = sqlite_file(url)
    if file is not None and not file.exists():
        return
    with opened(url) as connection:
        found = {table: rows for table, rows in counts(connection).items() if rows}
    if found and found != {table: rows for table, rows in (expected or {}).items() if rows}:
        raise Conflict(
            f"The SQL database {name} is not empty.",
            mend="Restore into an empty home or server (a new WNIS_HOME, another WNIS_SQL_URL).",
        )


@contextmanager
def opened(url: str) -> Iterator[sa.Connection]:
    """One transaction on the database at `url`."""
    engine = sa.create_engine(with_driver(url))
    try:
        with engine.begin() as connection:
            yield connection
    except sa.exc.OperationalError as error:
        if "disk is full" in str(error.orig):
            raise Unavailable(
                "The disk of a SQL database is full.", mend="Make room there and repeat the command."
            ) from error
        raise Unavailable("A SQL database does not answer.", mend="Check WNIS_SQL_URL and WNIS_JOBS_URL.") from error
    finally:
        engine.dispose()


def parsed(line: bytes) -> tuple[str, str, dict[str, Any]]:
    """Store, table and values of a line."""
    entry = json.loads(line)
    return entry["s"], entry["t"], {name: _from_json(value) for name, value in entry["v"].items()}


def _batches(rows: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    table, batch = "", list[dict[str, Any]]()
    for name, values in rows:
        if batch and (name != table or len(batch) >= _BATCH):
            yield table, batch
            batch = []
        table = name
        batch.append(values)
    if batch:
        yield table, batch


def _continue_numbering(connection: sa.Connection, table: sa.Table) -> None:
    column = table.autoincrement_column
    if column is None:
        return
    full = f'"{table.schema}"."{table.name}"' if table.schema else f'"{table.name}"'
    sequence = connection.execute(
        sa.text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": full, "column": column.name}
    ).scalar()
    highest = connection.execute(sa.select(sa.func.max(column))).scalar()
    if sequence and highest:
        connection.execute(sa.text("SELECT setval(:sequence, :highest)"), {"sequence": sequence, "highest": highest})


def _to_json(value: Any) -> Any:
    if isinstance(value, (bytes, memoryview)):
        return {"bytes": base64.b64encode(bytes(value)).decode("ascii")}
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, (dict, list)):
        return {"json": value}
    return value


def _from_json(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "bytes":
        return base64.b64decode(content)
    return datetime.fromisoformat(content) if kind == "datetime" else content


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
