"""The vector store inside the ml service: Qdrant's engine as a library, in a folder that one process owns."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import IO, TypeVar

import qdrant_edge as engine
from wnis_core.errors import Unavailable

from wnis_ml.embedding.encoder import DIMENSIONS
from wnis_ml.search.vectors import (
    INDEXED_KEYWORDS,
    IncidentVector,
    Vector,
    VectorFilter,
    VectorHit,
    payload_of,
    point_id,
)

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

_SCROLL = 5_000
_OPTIMIZE_AFTER = 20_000


class EmbeddedStore:
    """Vectors in `folder`, safe for threads.

    Parameters
    ----------
    folder : made when it is missing; a damaged store in it is dropped and begun anew, as the graph can fill it
    fingerprint : of the encoder and the jargon; vectors that others made mean nothing to these and are dropped
    wait_s : how long to wait for another process to give the folder back, as one that is just stopping does

    Raises
    ------
    Unavailable
        another process owns the folder
    """

    def __init__(self, folder: Path, fingerprint: str, *, wait_s: float = 5.0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = _own(folder / "owner.lock", wait_s)
        name = f"incidents-{fingerprint[:12]}"
        for other in folder.glob("incidents-*"):
            if other.name != name:
                log.warning("Dropping vectors of another encoder or jargon: %s", other.name)
                shutil.rmtree(other)
        self._shard = self._open(folder / name)
        self._written = 0

    def upsert(self, utility: str, vectors: Sequence[IncidentVector]) -> None:
        """Store `vectors`; the engine's write-ahead log has them when this returns."""
        points = [engine.Point(point_id(utility, v.id), v.vector.tolist(), payload_of(utility, v)) for v in vectors]
        if not points:
            return
        _guarded(lambda: self._shard.update(engine.UpdateOperation.upsert_points(points)))
        self._written += len(points)
        if self._written >= _OPTIMIZE_AFTER:
            self._written = 0
            _guarded(self._shard.optimize)

    def delete(self, utility: str, ids: Sequence[str]) -> None:
        """Forget the vectors of `ids`."""
        points: list[engine.PointId] = [point_id(utility, incident) for incident in ids]
        if points:
            _guarded(lambda: self._shard.update(engine.UpdateOperation.delete_points(points)))

    def search(self, utility: str, vector: Vector, wanted: VectorFilter, limit: int) -> list[VectorHit]:
        """The nearest incidents, nearest first."""
        request = engine.SearchRequest(
            engine.Query.Nearest(vector.tolist()),
            limit,
            filter=_filter(utility, wanted),
            with_payload=["incident"],
        )
        found = _guarded(lambda: self._shard.search(request))
        return [VectorHit(str((point.payload or {})["incident"]), float(point.score)) for point in found]

    def count(self, utility: str) -> int:
        """How many vectors the utility has."""
        request = engine.CountRequest(exact=True, filter=_filter(utility, VectorFilter()))
        return int(_guarded(lambda: self._shard.count(request)))

    def ids(self, utility: str) -> set[str]:
        """Ids of all incidents that the utility has vectors of."""
        found: set[str] = set()
        offset: engine.PointId | None = None
        while True:
            request = engine.ScrollRequest(
                offset=offset, limit=_SCROLL, filter=_filter(utility, VectorFilter()), with_payload=["incident"]
            )
            records, offset = _guarded(partial(self._shard.scroll, request))
            found.update(str((record.payload or {})["incident"]) for record in records)
            if offset is None:
                return found

    def close(self) -> None:
        """Write everything out and give the folder back."""
        _guarded(self._shard.flush)
        _guarded(self._shard.close)
        self._lock.close()

    @staticmethod
    def _open(folder: Path) -> engine.EdgeShard:
        if folder.exists():
            try:
                return _guarded(lambda: engine.EdgeShard.load(str(folder)))
            except Unavailable as error:
                # the folder is ours (the lock says so), hence it is damaged and not merely in use
                log.warning("The vector store is damaged and begun anew: %s", error)
                shutil.rmtree(folder)
        # made beside and renamed, so that a store that exists has all its indexes
        fresh = folder.with_name(f".{folder.name}")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        vectors = engine.EdgeVectorParams(size=DIMENSIONS, distance=engine.Distance.Cosine)
        shard = _guarded(lambda: engine.EdgeShard.create(str(fresh), engine.EdgeConfig(vectors=vectors)))
        for field in INDEXED_KEYWORDS:
            parameters = engine.KeywordIndexParams(is_tenant=field == "utility")
            shard.update(engine.UpdateOperation.create_field_index(field, parameters))
        shard.update(engine.UpdateOperation.create_field_index("occurred_at", engine.FloatIndexParams()))
        shard.flush()
        shard.close()
        os.rename(fresh, folder)
        return _guarded(lambda: engine.EdgeShard.load(str(folder)))


def _own(path: Path, wait_s: float) -> IO[str]:
    """The lock of the folder, held until closed or until this process dies."""
    file = path.open("a")
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                file.close()
                raise Unavailable(
                    f"Another process owns the vector store in {path.parent}.",
                    mend="Stop the other ml service of this WNIS_HOME, or set QDRANT_URL for both.",
                    retry_after_s=5,
                ) from error
            time.sleep(0.1)


def _guarded(work: Callable[[], Answer]) -> Answer:
    """`work`, with what the engine raises as our own; a Rust panic is no `Exception`, so it is caught by name."""
    try:
        return work()
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise Unavailable(f"The vector store failed: {str(error)[:300]}", retry_after_s=5) from error
        raise


def _filter(utility: str, wanted: VectorFilter) -> engine.Filter:
    must: list[engine.ConditionType] = [engine.FieldCondition("utility", match=engine.MatchValue(utility))]
    if wanted.kind is not None:
        must.append(engine.FieldCondition("kind", match=engine.MatchValue(wanted.kind)))
    if wanted.components is not None:
        must.append(engine.FieldCondition("components", match=engine.MatchAny(list(wanted.components))))
    if wanted.since is not None:
        must.append(engine.FieldCondition("occurred_at", range=engine.RangeFloat(gte=wanted.since.timestamp())))
    return engine.Filter(must=must)
