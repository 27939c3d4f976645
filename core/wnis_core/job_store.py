"""The table of jobs: what people see of a job, beside the tables by which DBOS executes it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from wnis_core.clock import now
from wnis_core.tokens import Caller

_FINISHED = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True)
class JobView:
    """A job as CONTRACT.md shows it; `error` is a problem document."""

    id: str
    kind: str
    service: str
    utility: str
    state: str
    progress: float
    message: str
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    requested_by: str
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class JobKey:
    """A job's id is its utility's own: two utilities may use the same one."""

    utility: str
    job_id: str

    def as_text(self) -> str:
        return f"{quote(self.utility, safe='')}/{quote(self.job_id, safe='')}"


@dataclass(frozen=True)
class JobCount:
    """How many jobs of a kind are in a state, and since when the oldest of them is there."""

    kind: str
    state: str
    jobs: int
    oldest: datetime


_metadata = sa.MetaData()
_JOB = sa.Table(
    "wnis_job",
    _metadata,
    sa.Column("service", sa.String, primary_key=True),
    sa.Column("utility", sa.String, primary_key=True),
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("progress", sa.Float, nullable=False),
    sa.Column("message", sa.String, nullable=False),
    sa.Column("arguments", sa.Text, nullable=False),
    sa.Column("caller", sa.Text, nullable=False),
    sa.Column("result", sa.Text),
    sa.Column("error", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("cancel_requested", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.String, nullable=False),
    sa.Column("finished_at", sa.String),
    # how often it changed, and up to which change the sink was told
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("told_revision", sa.Integer, nullable=False),
)


class JobStore:
    """Jobs of one service in one database; safe for threads and for several processes."""

    def __init__(self, url: str, service: str) -> None:
        self._service = service
        parsed = sa.make_url(url)
        arguments: dict[str, Any] = {}
        if parsed.get_backend_name() == "sqlite":
            if parsed.database and parsed.database != ":memory:":
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            arguments["timeout"] = 30
        self._engine = sa.create_engine(_with_driver(parsed), connect_args=arguments)
        if self._engine.dialect.name == "sqlite":
            sa.event.listen(self._engine, "connect", _prepare_sqlite)
        _metadata.create_all(self._engine, checkfirst=True)

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    def answers(self) -> bool:
        """Whether the database answers."""
        try:
            with self._engine.connect() as connection:
                connection.execute(sa.text("SELECT 1"))
        except sa.exc.SQLAlchemyError:
            return False
        return True

    def accept(self, key: JobKey, kind: str, arguments: dict[str, Any], caller: Caller) -> JobView:
        """The job of this key, made now if there is none."""
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        row = {
            "service": self._service,
            "utility": key.utility,
            "id": key.job_id,
            "kind": kind,
            "state": "queued",
            "progress": 0.0,
            "message": "",
            "arguments": json.dumps(arguments),
            "caller": json.dumps({"user": caller.user, "roles": sorted(caller.roles), "request_id": caller.request_id}),
            "attempts": 0,
            "cancel_requested": False,
            "created_at": now().isoformat(),
            "revision": 1,
            "told_revision": 0,
        }
        with self._engine.begin() as connection:
            connection.execute(dialect.insert(_JOB).values(**row).on_conflict_do_nothing())
        view = self.find(key)
        assert view is not None, "a row that was just inserted or in the way"
        return view

    def find(self, key: JobKey) -> JobView | None:
        """The job of this key, if there is one."""
        found = self.find_with_revision(key)
        return found[0] if found else None

    def find_with_revision(self, key: JobKey) -> tuple[JobView, int] | None:
        """The job and how often it has changed."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(_JOB).where(*self._is(key))).mappings().one_or_none()
        return None if row is None else (_view(row), int(row["revision"]))

    def start(self, key: JobKey) -> tuple[int, str, dict[str, Any], Caller] | None:
        """Mark one more start of an unfinished job: attempt, kind, arguments, caller; None when it is finished."""
        began = (
            sa.update(_JOB)
            .where(*self._is(key), _JOB.c.state.not_in(_FINISHED))
            .values(state="running", progress=0.0, message="", attempts=_JOB.c.attempts + 1, revision=_bumped())
            .returning(_JOB.c.attempts, _JOB.c.kind, _JOB.c.arguments, _JOB.c.caller)
        )
        with self._engine.begin() as connection:
            row = connection.execute(began).one_or_none()
        if row is None:
            return None
        caller = json.loads(row.caller)
        return (
            row.attempts,
            row.kind,
            json.loads(row.arguments),
            Caller(key.utility, caller["user"], frozenset(caller["roles"]), caller["request_id"]),
        )

    def record_progress(self, key: JobKey, fraction: float, message: str) -> None:
        self._change(key, _JOB.c.state == "running", progress=fraction, message=message)

    def finish(self, key: JobKey, state: str, result: dict[str, Any] | None, error: dict[str, Any] | None) -> None:
        """Give the job its final state."""
        final: dict[str, Any] = {"progress": 1.0} if state == "succeeded" else {}
        self._change(
            key,
            _JOB.c.state.not_in(_FINISHED),
            state=state,
            message="",
            result=None if result is None else json.dumps(result),
            error=None if error is None else json.dumps(error),
            finished_at=now().isoformat(),
            **final,
        )

    def request_cancel(self, key: JobKey) -> None:
        """End the job when it waits; leave the wish when it runs."""
        self._change(key, _JOB.c.state == "queued", state="cancelled", finished_at=now().isoformat())
        self._change(key, _JOB.c.state == "running", cancel_requested=True)

    def cancel_requested(self, key: JobKey) -> bool:
        with self._engine.connect() as connection:
            return bool(connection.execute(sa.select(_JOB.c.cancel_requested).where(*self._is(key))).scalar())

    def unfinished(self) -> list[JobKey]:
        """Jobs that are not finished, oldest first."""
        wanted = sa.select(_JOB.c.utility, _JOB.c.id).where(
            _JOB.c.service == self._service, _JOB.c.state.not_in(_FINISHED)
        )
        with self._engine.connect() as connection:
            return [JobKey(row.utility, row.id) for row in connection.execute(wanted.order_by(_JOB.c.created_at))]

    def census(self) -> list[JobCount]:
        """The jobs of this service, all utilities together, by kind and state."""
        counted = (
            sa.select(_JOB.c.kind, _JOB.c.state, sa.func.count().label("jobs"), sa.func.min(_JOB.c.created_at))
            .where(_JOB.c.service == self._service)
            .group_by(_JOB.c.kind, _JOB.c.state)
        )
        with self._engine.connect() as connection:
            return [JobCount(kind, state, jobs, _moment(oldest)) for kind, state, jobs, oldest in
                    connection.execute(counted)]  # fmt: skip

    def untold(self) -> list[JobKey]:
        """Jobs with changes that the sink has not taken."""
        wanted = sa.select(_JOB.c.utility, _JOB.c.id).where(
            _JOB.c.service == self._service, _JOB.c.told_revision < _JOB.c.revision
        )
        with self._engine.connect() as connection:
            return [JobKey(row.utility, row.id) for row in connection.execute(wanted.order_by(_JOB.c.created_at))]

    def told(self, key: JobKey, revision: int) -> None:
        """Remember that the sink took the job as of `revision`."""
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(_JOB).where(*self._is(key), _JOB.c.told_revision < revision).values(told_revision=revision)
            )

    def _is(self, key: JobKey) -> tuple[sa.ColumnElement[bool], ...]:
        return _JOB.c.service == self._service, _JOB.c.utility == key.utility, _JOB.c.id == key.job_id

    def _change(self, key: JobKey, condition: sa.ColumnElement[bool], **values: Any) -> None:
        with self._engine.begin() as connection:
            connection.execute(sa.update(_JOB).where(*self._is(key), condition).values(**values, revision=_bumped()))


def _bumped() -> sa.ColumnElement[int]:
    return _JOB.c.revision + 1


def _with_driver(url: sa.URL) -> sa.URL:
    """PostgreSQL through psycopg 3, which is the driver that we install."""
    return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgresql", "postgres") else url


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # readers go on while DBOS writes to the same file
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA busy_timeout=30000")


def _view(row: sa.RowMapping) -> JobView:
    return JobView(
        id=row["id"],
        kind=row["kind"],
        service=row["service"],
        utility=row["utility"],
        state=row["state"],
        progress=row["progress"],
        message=row["message"],
        result=None if row["result"] is None else json.loads(row["result"]),
        error=None if row["error"] is None else json.loads(row["error"]),
        requested_by=json.loads(row["caller"])["user"],
        created_at=_moment(row["created_at"]),
        finished_at=None if row["finished_at"] is None else _moment(row["finished_at"]),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
