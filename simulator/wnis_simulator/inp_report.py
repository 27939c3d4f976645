"""What an import has to say of a file: what it keeps as text, reads otherwise than it looks, or would lose."""

from __future__ import annotations

from collections.abc import Iterator

from wnis_graph.network_model import ImportRemark

from wnis_simulator.inp_scan import Scan
from wnis_simulator.inp_text import MAX_TOKENS

_KEPT = (
    ("CONTROLS", "simple controls"),
    ("RULES", "lines of rules"),
    ("PATTERNS", "lines of patterns"),
    ("CURVES", "lines of curves"),
    ("EMITTERS", "emitters"),
    ("DEMANDS", "demand categories"),
    ("QUALITY", "initial qualities"),
    ("SOURCES", "quality sources"),
    ("ENERGY", "energy settings"),
    ("REACTIONS", "reaction settings"),
    ("MIXING", "mixing models"),
    ("REPORT", "report settings"),
    ("LABELS", "map labels"),
    ("BACKDROP", "lines about the backdrop"),
)


def remarks_of(scan: Scan) -> tuple[ImportRemark, ...]:
    """Remarks about the whole file, then about single lines.

    Severity ``info`` is kept as it is, ``warning`` is read otherwise than it looks, or lost: what ``strict`` refuses.
    """
    return (*_kept(scan), *_of_file(scan), *_of_lines(scan))


def _kept(scan: Scan) -> Iterator[ImportRemark]:
    for section, what in _KEPT:
        if scan.of(section):
            yield ImportRemark("info", f"{len(scan.of(section))} {what} are kept in the source file.", section,
                               scan.first_line.get(section))  # fmt: skip


def _of_file(scan: Scan) -> Iterator[ImportRemark]:
    if scan.text.encoding != "utf-8":
        yield ImportRemark("info", "The text is not UTF-8; it was read as Latin-1.")
    if scan.text.byte_order_mark:
        yield ImportRemark(
            "warning", "The file begins with a byte-order mark, at which EPANET stops; it is left out.", None, 1
        )
    if not scan.ends:
        yield ImportRemark("warning", "There is no [END]; the file may have been cut off.", "END")
    else:
        behind = next((n for n, line in enumerate(scan.text.lines, 1)
                       if n > scan.first_line["END"] and line.strip()), None)  # fmt: skip
        if behind:
            yield ImportRemark("warning", "EPANET does not read what is behind [END].", "END", behind)
    if scan.hydraulics_line:
        yield ImportRemark("warning", "HYDRAULICS names a file of hydraulics to read or write; it is ignored.",
                           "OPTIONS", scan.hydraulics_line)  # fmt: skip
    lost = [name for name in scan.nodes if name not in scan.located]
    if lost and scan.located:
        yield ImportRemark("info", f"{len(lost)} nodes have no coordinates, the first is {lost[0]}.", "COORDINATES")
    elif lost:
        yield ImportRemark("info", "No node has coordinates; the network has no map.", "COORDINATES")


def _of_lines(scan: Scan) -> Iterator[ImportRemark]:
    for row in scan.of("PIPES"):
        if len(row.tokens) > 8:
            yield ImportRemark(
                "warning", f"The line of pipe {row.tokens[0]} has {len(row.tokens)} fields; EPANET takes its minor "
                "loss and status from lines of at most 8.", "PIPES", row.line, row.tokens[0],
            )  # fmt: skip
        elif float(row.tokens[5]) <= 0:
            yield ImportRemark("warning", f"The roughness of pipe {row.tokens[0]} is {row.tokens[5]}.", "PIPES",
                               row.line, row.tokens[0])  # fmt: skip
    for section, rows in scan.rows.items():
        for row in rows:
            if len(row.tokens) > MAX_TOKENS and section not in ("TITLE", "LABELS", "TAGS", "BACKDROP"):
                yield ImportRemark(
                    "warning", f"The line has {len(row.tokens)} fields; EPANET reads the first {MAX_TOKENS}.",
                    section, row.line, row.tokens[0],
                )  # fmt: skip
    if scan.of("ROUGHNESS"):
        yield ImportRemark("warning", "EPANET 2.2 does not read [ROUGHNESS].", "ROUGHNESS",
                           scan.first_line.get("ROUGHNESS"))  # fmt: skip
    if scan.default_pattern and scan.default_pattern not in scan.patterns:
        yield ImportRemark(
            "info", f"The default pattern {scan.default_pattern} is not there: demands without a pattern are constant.",
            "OPTIONS", None, None,
        )  # fmt: skip
