"""The queue's length as the autoscaler gets it: Prometheus' own tools on the files that the guide hands out."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.component.kubernetes.cluster import KUBERNETES, Cluster, from_sources

pytestmark = pytest.mark.system
_RULE = yaml.safe_load((KUBERNETES / "prometheus-adapter.yaml").read_text(encoding="utf-8"))["rules"]["external"][0]


def _promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *arguments], check=False, capture_output=True, text=True)


def test_the_metric_is_the_one_that_the_autoscaler_asks_for() -> None:
    cluster: Cluster = from_sources()
    asked = cluster.one("HorizontalPodAutoscaler", "simulator")["spec"]["metrics"][0]["external"]["metric"]
    assert asked == {"name": _RULE["name"]["as"], "selector": {"matchLabels": {"service": "simulator"}}}


def test_the_query_counts_each_unfinished_job_once(tmp_path: Path) -> None:
    # what the adapter puts in for the autoscaler of the namespace wnis
    labels = 'namespace="wnis",service="simulator"'
    query = _RULE["metricsQuery"].replace("<<.Series>>", "wnis_jobs").replace("<<.LabelMatchers>>", labels)
    told = [
        {"series": f'wnis_jobs{{namespace="{space}",pod="{pod}",service="{service}",kind="{kind}",state="{state}"}}',
         "values": str(jobs)}
        for space, pod, service, kind, state, jobs in (
            # two workers tell of the same queue
            ("wnis", "simulator-0", "simulator", "simulation", "queued", 5),
            ("wnis", "simulator-1", "simulator", "simulation", "queued", 5),
            ("wnis", "simulator-0", "simulator", "simulation", "running", 2),
            ("wnis", "simulator-0", "simulator", "import", "queued", 1),
            ("wnis", "simulator-0", "simulator", "simulation", "succeeded", 400),
            ("wnis", "ml-0", "ml", "training", "queued", 7),
            ("wnis-staging", "simulator-0", "simulator", "simulation", "queued", 50),
        )
    ]  # fmt: skip
    test = {
        "tests": [
            {
                "input_series": told,
                "promql_expr_test": [
                    {"expr": query, "eval_time": "0m", "exp_samples": [{"labels": '{service="simulator"}', "value": 8}]}
                ],
            }
        ]
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump(test), encoding="utf-8")
    said = _promtool("test", "rules", str(tmp_path / "test.yml"))
    assert said.returncode == 0, said.stdout + said.stderr


def test_prometheus_accepts_the_scrape_configuration(tmp_path: Path) -> None:
    document = yaml.safe_load((KUBERNETES / "prometheus-scrape.yaml").read_text(encoding="utf-8"))
    # Debian's Prometheus is built without Kubernetes: fixed targets instead, everything else as it stands
    assert document["scrape_configs"][0].pop("kubernetes_sd_configs") == [{"role": "pod"}]
    document["scrape_configs"][0]["static_configs"] = [{"targets": ["10.0.0.1:8080"]}]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
    said = _promtool("check", "config", "--syntax-only", str(tmp_path / "prometheus.yml"))
    assert said.returncode == 0, said.stdout + said.stderr


def test_every_scraped_pod_says_the_port_at_which_it_answers() -> None:
    for workload in from_sources().workloads:
        template = workload.document["spec"].get("template", {}).get("metadata", {})
        notes = template.get("annotations", {})
        if notes:
            assert int(notes["prometheus.io/port"]) in {p["containerPort"] for p in workload.containers[0]["ports"]}
            assert notes["prometheus.io/path"] == "/metrics"
