"""Sealed streams: zstandard, then AES-256-GCM in chunks.

A part of a set is ``WNISBK1\\n``, a salt of 16 bytes, and chunks of at most 1 MiB, each with its length (4 bytes,
big-endian) before it. Every part has a key of its own (HKDF over the salt). A chunk's nonce is its number (11 bytes)
and one byte that is 1 for the last chunk alone; the name of the set and of the part is authenticated with every chunk.
So a chunk that is altered, left out, moved, repeated, or taken from another part, and a missing end, are all found.
(This is the STREAM construction: Hoang, Reyhanitabar, Rogaway, Vizar, CRYPTO 2015.)
"""

from __future__ import annotations

import hashlib
import os
import secrets
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from wnis_core.errors import InvalidValue, Unavailable

from wnis_ops.backup.keys import BackupKey

MAGIC = b"WNISBK1\n"
CHUNK_BYTES = 1 << 20
_SALT_BYTES = 16
_TAG_BYTES = 16
_LEVEL = 3


@dataclass(frozen=True)
class Sealed:
    """What was written: size and hash of the sealed file, and how many bytes went in."""

    bytes: int
    sha256: str
    content_bytes: int


def seal(file: Path, key: BackupKey, name: str, content: Iterable[bytes]) -> Sealed:
    """Write `content` to `file`, flushed to the disk; `name` is bound to every chunk.

    Raises
    ------
    Unavailable
        the disk is full or cannot be written
    """
    try:
        with file.open("wb") as stream:
            return _Writer(stream, key, name).write(content)
    except OSError as error:
        raise Unavailable(
            f"{file} cannot be written ({error.strerror}).", mend="Make room there, or choose another folder."
        ) from error


def unseal(file: Path, key: BackupKey, name: str) -> Iterator[bytes]:
    """The content of `file`, piece by piece.

    Raises
    ------
    InvalidValue
        it was altered or cut short, or is another part or another set's
    """
    try:
        with file.open("rb") as stream:
            unpacking = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
            for chunk in _chunks(stream, file, key, name):
                try:
                    yield unpacking.decompress(chunk)
                except zstandard.ZstdError as error:
                    raise _damaged(file, "its compression is damaged") from error
            if not unpacking.eof:
                raise _damaged(file, "it is cut short")
    except OSError as error:
        raise InvalidValue(f"{file} cannot be read ({error.strerror}).", mend="Take another set.") from error


def lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines of a stream of pieces."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n") if b"\n" in piece else (rest + piece,)
        yield from whole
    if rest:
        yield rest


class _Writer:
    def __init__(self, stream: BinaryIO, key: BackupKey, name: str) -> None:
        self._stream = stream
        self._name = name.encode()
        salt = secrets.token_bytes(_SALT_BYTES)
        self._cipher = AESGCM(key.derive("part", salt))
        self._hash = hashlib.sha256()
        self._size = 0
        self._number = 0
        self._put(MAGIC + salt)

    def write(self, content: Iterable[bytes]) -> Sealed:
        packing = zstandard.ZstdCompressor(level=_LEVEL).compressobj()
        waiting = bytearray()
        total = 0
        for piece in content:
            total += len(piece)
            waiting += packing.compress(piece)
            # more than a chunk: the last one must not be known to be the last before the end
            while len(waiting) > CHUNK_BYTES:
                self._chunk(bytes(waiting[:CHUNK_BYTES]), last=False)
                del waiting[:CHUNK_BYTES]
        waiting += packing.flush()
        while len(waiting) > CHUNK_BYTES:
            self._chunk(bytes(waiting[:CHUNK_BYTES]), last=False)
            del waiting[:CHUNK_BYTES]
        self._chunk(bytes(waiting), last=True)
        self._stream.flush()
        os.fsync(self._stream.fileno())
        return Sealed(self._size, self._hash.hexdigest(), total)

    def _chunk(self, content: bytes, *, last: bool) -> None:
        sealed = self._cipher.encrypt(_nonce(self._number, last=last), content, self._name)
        self._put(struct.pack(">I", len(sealed)) + sealed)
        self._number += 1

    def _put(self, content: bytes) -> None:
        self._stream.write(content)
        self._hash.update(content)
        self._size += len(content)


def _chunks(stream: BinaryIO, file: Path, key: BackupKey, name: str) -> Iterator[bytes]:
    head = stream.read(len(MAGIC) + _SALT_BYTES)
    if len(head) != len(MAGIC) + _SALT_BYTES or not head.startswith(MAGIC):
        raise _damaged(file, "it is no sealed part")
    cipher, number = AESGCM(key.derive("part", head[len(MAGIC) :])), 0
    length = stream.read(4)
    while True:
        if len(length) != 4:
            raise _damaged(file, "it is cut short")
        (size,) = struct.unpack(">I", length)
        if not _TAG_BYTES <= size <= CHUNK_BYTES + _TAG_BYTES:
            raise _damaged(file, "a chunk has an impossible length")
        sealed = stream.read(size)
        if len(sealed) != size:
            raise _damaged(file, "it is cut short")
        length = stream.read(4)
        last = not length
        try:
            yield cipher.decrypt(_nonce(number, last=last), sealed, name.encode())
        except InvalidTag as error:
            raise _damaged(file, f"chunk {number} was altered, moved, or is not of this set") from error
        if last:
            return
        number += 1


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\1" if last else b"\0")


def _damaged(file: Path, reason: str) -> InvalidValue:
    return InvalidValue(f"{file.name} of the set is damaged: {reason}.", mend="Take another set.")
