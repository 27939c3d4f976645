"""Secrets sent to every route, given to every service and met in every failure: none of them is in a log."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from wnis_api.http.paths import PREFIX
from wnis_api.http.routes import ROUTES
from wnis_core.log_fields import FIELDS

from tests.conftest import Neo4jServer
from tests.live import LiveStack, free_ports
from tests.planted import plant


@dataclass
class Planted:
    """Secrets by where they were planted."""

    where: dict[str, str] = field(default_factory=dict)

    def new(self, where: str) -> str:
        """Another one."""
        self.where[where] = f"Pl{secrets.token_hex(14)}"
        # in the logs of every other test as well
        plant(self.where[where])
        return self.where[where]


@pytest.fixture(scope="module")
def planted() -> Planted:
    """What must not be found."""
    return Planted()


@pytest.fixture(scope="module")
def stack(neo4j_server: Neo4jServer, planted: Planted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    """The whole system as talkative as it can be, with parts that are away behind addresses with passwords."""
    nobody = free_ports(1)[0]
    extra = {
        "WNIS_LOG_LEVEL": "DEBUG",
        "REDIS_URL": f"redis://:{planted.new('password of Redis')}@127.0.0.1:{nobody}/0",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://wnis:{planted.new('password of the collector')}@127.0.0.1:{nobody}",
        "OTEL_EXPORTER_OTLP_HEADERS": f"api-key={planted.new('key of the collector')}",
    }
    with LiveStack(tmp_path_factory.mktemp("planted"), neo4j_server, workers=1, extra=extra) as running:
        for name in ("WNIS_JWT_SECRET", "WNIS_INTERNAL_SECRET", "WNIS_SIGNING_KEY", "NEO4J_PASSWORD"):
            planted.where[name] = running.environment[name]
        use_all_of_it(running, planted)
        yield running


def use_all_of_it(stack: LiveStack, planted: Planted) -> None:
    """Every way in which a secret can meet the API."""
    admin = stack.sign_in()
    planted.where |= {
        "password": stack.password, "access token": admin.token, "refresh token": admin.refresh_token,
    }  # fmt: skip
    with requests.Session() as client:

        def ask(method: str, path: str, **more: Any) -> requests.Response:
            return client.request(method, stack.url + path, timeout=60, **more)

        issued = ask("POST", "/auth/keys", json={"name": "program"}, headers=admin.headers)
        assert issued.status_code == 201, issued.text
        planted.where["API key"] = issued.json()["key"]
        plant(planted.where["API key"])
        ask("GET", "/auth/me", headers={"X-API-Key": issued.json()["key"]})
        ask("POST", "/auth/login", json={"username": "nobody", "password": planted.new("wrong password")})
        ask("POST", "/auth/login", json={"username": ["x"], "password": [planted.new("password of a wrong type")]})
        ask("POST", "/auth/login", data=f'{{"password": "{planted.new("password in broken JSON")}"')
        ask("POST", "/auth/refresh", json={"refresh_token": planted.new("wrong refresh token")})
        ask("POST", "/auth/refresh", json={"refresh_token": admin.refresh_token})
        person = {"username": f"p-{secrets.token_hex(4)}", "password": planted.new("a person's password")}
        assert (
            ask("POST", "/admin/users", json={**person, "role": "operator"}, headers=admin.headers).status_code == 201
        )
        strange = {
            "X-API-Key": planted.new("header X-API-Key"),
            "Cookie": f"session={planted.new('cookie')}",
            "Proxy-Authorization": f"Basic {planted.new('header Proxy-Authorization')}",
            "Referer": f"https://x.test/?token={planted.new('referrer')}",
        }
        in_query, in_body = planted.new("query"), planted.new("body")
        for route in ROUTES:
            if route.name == "logout" or route.path == "/auth/logout":
                continue
            path = PREFIX + route.path.replace("{", "").replace("}", "")
            body = {"password": in_body, "token": in_body, "nested": {"secret": in_body}}
            ask(route.method, path, params={"token": in_query}, json=body, headers={**strange, **admin.headers})
            ask(route.method, path, headers={**strange, "Authorization": f"Bearer {planted.new('wrong token')}"})
            ask(route.method, path, json=body, headers={**strange, **admin.headers})
        # what the graph itself refuses
        cypher = {"cypher": "MATCH (n RETURN n", "parameters": {"x": planted.new("parameter of Cypher")}}
        ask("POST", "/api/v1/graph/query", json=cypher, headers=admin.headers)
        stack.stop("ml")
        away = ask("POST", "/api/v1/incidents/search", json={"query": "leak"}, headers=admin.headers)
        assert away.status_code == 503
        # a password of the graph that is not its own
        stack.stop("api")
        stack.environment["NEO4J_PASSWORD"] = planted.new("wrong password of the graph")
        stack.start("api")
        stack.wait("api")
        assert ask("GET", "/api/v1/components", headers=admin.headers).status_code == 503
        # a database of credentials that does not answer
        stack.stop("api")
        password = planted.new("password of the SQL database")
        stack.environment["WNIS_SQL_URL"] = f"postgresql+psycopg://wnis:{password}@127.0.0.1:{free_ports(1)[0]}/wnis"
        stack.start("api")
        stack.wait("api")
        assert ask("POST", "/auth/login", json={"username": "x", "password": "y" * 12}).status_code == 503


def documents(stack: LiveStack) -> list[dict[str, Any]]:
    """Lines of our formatter; gunicorn's own process writes a few others."""
    lines = [line for log in stack.home.glob("*.log") for line in log.read_text(errors="replace").splitlines()]
    return [json.loads(line) for line in lines if line.startswith("{")]


def test_no_planted_secret_is_in_any_log(stack: LiveStack, planted: Planted) -> None:
    logs = {path: path.read_text(errors="replace") for path in stack.home.rglob("*.log")}
    assert {"api.log", "simulator.log", "ml.log"} <= {path.name for path in logs}
    assert len(planted.where) > 20
    found = [
        (path.name, where) for path, text in logs.items() for where, secret in planted.where.items() if secret in text
    ]
    assert found == []


def test_the_logs_tell_what_went_wrong(stack: LiveStack) -> None:
    said = documents(stack)
    by_status = Counter(line.get("http.response.status_code") for line in said)
    assert {200, 201, 400, 401, 404, 422, 503} <= set(by_status), by_status
    messages = " ".join(line["message"] for line in said)
    for words in (
        "request counters cannot be reached",
        "the collector of traces is away",
        "ml service does not answer",
    ):
        assert words in messages, words
    assert any("graph refused our credentials" in line["message"] for line in said)


def test_every_field_of_every_line_is_known(stack: LiveStack) -> None:
    names = {name for line in documents(stack) for name in line}
    assert names <= {field.name for field in FIELDS}
    served = next(line for line in documents(stack) if line.get("http.route") == f"{PREFIX}/components/<id>")
    assert {
        "@timestamp", "ecs.version", "service.name", "http.request.id", "http.request.method", "url.path",
        "http.response.status_code", "event.duration", "client.address",
    } <= served.keys()  # fmt: skip
    known = [line for line in documents(stack) if line.get("user.id") and "http.route" in line]
    assert {line["service.name"] for line in known} == {"api", "simulator", "ml"}
    assert {line["organization.id"] for line in known} == {stack.utility}


def test_lines_that_are_not_ours_are_few(stack: LiveStack) -> None:
    lines = [line for log in stack.home.glob("*.log") for line in log.read_text(errors="replace").splitlines()]
    strangers = [line for line in lines if line and not line.startswith("{")]
    assert len(strangers) < len(lines) / 20, strangers[:40]
