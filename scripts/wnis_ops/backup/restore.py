"""Brings a set back: everything is verified first, then filled in, stage by stage, and compared at the end.

What has been done is kept in ``WNIS_HOME/backup/restore.json``: the same command after a crash goes on from there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dbos import DBOS
from wnis_api import sql as accounts
from wnis_core.errors import Conflict, Failure, InvalidValue
from wnis_core.job_store import JobStore
from wnis_core.objects import open_object_store
from wnis_core.secret_files import write_secret
from wnis_graph.bundle import GraphLoader, read_census, take_census
from wnis_graph.migrations import MIGRATIONS
from wnis_graph.runner import open_driver

from wnis_ops.backup import objects, sql
from wnis_ops.backup.keys import BackupKey
from wnis_ops.backup.manifest import Manifest, Part, open_manifest
from wnis_ops.backup.offline import load_dump
from wnis_ops.backup.place import Installation, writing_to
from wnis_ops.backup.sealed import lines, unseal
from wnis_ops.backup.sets import Say, Sets
from wnis_ops.backup.take import CONFIGURATION, GRAPH, GRAPH_DUMP, KEYS, OBJECTS, SQL

_PIECE = 1 << 20


@dataclass
class Report:
    """What a restore did, and whether the result is what was backed up."""

    set_id: str
    finished_at: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    graph: dict[str, Any] = field(default_factory=dict)
    sql: dict[str, dict[str, int]] = field(default_factory=dict)
    objects: dict[str, int] = field(default_factory=dict)
    checks: dict[str, bool] = field(default_factory=dict)
    samples: int = 0
    different: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything is as it was."""
        return all(self.checks.values()) and not self.different

    def document(self) -> dict[str, Any]:
        """The report as JSON."""
        return {"ok": self.ok, **asdict(self)}


