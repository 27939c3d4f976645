"""One request is one trace, through every service to the graph."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator

import pytest
import requests
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.component.traces.collector import Collector, Seen
from tests.conftest import Neo4jServer
from tests.live import LiveStack, free_ports


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """Where spans go."""
    with Collector() as running:
        yield running
        running.shutdown()


@pytest.fixture(scope="module")
def stack(
    neo4j_server: Neo4jServer, collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveStack]:
    """The whole system, told where the collector is."""
    extra = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    with LiveStack(tmp_path_factory.mktemp("traced"), neo4j_server, extra=extra) as running:
        yield running


@pytest.fixture(scope="module")
def token(stack: LiveStack) -> dict[str, str]:
    """Headers of somebody who may do everything."""
    return stack.sign_in().headers


def of_trace(spans: list[Seen], trace: str) -> list[Seen]:
    return [span for span in spans if span.trace == trace]


def traceparent() -> tuple[str, dict[str, str]]:
    trace = secrets.token_hex(16)
    return trace, {"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"}


def test_a_search_is_one_trace_of_api_ml_and_graph(
    stack: LiveStack, collector: Collector, token: dict[str, str]
) -> None:
    made = requests.post(
        f"{stack.url}/api/v1/incidents",
        json={"kind": "leak", "narrative": "water on the road", "occurred_at": "2026-01-02T03:04:05Z"},
        headers=token,
        timeout=20,
    )
    assert made.status_code == 201, made.text
    trace, asking = traceparent()
    words = f"water {secrets.token_hex(8)}"
    found = requests.post(
        f"{stack.url}/api/v1/incidents/search?", json={"query": words}, headers={**token, **asking}, timeout=60
    )
    assert found.status_code == 200, found.text

    def complete(spans: list[Seen]) -> bool:
        ours = of_trace(spans, trace)
        return {"api", "ml"} <= {s.service for s in ours} and any(
            s.parent == asking["traceparent"][36:52] for s in ours
        )

    spans = of_trace(collector.wait(complete), trace)
    by_id = {span.id: span for span in spans}
    root = next(span for span in spans if span.parent not in by_id)
    assert (root.service, root.name, root.kind) == ("api", "POST /api/v1/incidents/search", Span.SPAN_KIND_SERVER)
    assert root.parent == asking["traceparent"].split("-")[2]
    assert root.attributes["http.response.status_code"] == 200
    # api calls ml: the span of the call is the parent of the span of the service
    served = next(s for s in spans if s.service == "ml" and s.kind == Span.SPAN_KIND_SERVER)
    calling = by_id[served.parent]
    assert (calling.service, calling.kind, calling.parent) == ("api", Span.SPAN_KIND_CLIENT, root.id)
    assert calling.attributes["peer.service"] == "ml"
    # what ml asks of the graph is below it, by name and without a parameter
    queries = [s for s in spans if s.attributes.get("db.system.name") == "neo4j"]
    assert {s.service for s in queries} >= {"ml"}
    assert {s.parent for s in queries if s.service == "ml"} == {served.id}
    for query in queries:
        assert query.attributes == {
            "db.system.name": "neo4j", "db.operation.name": "READ", "db.query.summary": query.name,
        }  # fmt: skip
        assert "." in query.name
    assert not any(span.failed for span in spans)
    assert words.encode() not in b"".join(collector.bodies)


def test_log_lines_name_their_trace(stack: LiveStack, collector: Collector, token: dict[str, str]) -> None:
    trace, asking = traceparent()
    requests.post(
        f"{stack.url}/api/v1/incidents/search", json={"query": "water"}, headers={**token, **asking}, timeout=60
    )
    spans = of_trace(collector.wait(lambda all_: len({s.service for s in of_trace(all_, trace)}) == 2), trace)
    for service in ("api", "ml"):
        # the first line is cut off, and gunicorn's own are no JSON
        whole = stack.log_tail(service).splitlines()[1:]
        lines = [json.loads(line) for line in whole if line.startswith("{")]
        said = [line for line in lines if line.get("trace.id") == trace]
        assert {line["span.id"] for line in said} <= {span.id for span in spans if span.service == service}
        assert said, service


def test_a_job_is_linked_to_the_request_that_asked_for_it(
    stack: LiveStack, collector: Collector, token: dict[str, str]
) -> None:
    trace, asking = traceparent()
    made = requests.post(
        f"{stack.url}/api/v1/networks/samples", json={"name": "mini"}, headers={**token, **asking}, timeout=60
    )
    assert made.status_code == 202, made.text
    spans = collector.wait(lambda all_: any(trace in span.links for span in all_), 60)
    job = next(span for span in spans if trace in span.links)
    assert (job.service, job.parent, job.attributes["wnis.job.id"]) == ("simulator", "", made.json()["job_id"])
    assert any(span.parent == job.id and span.attributes.get("db.operation.name") == "WRITE" for span in spans)


def test_secrets_of_a_request_are_in_no_span(stack: LiveStack, collector: Collector, token: dict[str, str]) -> None:
    planted = [secrets.token_hex(12) for _ in range(4)]
    trace, asking = traceparent()
    requests.get(
        f"{stack.url}/api/v1/components?token={planted[0]}",
        headers={**asking, **token, "X-API-Key": planted[1], "Cookie": f"a={planted[2]}"},
        timeout=20,
    )
    requests.post(f"{stack.url}/auth/login", json={"username": "x", "password": planted[3]}, headers=asking, timeout=20)
    collector.wait(lambda all_: len([s for s in of_trace(all_, trace) if s.kind == Span.SPAN_KIND_SERVER]) == 2)
    sent = b"".join(collector.bodies)
    assert [secret for secret in (*planted, token["Authorization"][-40:]) if secret.encode() in sent] == []


def test_what_a_service_does_by_itself_is_not_traced(collector: Collector) -> None:
    known = {span.id for span in collector.spans}
    alone = [s for s in collector.spans if s.attributes.get("db.system.name") and s.parent not in known]
    assert alone == []


def test_the_last_spans_are_sent_at_the_end(
    neo4j_server: Neo4jServer, collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # an hour between two sendings: only the end of the process can bring them
    extra = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "3600000"}
    trace, asking = traceparent()
    with LiveStack(tmp_path_factory.mktemp("ending"), neo4j_server, parts=(), workers=1, extra=extra) as stack:
        requests.get(f"{stack.url}/api/v1/jobs", headers=asking, timeout=20)
        assert of_trace(collector.spans, trace) == []
    assert [span.name for span in of_trace(collector.spans, trace)] == ["GET /api/v1/jobs"]


def test_a_collector_that_is_away_slows_neither_requests_nor_the_end(
    neo4j_server: Neo4jServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    extra = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_ports(1)[0]}",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "OTEL_BSP_MAX_QUEUE_SIZE": "20",
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "10",
    }
    with LiveStack(tmp_path_factory.mktemp("alone"), neo4j_server, parts=(), workers=1, extra=extra) as stack:
        with requests.Session() as client:
            took = []
            for _ in range(200):
                answer = client.get(f"{stack.url}/api/v1/jobs", timeout=20)
                assert answer.status_code == 401
                took.append(answer.elapsed.total_seconds())
        assert sorted(took)[190] < 0.25
        log = stack.home / "api.log"
        began = time.monotonic()
        stack.stop("api")
        assert time.monotonic() - began < 12
    said = [json.loads(line)["message"] for line in log.read_text().splitlines() if "collector" in line]
    assert said.count("the collector of traces is away: spans are lost") == 1
