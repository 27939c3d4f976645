"""Traces by OpenTelemetry across api, simulator, ml and the graph.

Only when ``OTEL_EXPORTER_OTLP_ENDPOINT`` names a collector; otherwise nothing of OpenTelemetry is imported and every
function here returns at once. Spans hold routes, names of queries and statuses: no query string, no parameter, no
header.

Spans are made in a request, in a job, and below these; what a service does by itself once a second is not traced.
"""

from __future__ import annotations

import atexit
import logging
import os
import socket
import time
from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, Tracer

log = logging.getLogger(__name__)

_FLUSH_S = 3.0
_NOTHING = nullcontext()

_tracer: Tracer | None = None


class RequestSpan:
    """The span of a request that is being served; it begins and ends in different functions."""

    def __init__(self, span: Span, token: Any) -> None:
        self._span = span
        self._token = token

    def answered(self, status: int) -> None:
        """Note the status of the answer."""
        from opentelemetry.trace import StatusCode

        self._span.set_attribute("http.response.status_code", status)
        if status >= 500:
            self._span.set_status(StatusCode.ERROR)

    def end(self) -> None:
        """The request is served; call it from where it began."""
        from opentelemetry import context

        self._span.end()
        context.detach(self._token)


def configure_traces(service: str, environ: Mapping[str, str]) -> None:
    """Begin to send spans of `service` to the collector that `environ` names, if it names one.

    To be called in the process that serves: the thread which sends does not survive a fork.
    """
    global _tracer  # noqa: PLW0603  # one process, one collector
    endpoint = environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    if not endpoint or environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return
    from importlib.metadata import version

    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    # its own words come for every batch and attempt; ours for every change
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    timed = "OTEL_EXPORTER_OTLP_TIMEOUT" in environ or "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT" in environ
    exporter = _exporter(OTLPSpanExporter(timeout=None if timed else _FLUSH_S))
    attributes = {
        "service.namespace": "wnis",
        "service.version": version("wnis"),
        "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
    }
    if "OTEL_SERVICE_NAME" not in environ:
        attributes["service.name"] = service
    provider = TracerProvider(resource=Resource.create(attributes), shutdown_on_exit=False)
    processor = BatchSpanProcessor(exporter)
    provider.add_span_processor(processor)

    def flush() -> None:
        exporter.give_up_at = time.monotonic() + _FLUSH_S
        provider.shutdown()

    atexit.register(flush)
    _tracer = provider.get_tracer("wnis")
    log.info("traces go to %s", urlsplit(endpoint).hostname)


def on() -> bool:
    """Whether spans are made."""
    return _tracer is not None


def current() -> tuple[str, str] | None:
    """Trace and span that this thread works for, as they are written in logs."""
    if _tracer is None:
        return None
    from opentelemetry import trace

    known = trace.get_current_span().get_span_context()
    return (trace.format_trace_id(known.trace_id), trace.format_span_id(known.span_id)) if known.is_valid else None


def request(method: str, route: str, path: str, scheme: str, asked_by: str) -> RequestSpan | None:
    """Begin the span of a request, the child of the span that `asked_by` (its ``traceparent``) names."""
    if _tracer is None:
        return None
    from opentelemetry import context, trace

    attributes = {"http.request.method": method, "http.route": route, "url.path": path, "url.scheme": scheme}
    span = _tracer.start_span(
        f"{method} {route}",
        _propagator().extract({"traceparent": asked_by}),
        kind=trace.SpanKind.SERVER,
        attributes=attributes,
    )
    return RequestSpan(span, context.attach(trace.set_span_in_context(span)))


def query(name: str, access: str) -> AbstractContextManager[object]:
    """The span of a named query."""
    if _tracer is None:
        return _NOTHING
    attributes = {"db.system.name": "neo4j", "db.operation.name": access, "db.query.summary": name}
    return _inside(name, attributes)


def call(service: str, method: str, url: str) -> AbstractContextManager[Any]:
    """The span of a call to another service; yields the span, or nothing when there is none."""
    if _tracer is None:
        return _NOTHING
    parts = urlsplit(url)
    attributes: dict[str, str | int] = {
        "http.request.method": method,
        "url.full": f"{parts.scheme}://{parts.hostname}:{parts.port}{parts.path}",
        "server.address": parts.hostname or "",
        "server.port": parts.port or 80,
        "peer.service": service,
    }
    return _inside(f"{method} {service}", attributes)


def job(kind: str, job_id: str, asked_by: str) -> AbstractContextManager[object]:
    """The span of one start of a job, a trace of its own, linked to the request `asked_by` (see `traceparent`)."""
    if _tracer is None:
        return _NOTHING
    from opentelemetry import context, trace

    asking = trace.get_current_span(_propagator().extract({"traceparent": asked_by})).get_span_context()
    links = [trace.Link(asking)] if asking.is_valid else []
    attributes = {"wnis.job.kind": kind, "wnis.job.id": job_id}
    return _tracer.start_as_current_span(
        f"job {kind}",
        context.Context(),
        kind=trace.SpanKind.CONSUMER,
        attributes=attributes,
        links=links,
        record_exception=False,
    )


def add_traceparent(headers: MutableMapping[str, str]) -> None:
    """Tell the service that receives `headers` which span it works for."""
    given = traceparent()
    if given:
        headers["traceparent"] = given


def traceparent() -> str:
    """The present span in the words of W3C, empty when there is none."""
    if _tracer is None:
        return ""
    carrier: dict[str, str] = {}
    _propagator().inject(carrier)
    return carrier.get("traceparent", "")


@contextmanager
def _inside(name: str, attributes: Mapping[str, str | int]) -> Any:
    from opentelemetry import trace

    assert _tracer is not None
    if not trace.get_current_span().get_span_context().is_valid:
        yield None
        return
    # what an error says may quote what somebody sent: its class alone is told
    with _tracer.start_as_current_span(
        name, kind=trace.SpanKind.CLIENT, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(trace.StatusCode.ERROR)
            raise


def _propagator() -> Any:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator()


def _exporter(sending: SpanExporter) -> Any:
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class Reporting(SpanExporter):
        """Says once that the collector is away, once that it is back, and does not hold up the end of a process."""

        give_up_at = float("inf")
        away = False

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            if time.monotonic() > self.give_up_at:
                return SpanExportResult.FAILURE
            result = sending.export(spans)
            away = result is not SpanExportResult.SUCCESS
            if away != self.away:
                self.away = away
                log.warning("the collector of traces %s", "is away: spans are lost" if away else "is back")
            return result

        def shutdown(self) -> None:
            sending.shutdown()

    return Reporting()
