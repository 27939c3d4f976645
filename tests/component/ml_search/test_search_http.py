"""The ml service's routes of search and index over HTTP, with a real job engine behind them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from wnis_core import service
from wnis_core.jobs import JobEngine
from wnis_core.tokens import Caller, issue_internal_token
from wnis_graph.repositories.incidents import IncidentDraft
from wnis_ml.search.http import register_search

from tests.component.ml_search.test_incident_search import CRACK, RUST, Desk, desk, meaning

__all__ = ["desk", "meaning"]

SECRET = "a-secret-of-more-than-thirty-two-bytes"


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[JobEngine]:
    engine = JobEngine(
        service="ml",
        database_url=f"sqlite:///{tmp_path / 'jobs.sqlite'}",
        executor_id="t",
        home=tmp_path,
        sink=lambda _: None,
    )
    yield engine
    engine.shutdown()


@pytest.fixture
def client(desk: Desk, jobs: JobEngine) -> FlaskClient:
    app = Flask("ml")
    register_search(
        app, search=desk.finder, keeper=desk.keeper, jobs=jobs, caller=lambda: service.internal_caller(SECRET, "ml")
    )
    service.install(app, ready=lambda: ({}, 200))
    jobs.launch()
    client = app.test_client()
    token = issue_internal_token(SECRET, "ml", Caller(desk.scope.utility, "tester", frozenset({"engineer"}), "r-1"))
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def test_search_sync_and_rebuild_answer_as_the_contract_says(client: FlaskClient, desk: Desk, jobs: JobEngine) -> None:
    desk.incidents.upsert_many(desk.scope, [CRACK, RUST])
    assert client.get("/index").json == {"indexed": 0, "pending": 2}
    assert client.post("/index/sync").json == {"indexed": 2, "pending": 0}

    answer = client.post(
        "/incidents/search", json={"query": "ring fracture", "component_id": "net:pipe:P1", "hops": 2, "limit": 5}
    )
    assert answer.status_code == 200
    (result,) = answer.json["results"]
    assert result.keys() == {
        "incident", "source_id", "score", "parts", "highlights", "components", "hops"
    }  # fmt: skip
    assert result["parts"].keys() == {"semantic", "lexical"}
    assert (result["incident"]["id"], result["incident"]["occurred_at"]) == ("crack", "2024-05-01T12:00:00Z")
    assert (result["components"], result["hops"]) == ([{"id": "net:pipe:P1", "type": "Pipe", "name": "P1"}], 0)

    desk.store.delete(desk.scope.utility, ["crack", "rust"])
    accepted = client.post("/index/rebuild", json={"job_id": "job-1"})
    assert (accepted.status_code, accepted.json) == (202, {"job_id": "job-1"})
    deadline = time.monotonic() + 20
    while jobs.get(desk.scope.utility, "job-1").state not in ("succeeded", "failed"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert jobs.get(desk.scope.utility, "job-1").result == {"indexed": 2, "pending": 0}
    assert client.get("/index").json == {"indexed": 2, "pending": 0}


def test_wrong_requests_are_told_apart(client: FlaskClient) -> None:
    def refused(body: Any) -> tuple[int, list[str]]:
        answer = client.post("/incidents/search", json=body)
        return answer.status_code, [fault["field"] for fault in answer.json["errors"]]

    assert refused({}) == (400, ["query"])
    assert refused({"query": "leak", "colour": "blue"}) == (400, ["colour"])
    assert refused({"query": "  "}) == (422, ["query"])
    assert refused({"query": "leak", "kind": "earthquake"}) == (422, ["kind"])
    assert refused({"query": "leak", "hops": 2}) == (422, ["hops"])
    assert refused({"query": "leak", "limit": 1000}) == (422, ["limit"])
    assert refused({"query": "leak", "since": "2024-01-01"})[0] == 422
    assert refused({"query": "leak", "component_id": "nowhere"})[0] == 404
    assert client.post("/incidents/search", data=b"{", content_type="application/json").status_code == 400


def test_nobody_without_an_internal_token_is_answered(client: FlaskClient) -> None:
    client.environ_base.pop("HTTP_AUTHORIZATION")
    for method, path in (("POST", "/incidents/search"), ("POST", "/index/sync"), ("GET", "/index")):
        assert client.open(path, method=method, json={"query": "leak"}).status_code == 401
    assert client.post("/index/rebuild", json={"job_id": "j"}).status_code == 401


def test_a_caller_sees_the_incidents_of_his_utility_only(client: FlaskClient, desk: Desk) -> None:
    desk.incidents.create(desk.scope, IncidentDraft("leak", datetime(2024, 5, 1, tzinfo=UTC), narrative="round crack"))
    client.post("/index/sync")
    other = issue_internal_token(SECRET, "ml", Caller("another", "tester", frozenset(), "r-2"))
    headers = {"Authorization": f"Bearer {other}"}
    assert client.post("/incidents/search", json={"query": "round crack"}, headers=headers).json == {"results": []}
    assert client.get("/index", headers=headers).json == {"indexed": 0, "pending": 0}
