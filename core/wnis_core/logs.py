"""Structured logs: one JSON document a line, with the field names of the Elastic Common Schema.

Only entry points call `configure_logging`; every module uses ``getLogger(__name__)``. A value given as ``extra=`` under
a name with a dot is a field of its own (see `wnis_core.log_fields`).
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Collection
from contextvars import ContextVar
from datetime import UTC, datetime

from wnis_core import traces
from wnis_core.log_fields import ECS_VERSION
from wnis_core.redaction import Redaction

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The request that is being served; travels between services in the header ``X-Request-Id``."""


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON.

    Parameters
    ----------
    secrets : values that must never be written
    """

    def __init__(self, service: str, secrets: Collection[str] = ()) -> None:
        super().__init__()
        self._service = service
        self._redacted = Redaction(secrets)

    def format(self, record: logging.LogRecord) -> str:
        redacted = self._redacted
        document: dict[str, object] = {
            "@timestamp": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="microseconds")
            .replace("+00:00", "Z"),
            "ecs.version": ECS_VERSION,
            "log.level": record.levelname.lower(),
            "message": redacted(record.getMessage()),
            "service.name": self._service,
            "event.dataset": "wnis.log",
            "log.logger": record.name,
            "process.pid": record.process,
            "process.thread.name": record.threadName,
        }
        if request_id.get():
            document["http.request.id"] = request_id.get()
        trace = traces.current()
        if trace is not None:
            document["trace.id"], document["span.id"] = trace
        for name, value in vars(record).items():
            if "." in name and value is not None:
                document[name] = redacted(value) if isinstance(value, str) else value
        if record.exc_info and record.exc_info[0] is not None:
            document["error.type"] = record.exc_info[0].__name__
            document["error.message"] = redacted(str(record.exc_info[1]))
            document["error.stack_trace"] = redacted(self.formatException(record.exc_info))
        return json.dumps(document, default=str, ensure_ascii=False)


def configure_logging(service: str, level: str = "INFO", *, secrets: Collection[str] = ()) -> None:
    """Send every record of this process to standard error as JSON lines.

    Parameters
    ----------
    secrets : values that must never be written
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service, secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # these write lines of their own kind, with whole requests in them
    for own in ("gunicorn.error", "gunicorn.access", "dbos"):
        logger = logging.getLogger(own)
        # with none at all, dbos gives itself one again
        logger.handlers[:] = [logging.NullHandler()]
        logger.propagate = True
    # both write a line for every single call at INFO
    for chatty in ("neo4j.notifications", "urllib3", "botocore", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # at DEBUG the driver writes every parameter of every query, and those of analysts are anybody's guess
    logging.getLogger("neo4j").setLevel(max(root.level, logging.INFO))
    logging.captureWarnings(True)
    threading.excepthook = _uncaught_in_thread


def _uncaught_in_thread(what: threading.ExceptHookArgs) -> None:
    if what.exc_value is not None and not isinstance(what.exc_value, SystemExit):
        name = what.thread.name if what.thread else "?"
        logging.getLogger(__name__).critical("uncaught error in thread %s", name, exc_info=what.exc_value)
