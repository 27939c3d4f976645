"""A real Prometheus scrapes the real system at work, and every question that we ask of it has an answer.

Whether alerts fire is promtool's part; here is shown that what they look at exists under exactly these names.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from wnis_ops.backup.records import record
from wnis_ops.client import ApiClient
from wnis_ops.demo.load import load_demo
from wnis_ops.monitoring.dashboards import DASHBOARDS
from wnis_ops.place import Home

from tests.component.monitoring.conftest import MONITORING, Server, TlsServer
from tests.conftest import Neo4jServer
from tests.live import LiveStack, free_ports
from tests.unit.monitoring.promql import selectors

pytestmark = [pytest.mark.system, pytest.mark.slow, pytest.mark.timeout(600)]

_PATIENCE_S = 45.0
_BY_ZONE = """
    MATCH (c:Component {network: 'ky4'}) WHERE c.utility = $ours AND c.retired_at IS NULL
    OPTIONAL MATCH (c)-[:PART_OF]->(z:Zone) RETURN coalesce(z.id, '') AS zone, count(*) AS components
"""
LAST_STEP = "Indexing incidents"


@dataclass(frozen=True)
class Watched:
    """The system at work, the one who watches it, and the certificate that is served."""

    stack: LiveStack
    prometheus: Server
    alertmanager: Server
    tls: TlsServer


def configuration(targets: dict[str, str], alertmanager: str) -> dict[str, Any]:
    """The configuration that we ship, at other addresses and in a hurry."""
    shipped: dict[str, Any] = yaml.safe_load((MONITORING / "prometheus/prometheus.yml").read_text())
    shipped["global"].update(scrape_interval="1s", scrape_timeout="1s", evaluation_interval="1s")
    shipped["rule_files"] = [str(MONITORING / "prometheus" / name) for name in shipped["rule_files"]]
    shipped["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [alertmanager]
    for job in shipped["scrape_configs"]:
        job["static_configs"][0]["targets"] = [targets.pop(job["job_name"])]
        if job["job_name"] == "ml":
            # looking at the graph under this load may take longer than a second
            job.update(scrape_interval="5s", scrape_timeout="5s")
    assert not targets, f"nothing scrapes {sorted(targets)}"
    return shipped


class Loading:
    """The demonstration comes into the system; the index may go on following while it is watched."""

    def __init__(self) -> None:
        self._predicted, self._failures = threading.Event(), list[Exception]()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Loading:
        return self

    def begin(self, stack: LiveStack, token: str) -> None:
        self._thread = threading.Thread(target=self._load, args=(ApiClient(stack.url, token), stack.home))
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        if self._thread is not None:
            self._thread.join(60)

    def wait_until_predicted(self) -> None:
        assert self._predicted.wait(300)
        assert self._failures == []

    def _load(self, client: ApiClient, home: Path) -> None:
        def listen(_fraction: float, message: str) -> None:
            if LAST_STEP in message:
                self._predicted.set()

        try:
            load_demo(client, listen, home)
        except Exception as error:
            self._failures.append(error)
        self._predicted.set()


def read_and_be_refused(stack: LiveStack, token: str, enough: threading.Event) -> None:
    """People forget passwords, read, and ask for what is not there."""
    headers = {"Authorization": f"Bearer {token}"}
    for _ in range(45):
        body = {"username": "nobody-we-know", "password": "wrong"}
        requests.post(f"{stack.url}/api/v1/auth/login", json=body, timeout=60)
    while not enough.is_set():
        for path in ("/components?limit=50", "/networks/ky4", "/incidents?limit=20", "/components/no-such-thing"):
            requests.get(f"{stack.url}/api/v1{path}", headers=headers, timeout=60)


def simulate_and_predict(stack: LiveStack, token: str, enough: threading.Event) -> None:
    """Jobs come and end, again and again: a histogram tells of a time only between two looks at it."""
    client = ApiClient(stack.url, token)
    while not enough.is_set():
        run = client.post("/simulations", {"network_id": "ky4", "kind": "hydraulic"})
        scored = client.post("/predictions/runs", {})
        for accepted in (run, scored):
            client.wait(accepted["job_id"], lambda _fraction, _message: None)


@pytest.fixture(scope="module")
def watched(neo4j_server: Neo4jServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("monitoring")
    with ExitStack() as opened:
        tls = opened.enter_context(TlsServer(folder, days=30))
        # before the stack, so that it ends after it and nobody waits for the index
        loading = opened.enter_context(Loading())
        stack = LiveStack(folder / "home", neo4j_server, extra={"WNIS_TLS_TARGETS": tls.target})
        opened.enter_context(stack)
        token = stack.sign_in().token
        loading.begin(stack, token)
        loading.wait_until_predicted()
        note_backup_and_drill(stack.home)
        # a part that is away for a moment is what a server error looks like
        port = stack.port("simulator")
        stack.stop("simulator")
        refused = requests.post(
            f"{stack.url}/api/v1/simulations",
            json={"network_id": "ky4", "kind": "hydraulic"},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
        assert refused.status_code == 503
        stack.start("simulator")
        stack.wait("simulator")

        own, node, alerts = free_ports(3)
        opened.enter_context(node_exporter(folder, node))
        alertmanager = opened.enter_context(run_alertmanager(folder, alerts))
        targets = {
            "api-service": stack.url.removeprefix("http://"),
            "simulator": f"127.0.0.1:{port}",
            "ml": f"127.0.0.1:{stack.port('ml')}",
            "node-exporter": f"127.0.0.1:{node}",
            "prometheus": f"127.0.0.1:{own}",
            "alertmanager": f"127.0.0.1:{alerts}",
        }
        file = folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(configuration(targets, f"127.0.0.1:{alerts}")))
        prometheus = Server(
            ("prometheus", f"--config.file={file}", f"--storage.tsdb.path={folder / 'tsdb'}",
             f"--web.listen-address=127.0.0.1:{own}"),
            f"http://127.0.0.1:{own}", "/-/ready", folder / "prometheus.log",
        )  # fmt: skip
        opened.enter_context(prometheus)
        enough = threading.Event()
        people = [
            threading.Thread(target=what, args=(stack, token, enough))
            for what in (read_and_be_refused, simulate_and_predict)
        ]
        for person in people:
            person.start()
        try:
            yield Watched(stack, prometheus, alertmanager, tls)
        finally:
            enough.set()
            for person in people:
                person.join(60)


def note_backup_and_drill(home: Path) -> None:
    """What a backup and a drill leave behind, by the code that leaves it."""
    record(Home(home), "last-backup.json", {"ok": True, "bytes": 1_000, "pause_seconds": 0.5})
    record(Home(home), "last-drill.json", {"ok": True, "seconds": 60.0})


def node_exporter(folder: Path, port: int) -> Server:
    return Server(
        ("prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{port}"),
        f"http://127.0.0.1:{port}", "/metrics", folder / "node-exporter.log",
    )  # fmt: skip


def run_alertmanager(folder: Path, port: int) -> Server:
    return Server(
        ("prometheus-alertmanager", f"--config.file={MONITORING / 'alertmanager/alertmanager.yml'}",
         f"--storage.path={folder / 'alertmanager'}", f"--web.listen-address=127.0.0.1:{port}",
         "--cluster.listen-address="),
        f"http://127.0.0.1:{port}", "/-/ready", folder / "alertmanager.log",
    )  # fmt: skip


def unanswered(prometheus: Server, expressions: set[str], patience_s: float = _PATIENCE_S) -> list[str]:
    """Those of `expressions` that have given no number within the time."""
    open_ones = set(expressions)
    until = time.monotonic() + patience_s
    while True:
        for expression in sorted(open_ones):
            answer = prometheus.get("/api/v1/query", query=expression)["data"]
            values = [float(series["value"][1]) for series in answer["result"]] if answer["result"] else []
            if any(not math.isnan(value) for value in values):
                open_ones.discard(expression)
        if not open_ones or time.monotonic() > until:
            return sorted(open_ones)
        time.sleep(0.5)


def rules_of(prometheus: Server, kind: str) -> list[dict[str, Any]]:
    groups = prometheus.get("/api/v1/rules")["data"]["groups"]
    return [rule for group in groups for rule in group["rules"] if rule["type"] == kind]


def test_every_job_is_scraped(watched: Watched) -> None:
    assert unanswered(watched.prometheus, {f'up{{job="{job}"}} == 1' for job in jobs()}) == []


def jobs() -> list[str]:
    shipped = yaml.safe_load((MONITORING / "prometheus/prometheus.yml").read_text())
    return [job["job_name"] for job in shipped["scrape_configs"]]


def test_everything_that_an_alert_looks_at_exists(watched: Watched) -> None:
    alerts = rules_of(watched.prometheus, "alerting")
    looked_at = {selector for rule in alerts for selector in selectors(rule["query"])}
    assert len(alerts) > 20
    assert len(looked_at) > 20
    assert unanswered(watched.prometheus, looked_at) == []


def test_every_recording_rule_records(watched: Watched) -> None:
    recorded = rules_of(watched.prometheus, "recording")
    assert len(recorded) > 20
    assert unanswered(watched.prometheus, {rule["name"] for rule in recorded}) == []
    assert [rule["name"] for rule in recorded if rule["health"] != "ok"] == []


@pytest.mark.parametrize("title", [dashboard.title for dashboard in DASHBOARDS])
def test_every_panel_of_a_dashboard_shows_something(watched: Watched, title: str) -> None:
    (dashboard,) = (one for one in DASHBOARDS if one.title == title)
    # Grafana fills these in; the interval holds everything that happened since Prometheus began
    asked = {
        expr.replace("$__rate_interval", "10m").replace("$utility", watched.stack.utility)
        for expr in dashboard.expressions()
    }
    assert unanswered(watched.prometheus, asked) == []


def test_the_figures_are_those_of_the_system(watched: Watched) -> None:
    """A name that exists may still tell the wrong thing."""

    def value(expression: str) -> float:
        assert unanswered(watched.prometheus, {expression}) == []
        return float(watched.prometheus.get("/api/v1/query", query=expression)["data"]["result"][0]["value"][1])

    ours = f'utility="{watched.stack.utility}"'
    client = ApiClient(watched.stack.url, watched.stack.sign_in().token)
    by_zone = client.post("/graph/query", {"cypher": _BY_ZONE, "parameters": {"ours": watched.stack.utility}})["rows"]
    assert len(by_zone) > 1
    for zone, components in by_zone:
        assert value(f'sum(wnis_components{{{ours},network="ky4",zone="{zone}"}})') == components
    assert value(f'wnis_certificate_expiry_timestamp_seconds{{target="{watched.tls.target}"}}') == (
        watched.tls.ends.timestamp()
    )
    assert value("sum(login_failures_total)") >= 45
    assert value(f"wnis_model_newest_prediction_timestamp_seconds{{{ours}}}") == pytest.approx(time.time(), abs=600)
    assert 0 < value("neo4j:heap_used:ratio") <= 1
    open_incidents = value(f"sum(wnis_open_incidents{{{ours}}})")
    assert open_incidents == sum(1 for _ in client.pages("/incidents", status="open"))


def test_alerts_have_an_alertmanager_to_go_to(watched: Watched) -> None:
    senders = watched.prometheus.get("/api/v1/alertmanagers")["data"]
    assert [one["url"] for one in senders["activeAlertmanagers"]] == [f"{watched.alertmanager.url}/api/v2/alerts"]
