"""The load tool on a real API: its counts are the server's own, and an overload is refused in good order."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families
from wnis_ops.client import ApiClient

from tests.conftest import REPOSITORY, Neo4jServer
from tests.guide_blocks import marked
from tests.live import LiveStack

PAGE = "operations/load.md"
GUIDED: dict[str, Any] = yaml.safe_load(marked("yaml testable load", PAGE)[0].text)
ENDPOINTS: list[dict[str, Any]] = GUIDED["endpoints"]
RULES = {"/api/v1/components/<id>", "/api/v1/components/<id>/neighbours"}


@pytest.fixture(scope="module")
def stack(neo4j_server: Neo4jServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = tmp_path_factory.mktemp("home")
    with LiveStack(home, neo4j_server, parts=("simulator",), workers=1) as running:
        client = ApiClient(running.url, running.sign_in().token)
        client.wait(str(client.post("/networks/samples", {"name": "mini"})["job_id"]))
        yield running


def counted(stack: LiveStack, endpoints: set[str]) -> dict[str, int]:
    """Requests by status, as the server's metrics count them."""
    text = requests.get(f"{stack.url}/metrics", timeout=10).text
    found: dict[str, int] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "http_requests_total" and sample.labels["endpoint"] in endpoints:
                status = sample.labels["status_code"]
                found[status] = found.get(status, 0) + int(sample.value)
    return found


def bench(stack: LiveStack, folder: Path, stages: list[dict[str, Any]], *more: str) -> tuple[int, dict[str, Any]]:
    """What the guide's command says of these stages, and its exit status."""
    (folder / "bench.yaml").write_text(yaml.safe_dump({**GUIDED, "stages": stages}))
    (command,) = marked("sh testable load", PAGE)
    program, name, *arguments = shlex.split(command.text)
    assert (program, name) == ("wnis", "bench")
    ended = subprocess.run(
        [REPOSITORY / "scripts" / "benchmark.sh", *arguments, *more],
        cwd=folder,
        env={**os.environ, "WNIS_URL": stack.url, "WNIS_TOKEN": stack.sign_in().token},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode in (0, 1), ended.stderr
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout)


def test_counts_agree_with_the_servers_own(stack: LiveStack, tmp_path: Path) -> None:
    before = counted(stack, RULES)
    status, report = bench(stack, tmp_path, GUIDED["stages"])
    after = counted(stack, RULES)
    assert status == 0
    assert {s: n - before.get(s, 0) for s, n in after.items()} == {"200": report["requests_sent"]}
    (few,) = report["stages"]
    assert few["total"]["errors"] == {}
    # what was asked in the time and answered after it is counted by the server, and in no figure
    assert 0 <= report["requests_sent"] - few["total"]["requests"] <= 2 * 4
    assert sum(of["requests"] for of in few["endpoints"].values()) == few["total"]["requests"]
    assert few["endpoints"]["component"]["requests"] > few["endpoints"]["neighbours"]["requests"] > 0
    assert (tmp_path / "report" / "report.html").read_text().count("<svg") >= 2
    assert "## Thresholds" in (tmp_path / "report" / "report.md").read_text()


def test_a_missed_threshold_ends_with_1_and_a_report_is_compared_with_itself(stack: LiveStack, tmp_path: Path) -> None:
    stage = {"name": "few", "clients": 2, "duration_s": 0.5, "blocks": 2, "thresholds": {"p95_ms": 0.001}}
    status, _ = bench(stack, tmp_path, [stage])
    assert status == 1
    earlier = tmp_path / "earlier.json"
    earlier.write_text((tmp_path / "report" / "report.json").read_text())
    _, report = bench(stack, tmp_path, [stage], "--compare", str(earlier))
    assert {row["figure"] for row in report["comparison"]["rows"]} == {"requests/s", "median ms", "p95 ms", "p99 ms"}


def test_an_overload_is_refused_with_a_word_on_when_to_come_back(stack: LiveStack, tmp_path: Path) -> None:
    before = counted(stack, {"refused"})
    stage = {
        "name": "storm", "kind": "overload", "clients": 16, "times": 12, "before_s": 2, "duration_s": 3, "after_s": 3,
        "thresholds": {"disorderly": 0},
    }  # fmt: skip
    status, report = bench(stack, tmp_path, [stage])
    (storm,) = report["stages"]
    assert status == 0, storm
    assert storm["overload"]["clients"] == 192
    assert set(storm["total"]["errors"]) == {"503 with Retry-After"}
    assert storm["total"]["per_s"] > 0
    assert storm["overload"]["after"]["errors"] == {}
    refused = counted(stack, {"refused"})["503"] - before.get("503", 0)
    assert refused >= storm["total"]["errors"]["503 with Retry-After"] > 0


def test_an_address_without_a_server_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "bench.yaml"
    stages = [{"name": "few", "clients": 1, "duration_s": 1}]
    file.write_text(yaml.safe_dump({"name": "test", "endpoints": ENDPOINTS, "stages": stages}))
    ended = subprocess.run(
        [sys.executable, "-c", "from wnis_ops.cli.main import main; main()", "bench", "api", "--config", str(file)],
        env={**os.environ, "WNIS_URL": "http://127.0.0.1:9", "WNIS_TOKEN": "x"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "http://127.0.0.1:9 does not answer" in ended.stderr
    assert "Traceback" not in ended.stderr
