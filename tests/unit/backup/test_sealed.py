"""Sealed parts: whatever is done to one is found, and what was sealed comes back."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from wnis_core.errors import InvalidValue, Unavailable
from wnis_ops.backup.keys import BackupKey
from wnis_ops.backup.sealed import CHUNK_BYTES, MAGIC, lines, seal, unseal

KEY = BackupKey(bytes(range(32)))
HEAD = len(MAGIC) + 16


def chunks(file: Path) -> list[bytes]:
    content, found, at = file.read_bytes(), [], HEAD
    while at < len(content):
        (size,) = struct.unpack(">I", content[at : at + 4])
        found.append(content[at : at + 4 + size])
        at += 4 + size
    return found


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    file = tmp_path / "part"
    # noise does not compress: three whole chunks and a bit
    seal(file, KEY, "set/part", (os.urandom(CHUNK_BYTES // 2) for _ in range(7)))
    assert len(chunks(file)) == 4
    return file


def read(file: Path, key: BackupKey = KEY, name: str = "set/part") -> int:
    return sum(len(piece) for piece in unseal(file, key, name))


@pytest.mark.parametrize("sizes", [[], [0], [1], [CHUNK_BYTES], [CHUNK_BYTES + 1], [5, 3 * CHUNK_BYTES, 7]])
def test_what_was_sealed_comes_back(tmp_path: Path, sizes: list[int]) -> None:
    pieces = [os.urandom(size) for size in sizes]
    done = seal(tmp_path / "part", KEY, "set/part", pieces)
    assert b"".join(unseal(tmp_path / "part", KEY, "set/part")) == b"".join(pieces)
    assert done.bytes == (tmp_path / "part").stat().st_size
    assert done.content_bytes == sum(sizes)


def test_any_altered_byte_is_found(sealed: Path) -> None:
    whole = sealed.read_bytes()
    for at in (0, len(MAGIC), HEAD + 4, HEAD + 2000, len(whole) // 2, len(whole) - 1):
        sealed.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(InvalidValue, match="damaged"):
            read(sealed)


def test_missing_moved_repeated_and_foreign_chunks_are_found(sealed: Path, tmp_path: Path) -> None:
    head, parts = sealed.read_bytes()[:HEAD], chunks(sealed)
    other = tmp_path / "other"
    seal(other, KEY, "set/part", (os.urandom(CHUNK_BYTES // 2) for _ in range(7)))
    wrong = {
        "without its end": parts[:-1],
        "without a chunk": [parts[0], *parts[2:]],
        "swapped": [parts[1], parts[0], *parts[2:]],
        "repeated": [parts[0], parts[0], *parts[1:]],
        "nothing": [],
        "of another part": [chunks(other)[0], *parts[1:]],
        "something behind": [*parts, parts[-1]],
    }
    for altered in wrong.values():
        sealed.write_bytes(head + b"".join(altered))
        with pytest.raises(InvalidValue, match="damaged"):
            read(sealed)


def test_another_key_set_or_part_does_not_open_it(sealed: Path) -> None:
    for key, name in ((BackupKey(b"\1" * 32), "set/part"), (KEY, "other/part"), (KEY, "set/other")):
        with pytest.raises(InvalidValue, match="damaged"):
            read(sealed, key, name)


def test_a_full_disk_is_said_in_one_sentence() -> None:
    with pytest.raises(Unavailable, match="No space left"):
        seal(Path("/dev/full"), KEY, "set/part", [os.urandom(3 * CHUNK_BYTES)])


def test_lines_are_whole_wherever_pieces_end() -> None:
    assert list(lines([b"a", b"b\nc\n\nd", b"", b"e\n"])) == [b"ab", b"c", b"", b"de"]
    assert list(lines([b"a\nb"])) == [b"a", b"b"]
