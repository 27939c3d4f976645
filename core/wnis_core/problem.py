"""Errors as `application/problem+json` (RFC 9457), and back again on the calling side."""

from __future__ import annotations

from typing import Any

from wnis_core.errors import ERRORS_BY_CODE, Failure, FieldProblem, WnisError

MEDIA_TYPE = "application/problem+json"

STATUS_BY_CODE: dict[str, int] = {
    "malformed": 400,
    "not_authenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "cancelled": 409,
    "stale_version": 412,
    "too_large": 413,
    "invalid_value": 422,
    "invalid_model": 422,
    "too_many": 429,
    "failure": 500,
    "unavailable": 503,
}


def problem_document(error: WnisError, request_id: str) -> dict[str, Any]:
    """The document of CONTRACT.md: error, code, status, request_id, errors, plus mend and details when known."""
    document: dict[str, Any] = {
        "error": error.message,
        "code": error.code,
        "status": STATUS_BY_CODE[error.code],
        "request_id": request_id,
        "errors": [{"field": f.field, "message": f.message} for f in error.fields],
    }
    if error.mend:
        document["mend"] = error.mend
    if error.retry_after_s is not None:
        document["retry_after_s"] = error.retry_after_s
    if error.details:
        document["details"] = error.details
    return document


def error_from_document(document: dict[str, Any]) -> WnisError:
    """The error that a problem document of ours stands for; unknown codes become `Failure`."""
    kind = ERRORS_BY_CODE.get(str(document.get("code")), Failure)
    fields = [FieldProblem(str(e.get("field")), str(e.get("message"))) for e in document.get("errors") or []]
    return kind(
        str(document.get("error") or "no reason given"),
        mend=str(document.get("mend") or ""),
        fields=fields,
        retry_after_s=document.get("retry_after_s"),
        details=document.get("details") or {},
    )
