"""When more is asked than can be answered: a line of bounded length, and a quick word to whoever finds it full.

gunicorn's threaded worker takes in up to a thousand connections, and their requests wait for a thread however long
that takes: at ten times the clients everybody waited 8 s and more, and the line was still being worked off 20 s later.
Here a request that finds no place is handed to other threads, which answer 503 with ``Retry-After`` and do nothing
else. Probes and metrics are answered by them all the same: an instance that has much to do is not ill.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, TypeVar

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]  # the library has no annotations
from prometheus_client import Counter
from wnis_core.errors import Unavailable
from wnis_core.metrics import HTTP_REQUESTS
from wnis_core.problem import MEDIA_TYPE, problem_document

from wnis_api.http.paths import StartResponse, WsgiApp, rewritten

Answer = TypeVar("Answer")

WAITING = 64
"""Requests of a worker that may wait for a thread: a fraction of a second's work, and room for as many clients as two
workers serve without an error even when all of them have met the same one."""
_REFUSING_THREADS = 4
_RETRY_AFTER_S = 1
_ALWAYS = frozenset({"/health", "/ready", "/metrics"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

REFUSED = Counter("http_requests_refused_total", "Requests answered 503 at once because too many were waiting")

_place = threading.local()


class Line(ThreadPoolExecutor):
    """Threads with a bounded number of calls that run or wait; what is too much runs elsewhere, marked as refused.

    Parameters
    ----------
    threads : how many calls run at once
    waiting : how many more may wait
    """

    def __init__(self, threads: int, waiting: int) -> None:
        super().__init__(threads, thread_name_prefix="request")
        self._places = threading.Semaphore(threads + waiting)
        self._refusing = ThreadPoolExecutor(_REFUSING_THREADS, thread_name_prefix="refusal")

    def submit(self, fn: Callable[..., Answer], /, *args: Any, **kwargs: Any) -> Future[Answer]:
        """Run `fn` in turn, or as refused when the line is full."""
        if not self._places.acquire(blocking=False):
            return self._refusing.submit(_as_refused, fn, *args, **kwargs)
        try:
            future = super().submit(fn, *args, **kwargs)
        except BaseException:
            self._places.release()
            raise
        future.add_done_callback(lambda _: self._places.release())
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take nothing more."""
        super().shutdown(wait, cancel_futures=cancel_futures)
        self._refusing.shutdown(wait, cancel_futures=cancel_futures)


class Worker(ThreadWorker):  # type: ignore[misc]  # the library has no annotations
    """gunicorn's threaded worker with a `Line`."""

    def get_thread_pool(self) -> Line:
        """The hook that gunicorn leaves for another pool."""
        return Line(self.cfg.threads, WAITING)


class Refusal:
    """WSGI middleware that answers a request that found no place, without asking the application."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if not is_refused() or rewritten(environ.get("PATH_INFO", "")) in _ALWAYS:
            return self._app(environ, start_response)
        method = environ.get("REQUEST_METHOD", "")
        HTTP_REQUESTS.labels(method if method in _METHODS else "other", "refused", "503").inc()
        REFUSED.inc()
        request_id = uuid.uuid4().hex
        error = Unavailable(
            "Too many requests are waiting.",
            mend=f"Try again in {_RETRY_AFTER_S} second.",
            retry_after_s=_RETRY_AFTER_S,
        )
        body = json.dumps(problem_document(error, request_id)).encode()
        headers = [
            ("Content-Type", MEDIA_TYPE),
            ("Content-Length", str(len(body))),
            ("Retry-After", str(_RETRY_AFTER_S)),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Request-Id", request_id),
        ]
        status = HTTPStatus.SERVICE_UNAVAILABLE
        start_response(f"{status.value} {status.phrase}", headers)
        return [body]


def is_refused() -> bool:
    """Whether the request of this thread found the line full."""
    return bool(getattr(_place, "refused", False))


def _as_refused(fn: Callable[..., Answer], *args: Any, **kwargs: Any) -> Answer:
    _place.refused = True
    try:
        return fn(*args, **kwargs)
    finally:
        _place.refused = False
