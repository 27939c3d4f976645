"""Structured logs: one JSON document a line, with the field names of the Elastic Common Schema.

Only entry points call `configure_logging`; every module uses ``getLogger(__name__)``.
"""

from __future__ import annotations

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The request that is being served; travels between services in the header ``X-Request-Id``."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON; values given as ``extra=`` become fields of their own."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        document: dict[str, object] = {
            "@timestamp": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
            "log.level": record.levelname.lower(),
            "message": record.getMessage(),
            "service.name": self._service,
            "log.logger": record.name,
            "process.pid": record.process,
        }
        if request_id.get():
            document["http.request.id"] = request_id.get()
        for name, value in vars(record).items():
            if name not in _STANDARD:
                document[name] = value
        if record.exc_info and record.exc_info[0] is not None:
            document["error.type"] = record.exc_info[0].__name__
            document["error.stack_trace"] = self.formatException(record.exc_info)
        return json.dumps(document, default=str, ensure_ascii=False)


def configure_logging(service: str, level: str = "INFO") -> None:
    """Send every record of this process to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # both write a line for every single call at INFO
    for chatty in ("neo4j.notifications", "urllib3", "botocore", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
