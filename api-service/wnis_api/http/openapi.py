"""The OpenAPI 3.1 document, generated from the routes and their models."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from wnis_core.problem import MEDIA_TYPE

from wnis_api.http.route import Nothing, Role, Route
from wnis_api.http.schemas.common import Problem
from wnis_api.request_limits import Rate

Mode = Literal["validation", "serialization"]
References = dict[tuple[Any, Mode], dict[str, Any]]

_REASONS = {
    400: "malformed, or something is missing",
    401: "no credential, or one that no longer holds",
    403: "not for this role",
    404: "there is no such thing",
    405: "not this method",
    409: "conflicts with what is there",
    412: "somebody else changed it first",
    413: "too large",
    422: "well formed, but a wrong value",
    429: "too many requests; see Retry-After",
    503: "a part of the system is down; see Retry-After",
}
_HEADERS = {
    "X-Request-Id": {"description": "id of the request in the logs", "schema": {"type": "string"}},
    "X-RateLimit-Limit": {"description": "requests a minute", "schema": {"type": "integer"}},
    "X-RateLimit-Remaining": {"description": "requests left in this minute", "schema": {"type": "integer"}},
    "X-RateLimit-Reset": {"description": "end of this minute, seconds since 1970", "schema": {"type": "integer"}},
}


def document(routes: tuple[Route, ...]) -> dict[str, Any]:
    """The whole document for `routes`."""
    references, definitions, queries = _schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, references, queries)
    paths |= _bare_paths()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Water Network Intelligence System",
            "version": "1",
            "description": (
                "A water utility's network, people and history as one graph. Errors are problem documents. Lists are "
                "paged by an opaque cursor. Every path is also served without the version (`/api`), and those under "
                "`/auth` and `/admin` bare."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}, {"key": []}],
        "tags": [{"name": name} for name in sorted({route.tag for route in routes} | {"system"})],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": definitions,
            "headers": _HEADERS,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "access token, or an API key `wnis_...`"},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
            "responses": {f"Problem{status}": _problem(reason) for status, reason in _REASONS.items()},
        },
    }


def write(routes: tuple[Route, ...], target: Path) -> None:
    """Write the document to `target`."""
    target.write_text(json.dumps(document(routes), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _schemas(routes: tuple[Route, ...]) -> tuple[References, dict[str, Any], dict[str, Any]]:
    wanted: list[tuple[type[BaseModel], Mode]] = [(Problem, "serialization")]
    for route in routes:
        wanted += [(route.body, "validation")] if route.body and not route.files else []
        wanted += [(route.query, "validation")] if route.query is not Nothing else []
        wanted += [(route.answer, "serialization")] if route.answer else []
    references, schema = models_json_schema(
        list(dict.fromkeys(wanted)),
        ref_template="#/components/schemas/{model}",
    )
    definitions: dict[str, Any] = schema["$defs"]
    queries = {references[(route.query, "validation")]["$ref"] for route in routes if route.query is not Nothing}
    bodies = {references[(route.body, "validation")]["$ref"] for route in routes if route.body and not route.files}
    # a query model is shown as parameters, not as a schema of its own
    parameters = {reference: definitions.pop(reference.rsplit("/", 1)[1]) for reference in queries - bodies}
    return dict(references), dict(sorted(definitions.items())), parameters


def _operation(route: Route, references: References, queries: dict[str, Any]) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in route.path_parameters
    ]
    if route.query is not Nothing:
        schema = queries[references[(route.query, "validation")]["$ref"]]
        parameters += [_parameter(name, part, schema) for name, part in schema["properties"].items()]
    if route.repeatable:
        parameters.append(_header("Idempotency-Key", "the same request with the same key is done once", max_length=200))
    if 412 in route.errors:
        parameters.append(_header("If-Match", "refuse when the thing has another version than this ETag"))
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": parameters,
        "responses": _responses(route, references),
        "x-roles": sorted(str(role) for role in route.allowed),
        "x-rate": str(route.rate),
    }
    if route.description:
        operation["description"] = route.description
    if not route.allowed:
        operation["security"] = []
    if body := _request_body(route, references):
        operation["requestBody"] = body
    return operation


def _request_body(route: Route, references: References) -> dict[str, Any] | None:
    if route.files:
        files = {name: {"type": "string", "contentMediaType": "application/octet-stream"} for name in route.files}
        # the model's schema refuses other fields, so the files must stand in the same object
        schema = (route.body or Nothing).model_json_schema(ref_template="#/components/schemas/{model}")
        schema["properties"] = {**schema.get("properties", {}), **files}
        schema["required"] = [*schema.get("required", []), *route.files]
        return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    if route.body:
        return {
            "required": any(field.is_required() for field in route.body.model_fields.values()),
            "content": {"application/json": {"schema": references[(route.body, "validation")]}},
        }
    return None


def _responses(route: Route, references: References) -> dict[str, Any]:
    content: dict[str, Any] = {media: {} for media in route.media_types}
    if route.answer:
        content = {"application/json": {"schema": references[(route.answer, "serialization")]}, **content}
    done: dict[str, Any] = {
        "description": route.summary,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS},
    }
    if content:
        done["content"] = content
    statuses = {400, 429, 503, *route.errors}
    if route.allowed:
        statuses |= {401}
        if route.allowed != frozenset(Role):
            statuses |= {403}
    if route.path_parameters:
        statuses |= {404}
    if route.body or route.files:
        statuses |= {413, 422}
    if route.repeatable:
        statuses |= {409, 422}
    if route.query is not Nothing:
        statuses |= {422}
    if route.rate is Rate.FREE:
        statuses -= {429}
    # the server gives up on such a request line before the program sees it, hence no problem document
    answers = {str(route.status): done, "414": {"description": "the address has more than 8,190 characters"}}
    if 304 in statuses:
        answers["304"] = {"description": "not changed since the version of If-None-Match"}
        statuses -= {304}
    if 204 in statuses:
        answers["204"] = {"description": "nothing there"}
        statuses -= {204}
    return answers | {str(s): {"$ref": f"#/components/responses/Problem{s}"} for s in sorted(statuses)}


def _parameter(name: str, part: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    plain = dict(part)
    plain.pop("title", None)
    description = plain.pop("description", None)
    if "anyOf" in plain and {"type": "null"} in plain["anyOf"]:
        others = [option for option in plain.pop("anyOf") if option != {"type": "null"}]
        plain = {**(others[0] if len(others) == 1 else {"anyOf": others}), **plain}
    if plain.get("default", ...) is None:
        del plain["default"]
    parameter: dict[str, Any] = {"name": name, "in": "query", "schema": plain}
    if name in schema.get("required", ()):
        parameter["required"] = True
    if description:
        parameter["description"] = description
    return parameter


def _header(name: str, description: str, *, max_length: int = 1000) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "maxLength": max_length, "pattern": "^[ -~]+$"}
    return {"name": name, "in": "header", "description": description, "schema": schema}


def _problem(reason: str) -> dict[str, Any]:
    return {
        "description": reason,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _bare_paths() -> dict[str, Any]:
    def get(summary: str, content: dict[str, Any], **more: Any) -> dict[str, Any]:
        name = summary.split(":")[0]
        return {
            "servers": [{"url": "/"}],
            "get": {
                "operationId": f"get_{name}",
                "summary": summary,
                "tags": ["system"],
                "security": [],
                "responses": {"200": {"description": summary, "content": content}, **more},
            },
        }

    alive = {"type": "object", "properties": {"status": {"const": "ok"}}, "required": ["status"]}
    parts = {
        "type": "object",
        "properties": {
            "status": {"enum": ["ready", "degraded", "down"]},
            "parts": {"type": "object", "additionalProperties": {"enum": ["up", "down"]}},
            "warnings": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["status", "parts"],
    }
    json_of = "application/json"
    down = {"description": "Neo4j or SQL is down", "content": {json_of: {"schema": parts}}}
    return {
        "/health": get("health: this process answers", {json_of: {"schema": alive}}),
        "/ready": get("ready: every part answers", {json_of: {"schema": parts}}, **{"503": down}),
        "/metrics": get("metrics: in Prometheus' text format", {"text/plain": {"schema": {"type": "string"}}}),
    }


def main() -> None:
    """Write the document to the file named on the command line."""
    from wnis_api.http.routes import ROUTES

    write(ROUTES, Path(sys.argv[1]))


if __name__ == "__main__":
    main()
