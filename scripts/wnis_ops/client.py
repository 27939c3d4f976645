"""The HTTP client of the command line and of the demonstration: the public API, as any program would use it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
from wnis_core.errors import Cancelled, Failure, TooMany, Unavailable
from wnis_core.problem import error_from_document

Progress = Callable[[float, str], None]

_PREFIX = "/api/v1"
_CONNECT_TIMEOUT_S = 5.0
_POLL_S = 0.3
_ENDED = frozenset({"succeeded", "failed", "cancelled"})
_AWAY_S = 60.0


def part(text: str) -> str:
    """`text` as one part of a path."""
    return quote(text, safe="")


class ApiClient:
    """Calls of one server with one token (a JWT or an API key).

    Every method raises the `WnisError` that the server's problem document stands for, or `Unavailable`.

    Parameters
    ----------
    verify : whether the server's certificate has to be a good one; only a process of our own on this machine is asked
        without
    """

    def __init__(self, url: str, token: str = "", *, timeout_s: float = 120.0, verify: bool = True) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.verify = verify
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **query: Any) -> Any:
        """The JSON answer of ``GET path``; queries that are None are left out."""
        return self._json("GET", path, params={k: v for k, v in query.items() if v is not None})

    def post(self, path: str, body: Any = None, *, idempotency_key: str | None = None) -> Any:
        """The JSON answer of ``POST path``."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._json("POST", path, json=body, headers=headers)

    def patch(self, path: str, body: Any) -> Any:
        """The JSON answer of ``PATCH path``."""
        return self._json("PATCH", path, json=body)

    def put(self, path: str, body: Any) -> Any:
        """The JSON answer of ``PUT path``."""
        return self._json("PUT", path, json=body)

    def delete(self, path: str) -> Any:
        """The JSON answer of ``DELETE path``."""
        return self._json("DELETE", path)

    def upload(self, path: str, file: Path, fields: dict[str, str]) -> Any:
        """The JSON answer of a multipart ``POST path`` with `file` as the part ``file``."""
        with file.open("rb") as stream:
            return self._json("POST", path, files={"file": (file.name, stream)}, data=fields)

    def download(self, path: str, **query: str) -> bytes:
        """The raw answer of ``GET path``."""
        return self._send("GET", path, params=query).content

    def save(self, path: str, file: Path, **query: str) -> int:
        """Write the raw answer of ``GET path`` to `file` as it comes, whole or not at all; returns its bytes."""
        response = self._send("GET", path, params=query, stream=True)
        partial = file.with_name(f"{file.name}.partial")
        try:
            with response, partial.open("wb") as target:
                size = sum(target.write(chunk) for chunk in response.iter_content(1 << 16))
            partial.replace(file)
        except requests.RequestException as error:
            raise Unavailable(f"{self.url} broke off the answer.", mend="Try again.") from error
        finally:
            partial.unlink(missing_ok=True)
        return size

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list, page by page."""
        name = path.rstrip("/").rsplit("/", 1)[-1]
        cursor: str | None = None
        while True:
            page = self.get(path, **query, limit=1000, cursor=cursor)
            yield from page[name]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def wait(self, job_id: str, on_progress: Progress | None = None) -> dict[str, Any]:
        """The job when it has succeeded.

        A server that is away for up to a minute (a restart) is waited for: the job survives it.

        Raises
        ------
        WnisError
            the job's own error, or `Cancelled`
        """
        away_since: float | None = None
        while True:
            try:
                job: dict[str, Any] = self.get(f"/jobs/{part(job_id)}")
                away_since = None
            except (Unavailable, TooMany) as error:
                away_since = away_since or time.monotonic()
                if time.monotonic() - away_since > _AWAY_S:
                    raise
                time.sleep(min(error.retry_after_s or 1, 5))
                continue
            if on_progress:
                on_progress(float(job["progress"]), str(job["message"] or job["state"]))
            if job["state"] == "succeeded":
                return job
            if job["state"] == "cancelled":
                raise Cancelled(f"Job {job_id} was cancelled.")
            if job["state"] in _ENDED:
                raise error_from_document(job["error"] or {})
            time.sleep(_POLL_S)

    def answers(self) -> bool:
        """Whether the server says that it is healthy."""
        try:
            return bool(requests.get(f"{self.url}/health", timeout=_CONNECT_TIMEOUT_S).ok)
        except requests.RequestException:
            return False

    def require_ready(self) -> None:
        """Raise `Unavailable` unless every part of the server answers."""
        try:
            document = requests.get(f"{self.url}/ready", timeout=_CONNECT_TIMEOUT_S).json()
        except requests.RequestException as error:
            raise Unavailable(f"{self.url} does not answer ({type(error).__name__}).") from error
        if document.get("status") != "ready":
            down = ", ".join(name for name, state in (document.get("parts") or {}).items() if state != "up")
            raise Unavailable(f"{self.url} is not ready: {down or 'it does not say why'}.")

    def _json(self, method: str, path: str, **arguments: Any) -> Any:
        response = self._send(method, path, **arguments)
        if response.status_code == 204 or not response.content:
            return None
        try:
            return response.json()
        except requests.JSONDecodeError as error:
            raise Failure(
                f"{self.url} answered with something that is not JSON.", mend="Is it the address of a WNIS server?"
            ) from error

    def _send(self, method: str, path: str, **arguments: Any) -> requests.Response:
        try:
            response = self._session.request(
                method, self.url + _PREFIX + path, timeout=(_CONNECT_TIMEOUT_S, self._timeout_s), **arguments
            )
        except requests.RequestException as error:
            raise Unavailable(
                f"{self.url} does not answer ({type(error).__name__}).",
                mend="Start it with `wnis up`, or correct WNIS_URL.",
            ) from error
        if response.status_code >= 400:
            try:
                document = response.json()
            except requests.JSONDecodeError:
                document = {"error": f"{method} {path} answered {response.status_code}."}
            raise error_from_document(document)
        return response
