"""gunicorn's settings of the API service: ``gunicorn -c python:wnis_api.gunicorn_conf wnis_api.wsgi:app``."""

from __future__ import annotations

import os
from typing import Any

from prometheus_client import multiprocess

worker_class = "wnis_api.overload.Worker"
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
threads = 8
timeout = 120
graceful_timeout = 10
# longer than the proxies in front keep a connection, so that we never close one that they are about to use
keepalive = 75
# whether a proxy's word on HTTPS counts is decided in one place (WNIS_TRUSTED_PROXIES)
secure_scheme_headers: dict[str, str] = {}
# an id may have 500 characters, three bytes each when percent-encoded
limit_request_line = 8190
limit_request_fields = 60
# the access log is ours, with the request id
accesslog = None
errorlog = "-"
loglevel = "warning"


def child_exit(_: Any, worker: Any) -> None:
    """Take a dead worker's live gauges out of the metrics."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # the library has no annotation
