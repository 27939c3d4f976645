"""From a declared route to a Flask view: who asks, how often, may they, what exactly, once only, on record."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

from flask import Flask, Response, g, request
from pydantic import BaseModel
from wnis_core.errors import BadRequest, FieldProblem, Forbidden, InvalidValue, NotAuthenticated, TooLarge
from wnis_core.ids import new_id
from wnis_core.service import note_who_asks

from wnis_api.audit import AuditEntry
from wnis_api.http.hung_up import hung_up
from wnis_api.http.paths import PREFIX
from wnis_api.http.route import NOTHING, Call, Nothing, Reply, Role, Route
from wnis_api.http.validation import validated_body, validated_form, validated_query
from wnis_api.parts import Parts
from wnis_api.receipts import StoredAnswer
from wnis_api.user_tokens import Identity

MAX_JSON_BYTES = 1_000_000
_DRAIN_LIMIT_BYTES = 256_000_000


def register(app: Flask, routes: tuple[Route, ...], parts: Parts) -> None:
    """Serve every route of `routes`."""
    for route in routes:
        app.add_url_rule(
            PREFIX + route.path.replace("{", "<").replace("}", ">"),
            endpoint=route.name,
            view_func=partial(_answer, route, parts),
            methods=[route.method],
            provide_automatic_options=False,
        )
    app.after_request(_limit_headers)


def _answer(route: Route, parts: Parts, **path: str) -> Response:
    identity, refusal = _identified(route, parts)
    if identity:
        note_who_asks(identity.user_id, identity.utility)
    address = request.remote_addr or "unknown"
    window, too_many = parts.limits.count(route.rate, f"user:{identity.user_id}" if identity else f"address:{address}")
    g.window = window
    if too_many:
        raise too_many
    if refusal:
        raise refusal
    if identity:
        parts.gate.check_in_force(identity)
        if not identity.roles & route.allowed:
            raise Forbidden(
                f"{route.method} {route.path} is not for the role {', '.join(sorted(identity.roles))}.",
                mend=f"It takes one of: {', '.join(sorted(route.allowed))}.",
            )
    query = validated_query(route.query) if route.query is not Nothing or request.args else NOTHING
    body = _body(route, parts)
    receipt = _receipt_key(route, identity) if route.repeatable else None
    call: Call[Any, Any] = Call(
        path=path,
        query=query,
        body=body,
        identity=identity,
        request_id=g.request_id,
        address=address,
        if_match=request.headers.get("If-Match"),
        new_id=_ids(receipt),
        files=request.files if route.files else {},
        gone=hung_up(request.environ.get("gunicorn.socket")),
    )
    # a backup has all of what a request writes (graph, SQL, objects, audit), or nothing of it
    with parts.runner.permit() if route.writes else nullcontext():
        if receipt is None:
            return _run(route, parts, call)
        return _run_once(route, parts, call, receipt)


def _run(route: Route, parts: Parts, call: Call[Any, Any]) -> Response:
    outcome = route.handler(parts, call)
    reply = outcome if isinstance(outcome, Reply) else Reply(outcome, status=route.status)
    response = _response(reply)
    if route.action and call.identity:
        _record(route, parts, call, reply)
    return response


def _run_once(route: Route, parts: Parts, call: Call[Any, Any], receipt: str) -> Response:
    request_sha256 = _request_sha256(route)
    earlier = parts.receipts.claim(receipt, request_sha256)
    if earlier is not None:
        response = Response(earlier.body, status=earlier.status, content_type=earlier.media_type)
        if earlier.etag:
            response.headers["ETag"] = earlier.etag
        response.headers["Idempotency-Replayed"] = "true"
        return response
    try:
        response = _run(route, parts, call)
    except BaseException:
        parts.receipts.release(receipt)
        raise
    parts.receipts.keep(
        receipt,
        StoredAnswer(
            response.status_code,
            response.content_type or "application/json",
            response.headers.get("ETag"),
            response.get_data(),
        ),
    )
    return response


def _identified(route: Route, parts: Parts) -> tuple[Identity | None, NotAuthenticated | None]:
    if not route.allowed:
        return None, None
    try:
        return parts.gate.identify(request.headers.get("Authorization"), request.headers.get("X-API-Key")), None
    except NotAuthenticated as error:
        return None, error


def _body(route: Route, parts: Parts) -> BaseModel | None:
    if route.body is None and not route.files:
        return None
    allowed = parts.max_upload_bytes if route.large or route.files else MAX_JSON_BYTES
    request.max_content_length = allowed
    if (request.content_length or 0) > allowed:
        _drain()
        raise _too_large(allowed)
    if route.files:
        return validated_form(route.body or Nothing, route.files)
    # of a body that does not say its length, Werkzeug reads as far as the limit and no further
    if len(request.get_data(cache=True)) >= allowed:
        raise _too_large(allowed)
    return validated_body(route.body or Nothing)


def _too_large(allowed: int) -> TooLarge:
    return TooLarge(f"The body is too large; {allowed} bytes are accepted here.", mend="Send less at once.")


def _drain() -> None:
    # a client that is still sending would see a broken connection instead of the answer
    left = min(request.content_length or 0, _DRAIN_LIMIT_BYTES)
    stream = request.environ["wsgi.input"]
    while left > 0 and (chunk := stream.read(min(left, 65_536))):
        left -= len(chunk)


def _receipt_key(route: Route, identity: Identity | None) -> str | None:
    given = request.headers.get("Idempotency-Key")
    if given is None or identity is None:
        return None
    if not 1 <= len(given) <= 200 or not given.isascii() or not given.isprintable():
        fault = "must have 1 to 200 printable ASCII characters"
        raise InvalidValue(f"The Idempotency-Key {fault}.", fields=[FieldProblem("Idempotency-Key", fault)])
    parts = (identity.utility, identity.user_id, route.name, given)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _request_sha256(route: Route) -> str:
    digest = hashlib.sha256(request.path.encode("utf-8", "surrogatepass"))
    if not route.files:
        digest.update(request.get_data(cache=True))
        return digest.hexdigest()
    for name in sorted(request.form):
        digest.update(f"{name}={request.form[name]}\0".encode("utf-8", "surrogatepass"))
    for name in sorted(request.files):
        stream = request.files[name].stream
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
        stream.seek(0)
    return digest.hexdigest()


def _ids(receipt: str | None) -> Callable[[str], str]:
    if receipt is None:
        return new_id
    # the same request makes the same ids, so that even an attempt cut short by a crash is not done twice
    return lambda prefix: f"{prefix}-{hashlib.sha256(f'{receipt}:{prefix}'.encode()).hexdigest()[:32]}"


def _response(reply: Reply) -> Response:
    if isinstance(reply.body, BaseModel):
        content: Any = reply.body.model_dump_json().encode()
    else:
        content = reply.body
    response = Response(content, status=reply.status, content_type=reply.media_type)
    if content is not None and not isinstance(content, bytes | str):
        # a stream is read as it is made: nginx would otherwise collect it first
        response.headers["X-Accel-Buffering"] = "no"
    for name, value in reply.headers.items():
        response.headers[name] = value
    if reply.revision is not None:
        tag = str(reply.revision)
        if isinstance(content, bytes) and isinstance(reply.body, BaseModel):
            tag = f"{tag}.{hashlib.blake2b(content, digest_size=8).hexdigest()}"
        response.set_etag(tag)
        if request.if_none_match and request.method in ("GET", "HEAD") and reply.status == 200:
            response.make_conditional(request)
    response.headers.setdefault("Cache-Control", "no-store" if reply.revision is None else "private, no-cache")
    return response


def _record(route: Route, parts: Parts, call: Call[Any, Any], reply: Reply) -> None:
    who = call.caller
    subject = reply.subject or "/".join(call.path.values())
    parts.audit.record(
        AuditEntry(
            who.utility, who.user_id, who.username, route.action, subject, reply.status, call.address, call.request_id
        )
    )


def _limit_headers(response: Response) -> Response:
    window = g.get("window")
    if window is not None:
        response.headers["X-RateLimit-Limit"] = str(window.limit)
        response.headers["X-RateLimit-Remaining"] = str(window.remaining)
        response.headers["X-RateLimit-Reset"] = str(window.reset_at)
    return response


def require_some(body: BaseModel) -> None:
    """Refuse a change that changes nothing."""
    if not body.model_fields_set:
        raise BadRequest("The body names nothing to change.", mend="Give at least one field.")


__all__ = ["Role", "register", "require_some"]
