"""A report as one HTML file with its charts in it: nothing is loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from wnis_ops.bench.api.charts import Bar, Line, bars, lines
from wnis_ops.bench.api.compare import Comparison
from wnis_ops.bench.api.records import Figures
from wnis_ops.bench.api.report import Report, StageReport
from wnis_ops.bench.api.sections import Section, sections

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }
table { border-collapse: collapse; font-size: 13px; display: block; overflow-x: auto; }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid #ddd; vertical-align: top; }
td { font-variant-numeric: tabular-nums; }
svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; }
svg .value, svg .axis { fill: #555; font-size: 11px; }
svg .dot { fill: none; stroke: #000; stroke-width: 1; }
svg .grid { stroke: #ddd; }
svg .shade { fill: #f3e3d0; }
.missed { font-weight: 700; color: #a02000; }
"""


def as_html(report: Report, comparison: Comparison | None = None) -> str:
    """The page."""
    body = [f"<h1>Load on the API: {escape(report.name)}</h1>"]
    for section in sections(report, comparison):
        body.append(_section(section))
        if section.heading == "Stages":
            body += _charts(report)
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        f"<title>Load: {escape(report.name)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _section(section: Section) -> str:
    parts = [f"<h2>{escape(section.heading)}</h2>", *(f"<p>{escape(sentence)}</p>" for sentence in section.sentences)]
    if section.rows:
        head = "".join(f"<th>{escape(cell)}</th>" for cell in section.header)
        rows = "".join("<tr>" + "".join(_cell(cell) for cell in row) + "</tr>" for row in section.rows)
        parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")
    return "\n".join(parts)


def _cell(text: str) -> str:
    mark = ' class="missed"' if text in ("MISSED", "worse") else ""
    return f"<td{mark}>{escape(text)}</td>"


def _charts(report: Report) -> Iterator[str]:
    steady = [stage for stage in report.stages if stage.blocks]
    if steady:
        yield _figure(
            bars(
                "Requests a second by stage; dots are blocks",
                "requests/s",
                ("API", "bare view") if any(stage.bare_view for stage in steady) else ("API",),
                [(f"{stage.name} ({stage.clients})", _rates(stage)) for stage in steady],
            )
        )
        yield _figure(
            bars(
                "Latency by stage",
                "ms",
                ("median", "p95", "p99"),
                [(f"{stage.name} ({stage.clients})", _latencies(stage.total)) for stage in steady],
            )
        )
    for stage in report.stages:
        if len(stage.endpoints) > 1:
            yield _figure(
                bars(
                    f"Latency by endpoint: {stage.name}",
                    "ms",
                    ("median", "p95", "p99"),
                    [(name, _latencies(of)) for name, of in stage.endpoints.items()],
                )
            )
        if stage.overload is not None:
            yield from _overload(stage)


def _rates(stage: StageReport) -> list[Bar]:
    found = [Bar(stage.total.per_s, tuple(block.total.per_s for block in stage.blocks))]
    if stage.bare_view is not None:
        dots = tuple(block.bare_view.per_s for block in stage.blocks if block.bare_view)
        found.append(Bar(stage.bare_view.per_s, dots))
    return found


def _latencies(of: Figures) -> list[Bar]:
    return [Bar(of.p50_ms), Bar(of.p95_ms), Bar(of.p99_ms)]


def _overload(stage: StageReport) -> Iterator[str]:
    of = stage.overload
    assert of is not None
    shade = (0.0, stage.duration_s)
    yield _figure(
        lines(
            f"{stage.name}: answers a second; shaded is the overload",
            "answers/s",
            [
                Line("good", tuple((float(s.at_s), float(s.good)) for s in of.seconds)),
                Line("refused, with Retry-After", tuple((float(s.at_s), float(s.refused)) for s in of.seconds)),
                Line("any other", tuple((float(s.at_s), float(s.disorderly)) for s in of.seconds)),
            ],
            shade=shade,
        )
    )
    latency = [Line("p95 of good answers", tuple((float(s.at_s), s.p95_ms) for s in of.seconds))]
    if of.level_ms is not None and of.seconds:
        ends = (float(of.seconds[0].at_s), float(of.seconds[-1].at_s))
        latency.append(Line("level before", tuple((end, of.level_ms) for end in ends)))
    yield _figure(lines(f"{stage.name}: p95 of each second", "ms", latency, shade=shade))
    services = sorted({name for point in of.memory for name in point.pss_mb})
    curves = [Line(name, tuple((point.at_s, point.pss_mb.get(name)) for point in of.memory)) for name in services]
    if curves:
        yield _figure(lines(f"{stage.name}: memory of the services (PSS)", "MB", curves, shade=shade))


def _figure(svg: str) -> str:
    title = svg.partition("<title>")[2].partition("</title>")[0]
    return f"<figure><figcaption>{title}</figcaption>{svg}</figure>" if svg else ""
