"""The vector store outside the ml service: a Qdrant server through its client.

The contract is also tested on the client's local mode, which is for that only: it holds everything in the caller's
memory, ignores payload indexes and loses points when threads write at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException
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

Answer = TypeVar("Answer")

_BATCH = 500
_SCROLL = 2_000


def open_client(url: str, api_key: str) -> QdrantClient:
    """A client of the server at `url` that gives up after ten seconds."""
    return QdrantClient(url=url, api_key=api_key or None, timeout=10, check_compatibility=False)


class ServerStore:
    """Vectors in a collection of their own, named for the encoder and jargon that made them.

    Raises
    ------
    Unavailable
        the server does not answer, or refuses
    """

    def __init__(self, client: QdrantClient, fingerprint: str) -> None:
        self._client = client
        self._collection = f"wnis-incidents-{fingerprint[:12]}"
        self._prepare()

    def upsert(self, utility: str, vectors: Sequence[IncidentVector]) -> None:
        """Store `vectors`; the server has them when this returns."""
        for start in range(0, len(vectors), _BATCH):
            points = [
                models.PointStruct(id=point_id(utility, v.id), vector=v.vector.tolist(), payload=payload_of(utility, v))
                for v in vectors[start : start + _BATCH]
            ]
            _guarded(partial(self._client.upsert, self._collection, points, wait=True))

    def delete(self, utility: str, ids: Sequence[str]) -> None:
        """Forget the vectors of `ids`."""
        points: list[Any] = [point_id(utility, incident) for incident in ids]
        if points:
            selector = models.PointIdsList(points=points)
            _guarded(lambda: self._client.delete(self._collection, selector, wait=True))

    def search(self, utility: str, vector: Vector, wanted: VectorFilter, limit: int) -> list[VectorHit]:
        """The nearest incidents, nearest first."""
        found = _guarded(
            lambda: self._client.query_points(
                self._collection,
                query=vector.tolist(),
                query_filter=_filter(utility, wanted),
                limit=limit,
                with_payload=["incident"],
            )
        )
        return [VectorHit(str((point.payload or {})["incident"]), float(point.score)) for point in found.points]

    def count(self, utility: str) -> int:
        """How many vectors the utility has."""
        everything = _filter(utility, VectorFilter())
        return _guarded(lambda: self._client.count(self._collection, everything, exact=True)).count

    def ids(self, utility: str) -> set[str]:
        """Ids of all incidents that the utility has vectors of."""
        found: set[str] = set()
        everything, offset = _filter(utility, VectorFilter()), None
        while True:
            records, offset = _guarded(
                partial(
                    self._client.scroll,
                    self._collection,
                    scroll_filter=everything,
                    limit=_SCROLL,
                    offset=offset,
                    with_payload=["incident"],
                )
            )
            found.update(str((record.payload or {})["incident"]) for record in records)
            if offset is None:
                return found

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _prepare(self) -> None:
        """Make the collection and its indexes unless they are there; several services may start at once."""
        size = models.VectorParams(size=DIMENSIONS, distance=models.Distance.COSINE)
        try:
            if not self._client.collection_exists(self._collection):
                self._client.create_collection(self._collection, vectors_config=size)
        except (ApiException, OSError, ValueError):
            # another service may have made it meanwhile; if not, this says what is wrong
            _guarded(lambda: self._client.get_collection(self._collection))
        keyword = models.KeywordIndexType.KEYWORD
        for field in INDEXED_KEYWORDS:
            parameters = models.KeywordIndexParams(type=keyword, is_tenant=field == "utility")
            _guarded(partial(self._client.create_payload_index, self._collection, field, parameters))
        numbers = models.PayloadSchemaType.FLOAT
        _guarded(partial(self._client.create_payload_index, self._collection, "occurred_at", numbers))


def _guarded(work: Callable[[], Answer]) -> Answer:
    try:
        return work()
    except (ApiException, OSError, ValueError) as error:
        raise Unavailable(
            f"The vector store failed ({type(error).__name__}): {str(error)[:300]}",
            mend="Check that the server at QDRANT_URL is up and takes QDRANT_API_KEY.",
            retry_after_s=5,
        ) from error


def _filter(utility: str, wanted: VectorFilter) -> models.Filter:
    must: list[models.Condition] = [models.FieldCondition(key="utility", match=models.MatchValue(value=utility))]
    if wanted.kind is not None:
        must.append(models.FieldCondition(key="kind", match=models.MatchValue(value=wanted.kind)))
    if wanted.components is not None:
        must.append(models.FieldCondition(key="components", match=models.MatchAny(any=list(wanted.components))))
    if wanted.since is not None:
        must.append(models.FieldCondition(key="occurred_at", range=models.Range(gte=wanted.since.timestamp())))
    return models.Filter(must=must)
