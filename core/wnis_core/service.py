"""What the three Flask services share: request ids, error documents, metrics, health."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial

from flask import Flask, Response, current_app, g, jsonify, request
from prometheus_client.registry import Collector
from werkzeug.exceptions import HTTPException

from wnis_core import logs, traces
from wnis_core.errors import (
    BadRequest,
    Failure,
    Forbidden,
    InvalidValue,
    NotAuthenticated,
    NotFound,
    TooLarge,
    TooMany,
    Unavailable,
    WnisError,
)
from wnis_core.metrics import HTTP_REQUESTS, HTTP_SECONDS, exposition
from wnis_core.problem import MEDIA_TYPE, STATUS_BY_CODE, problem_document
from wnis_core.tokens import Caller, read_internal_token

log = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ERROR_OF_STATUS: dict[int, type[WnisError]] = {
    400: BadRequest, 401: NotAuthenticated, 403: Forbidden, 404: NotFound, 405: BadRequest, 413: TooLarge,
    415: BadRequest, 422: InvalidValue, 429: TooMany, 503: Unavailable,
}  # fmt: skip


def install(
    app: Flask, *, ready: Callable[[], tuple[dict[str, object], int]], collectors: Sequence[Collector] = ()
) -> None:
    """Give `app` request ids, metrics, problem documents, ``/health``, ``/ready`` and ``/metrics``.

    Parameters
    ----------
    ready : returns the document of ``/ready`` and its status
    collectors : figures of ``/metrics`` that are looked up when it is asked
    """
    app.before_request(_begin)
    app.after_request(_finish)
    app.teardown_request(_end)
    app.register_error_handler(WnisError, _answer_error)
    app.register_error_handler(HTTPException, _answer_http_exception)
    app.register_error_handler(Exception, _answer_unexpected)
    app.add_url_rule("/health", "health", lambda: jsonify(status="ok"))
    app.add_url_rule("/metrics", "metrics", partial(_metrics, collectors))

    def answer_ready() -> tuple[Response, int]:
        document, status = ready()
        return jsonify(document), status

    app.add_url_rule("/ready", "ready", answer_ready)


def internal_caller(secret: str, audience: str) -> Caller:
    """The caller of the current request of an internal service; raises `NotAuthenticated`."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind != "Bearer" or not token:
        raise NotAuthenticated("This service answers calls of the API service only.")
    caller = read_internal_token(secret, audience, token)
    note_who_asks(caller.user, caller.utility)
    return caller


def note_who_asks(user_id: str, utility: str) -> None:
    """Have the log line of the current request name them."""
    g.user_id, g.utility = user_id, utility


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    g.started = time.perf_counter()
    logs.request_id.set(g.request_id)
    route = request.url_rule.rule if request.url_rule else "unmatched"
    asked_by = request.headers.get("traceparent", "")
    g.span = traces.request(request.method, route, request.path, request.scheme, asked_by)


def _finish(response: Response) -> Response:
    endpoint = request.url_rule.rule if request.url_rule else "unmatched"
    elapsed = time.perf_counter() - g.started if "started" in g else 0.0
    HTTP_REQUESTS.labels(request.method, endpoint, str(response.status_code)).inc()
    HTTP_SECONDS.labels(request.method, endpoint).observe(elapsed)
    response.headers["X-Request-Id"] = g.get("request_id", "")
    log.info(
        "%s %s %d",
        request.method,
        request.path,
        response.status_code,
        extra={
            "event.duration": int(elapsed * 1e9),
            "http.request.method": request.method,
            "http.response.status_code": response.status_code,
            "http.route": endpoint,
            "url.path": request.path,
            "client.address": request.remote_addr,
            "user.id": g.get("user_id"),
            "organization.id": g.get("utility"),
        },
    )
    span = g.get("span")
    if span is not None:
        span.answered(response.status_code)
    return response


def _end(_: BaseException | None) -> None:
    span = g.pop("span", None)
    if span is not None:
        span.end()


def _answer_error(error: WnisError) -> Response:
    status = STATUS_BY_CODE[error.code]
    if status >= 500:
        log.warning("%s", error, exc_info=error)
    response = jsonify(problem_document(error, g.get("request_id", "")))
    response.status_code = status
    response.content_type = MEDIA_TYPE
    if error.retry_after_s is None and status in (429, 503):
        response.headers["Retry-After"] = "5"
    elif error.retry_after_s is not None:
        response.headers["Retry-After"] = str(error.retry_after_s)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _answer_http_exception(error: HTTPException) -> Response:
    status = error.code or 500
    kind = _ERROR_OF_STATUS.get(status, Failure)
    response = _answer_error(kind(error.description or error.name))
    if status != response.status_code and status < 500:
        # statuses outside our table (405 and the like) keep their number
        document = response.get_json()
        document["status"] = status
        response.set_data(current_app.json.dumps(document))
        response.status_code = status
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _answer_unexpected(error: Exception) -> Response:
    log.exception("unexpected error", exc_info=error)
    return _answer_error(
        Failure("Something went wrong on our side.", mend="Report the request id to whoever runs the system.")
    )


def _metrics(collectors: Sequence[Collector]) -> Response:
    body, content_type = exposition(collectors)
    return Response(body, content_type=content_type)
