"""The key of the backups: 32 random bytes in a file that is never in a set; every use gets a key of its own from it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from wnis_core.errors import InvalidValue, NotFound
from wnis_core.secret_files import write_secret

from wnis_ops.place import Home

FILE_VARIABLE = "WNIS_BACKUP_KEY_FILE"


@dataclass(frozen=True)
class BackupKey:
    """The secret from which the keys of every part and of the manifest follow."""

    secret: bytes

    @property
    def id(self) -> str:
        """Names the key without telling it: sets of another key are recognised before anything is decrypted."""
        return self.derive("id", b"")[:8].hex()

    def derive(self, purpose: str, salt: bytes) -> bytes:
        """A key for one purpose (HKDF-SHA256, RFC 5869)."""
        return HKDF(algorithm=SHA256(), length=32, salt=salt, info=f"wnis-backup/1 {purpose}".encode()).derive(
            self.secret
        )

    def authenticate(self, content: bytes) -> str:
        """HMAC-SHA256 of a manifest's content."""
        return hmac.new(self.derive("manifest", b""), content, hashlib.sha256).hexdigest()


def key_file(home: Home, environ: Mapping[str, str]) -> Path:
    """Where the key lies."""
    named = environ.get(FILE_VARIABLE)
    return Path(named).expanduser() if named else home.path / "secrets" / "backup-key"


def read_key(home: Home, environ: Mapping[str, str]) -> BackupKey:
    """The key of this home.

    Raises
    ------
    NotFound
        there is none
    InvalidValue
        the file holds something else
    """
    file = key_file(home, environ)
    try:
        text = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise NotFound(
            f"There is no backup key at {file} ({error.strerror}).",
            mend=f"Put the copy of the key that you kept there, or name it in {FILE_VARIABLE}.",
        ) from error
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        secret = b""
    if len(secret) != 32:
        raise InvalidValue(
            f"{file} is no backup key: it must hold 64 hexadecimal digits.", mend=f"Correct {FILE_VARIABLE}."
        )
    return BackupKey(secret)


def ensure_key(home: Home, environ: Mapping[str, str]) -> tuple[BackupKey, bool]:
    """The key of this home, and whether it was made just now."""
    file = key_file(home, environ)
    made = not file.exists() and not environ.get(FILE_VARIABLE)
    if made:
        write_secret(file, secrets.token_hex(32))
    return read_key(home, environ), made
