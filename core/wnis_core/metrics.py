"""The program's metrics under the names that dashboards and alerts rely on.

Labels never carry an asset's id. With several workers a service sets ``PROMETHEUS_MULTIPROC_DIR`` before this
module is imported, and `exposition` adds the workers up.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client import REGISTRY as _PROCESS
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
_JOB_SECONDS = (0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400)

HTTP_REQUESTS = Counter("http_requests_total", "Requests answered", ["method", "endpoint", "status_code"])
HTTP_SECONDS = Histogram("http_request_duration_seconds", "Time to answer", ["method", "endpoint"], buckets=_SECONDS)
NEO4J_QUERIES = Counter("neo4j_query_total", "Named queries run", ["query_type"])
NEO4J_SECONDS = Histogram("neo4j_query_duration_seconds", "Time of a named query", ["query_type"], buckets=_SECONDS)
MODEL_PREDICTIONS = Counter("model_prediction_total", "Predictions made", ["model_name"])
MODEL_ERRORS = Counter("model_prediction_errors_total", "Predictions that failed", ["model_name"])
MODEL_SECONDS = Histogram("model_prediction_duration_seconds", "Time of a prediction", ["model_name"], buckets=_SECONDS)
ACTIVE_USERS = Gauge("active_users", "Users seen in the last 15 minutes", multiprocess_mode="mostrecent")
ACTIVE_SESSIONS = Gauge("active_sessions", "Refresh families in force", multiprocess_mode="mostrecent")
COMPONENT_HEALTH = Gauge(
    "system_components_health",
    "1 when the part answers, else 0",
    ["component"],
    multiprocess_mode="mostrecent",
)

LOGIN_FAILURES = Counter("login_failures_total", "Sign-ins that were refused: wrong, unknown, disabled or throttled")
JOBS_FINISHED = Counter("wnis_jobs_finished_total", "Jobs that ended", ["service", "kind", "state"])
JOB_SECONDS = Histogram(
    "wnis_job_duration_seconds", "Time from the last start of a job to its end", ["service", "kind"],
    buckets=_JOB_SECONDS,
)  # fmt: skip


def exposition(collectors: Iterable[Collector] = ()) -> tuple[bytes, str]:
    """All metrics of this service, every worker counted, and the content type.

    Parameters
    ----------
    collectors : of figures that are looked up when they are asked for; the same whichever worker is asked
    """
    registry = _PROCESS
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no annotation here
    looked_up = CollectorRegistry()
    for collector in collectors:
        looked_up.register(collector)
    return generate_latest(registry) + generate_latest(looked_up), CONTENT_TYPE_LATEST
