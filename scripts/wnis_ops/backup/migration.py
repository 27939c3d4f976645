"""The graph alone, from one server to another of whatever version: a compressed bundle and its way in."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard
from wnis_core.errors import Conflict, Failure, InvalidValue, Unavailable
from wnis_graph.bundle import GraphLoader, export_lines, read_census, rehearse, take_census
from wnis_graph.runner import open_driver
from wnis_graph.write_gate import WritePause

from wnis_ops.backup.place import Installation
from wnis_ops.backup.sealed import lines
from wnis_ops.backup.sets import Say

_PIECE = 1 << 20


def export_to(installation: Installation, file: Path, say: Say) -> dict[str, Any]:
    """Write the graph to `file`, whole or not at all; returns its census.

    Raises
    ------
    Unavailable
        the graph does not answer, or the disk is full
    """
    fresh = file.with_name(file.name + ".partial")
    began = time.monotonic()
    driver = open_driver(*installation.running_graph())
    last = b""
    try:
        rehearse(driver)
        with WritePause(driver) as pause, fresh.open("wb") as raw:
            with zstandard.ZstdCompressor(level=3).stream_writer(raw, closefd=False) as packed:
                for line in export_lines(driver):
                    packed.write(line)
                    last = line
            raw.flush()
            os.fsync(raw.fileno())
            pause.confirm()
        os.replace(fresh, file)
    except OSError as error:
        raise Unavailable(f"{file} cannot be written ({error.strerror}).", mend="Make room there.") from error
    finally:
        fresh.unlink(missing_ok=True)
        driver.close()
    say(f"Writes were paused for {pause.seconds:.2f} s.")
    census: dict[str, Any] = json.loads(last)["end"]
    return {**census, "pause_seconds": round(pause.seconds, 3), "seconds": round(time.monotonic() - began, 2),
            "bytes": file.stat().st_size}  # fmt: skip


def import_from(installation: Installation, file: Path, say: Say) -> dict[str, Any]:
    """Bring `file` into the empty graph of `installation` and compare; returns the census.

    Raises
    ------
    InvalidValue
        the file is damaged or of a newer program
    Conflict
        the graph is not empty
    Failure
        what is there in the end is not what is in the file
    """
    say("Verifying the file.")
    _, stated = read_census(lines(_unpacked(file)))
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    with contextlib.ExitStack() as held:
        if installation.has_own_graph:
            if installation.runs:
                raise Conflict(f"An instance runs on {installation.home.path}.", mend="Name an empty home or server.")
            server = held.enter_context(installation.own_server())
            driver = open_driver(server.uri, server.user, server.password)
        else:
            driver = open_driver(*installation.running_graph())
        held.callback(driver.close)
        loader = GraphLoader(driver, digest.hexdigest())
        total = stated["nodes"] + stated["relationships"]
        loader.load(lines(_unpacked(file)), lambda n, r: say(f"  {n + r} of {total} nodes and relationships"))
        found = take_census(driver).document()
        if found != stated:
            raise Failure("The graph is not what the file holds.", mend="Empty the server and import again.")
        loader.finish()
    return found


def _unpacked(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
            while piece := stream.read(_PIECE):
                yield piece
    except zstandard.ZstdError as error:
        raise InvalidValue(f"{file} is damaged or no bundle.", mend="Export it again.") from error
