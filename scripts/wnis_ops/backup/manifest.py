"""The manifest of a set: what is in it, authenticated with the key of the backups. Without it there is no set."""

from __future__ import annotations

import hmac
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from wnis_core.errors import InvalidValue

from wnis_ops.backup.keys import BackupKey

NAME = "manifest.json"
FORMAT = "wnis-backup/1"


@dataclass(frozen=True)
class Part:
    """One sealed file of a set: `kind` says what it restores."""

    name: str
    kind: str
    bytes: int
    sha256: str
    content_bytes: int


@dataclass(frozen=True)
class Manifest:
    """What a set holds.

    Parameters
    ----------
    pause_seconds : how long writes were refused
    graph : counts by label and relationship type, and checksums
    sql : rows by store and table
    objects : number and size of the objects
    samples : answers of the API at the cut, by path: status and SHA-256
    """

    set_id: str
    program_version: str
    created_at: str
    finished_at: str
    pause_seconds: float
    offline: bool
    migrations: tuple[str, ...]
    sql_revision: str
    parts: tuple[Part, ...]
    graph: dict[str, Any]
    sql: dict[str, dict[str, int]]
    objects: dict[str, int]
    samples: dict[str, dict[str, Any]] = field(default_factory=dict)
    signer: str = ""

    @property
    def size_bytes(self) -> int:
        """Size of all parts."""
        return sum(part.bytes for part in self.parts)

    @property
    def finished(self) -> datetime:
        """When it was complete."""
        return datetime.fromisoformat(self.finished_at)

    def part(self, kind: str) -> Part | None:
        """The part of a kind, if the set has one."""
        return next((part for part in self.parts if part.kind == kind), None)

    def seal(self, key: BackupKey) -> bytes:
        """The file."""
        body = {"format": FORMAT, "key_id": key.id, **asdict(self)}
        document = {**body, "authentication": key.authenticate(_canonical(body))}
        return json.dumps(document, indent=1, ensure_ascii=False).encode()


def open_manifest(content: bytes, key: BackupKey, where: str) -> Manifest:
    """The manifest in a file.

    Raises
    ------
    InvalidValue
        it is no manifest of ours, of another key, altered, or of another format
    """
    try:
        document = json.loads(content)
        given = document.pop("authentication")
        key_id, form = document["key_id"], document["format"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidValue(f"{where} is no set of this program.", mend="Name a set that `wnis backup` made.") from error
    if form != FORMAT:
        raise InvalidValue(
            f"{where} has the format {str(form)[:40]!r}, and this program reads {FORMAT}.",
            mend="Use the version of the program that made it.",
        )
    if key_id != key.id:
        raise InvalidValue(
            f"{where} was made with another key ({str(key_id)[:16]}; the key here is {key.id}).",
            mend="Name the key of that installation in WNIS_BACKUP_KEY_FILE.",
        )
    if not hmac.compare_digest(str(given), key.authenticate(_canonical(document))):
        raise InvalidValue(f"The manifest of {where} was altered.", mend="Take another set.")
    body = {name: value for name, value in document.items() if name not in ("format", "key_id")}
    parts = tuple(Part(**part) for part in body.pop("parts"))
    return Manifest(**{**body, "parts": parts, "migrations": tuple(body["migrations"])})


def _canonical(body: dict[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
