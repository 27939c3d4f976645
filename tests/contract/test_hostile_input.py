"""Input that is meant to hurt: the answer is always a problem document below 500."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import pytest
import requests
from wnis_api.http.route import Route
from wnis_api.http.routes import ROUTES

from tests.contract.conftest import Client
from tests.live import LiveStack

INJECTIONS = (
    "' OR 1=1 //",
    "'; DROP TABLE accounts; --",
    "}) DETACH DELETE n //",
    "x' RETURN 1 UNION MATCH (n) RETURN n //",
    "\\u0027 OR true",
    "${jndi:ldap://x}",
    'a*~?:\\/[]{}^"AND OR NOT',
    "💧" * 50,
    "Ω≈ç√∫˜µ",
    "%00",
    "../../etc/passwd",
)
LISTS = [r for r in ROUTES if r.method == "GET" and not r.path_parameters and r.query.model_fields]


def _is_problem(answer: requests.Response) -> None:
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text[:300])
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {"error", "code", "status", "request_id", "errors"} <= answer.json().keys()


@pytest.mark.parametrize("route", LISTS, ids=lambda r: r.name)
def test_injections_in_a_filter_find_nothing_and_break_nothing(route: Route, admin: Client) -> None:
    names = [field.alias or name for name, field in route.query.model_fields.items()]
    for place, name in enumerate(names):
        for text in INJECTIONS[place % 3 :: 3]:
            answer = admin("GET", route.path, params={name: text})
            assert answer.status_code < 500, (name, text, answer.text[:300])
            if answer.ok and name not in ("as_of",):
                (rows,) = [value for value in answer.json().values() if isinstance(value, list)] or [[]]
                assert rows == [], (name, text)
            elif answer.status_code != 404:
                _is_problem(answer)


@pytest.mark.parametrize("text", ["%00", "%ff%fe", "%C0%AF", "%2e%2e%2f", "a%0d%0aX-Evil:1", "x" * 600, "%F0%9F%92%A7"])
def test_ids_that_cannot_be_are_not_found(text: str, live: LiveStack, admin: Client) -> None:
    assert admin.person is not None
    for path in ("components", "networks", "incidents", "jobs", "simulations"):
        # a raw request: a client library would repair these
        at = urlsplit(live.url)
        connection = http.client.HTTPConnection(at.hostname or "", at.port or 0, timeout=10)
        connection.request("GET", f"/api/v1/{path}/{text}", headers=admin.person.headers)
        answer = connection.getresponse()
        assert answer.status == 404, (path, text, answer.status)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "X-Evil" not in answer.headers
        connection.close()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'"text"', 400),
        (b"\xff\xfe{}", 400),
        (b'{"kind": "\xff"}', 400),
        (b'{"kind": "\\ud800"}', 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400),
        (b'{"kind": "break", "occurred_at": "2020-01-01T00:00:00Z", "narrative": "a\\u0000b"}', 422),
        (b'{"kind": "break", "occurred_at": "2020-01-01T00:00:00"}', 422),
        (b'{"kind": "break", "occurred_at": "99999-01-01T00:00:00Z"}', 422),
        (b'{"kind": "flood", "occurred_at": "2020-01-01T00:00:00Z"}', 422),
        (b'{"kind": "break", "occurred_at": "2020-01-01T00:00:00Z", "location": {"x": NaN, "y": 1}}', 422),
        (b'{"kind": "break", "occurred_at": "2020-01-01T00:00:00Z", "location": {"x": 1e999, "y": 1}}', 422),
        (b'{"kind": "break", "occurred_at": "2020-01-01T00:00:00Z", "location": {"x": 1, "y": 1, "srid": 5000}}', 422),
        (b'{"kind": "break", "occurred_at": "2020-01-01T00:00:00Z", "utility": "other"}', 422),
        (b'{"kind": "break", "occurred_at": "2020-01-01T00:00:00Z", "components": ["no-such"]}', 422),
    ],
    ids=range(19),
)
def test_a_body_that_is_wrong_is_refused_with_its_reason(body: bytes, status: int, admin: Client) -> None:
    answer = admin("POST", "/incidents", data=body, headers={"Content-Type": "application/json"})
    _is_problem(answer)
    assert answer.status_code == status, answer.text[:300]


def test_too_large_bodies_are_413_before_they_are_read_into_memory(admin: Client) -> None:
    large = b'{"query": "' + b"x" * 2_000_000 + b'"}'
    answer = admin("POST", "/incidents/search", data=large, headers={"Content-Type": "application/json"})
    _is_problem(answer)
    assert answer.status_code == 413

    def chunks() -> object:
        for _ in range(30):
            yield b"x" * 100_000

    answer = admin("POST", "/incidents/search", data=chunks(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


def test_odd_parameters_are_refused(admin: Client) -> None:
    assert admin("GET", "/components?nope=1").status_code == 400
    assert admin("GET", "/components?limit=1&limit=2").status_code == 400
    for wrong in ("limit=0", "limit=1001", "limit=x", "limit=1e9", "type=Nope", "bbox=1,2", "bbox=nan,0,1,1", "sort=x"):
        answer = admin("GET", f"/components?{wrong}")
        _is_problem(answer)
        assert answer.status_code == 422, wrong
        assert answer.json()["errors"][0]["field"] == wrong.split("=")[0]


def test_unmatched_paths_and_methods_answer_problem_documents(admin: Client) -> None:
    for path in ("/api/nope", "/api/v1/nope", "/auth/nope", "/admin/nope", "/api/v1/tasks", "/api/v2/components"):
        answer = admin.bare("GET", path)
        _is_problem(answer)
        assert answer.status_code == 404
    answer = admin("PUT", "/components")
    _is_problem(answer)
    assert answer.status_code == 405
    assert {m.strip() for m in answer.headers["Allow"].split(",")} == {"GET", "HEAD", "POST"}
    assert admin("OPTIONS", "/components").status_code == 405


def test_other_origins_get_no_permission(admin: Client) -> None:
    answer = admin("GET", "/auth/me", headers={"Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_every_answer_carries_the_security_headers(admin: Client, anonymous: Client) -> None:
    for answer in (admin("GET", "/auth/me"), anonymous("GET", "/nope"), anonymous.bare("GET", "/health")):
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Request-Id"]


def test_a_query_of_the_graph_finds_no_secret(live: LiveStack, admin: Client) -> None:
    body = {"cypher": "MATCH (n) WHERE n.utility = $utility OR n:User RETURN properties(n) AS p LIMIT 1000"}
    answer = admin("POST", "/graph/query", json=body)
    assert answer.status_code == 200, answer.text
    text = answer.text.lower()
    for secret in ("argon2", "password", "refresh", live.password.lower(), live.environment["WNIS_JWT_SECRET"]):
        assert secret not in text


@pytest.mark.parametrize(
    "cypher",
    [
        "CREATE (n:Component) RETURN n",
        "MATCH (n) DETACH DELETE n",
        "MATCH (n:User) SET n.active = true RETURN n",
        "CALL dbms.listConfig()",
        "LOAD CSV FROM 'file:///etc/passwd' AS row RETURN row",
        "MATCH (n) CALL { WITH n DELETE n } IN TRANSACTIONS RETURN 1",
        "SHOW USERS",
    ],
)
def test_a_query_that_does_more_than_read_is_refused(cypher: str, admin: Client) -> None:
    answer = admin("POST", "/graph/query", json={"cypher": cypher})
    _is_problem(answer)


def test_with_several_utilities_only_a_platform_admin_may_query(live: LiveStack, admin: Client) -> None:
    assert admin.person is not None
    other = {"username": f"other-{live.utility}", "password": "a lake of tin drums", "role": "analyst"}
    assert admin("POST", "/admin/users", json=other).status_code == 201
    analyst = Client(live, live.sign_in(other["username"], other["password"]))
    answer = analyst("POST", "/graph/query", json={"cypher": "RETURN 1"})
    several = len(admin("GET", "/auth/me").json()["utilities"]) > 1
    assert (answer.status_code == 403) == several
    assert not several or "utilities" in answer.json()["error"]
    assert admin("POST", "/graph/query", json={"cypher": "RETURN 1 AS one"}).json()["rows"] == [[1]]
