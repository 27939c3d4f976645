"""What a report says, before it is Markdown or HTML: headed tables and sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wnis_ops.bench.api.compare import Comparison
from wnis_ops.bench.api.records import Figures
from wnis_ops.bench.api.report import Circumstances, Judgement, Report, StageReport
from wnis_ops.bench.api.statistics import CONFIDENCE, Ratio


@dataclass(frozen=True)
class Section:
    """A heading, sentences, and perhaps a table."""

    heading: str
    sentences: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


_UNITS = {
    "p95_ms": "p95 in ms, at most",
    "errors": "errors, at most",
    "share_of_bare_view": "share of the bare view's requests/s, at least",
    "disorderly": "answers other than good ones and 429/503 with Retry-After, at most",
    "recovery_s": "seconds to recover, at most",
    "memory_growth_mb": "growth of memory in MB, at most",
}


def sections(report: Report, comparison: Comparison | None = None) -> Iterator[Section]:
    """The whole report in order."""
    yield _circumstances(report)
    yield Section(
        "Thresholds",
        ("All kept." if report.kept else "NOT all kept.",),
        ("stage", "threshold", "limit", "found", ""),
        tuple(
            (stage.name, _UNITS[one.what], f"{one.limit:g}", _found(one), "kept" if one.kept else "MISSED")
            for stage in report.stages
            for one in stage.judgements
        ),
    )
    yield Section(
        "Stages",
        ("Latencies are of requests that were answered well; what was not is counted by kind.",),
        ("stage", "clients", "requests", "requests/s", "median ms", "p95 ms", "p99 ms", "longest ms", "errors by kind"),
        tuple(
            (stage.name, str(_clients(stage)), str(stage.total.requests), *_figures(stage.total))
            for stage in report.stages
        ),
    )
    yield from _processor(report)
    for stage in report.stages:
        if stage.overload is not None:
            yield _overload(stage)
        elif stage.share_of_bare_view is not None and stage.bare_view is not None:
            yield Section(
                f"{stage.name}: beside a bare Flask view",
                (
                    f"The API answers {ratio_words(stage.share_of_bare_view)} of the requests/s of a bare Flask view"
                    " around the same query, in alternate blocks of this run.",
                ),
                ("", "requests", "requests/s", "median ms", "p95 ms", "p99 ms", "longest ms", "errors by kind"),
                (
                    ("API", str(stage.total.requests), *_figures(stage.total)),
                    ("bare view", str(stage.bare_view.requests), *_figures(stage.bare_view)),
                ),
            )
        if len(stage.endpoints) > 1:
            yield Section(
                f"{stage.name}: endpoints",
                (),
                ("endpoint", "requests", "requests/s", "median ms", "p95 ms", "p99 ms", "longest ms", "errors by kind"),
                tuple((name, str(of.requests), *_figures(of)) for name, of in stage.endpoints.items()),
            )
    if comparison is not None:
        yield _comparison(comparison)


def ratio_words(found: Ratio) -> str:
    """``0.62 (0.58 to 0.66)``."""
    if found.low is None or found.high is None:
        return f"{found.estimate:.2f} (one block: no interval)"
    return f"{found.estimate:.2f} ({found.low:.2f} to {found.high:.2f})"


def _circumstances(report: Report) -> Section:
    of = report.circumstances
    blocks = max((len(stage.blocks) for stage in report.stages), default=0)
    return Section(
        "Circumstances",
        (
            f"Measured {of.started_at} with WNIS {of.version} on {of.cpus} processors and {of.memory_gb:g} GB"
            f" ({of.machine}), by {of.generator}. The load average before it was {of.load_average_before:g};"
            f" {of.other_work}.",
            f"Measured was {of.target}. {_rate_limit(of)}",
            f"{report.requests_sent} requests were sent, all stages and the warm-up together. Intervals hold with a"
            f" confidence of {CONFIDENCE:.0%} and come from the scatter of up to {blocks} blocks a stage.",
            *_generator_remark(report),
        ),
    )


def _rate_limit(of: Circumstances) -> str:
    if of.rate_limit_per_minute is None:
        return "It stated no rate limit."
    if of.rate_limit_per_minute > of.default_rate_limit_per_minute:
        return (
            f"Its rate limit was raised: {of.rate_limit_per_minute} requests a minute and account"
            f" (WNIS_RATE_LIMIT), where {of.default_rate_limit_per_minute} is the default. No other limit was raised."
        )
    return f"Its rate limit was {of.rate_limit_per_minute} requests a minute and account; none was raised."


def _generator_remark(report: Report) -> Iterator[str]:
    busiest = max((b.generator_busy_share for stage in report.stages for b in stage.blocks), default=0.0)
    if busiest > 0.8:
        yield f"The load generator itself was busy for {busiest:.0%} of the time: the API may be faster than measured."
    elif busiest:
        yield f"The busiest process of the load generator used {busiest:.0%} of a processor."


def _processor(report: Report) -> Iterator[Section]:
    rows = []
    for stage in report.stages:
        known = [block.processor_ms for block in stage.blocks if block.processor_ms]
        if known:
            services = sorted({name for block in known for name in block})
            mean = {name: sum(block.get(name, 0.0) for block in known) / len(known) for name in services}
            words = ", ".join(f"{name} {ms:.2f}" for name, ms in mean.items())
            rows.append((stage.name, f"{sum(mean.values()):.2f}", words))
    if rows:
        yield Section(
            "Processor time of a request",
            ("What a request costs does not grow with the other work of the machine as its latency does.",),
            ("stage", "ms, all services", "by service"),
            tuple(rows),
        )


def _clients(stage: StageReport) -> int:
    return stage.overload.clients if stage.overload else stage.clients


def _overload(stage: StageReport) -> Section:
    of = stage.overload
    assert of is not None
    sentences = [
        f"{of.clients} clients without a pause between their requests, {of.clients // stage.clients} times the"
        f" {stage.clients} of the level, for {stage.duration_s:g} s: {of.offered_per_s:g} requests/s came,"
        f" {of.during.per_s:g}/s were answered well.",
    ]
    if of.recovery_s is not None:
        sentences.append(
            f"Recovered {of.recovery_s:g} s after its end: two seconds in a row with a p95 of at most {of.level_ms} ms,"
            " the highest of a second before it."
        )
    else:
        sentences.append("It did NOT recover within the time that was watched.")
    if of.memory_before_mb is not None:
        sentences.append(
            f"Memory of all services (PSS): {of.memory_before_mb:g} MB before, {of.memory_peak_mb:g} MB at most,"
            f" {of.memory_after_mb:g} MB at the end."
        )
    return Section(
        f"{stage.name}: overload",
        tuple(sentences),
        ("phase", "clients", "requests", "requests/s", "median ms", "p95 ms", "p99 ms", "longest ms", "errors by kind"),
        tuple(
            (phase, str(clients), str(one.requests), *_figures(one))
            for phase, clients, one in (
                ("before", stage.clients, of.before),
                ("overload", of.clients, of.during),
                ("after", stage.clients, of.after),
            )
        ),
    )


def _comparison(of: Comparison) -> Section:
    return Section(
        f"Compared with the report of {of.before}",
        of.remarks,
        ("stage", "endpoint", "figure", "before", "after", "after / before", "verdict"),
        tuple(
            (
                row.stage,
                row.endpoint or "all",
                row.figure,
                _number(row.before),
                _number(row.after),
                ratio_words(row.ratio) if row.ratio else "",
                row.verdict,
            )
            for row in of.rows
        ),
    )


def _figures(of: Figures) -> tuple[str, ...]:
    return (
        _number(of.per_s),
        _number(of.p50_ms),
        _number(of.p95_ms),
        _number(of.p99_ms),
        _number(of.max_ms),
        _errors(of.errors),
    )


def _errors(errors: Mapping[str, int]) -> str:
    return ", ".join(f"{kind}: {count}" for kind, count in errors.items()) or "none"


def _found(one: Judgement) -> str:
    return "not known" if one.found is None else f"{one.found:g}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
