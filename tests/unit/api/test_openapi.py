"""The generated document: complete, valid, and the one that is committed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate
from wnis_api.http.openapi import document
from wnis_api.http.route import Route
from wnis_api.http.routes import ROUTES

from tests.conftest import REPOSITORY


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def test_the_document_is_valid_openapi_3_1() -> None:
    validate(document(ROUTES))


def test_every_reference_resolves() -> None:
    whole = document(ROUTES)
    for reference in set(_references(whole)):
        place: Any = whole
        for part in reference.removeprefix("#/").split("/"):
            assert part in place, reference
            place = place[part]


def test_the_committed_document_is_the_generated_one() -> None:
    committed = (REPOSITORY / "docs" / "reference" / "openapi.json").read_text(encoding="utf-8")
    assert json.loads(committed) == json.loads(json.dumps(document(ROUTES))), (
        "run: python -m wnis_api.http.openapi docs/reference/openapi.json"
    )


@pytest.mark.parametrize("route", ROUTES, ids=lambda r: r.name)
def test_a_route_says_what_it_does_takes_and_answers(route: Route) -> None:
    operation = document(ROUTES)["paths"][route.path][route.method.lower()]
    assert operation["summary"]
    assert operation["tags"]
    assert operation["x-roles"] == sorted(route.allowed)
    assert {"400", "503", str(route.status)} <= operation["responses"].keys()
    assert ("401" in operation["responses"]) == (bool(route.allowed) or 401 in route.errors)
    content = operation["responses"][str(route.status)].get("content")
    assert content or route.status == 204


def test_names_of_operations_are_unique() -> None:
    names = [route.name for route in ROUTES]
    assert len(names) == len(set(names))


def test_what_is_not_there_yet_is_absent() -> None:
    paths = {route.path.split("/")[1] for route in ROUTES}
    assert paths.isdisjoint({"tasks", "alerts", "reports", "attachments"})
