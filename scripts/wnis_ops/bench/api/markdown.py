"""A report as Markdown."""

from __future__ import annotations

from wnis_ops.bench.api.compare import Comparison
from wnis_ops.bench.api.report import Report
from wnis_ops.bench.api.sections import sections


def as_markdown(report: Report, comparison: Comparison | None = None) -> str:
    """The whole report; tables are aligned for reading without a renderer."""
    lines = [f"# Load on the API: {report.name}", ""]
    for section in sections(report, comparison):
        lines += [f"## {section.heading}", ""]
        for sentence in section.sentences:
            lines += [sentence, ""]
        if section.rows:
            lines += [*_table(section.header, section.rows), ""]
    return "\n".join(lines)


def _table(header: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> list[str]:
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (header, *rows)]
    widths = [max(3, *(len(row[column]) for row in cells)) for column in range(len(header))]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    return [text[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *text[1:]]
