"""A scanned file given to the engine, and its refusals in words that name the place."""

from __future__ import annotations

import re
from pathlib import Path

from wnis_core.errors import InvalidModel

from wnis_simulator.engine import Engine, EngineError
from wnis_simulator.inp_scan import Scan
from wnis_simulator.inp_text import SECTIONS, Row

INPUT_FILE, REPORT_FILE, OUTPUT_FILE = "engine.inp", "engine.rpt", "engine.bin"
_COMPLAINT = re.compile(r"(?:Input )?Error (\d+):\s*(.*?)(?: in \[(\w+)\] section:| in following line of .*:)?\s*$")


def opened(scan: Scan) -> Engine:
    """The engine with the file that `scan` walked open in it; its files go to the current folder.

    Two things are left out of what it reads: a byte-order mark, at which it stops, and a line HYDRAULICS, which would
    have it read or write files of its own.

    Raises
    ------
    InvalidModel
        the engine refuses the file; `details` name section, line, id and the engine's error number
    """
    lines = list(scan.text.lines)
    if scan.hydraulics_line:
        lines[scan.hydraulics_line - 1] = ""
    Path(INPUT_FILE).write_bytes(scan.text.encoded("\n".join(lines)))
    try:
        return Engine(INPUT_FILE, REPORT_FILE, OUTPUT_FILE)
    except EngineError as error:
        raise _refused(error, scan) from error


def _refused(error: EngineError, scan: Scan) -> InvalidModel:
    """The first complaint of the engine's report, and the line of the file that it repeats behind it."""
    complaint, said, row = error.message, error.number, None
    path = Path(REPORT_FILE)
    lines = path.read_text("latin-1").splitlines() if path.exists() else []
    for number, text in enumerate(lines):
        found = _COMPLAINT.match(text.strip())
        if found and found[1] != "200":
            rule = " in following line of " in text
            section = "RULES" if rule else next((s for s in SECTIONS if found[3] and s == found[3].upper()), "")
            complaint, said = f"Error {found[1]}: {found[2]}", int(found[1])
            following = lines[number + 1].strip() if number + 1 < len(lines) else ""
            row = _row(scan, section, following) or _named(scan, found[2])
            break
    at = f"[{row.section}] line {row.line}: " if row else ""
    return InvalidModel(
        f"{at}EPANET refuses the model: {complaint.strip().rstrip(':')}",
        mend="Correct the file, for example in EPANET's own editor, and import it again; nothing was changed.",
        details={
            "section": row.section if row else None,
            "line": row.line if row else None,
            "id": row.tokens[0] if row else None,
            "epanet_error": said,
        },
    )


def _row(scan: Scan, section: str, text: str) -> Row | None:
    """The row that the engine repeats."""
    words = text.encode("latin-1").decode(scan.text.encoding, "replace").partition(";")[0].split()
    sections = [section] if section else list(scan.rows)
    rows = (row for name in sections for row in scan.of(name))
    return next((row for row in rows if words and list(row.tokens) == words), None)


def _named(scan: Scan, complaint: str) -> Row | None:
    """The row of the component that the complaint ends with."""
    name = complaint.split()[-1] if complaint.split() else ""
    return scan.nodes.get(name) or scan.links.get(name)
