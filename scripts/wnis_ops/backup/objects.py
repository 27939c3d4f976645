"""The objects of a set: each with a line before it (key and size), one after the other."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wnis_core.errors import InvalidValue, NotFound
from wnis_core.objects import FolderStore, ObjectStore, open_object_store

_PIECE = 1 << 20


@dataclass
class ObjectSnapshot:
    """The objects of one moment under a folder of ours."""

    folder: Path
    keys: list[str] = field(default_factory=list)
    size_bytes: int = 0

    def lines(self) -> Iterator[bytes]:
        """All objects as one stream."""
        for key in self.keys:
            file = self.folder / key
            yield json.dumps({"key": key, "bytes": file.stat().st_size}).encode() + b"\n"
            with file.open("rb") as stream:
                while piece := stream.read(_PIECE):
                    yield piece


def snapshot(location: str, folder: Path) -> ObjectSnapshot:
    """Keep every object of the store at `location` as it is now.

    A file of the folder store is replaced, never changed, so a second link to it is a copy that costs no time.
    """
    store, taken = open_object_store(location), ObjectSnapshot(folder)
    for key in store.list():
        file = folder / key
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(store, FolderStore):
            _link(Path(location) / key, file)
        else:
            try:
                store.fetch(key, file)
            except NotFound:
                file.unlink(missing_ok=True)
                continue
        taken.keys.append(key)
        taken.size_bytes += file.stat().st_size
    return taken


def restore(store: ObjectStore, pieces: Iterable[bytes], scratch: Path) -> tuple[int, int]:
    """Put every object of a stream into `store`; returns their number and size. Repeating it changes nothing."""
    reader, number, total = _Reader(pieces), 0, 0
    scratch.mkdir(parents=True, exist_ok=True)
    while (head := reader.line()) is not None:
        entry = json.loads(head)
        file = scratch / "object"
        with file.open("wb") as stream:
            for piece in reader.exactly(entry["bytes"]):
                stream.write(piece)
        store.put(entry["key"], file)
        number, total = number + 1, total + entry["bytes"]
    return number, total


def count(pieces: Iterable[bytes]) -> tuple[int, int]:
    """Number and size of the objects of a stream."""
    reader, number, total = _Reader(pieces), 0, 0
    while (head := reader.line()) is not None:
        size = json.loads(head)["bytes"]
        for _ in reader.exactly(size):
            pass
        number, total = number + 1, total + size
    return number, total


class _Reader:
    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""

    def line(self) -> bytes | None:
        while b"\n" not in self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                if self._rest:
                    raise InvalidValue("The objects of the set are cut short.", mend="Take another set.")
                return None
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def exactly(self, size: int) -> Iterator[bytes]:
        while size:
            if not self._rest:
                piece = next(self._pieces, None)
                if piece is None:
                    raise InvalidValue("The objects of the set are cut short.", mend="Take another set.")
                self._rest = piece
                continue
            given, self._rest = self._rest[:size], self._rest[size:]
            size -= len(given)
            yield given


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        # another file system, or one without links
        shutil.copyfile(source, target)
