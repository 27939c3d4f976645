"""Answers of the API at the moment of the cut, by hash: what a restored system must answer again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from wnis_core.errors import WnisError
from wnis_core.problem import STATUS_BY_CODE

from wnis_ops.client import ApiClient, part

WANTED = 20
_PASSING = frozenset({"elapsed_ms", "request_id", "stale"})
"""Fields that depend on the moment of the question."""


def take(client: ApiClient) -> dict[str, dict[str, Any]]:
    """Up to 20 answers by path: status and SHA-256 of the document without what depends on the moment."""
    taken: dict[str, dict[str, Any]] = {}
    for path in _paths(client):
        taken[path] = ask(client, path)
        if len(taken) == WANTED:
            break
    return taken


def ask(client: ApiClient, path: str) -> dict[str, Any]:
    """One answer."""
    try:
        document = client.get(path)
    except WnisError as error:
        return {"status": STATUS_BY_CODE[error.code], "sha256": hashlib.sha256(error.code.encode()).hexdigest()}
    text = json.dumps(_lasting(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {"status": 200, "sha256": hashlib.sha256(text.encode()).hexdigest()}


def differences(client: ApiClient, taken: dict[str, dict[str, Any]]) -> list[str]:
    """The paths that are answered differently now."""
    return [path for path, answer in taken.items() if ask(client, path) != answer]


def _paths(client: ApiClient) -> Iterator[str]:
    yield from ("/networks", "/components?limit=50", "/components?type=Pipe&limit=20", "/incidents?limit=20",
                "/feedback?limit=20", "/models", "/admin/config")  # fmt: skip
    for network in _items(client, "/networks?limit=2", "networks"):
        yield f"/networks/{part(network['id'])}"
    for component in _items(client, "/components?limit=5", "components"):
        yield f"/components/{part(component['id'])}"
        yield f"/components/{part(component['id'])}/history"
    for incident in _items(client, "/incidents?limit=2", "incidents"):
        yield f"/incidents/{part(incident['id'])}"
    for ranked in _items(client, "/predictions/failure/ranking?top=3", "ranking"):
        if ranked.get("component_id"):
            yield f"/predictions/failure?component_id={part(ranked['component_id'])}"


def _items(client: ApiClient, path: str, name: str) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = client.get(path).get(name) or []
    except WnisError:
        return []
    return found


def _lasting(document: Any) -> Any:
    if isinstance(document, dict):
        return {k: _lasting(v) for k, v in document.items() if k not in _PASSING}
    if isinstance(document, list):
        return [_lasting(item) for item in document]
    return document