class Restore:
    """One set into one empty installation."""

    def __init__(self, into: Installation, key: BackupKey, sets: Sets, name: str, say: Say) -> None:
        self._into = into
        self._key = key
        self._sets = sets
        self._name = name
        self._say = say
        self._folder = into.home.path / "backup" / "incoming" / name
        self._state_file = into.home.path / "backup" / "restore.json"
        self._done: list[str] = []
        self.manifest: Manifest | None = None

    def run(self) -> Report:
        """Verify, then fill; the instance is not started.

        Raises
        ------
        WnisError
            the set is not whole, not ours or of another key, or the target is not empty: nothing was touched then
        """
        with writing_to(self._into.home):
            return self._run()

    def _run(self) -> Report:
        manifest = self.verify()
        report = Report(self._name)
        self._refuse_unless_ours()
        home = self._into.home.path
        self._begin()
        for stage, work in (
            ("graph", self._restore_graph),
            ("sql", self._restore_sql),
            ("objects", self._restore_objects),
            ("keys", self._restore_keys),
        ):
            began = time.monotonic()
            if stage not in self._done:
                self._say(f"Restoring {stage}.")
                work(manifest)
                self._mark(stage)
            report.seconds[stage] = round(time.monotonic() - began, 2)
        self._compare(manifest, report)
        shutil.rmtree(home / "backup" / "incoming", ignore_errors=True)
        return report

    def verify(self) -> Manifest:
        """Manifest, hashes, decryption and content of every part, schema and program.

        Raises
        ------
        WnisError
            what is wrong with the set
        """
        self._say(f"Verifying {self._name}.")
        manifest = open_manifest(self._sets.manifest(self._name), self._key, self._name)
        if manifest.set_id != self._name:
            raise InvalidValue(f"{self._name} holds the manifest of {manifest.set_id}.", mend="Take another set.")
        known = {migration.id for migration in MIGRATIONS}
        if newer := sorted(set(manifest.migrations) - known):
            raise InvalidValue(
                f"The set comes from a newer program ({manifest.program_version}; its graph has {', '.join(newer)}).",
                mend="Use that version of the program.",
            )
        if manifest.sql_revision and not accounts.knows(manifest.sql_revision):
            raise InvalidValue(
                f"The set comes from another program (its SQL schema is {manifest.sql_revision}).",
                mend=f"Use version {manifest.program_version} of the program.",
            )
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for part in manifest.parts:
                self._bring(part)
            self._read_through(manifest)
        except BaseException:
            if not self._state_file.exists():
                shutil.rmtree(self._into.home.path / "backup" / "incoming", ignore_errors=True)
            raise
        self.manifest = manifest
        return manifest

    def content(self, kind: str) -> Iterator[bytes]:
        """The opened content of a part."""
        return unseal(self._folder / f"{kind}.sealed", self._key, f"{self._name}/{kind}")

    def _bring(self, part: Part) -> None:
        file = self._folder / part.name
        if file.is_file() and file.stat().st_size == part.bytes and _sha256(file) == part.sha256:
            return
        self._sets.bring(self._name, part.name, file)
        size = file.stat().st_size
        if size != part.bytes:
            raise InvalidValue(
                f"{part.name} of the set has {size} bytes instead of {part.bytes}.", mend="Take another set."
            )
        if _sha256(file) != part.sha256:
            file.unlink()
            raise InvalidValue(f"{part.name} of the set was altered: its hash is wrong.", mend="Take another set.")

    def _read_through(self, manifest: Manifest) -> None:
        if manifest.part(GRAPH) is not None:
            _, census = read_census(lines(self.content(GRAPH)))
            if census != manifest.graph:
                raise InvalidValue("The graph of the set is not the one of its manifest.", mend="Take another set.")
        for kind in (GRAPH_DUMP, CONFIGURATION, KEYS):
            if manifest.part(kind) is not None:
                for _ in self.content(kind):
                    pass
        found: dict[str, dict[str, int]] = {store: dict.fromkeys(t, 0) for store, t in manifest.sql.items()}
        for line in lines(self.content(SQL)):
            store, table, _ = sql.parsed(line)
            found[store][table] += 1
        number, size = objects.count(self.content(OBJECTS))
        if found != manifest.sql or {"number": number, "bytes": size} != manifest.objects:
            raise InvalidValue("The set does not hold what its manifest says.", mend="Take another set.")

    def _refuse_unless_ours(self) -> None:
        """Everything must be empty, except for what an earlier attempt with this very set has filled in."""
        if self._into.runs:
            raise Conflict(
                f"An instance runs on {self._into.home.path}.", mend="Stop it with `wnis down`, or choose another home."
            )
        state = self._state()
        if state and state["set"] != self._name:
            raise Conflict(
                f"The restore of {state['set']} was begun here.",
                mend="Finish it by the same command, or restore into an empty home.",
            )
        self._done = list(state["done"]) if state else []
        assert self.manifest is not None
        if "graph" not in self._done:
            if self._into.has_own_graph:
                if not state and (self._into.home.path / "neo4j" / "data").exists():
                    raise _not_empty(f"{self._into.home.path} has a graph already")
            else:
                with self._graph() as driver:
                    GraphLoader(driver, self._name).refuse_unless_empty()
        if "sql" not in self._done:
            for store, url in self._stores().items():
                expected = _expected(self.manifest, store) if state else None
                sql.refuse_unless_empty(store, url, expected)
        if not state and next(iter(open_object_store(self._into.settings.object_store).list()), None) is not None:
            raise _not_empty(f"the object store {self._into.settings.object_store} has objects")

    def _restore_graph(self, manifest: Manifest) -> None:
        if manifest.part(GRAPH_DUMP) is not None:
            self._restore_dump()
            return

        def progress(nodes: int, relationships: int) -> None:
            total = manifest.graph["nodes"] + manifest.graph["relationships"]
            self._say(f"  {nodes + relationships} of {total} nodes and relationships")

        with self._graph() as driver:
            GraphLoader(driver, self._name).load(lines(self.content(GRAPH)), progress)
            self._mark("graph")
            GraphLoader(driver, self._name).finish()

    def _restore_dump(self) -> None:
        if not self._into.has_own_graph:
            raise Conflict(
                "The set holds Neo4j's own dump, which goes into a home's own server only.",
                mend="Unset NEO4J_URI and restore into an empty home.",
            )
        server = self._into.own_server()
        with server:
            pass  # makes its folders and its password
        load_dump(server, self.content(GRAPH_DUMP), self._folder / "dump")

    def _restore_sql(self, manifest: Manifest) -> None:
        stores = self._stores()
        rows: dict[str, list[str]] = {url: [] for url in stores.values()}
        for store in manifest.sql:
            rows[self._target(store)].append(store)
        for url, given in rows.items():
            file = sql.sqlite_file(url)
            work_url = url
            if file is not None:
                fresh = file.with_name(file.name + ".restoring")
                for left in file.parent.glob(fresh.name + "*"):
                    left.unlink()
                fresh.parent.mkdir(parents=True, exist_ok=True)
                work_url = f"sqlite:///{fresh}"
            self._prepare_tables(work_url, given, manifest)
            wanted = {store: manifest.sql[store] for store in given}
            with sql.opened(work_url) as connection:
                if not any(sql.counts(connection).values()):
                    sql.load(connection, self._rows(set(wanted)))
            if file is not None:
                _settle_sqlite(fresh)
                os.replace(fresh, file)
        if manifest.sql_revision:
            accounts.upgrade(self._into.settings.sql_url)

    def _prepare_tables(self, url: str, stores: list[str], manifest: Manifest) -> None:
        """The tables as the programs make them; the accounts' at the version of the set."""
        if "accounts" in stores:
            accounts.upgrade(url, manifest.sql_revision or "head")
        if any(store.startswith("jobs") for store in stores) or "wnis_job" in manifest.sql["accounts"]:
            with _quiet_dbos():
                DBOS.migrate(url)
            JobStore(url, "restore").close()

    def _rows(self, stores: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        for line in lines(self.content(SQL)):
            store, table, values = sql.parsed(line)
            if store in stores:
                yield table, values

    def _target(self, store: str) -> str:
        """The URL here of a database of the set; jobs of all services may lie in one database or in several."""
        stores = self._stores()
        if store in stores:
            return stores[store]
        if store.startswith("jobs"):
            return stores.get("jobs") or stores["accounts"]
        raise InvalidValue(f"The set has a database {store!r} that has no place here.", mend="Take another set.")

    def _stores(self) -> dict[str, str]:
        stores = sql.stores_of(self._into.settings)
        assert self.manifest is not None
        if "jobs" in self.manifest.sql and "jobs" not in stores:
            # one database of jobs becomes one a service: each finds its own by the column `service`
            raise InvalidValue(
                "The set keeps the jobs of all services in one database.",
                mend="Set WNIS_JOBS_URL to one database here too, for example sqlite:////path/jobs.sqlite.",
            )
        return stores

    def _restore_objects(self, manifest: Manifest) -> None:
        store = open_object_store(self._into.settings.object_store)
        objects.restore(store, self.content(OBJECTS), self._folder / "scratch")

    def _restore_keys(self, manifest: Manifest) -> None:
        seed = json.loads(b"".join(self.content(KEYS)))["WNIS_SIGNING_KEY"]
        file = self._into.home.path / "secrets" / "signing-key"
        if self._into.settings.signing_key:
            if self._into.settings.signing_key != seed:
                self._say("WNIS_SIGNING_KEY is not the key that signed the models of this set: they will be refused.")
        elif seed:
            write_secret(file, seed)
        text = b"".join(self.content(CONFIGURATION)).decode()
        (self._into.home.path / "backup" / "configuration.json").write_text(text, encoding="utf-8")

    def _compare(self, manifest: Manifest, report: Report) -> None:
        self._say("Comparing what is here with what was backed up.")
        began = time.monotonic()
        with self._graph() as driver:
            report.graph = take_census(driver).document()
        report.checks["graph: counts and checksums"] = report.graph == manifest.graph
        for url in set(sql.stores_of(self._into.settings).values()):
            stores = [store for store in manifest.sql if self._target(store) == url]
            with sql.opened(url) as connection:
                found = sql.counts(connection)
            for store in stores:
                wanted = manifest.sql[store]
                report.sql[store] = {table: found.get(table, -1) for table in wanted}
                report.checks[f"sql: {store}"] = report.sql[store] == wanted
        kept = open_object_store(self._into.settings.object_store)
        report.objects = {"number": sum(1 for _ in kept.list())}
        report.checks["objects: number"] = report.objects["number"] == manifest.objects["number"]
        report.seconds["compare"] = round(time.monotonic() - began, 2)

    @contextlib.contextmanager
    def _graph(self) -> Iterator[Any]:
        settings = self._into.settings
        with contextlib.ExitStack() as held:
            if self._into.has_own_graph:
                server = held.enter_context(self._into.own_server())
                driver = open_driver(server.uri, server.user, server.password)
            else:
                driver = open_driver(settings.neo4j_uri, settings.neo4j_user, settings.neo4j_password)
            held.callback(driver.close)
            yield driver

    def _state(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads(self._state_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found

    def _begin(self) -> None:
        self._write_state()

    def _mark(self, stage: str) -> None:
        if stage not in self._done:
            self._done.append(stage)
        self._write_state()

    def _write_state(self) -> None:
        fresh = self._state_file.with_suffix(".new")
        fresh.write_text(json.dumps({"set": self._name, "done": self._done}), encoding="utf-8")
        os.replace(fresh, self._state_file)

    def forget(self) -> None:
        """The restore is over: another one here would need another empty home."""
        self._state_file.unlink(missing_ok=True)


def _expected(manifest: Manifest, store: str) -> Mapping[str, int]:
    return manifest.sql.get(store, {})


def _not_empty(what: str) -> Conflict:
    return Conflict(
        f"The target is not empty: {what}.",
        mend="Restore into an empty home (a new WNIS_HOME) or an empty server.",
    )


def _settle_sqlite(file: Path) -> None:
    """One file with everything in it, flushed: what was written ahead is taken in."""
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
        if connection.exec_driver_sql("PRAGMA integrity_check").scalar() != "ok":
            raise Failure(f"{file} is damaged.", mend="Check the disk.")
    engine.dispose()


@contextlib.contextmanager
def _quiet_dbos() -> Iterator[None]:
    import logging

    logger = logging.getLogger("dbos")
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
