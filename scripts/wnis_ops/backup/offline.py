"""Neo4j's own dump of a stopped server, and its way back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from wnis_core.errors import Unavailable
from wnis_graph.bundle import take_census
from wnis_graph.bundle.export import read_header
from wnis_graph.runner import open_driver
from wnis_neo4j.local import LocalServer

from wnis_ops.backup.sets import Say

_DATABASE = "neo4j"
_PIECE = 1 << 20


def dump_pieces(
    server: LocalServer, scratch: Path, say: Say
) -> tuple[Iterator[bytes], tuple[str, ...], dict[str, Any]]:
    """The dump of a stopped server piece by piece, its migrations, and its census.

    The server runs for a moment before, for us alone, to be counted.
    """
    say("Counting what is in the graph.")
    with server:
        driver = open_driver(server.uri, server.user, server.password)
        try:
            migrations, census = read_header(driver).migrations, take_census(driver).document()
        finally:
            driver.close()
    say("Dumping the graph.")
    folder = scratch / "dump"
    folder.mkdir()
    server.administer("database", "dump", _DATABASE, f"--to-path={folder}")
    return _pieces(folder / f"{_DATABASE}.dump"), migrations, census


def load_dump(server: LocalServer, pieces: Iterable[bytes], scratch: Path) -> None:
    """Load a dump into a stopped server of an empty home."""
    scratch.mkdir(parents=True, exist_ok=True)
    file = scratch / f"{_DATABASE}.dump"
    try:
        with file.open("wb") as stream:
            stream.writelines(pieces)
    except OSError as error:
        raise Unavailable(f"{file} cannot be written ({error.strerror}).", mend="Make room there.") from error
    server.administer("database", "load", _DATABASE, f"--from-path={scratch}", "--overwrite-destination=true")
    file.unlink()


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while piece := stream.read(_PIECE):
            yield piece
