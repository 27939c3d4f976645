"""What a release has to answer before and after it takes over: whatever the one before answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import requests
from wnis_core.errors import Unavailable, WnisError
from wnis_core.problem import STATUS_BY_CODE

from wnis_ops.backup import samples
from wnis_ops.client import ApiClient


@dataclass(frozen=True)
class Answers:
    """Status by question."""

    status: Mapping[str, int]


def ask(client: ApiClient) -> Answers:
    """What the system answers now: the page, readiness, reads of every kind, a search."""
    status = {path: int(answer["status"]) for path, answer in samples.take(client).items()}
    for path in ("/", "/ready"):
        status[path] = _status(client, path)
    status["search"] = _search(client)
    return Answers(status)


def require(client: ApiClient, before: Answers) -> int:
    """Ask what was asked `before`; returns how many questions were answered as well as then.

    Raises
    ------
    Unavailable
        something that was answered is not any more
    """
    wanted = [question for question, status in before.status.items() if status == HTTPStatus.OK]
    missing = []
    for question in wanted:
        if question == "search":
            status = _search(client)
        elif question in ("/", "/ready"):
            status = _status(client, question)
        else:
            status = int(samples.ask(client, question)["status"])
        if status != HTTPStatus.OK:
            missing.append(f"{question}: {status}")
    if missing:
        raise Unavailable(f"The new release does not answer what the old one does: {'; '.join(missing[:5])}.")
    return len(wanted)


def _status(client: ApiClient, path: str) -> int:
    try:
        # our own process; nothing secret is sent
        return requests.get(f"{client.url}{path}", timeout=10, verify=False).status_code  # noqa: S501
    except requests.RequestException:
        return 0


def _search(client: ApiClient) -> int:
    try:
        client.post("/incidents/search", {"query": "crack in the pipe", "limit": 1})
    except WnisError as error:
        return STATUS_BY_CODE[error.code]
    return HTTPStatus.OK
