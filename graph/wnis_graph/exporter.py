"""Figures of the graph for ``/metrics``: Neo4j Community has no metrics endpoint of its own.

Counts come from the count store, the Java runtime's figures from its beans by Cypher, sizes from the data folder when
this process can see it. Community keeps no counters of its page cache either: the hits and misses given here are those
of our own regular reading of every component (`HEALTH`), asked of its transaction before it ends.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import neo4j
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from wnis_core.clock import now
from wnis_core.figures import LookUp
from wnis_core.ids import new_id

from wnis_graph.prediction_inputs import FAILURE_KINDS
from wnis_graph.queries import figures as queries
from wnis_graph.queries.figures import Bean, CurrentModel, HealthInZone
from wnis_graph.repositories.outbox import INCIDENT_INDEX
from wnis_graph.runner import Runner, translated_errors
from wnis_graph.scope import Scope

_QUICK_S = 10.0
_SLOW_S = 60.0
_EXPORTER = Scope("", "exporter")
_SIZE = re.compile(r"([0-9.]+)\s*(|[KMGT]i?B?|B)", re.IGNORECASE)
_POWER = {"": 0, "B": 0, "K": 1, "M": 2, "G": 3, "T": 4}


class GraphFigures:
    """Looks at the server and at what it holds; nothing is counted twice when several utilities share the graph."""

    def __init__(self, driver: neo4j.Driver, *, slow_s: float = _SLOW_S) -> None:
        self._driver = driver
        self._runner = Runner(driver)
        self._slow_s = slow_s
        self._hits = 0
        self._misses = 0

    def look_ups(self) -> tuple[LookUp, ...]:
        """The parts, each of which may fail without the others."""
        return (
            LookUp("graph_counts", self._counts, _QUICK_S),
            LookUp("graph_server", self._server, _QUICK_S),
            LookUp("graph_index", self._index, _QUICK_S),
            LookUp("network_health", self._health, self._slow_s),
            LookUp("incidents", self._incidents, self._slow_s),
            LookUp("models", self._models, self._slow_s),
        )

    def _counts(self) -> Iterator[Metric]:
        nodes = GaugeMetricFamily("neo4j_nodes", "Nodes of the graph", labels=["label"])
        for one in self._runner.run(_EXPORTER, queries.LABELS):
            nodes.add_metric([one.name], one.number)
        relationships = GaugeMetricFamily("neo4j_relationships", "Relationships of the graph", labels=["type"])
        for one in self._runner.run(_EXPORTER, queries.RELATIONSHIPS):
            relationships.add_metric([one.name], one.number)
        yield from (nodes, relationships)

    def _server(self) -> Iterator[Metric]:
        yield from beans_as_metrics(self._runner.run(_EXPORTER, queries.BEANS))
        settings = dict(self._runner.run(_EXPORTER, queries.SERVER))
        cache = bytes_of(settings.get("server.memory.pagecache.size", ""))
        if cache is not None:
            yield GaugeMetricFamily("neo4j_page_cache_size_bytes", "Size that the page cache is given", value=cache)
        sizes = store_sizes(Path(settings.get("server.directories.data", "")))
        if sizes:
            family = GaugeMetricFamily("neo4j_store_size_bytes", "Size of the data folder's parts", labels=["part"])
            for part, size in sizes.items():
                family.add_metric([part], size)
            yield family

    def _index(self) -> Iterator[Metric]:
        pending = GaugeMetricFamily("wnis_index_pending", "Changes a derived store has not followed", labels=["store"])
        age = GaugeMetricFamily("wnis_index_lag_seconds", "Age of the oldest of them; 0 without", labels=["store"])
        for one in self._runner.run(_EXPORTER, queries.FOLLOWERS, stores=[INCIDENT_INDEX]):
            pending.add_metric([one.store], one.pending)
            age.add_metric([one.store], max(0.0, (now() - one.oldest).total_seconds()) if one.oldest else 0.0)
        yield from (pending, age)

    def _health(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "wnis_components",
            "Components in use by health; one in two zones counts in both, in none under an empty zone",
            labels=["utility", "network", "zone", "health"],
        )
        for one in self._counted_health():
            family.add_metric([one.utility, one.network, one.zone, one.health], one.components)
        yield family
        reads = "of the exporter's own reading of all components"
        yield CounterMetricFamily("neo4j_probe_page_cache_hits", f"Page cache hits {reads}", value=self._hits)
        yield CounterMetricFamily("neo4j_probe_page_cache_misses", f"Page cache misses {reads}", value=self._misses)

    def _counted_health(self) -> list[HealthInZone]:
        """The rows, and with them what reading them took from the page cache."""
        query, mark = queries.HEALTH, new_id("figures")
        with (
            translated_errors(),
            self._driver.session(default_access_mode=neo4j.READ_ACCESS) as session,
            session.begin_transaction(metadata={"wnis": mark}, timeout=query.timeout_s) as transaction,
        ):
            rows = [query.row(record) for record in transaction.run(query.cypher)]
            for hits, faults in map(queries.PAGES.row, transaction.run(queries.PAGES.cypher, mark=mark)):
                self._hits += hits
                self._misses += faults
        return rows

    def _incidents(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "wnis_open_incidents", "Incidents that need work", labels=["utility", "kind", "severity"]
        )
        for one in self._runner.run(_EXPORTER, queries.INCIDENTS):
            family.add_metric([one.utility, one.kind, one.severity], one.open)
        yield family

    def _models(self) -> Iterator[Metric]:
        since = now() - timedelta(days=30)
        models = self._runner.run(_EXPORTER, queries.MODELS, kinds=list(FAILURE_KINDS), since=since)
        yield from models_as_metrics(models)


def beans_as_metrics(beans: list[Bean]) -> Iterator[Metric]:
    """The Java runtime's figures under our names."""
    heap = {
        "used": GaugeMetricFamily("neo4j_jvm_heap_used_bytes", "Heap in use, dead objects included"),
        "committed": GaugeMetricFamily("neo4j_jvm_heap_committed_bytes", "Heap taken from the operating system"),
        "max": GaugeMetricFamily("neo4j_jvm_heap_max_bytes", "Largest heap allowed"),
    }
    other = GaugeMetricFamily("neo4j_jvm_nonheap_used_bytes", "Code, classes and the like")
    collections = CounterMetricFamily("neo4j_jvm_gc_collections", "Garbage collections", labels=["gc"])
    collecting = CounterMetricFamily("neo4j_jvm_gc_seconds", "Time spent collecting garbage", labels=["gc"])
    threads = GaugeMetricFamily("neo4j_jvm_threads", "Threads")
    cpu = CounterMetricFamily("neo4j_process_cpu_seconds", "Processor time of the server")
    files = GaugeMetricFamily("neo4j_process_open_files", "Open files and connections")
    for bean in beans:
        values = bean.values
        for name, family in heap.items():
            if "heap" in values:
                family.add_metric([], values["heap"][name])
        if "other" in values:
            other.add_metric([], values["other"]["used"])
        collector = re.search(r"name=([^,]+)", bean.name)
        if "collections" in values and collector:
            collections.add_metric([collector[1]], values["collections"])
            collecting.add_metric([collector[1]], values["collecting_ms"] / 1e3)
        if "threads" in values:
            threads.add_metric([], values["threads"])
        if "cpu_ns" in values:
            cpu.add_metric([], values["cpu_ns"] / 1e9)
        if "files" in values:
            files.add_metric([], values["files"])
    yield from (*heap.values(), other, collections, collecting, threads, cpu, files)


