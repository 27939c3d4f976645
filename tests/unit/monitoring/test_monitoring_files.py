"""Rules, runbooks, dashboards and provisioning agree with each other, without a server."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from wnis_ops.monitoring.dashboards import DASHBOARDS, files
from wnis_ops.monitoring.panels import COLUMNS, DATASOURCE, Dashboard, Panel, Series

ROOT = Path(__file__).resolve().parents[3]
PROMETHEUS = ROOT / "monitoring" / "prometheus"
RUNBOOKS = ROOT / "docs" / "guide" / "operations" / "runbooks"
RULES = [
    rule
    for file in sorted((PROMETHEUS / "rules").glob("*.yml"))
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
]
ALERTS: list[dict[str, Any]] = [rule for rule in RULES if "alert" in rule]
PROMISED = {
    "HighCPUUsage", "HighMemoryUsage", "APIHighLatency", "HighErrorRate", "Neo4jHighMemory", "ModelPredictionFailure",
    "DiskFilling", "BackupTooOld", "RestoreDrillFailed", "QueueStuck", "IndexBehindGraph", "CertificateExpiring",
    "Neo4jDown", "MlDown", "LoginFailuresSurge",
}  # fmt: skip
TITLES = ["Water Network Overview", "Neo4j", "ML and predictions", "Jobs", "Water network"]


def rule_tests() -> dict[str, list[dict[str, Any]]]:
    """The questions of every rule test, by the alert that it is named for."""
    found: dict[str, list[dict[str, Any]]] = {}
    for file in (PROMETHEUS / "tests").glob("*.yml"):
        for test in yaml.safe_load(file.read_text())["tests"]:
            for question in test["promql_expr_test"]:
                name = re.fullmatch(r'ALERTS\{alertname="(\w+)", alertstate="firing"\}', question["expr"])
                assert name, question
                found.setdefault(name[1], []).append({**question, "test": f"{file.name}:{test['name']}"})
    return found


def test_the_promised_alerts_are_there() -> None:
    assert {alert["alert"] for alert in ALERTS} >= PROMISED


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_says_what_how_bad_and_what_to_do(alert: dict[str, Any]) -> None:
    runbook = f"docs/guide/operations/runbooks/{alert['alert']}.md"
    assert alert["labels"]["severity"] in ("critical", "warning")
    assert alert["annotations"]["summary"]
    assert alert["annotations"]["description"]
    assert alert["annotations"]["runbook_url"] == runbook
    page = (ROOT / runbook).read_text(encoding="utf-8")
    assert page.startswith(f"# {alert['alert']}\n")
    assert re.findall(r"^## (.+)$", page, re.M) == ["What it means", "What to look at", "What to do"]


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_is_seen_to_be_quiet_to_fire_and_to_resolve(alert: dict[str, Any]) -> None:
    questions = rule_tests()[alert["alert"]]
    for test in {q["test"] for q in questions}:
        fires = [bool(q["exp_samples"]) for q in questions if q["test"] == test]
        assert fires == [False, True, False] * (len(fires) // 3), test


def test_no_runbook_and_no_test_is_left_of_an_alert_that_is_gone() -> None:
    names = {alert["alert"] for alert in ALERTS}
    assert {page.stem for page in RUNBOOKS.glob("*.md")} == names
    assert set(rule_tests()) == names


def test_the_windows_of_the_service_levels_ask_the_same() -> None:
    asked: dict[str, set[str]] = {}
    for rule in RULES:
        measured = re.fullmatch(r"(slo:\w+):ratio_rate(\w+)", rule.get("record", ""))
        if measured:
            assert f"[{measured[2]}]" in rule["expr"]
            asked.setdefault(measured[1], set()).add(rule["expr"].replace(f"[{measured[2]}]", "[]"))
    assert {name: len(forms) for name, forms in asked.items()} == {"slo:api_errors": 1, "slo:api_slow_reads": 1}


def test_the_dashboards_are_those_that_people_look_for() -> None:
    assert [dashboard.title for dashboard in DASHBOARDS] == TITLES
    assert {path.name for path in (ROOT / "monitoring/grafana/dashboards").iterdir()} == {
        Path(name).name for name in files()
    }


@pytest.mark.parametrize("name", sorted(files()))
def test_a_dashboard_is_sound(name: str) -> None:
    board = json.loads((ROOT / name).read_text(encoding="utf-8"))
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= COLUMNS
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}  # fmt: skip
        assert not cells & taken, f"{panel['title']} lies on another panel"
        taken |= cells
        assert panel["datasource"] == DATASOURCE
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]) > 0
    known = {variable["name"] for variable in board["templating"]["list"]} | {"__rate_interval"}
    used = {word for panel in panels for t in panel["targets"] for word in re.findall(r"\$(\w+)", t["expr"])}
    assert used <= known


def test_the_data_source_of_the_panels_is_provisioned() -> None:
    text = (ROOT / "monitoring/grafana/provisioning/datasources/prometheus.yml").read_text()
    (source,) = yaml.safe_load(text)["datasources"]
    assert {"type": source["type"], "uid": source["uid"]} == DATASOURCE


def test_two_panels_of_one_title_are_refused() -> None:
    panel = Panel("Same", (Series("up"),))
    with pytest.raises(ValueError, match="two panels of one title"):
        Dashboard("x", "X", (panel, panel))
