"""A small installation without services: a graph, SQL, jobs, objects and a signing key."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import neo4j
from dbos import DBOS
from wnis_api.accounts import ensure_admin
from wnis_api.sql import upgrade
from wnis_core.job_store import JobKey, JobStore
from wnis_core.objects import open_object_store
from wnis_core.secret_files import write_secret
from wnis_core.tokens import Caller
from wnis_graph.runner import Runner
from wnis_ops.backup.keys import BackupKey, ensure_key
from wnis_ops.backup.manifest import Manifest
from wnis_ops.backup.place import Installation
from wnis_ops.backup.restore import Report, Restore
from wnis_ops.backup.sets import FolderSets, find_set
from wnis_ops.backup.take import Backup
from wnis_ops.place import Home

from tests.component.backup.samples import fill
from tests.conftest import Neo4jServer

OBJECTS = {"models/a.model": b"model", "runs/1/nodes.parquet": b"\0" * 3_000_000, "sources/x:1%20.inp": b""}


def quiet(_: str) -> None:
    """Nobody listens."""


def environ_of(home: Path, server: Neo4jServer, key_file: Path) -> dict[str, str]:
    """The variables of an installation on `home` whose graph is `server`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("WNIS_", "NEO4J_", "AWS_"))}
    return {
        **kept, "WNIS_HOME": str(home), "NEO4J_URI": server.uri, "NEO4J_USER": server.user,
        "NEO4J_PASSWORD": server.password, "WNIS_BACKUP_KEY_FILE": str(key_file),
    }  # fmt: skip


def installation(home: Path, server: Neo4jServer, key_file: Path) -> Installation:
    """An installation, with nothing in it yet."""
    return Installation.of(Home(home), environ_of(home, server, key_file))


def build(town: Installation, driver: neo4j.Driver, nodes: int = 300) -> None:
    """Fill `town`."""
    settings = town.settings
    upgrade(settings.sql_url)
    fill(driver, nodes)
    ensure_admin(settings.sql_url, Runner(driver))
    for service in ("ml", "simulator"):
        url = settings.jobs_url_of(service)
        (town.home.path / "sql").mkdir(exist_ok=True)
        DBOS.migrate(url)
        jobs = JobStore(url, service)
        jobs.accept(JobKey("u", f"job-{service}"), "kind", {"a": "ü"}, Caller("u", "me", frozenset({"admin"}), "r"))
        jobs.close()
    store = open_object_store(settings.object_store)
    for key, content in OBJECTS.items():
        store.put(key, content)
    write_secret(town.home.path / "secrets" / "signing-key", secrets.token_hex(32))


def key_of(folder: Path) -> BackupKey:
    """A key kept beside the homes."""
    write_secret(folder / "key", secrets.token_hex(32)) if not (folder / "key").exists() else None
    return ensure_key(Home(folder), {"WNIS_BACKUP_KEY_FILE": str(folder / "key")})[0]


def take(town: Installation, key: BackupKey, to: str | None = None) -> tuple[FolderSets, Manifest]:
    """A set of `town`."""
    taken = Backup(town, key, None, quiet).take(to)
    return FolderSets(town.home.path / "backup" / "sets"), taken.manifest


def restore(into: Installation, key: BackupKey, named: str) -> Report:
    """The set at the path or address `named` into an installation."""
    sets, name = find_set(into.home, named)
    return Restore(into, key, sets, name, quiet).run()


def objects_of(town: Installation) -> dict[str, bytes]:
    """Every object."""
    store = open_object_store(town.settings.object_store)
    return {key: store.get(key) for key in store.list()}
