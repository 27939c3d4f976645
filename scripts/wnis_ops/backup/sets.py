"""Where sets are kept: folders of one folder, or prefixes of one S3 bucket. A set without its manifest is none."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from wnis_core.errors import NotFound, WnisError

from wnis_ops.backup import manifest as manifests
from wnis_ops.backup.keys import BackupKey
from wnis_ops.backup.manifest import Manifest, open_manifest
from wnis_ops.backup.s3 import Bucket
from wnis_ops.place import Home

SET_NAME = re.compile(r"wnis-\d{8}T\d{6}Z-[0-9a-f]{6}")
LOCAL_DAYS = 7
REMOTE_DAYS = 30
_ABANDONED = timedelta(days=1)

Say = Callable[[str], None]


class Sets(Protocol):
    """A place with sets."""

    @property
    def keep_days(self) -> int:
        """How long sets are kept."""

    @property
    def location(self) -> str:
        """How a person names it."""

    def names(self) -> list[str]:
        """Names of what may be sets, oldest first."""

    def manifest(self, name: str) -> bytes:
        """The manifest of a set; raises `NotFound`."""

    def sizes(self, name: str) -> dict[str, int]:
        """Files of a set and their sizes."""

    def bring(self, name: str, part: str, file: Path) -> None:
        """Copy a part to `file`."""

    def remove(self, name: str) -> None:
        """Delete a set, its manifest first."""


@dataclass(frozen=True)
class FolderSets:
    """Sets in a folder."""

    root: Path
    keep_days: int = LOCAL_DAYS

    @property
    def location(self) -> str:
        return str(self.root)

    def names(self) -> list[str]:
        if not self.root.is_dir():
            return []
        return sorted(entry.name for entry in self.root.iterdir() if SET_NAME.fullmatch(entry.name) and entry.is_dir())

    def manifest(self, name: str) -> bytes:
        try:
            return (self.root / name / manifests.NAME).read_bytes()
        except OSError as error:
            raise NotFound(
                f"{self.root / name} is no set: it has no manifest.", mend="Name a set that `wnis backup` finished."
            ) from error

    def sizes(self, name: str) -> dict[str, int]:
        return {file.name: file.stat().st_size for file in (self.root / name).iterdir()}

    def bring(self, name: str, part: str, file: Path) -> None:
        source = self.root / name / part
        if not source.is_file():
            raise NotFound(f"The set {name} lacks {part}.", mend="Take another set.")
        file.unlink(missing_ok=True)
        try:
            os.link(source, file)
        except OSError:
            shutil.copyfile(source, file)

    def remove(self, name: str) -> None:
        (self.root / name / manifests.NAME).unlink(missing_ok=True)
        shutil.rmtree(self.root / name)


@dataclass(frozen=True)
class BucketSets:
    """Sets in an S3 bucket."""

    bucket: Bucket
    keep_days: int = REMOTE_DAYS

    @property
    def location(self) -> str:
        return self.bucket.location

    def names(self) -> list[str]:
        return sorted({name for key in self.bucket.sizes("") if SET_NAME.fullmatch(name := key.split("/", 1)[0])})

    def manifest(self, name: str) -> bytes:
        try:
            return self.bucket.read(f"{name}/{manifests.NAME}")
        except NotFound as error:
            raise NotFound(
                f"{self.location}/{name} is no set: it has no manifest.", mend="Name a set that was uploaded whole."
            ) from error

    def sizes(self, name: str) -> dict[str, int]:
        return {key.split("/", 1)[1]: size for key, size in self.bucket.sizes(f"{name}/").items()}

    def bring(self, name: str, part: str, file: Path) -> None:
        self.bucket.download(f"{name}/{part}", file)

    def remove(self, name: str) -> None:
        self.bucket.delete(f"{name}/{manifests.NAME}")
        for part in self.sizes(name):
            self.bucket.delete(f"{name}/{part}")


def local_sets(home: Home) -> FolderSets:
    """Where the sets of a home are unless told otherwise."""
    return FolderSets(home.path / "backup" / "sets")


def sets_at(location: str) -> Sets:
    """The sets at a folder or ``s3://bucket/prefix``."""
    if location.startswith("s3://"):
        parts = urlsplit(location)
        return BucketSets(Bucket(parts.netloc, parts.path.strip("/")))
    return FolderSets(Path(location).expanduser().resolve())


def find_set(home: Home, named: str) -> tuple[Sets, str]:
    """Place and name of the set that a person named: a path, an s3 address, or a name in the home's own folder."""
    base, _, name = named.rstrip("/").rpartition("/")
    if named.startswith("s3://") or base:
        return sets_at(base), name
    if Path(named).is_dir() and not SET_NAME.fullmatch(named):
        return FolderSets(Path.cwd()), name
    return local_sets(home), name


def newest(sets: Sets, key: BackupKey) -> Manifest | None:
    """The newest set that is whole."""
    for name in reversed(sets.names()):
        if (found := good(sets, name, key)) is not None:
            return found
    return None


def good(sets: Sets, name: str, key: BackupKey) -> Manifest | None:
    """The manifest of a set with all its parts in full size, else None."""
    try:
        found = open_manifest(sets.manifest(name), key, name)
    except WnisError:
        return None
    sizes = sets.sizes(name)
    return found if found.set_id == name and all(sizes.get(part.name) == part.bytes for part in found.parts) else None


def retain(sets: Sets, key: BackupKey, say: Say, *, at: datetime | None = None) -> list[str]:
    """Delete sets older than the place keeps them, and what unfinished backups left; never the newest good set."""
    at = at or datetime.now(UTC)
    last = newest(sets, key)
    removed = []
    for name in sets.names():
        if last is None or name == last.set_id:
            continue
        made = datetime.strptime(name[5:21], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        limit = timedelta(days=sets.keep_days) if good(sets, name, key) else _ABANDONED
        if at - made > limit:
            sets.remove(name)
            removed.append(name)
            say(f"Removed {name}: older than {limit.days} days.")
    return removed


def new_name() -> str:
    """A name for a set made now."""
    return f"wnis-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.urandom(3).hex()}"
