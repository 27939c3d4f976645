"""Makes a set: one cut through graph, SQL, jobs and objects, sealed and listed in a manifest."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from wnis_core.clock import iso, now
from wnis_core.errors import Conflict, Unavailable, WnisError
from wnis_core.settings import SETTINGS, Settings
from wnis_graph.bundle import export_lines, rehearse
from wnis_graph.migrations.lease import Lease
from wnis_graph.runner import open_driver
from wnis_graph.write_gate import WritePause

from wnis_ops.backup import manifest as manifests
from wnis_ops.backup import objects, samples, sql
from wnis_ops.backup.keys import BackupKey
from wnis_ops.backup.manifest import Manifest, Part
from wnis_ops.backup.offline import dump_pieces
from wnis_ops.backup.place import Installation
from wnis_ops.backup.sealed import Sealed, seal
from wnis_ops.backup.sets import BucketSets, FolderSets, Say, new_name, retain, sets_at
from wnis_ops.client import ApiClient

GRAPH, GRAPH_DUMP, SQL, OBJECTS, KEYS, CONFIGURATION = "graph", "graph-dump", "sql", "objects", "keys", "configuration"
_PENDING = "pending.json"


@dataclass(frozen=True)
class Taken:
    """A finished backup."""

    manifest: Manifest
    location: str
    seconds: float


class Backup:
    """One run of `wnis backup`.

    Parameters
    ----------
    client : answers the samples; None when no API runs
    """

    def __init__(self, installation: Installation, key: BackupKey, client: ApiClient | None, say: Say) -> None:
        self._from = installation
        self._settings: Settings = installation.settings
        self._key = key
        self._client = client
        self._say = say

    def take(self, to: str | None, *, offline: bool = False) -> Taken:
        """Make a set at `to` (a folder or ``s3://bucket/prefix``), by default in the home.

        Raises
        ------
        WnisError
            whatever stood in the way; no set has come into being then
        """
        began = time.monotonic()
        own = FolderSets(self._from.home.path / "backup" / "sets")
        remote = sets_at(to) if to and to.startswith("s3://") else None
        target = own if to is None or remote else sets_at(to)
        assert isinstance(target, FolderSets)
        if isinstance(remote, BucketSets):
            self._finish_earlier(own, remote)
        name = new_name()
        folder = target.root / name
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise Unavailable(
                f"{target.root} cannot be written ({error.strerror}).", mend="Choose another folder with --to."
            ) from error
        try:
            manifest = self._make(name, folder, offline=offline)
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, OSError | sqlite3.Error):
                raise Unavailable(
                    f"The set cannot be written to {target.root} ({getattr(error, 'strerror', None) or error}).",
                    mend="Make room there, or choose another folder with --to.",
                ) from error
            raise
        location = str(folder)
        if isinstance(remote, BucketSets):
            location = self._upload(folder, manifest, remote)
            retain(remote, self._key, self._say)
        retain(target, self._key, self._say)
        return Taken(manifest, location, round(time.monotonic() - began, 2))

    def _make(self, name: str, folder: Path, *, offline: bool) -> Manifest:
        created = iso(now()) or ""
        with ExitStack() as held:
            scratch = folder / "scratch"
            scratch.mkdir()
            held.callback(shutil.rmtree, scratch, ignore_errors=True)
            cut = self._cut_offline(name, scratch, held) if offline else self._cut(name, scratch, held)
            self._say("Sealing SQL, objects and configuration.")
            for kind, content in (
                (SQL, (line for one in cut.databases for line in one.lines())),
                (OBJECTS, cut.objects.lines()),
                (CONFIGURATION, iter([json.dumps(self._configuration(), indent=1).encode()])),
                (KEYS, iter([json.dumps({"WNIS_SIGNING_KEY": self._from.signing_key()}).encode()])),
            ):
                cut.parts[kind] = seal(scratch / f"{kind}.sealed", self._key, f"{name}/{kind}", content)
            for kind in cut.parts:
                os.replace(scratch / f"{kind}.sealed", folder / f"{kind}.sealed")
            manifest = Manifest(
                set_id=name,
                program_version=version("wnis"),
                created_at=created,
                finished_at=iso(now()) or "",
                pause_seconds=round(cut.pause_seconds, 3),
                offline=offline,
                migrations=cut.migrations,
                sql_revision=cut.databases[0].revision(),
                parts=tuple(
                    Part(f"{kind}.sealed", kind, done.bytes, done.sha256, done.content_bytes)
                    for kind, done in cut.parts.items()
                ),
                graph=cut.graph,
                sql={one.name: dict(one.rows) for one in cut.databases},
                objects={"number": len(cut.objects.keys), "bytes": cut.objects.size_bytes},
                samples=cut.samples,
            )
        # the manifest last, and whole: before it there is no set
        _flushed(folder)
        _write(folder / manifests.NAME, manifest.seal(self._key))
        _flushed(folder)
        _flushed(folder.parent)
        return manifest

    def _cut(self, name: str, scratch: Path, held: ExitStack) -> Cut:
        driver = open_driver(*self._from.running_graph())
        held.callback(driver.close)
        # what is asked for the first time takes graph and API seconds: they need not be seconds of the pause
        rehearse(driver)
        if self._client is not None:
            samples.take(self._client)
        self._say("Pausing writes.")
        with ExitStack() as paused:
            # no program brings the schema up to date meanwhile
            paused.enter_context(Lease(driver, "migrations", patience_s=30))
            pause = paused.enter_context(WritePause(driver))
            self._say("Reading the graph.")
            watched = _Watched(export_lines(driver))
            graph = seal(scratch / f"{GRAPH}.sealed", self._key, f"{name}/{GRAPH}", watched)
            cut = self._rest(scratch, held)
            if self._client is not None:
                cut = replace(cut, samples=samples.take(self._client))
            pause.confirm()
        self._say(f"Writes go on; they were paused for {pause.seconds:.2f} s.")
        cut.parts[GRAPH] = graph
        header, end = json.loads(watched.first)["header"], json.loads(watched.last)["end"]
        return replace(cut, graph=end, migrations=tuple(header["migrations"]), pause_seconds=pause.seconds)

    def _cut_offline(self, name: str, scratch: Path, held: ExitStack) -> Cut:
        if not self._from.has_own_graph:
            raise Conflict(
                "NEO4J_URI names a server that is not ours to stop.",
                mend="Leave --offline out, or make the dump on that server itself.",
            )
        if self._from.runs:
            raise Conflict(f"The instance on {self._from.home.path} runs.", mend="Stop it with `wnis down`.")
        pieces, migrations, census = dump_pieces(self._from.own_server(), scratch, self._say)
        graph = seal(scratch / f"{GRAPH_DUMP}.sealed", self._key, f"{name}/{GRAPH_DUMP}", pieces)
        cut = self._rest(scratch, held)
        cut.parts[GRAPH_DUMP] = graph
        return replace(cut, graph=census, migrations=migrations)

    def _rest(self, scratch: Path, held: ExitStack) -> Cut:
        """SQL and objects as they are at this moment."""
        databases = []
        for store, url in sql.stores_of(self._settings).items():
            one = sql.Snapshot(store, url, scratch)
            held.callback(one.close)
            databases.append(one)
        return Cut(tuple(databases), objects.snapshot(self._settings.object_store, scratch / "objects"), {})

    def _configuration(self) -> dict[str, str]:
        secret = {variable.name for variable in SETTINGS if variable.secret}
        given = {v.name: self._from.environ[v.name] for v in SETTINGS if v.name in self._from.environ}
        return {name: without_password(value) for name, value in given.items() if name not in secret}

    def _finish_earlier(self, own: FolderSets, remote: BucketSets) -> None:
        for name in own.names():
            folder = own.root / name
            if not (folder / _PENDING).is_file():
                continue
            if json.loads((folder / _PENDING).read_text(encoding="utf-8"))["to"] != remote.location:
                continue
            self._say(f"Finishing the upload of {name}.")
            manifest = manifests.open_manifest((folder / manifests.NAME).read_bytes(), self._key, name)
            self._upload(folder, manifest, remote)

    def _upload(self, folder: Path, manifest: Manifest, remote: BucketSets) -> str:
        pending = folder / _PENDING
        _write(pending, json.dumps({"to": remote.location}).encode())
        for part in manifest.parts:
            self._say(f"Uploading {part.name} ({part.bytes / 1e6:.1f} MB).")
            key, progress = f"{manifest.set_id}/{part.name}", folder / f"upload-{part.kind}.json"
            remote.bucket.upload(key, folder / part.name, progress)
        remote.bucket.write(f"{manifest.set_id}/{manifests.NAME}", (folder / manifests.NAME).read_bytes())
        pending.unlink()
        return f"{remote.location}/{manifest.set_id}"


@dataclass(frozen=True)
class Cut:
    """What was taken at one moment."""

    databases: tuple[sql.Snapshot, ...]
    objects: objects.ObjectSnapshot
    parts: dict[str, Sealed]
    graph: dict[str, Any] = field(default_factory=dict)
    migrations: tuple[str, ...] = ()
    samples: dict[str, dict[str, Any]] = field(default_factory=dict)
    pause_seconds: float = 0.0


class _Watched:
    """Passes lines on and remembers the first and the last."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self.first = self.last = b""

    def __iter__(self) -> Iterator[bytes]:
        for line in self._lines:
            self.first = self.first or line
            self.last = line
            yield line


def sample_client(find: Callable[[], ApiClient]) -> ApiClient | None:
    """The client of the running API, None when there is none to ask."""
    try:
        client = find()
        client.get("/networks?limit=1")
    except WnisError:
        return None
    return client


def without_password(value: str) -> str:
    """`value`, with the password of a database's URL left out."""
    try:
        return sa.make_url(value).render_as_string(hide_password=True) if "://" in value and "@" in value else value
    except sa.exc.ArgumentError:
        return ""


def _write(file: Path, content: bytes) -> None:
    fresh = file.with_suffix(".new")
    with fresh.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(fresh, file)


def _flushed(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