def models_as_metrics(models: list[CurrentModel]) -> Iterator[Metric]:
    """The current models: their judgement on a later period, and how old what they believe is."""

    def gauge(name: str, words: str, *more: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"wnis_model_{name}", words, labels=["utility", "model_name", *more])

    created = gauge("created_timestamp_seconds", "When the current version was registered")
    train_to = gauge("train_to_timestamp_seconds", "Until when the current version saw events")
    newest = gauge("newest_prediction_timestamp_seconds", "When the newest standing prediction was made")
    made = gauge("version_predictions", "Predictions that the current version has made")
    outdated = gauge("outdated_components", "Components whose latest prediction is missing or of an older version")
    expected = gauge("expected_failures_30d", "Failures that the standing predictions expect within 30 days")
    observed = gauge("observed_failures_30d", "Components that failed in the last 30 days")
    underperforming = gauge("underperforming", "1 when the version is not better than its baselines, or not judged")
    auc = gauge("judged_auc", "Area under the ROC curve on a later period, beside the baselines", "ranking")
    brier = gauge("judged_brier", "Brier score on a later period, beside one constant probability", "forecast")
    calibration = gauge("judged_assets", "Components that broke in the later period, beside those expected", "which")
    for one in models:
        key = [one.utility, one.model_name]
        created.add_metric(key, one.created_at.timestamp())
        train_to.add_metric(key, _midnight(one.train_to).timestamp())
        made.add_metric(key, one.predictions)
        outdated.add_metric(key, one.outdated)
        expected.add_metric(key, one.expected_failures_30d)
        observed.add_metric(key, one.observed_failures_30d)
        if one.newest_prediction is not None:
            newest.add_metric(key, one.newest_prediction.timestamp())
        judged = _judged(one.metrics_json)
        underperforming.add_metric(key, float(bool(judged.get("underperforming", True))))
        judgement = judged.get("judgement")
        if judgement is None:
            continue
        auc.add_metric([*key, "model"], judgement["model"]["auc"])
        for name, score in judgement["baselines"].items():
            auc.add_metric([*key, name], score["auc"])
        brier.add_metric([*key, "model"], judgement["brier"])
        brier.add_metric([*key, "constant"], judgement["brier_constant"])
        calibration.add_metric([*key, "expected"], judgement["expected"])
        calibration.add_metric([*key, "observed"], judgement["broke"])
    yield from (created, train_to, newest, made, outdated, expected, observed, underperforming, auc, brier, calibration)


def _judged(metrics_json: str) -> dict[str, Any]:
    """A version's judgement; empty when it is not one, so that one utility's document hides no other's figures."""
    try:
        document = json.loads(metrics_json)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def bytes_of(text: str) -> float | None:
    """Bytes of a size as the server writes it (``128.00MiB``)."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        return None
    return float(found[1]) * 1024.0 ** _POWER[found[2][:1].upper()]


def store_sizes(data: Path) -> dict[str, float]:
    """Bytes of the stores and of the transaction logs under a Neo4j data folder; empty when it is not to be seen."""
    parts = {"databases": data / "databases", "transaction_logs": data / "transactions"}
    try:
        if not (parts["databases"] / "neo4j").is_dir():
            return {}
        return {part: float(_size(folder)) for part, folder in parts.items()}
    except OSError:
        return {}


def _size(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        try:
            status = file.stat()
        except FileNotFoundError:  # rotated away meanwhile
            continue
        # what it takes on the disk: logs are allocated ahead of what is written
        total += status.st_blocks * 512 if file.is_file() else 0
    return total


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
