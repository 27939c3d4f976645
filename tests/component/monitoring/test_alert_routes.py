"""Who is told of which alert, by amtool and a running Alertmanager; and promtool runs every rule test."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from wnis_core.clock import iso, now

from tests.component.monitoring.conftest import MONITORING, Server
from tests.live import free_ports

pytestmark = pytest.mark.system

CONFIGURATION = MONITORING / "alertmanager" / "alertmanager.yml"


def ran(*words: object) -> str:
    """What a tool says, standard error included; it must succeed."""
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_takes_the_configuration() -> None:
    assert "SUCCESS" in ran("promtool", "check", "config", MONITORING / "prometheus" / "prometheus.yml")


@pytest.mark.parametrize(
    "file", sorted((MONITORING / "prometheus" / "tests").glob("*.yml")), ids=lambda file: str(file.stem)
)
def test_alerts_fire_and_resolve(file: Path) -> None:
    assert "SUCCESS" in ran("promtool", "test", "rules", file)


def test_amtool_takes_the_configuration() -> None:
    assert "SUCCESS" in ran("amtool", "check-config", CONFIGURATION)


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (("alertname=Neo4jDown", "severity=critical"), "record,on-call"),
        (("alertname=HighCPUUsage", "severity=warning"), "record,team"),
        (("alertname=LoginFailuresSurge", "severity=warning"), "record,security"),
        (("alertname=SomethingNew",), "record,team"),
    ],
)
def test_an_alert_goes_to_those_whom_it_concerns(labels: tuple[str, ...], told: str) -> None:
    assert ran("amtool", "config", "routes", "test", f"--config.file={CONFIGURATION}", *labels).strip() == told


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder, port = tmp_path_factory.mktemp("alertmanager"), free_ports(1)[0]
    command = (
        "prometheus-alertmanager", f"--config.file={CONFIGURATION}", f"--storage.path={folder}",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    )  # fmt: skip
    with Server(command, f"http://127.0.0.1:{port}", "/-/ready", folder / "log") as server:
        yield server


def test_without_the_graph_only_the_graph_is_reported(alertmanager: Server) -> None:
    alerts = {
        "Neo4jDown": "critical", "HighErrorRate": "critical", "SLOAvailabilityFastBurn": "critical",
        "IndexBehindGraph": "warning", "DiskFilling": "critical",
    }  # fmt: skip
    sent = [
        {"labels": {"alertname": name, "severity": severity}, "startsAt": iso(now()),
         "endsAt": iso(now() + timedelta(minutes=5))}
        for name, severity in alerts.items()
    ]  # fmt: skip
    assert requests.post(f"{alertmanager.url}/api/v2/alerts", json=sent, timeout=10).ok
    until, held = time.monotonic() + 60, set[str]()
    while time.monotonic() < until and len(held) < 3:
        known = alertmanager.get("/api/v2/alerts")
        held = {a["labels"]["alertname"] for a in known if a["status"]["state"] == "suppressed"}
        time.sleep(0.5)
    assert held == {"HighErrorRate", "SLOAvailabilityFastBurn", "IndexBehindGraph"}
