"""What only the engine sees in a file is said with section, line and id; the child has limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from wnis_core.errors import InvalidModel
from wnis_simulator import contained_runs

from tests.unit.simulator.test_inp_scan import GOOD


def parse(content: bytes, folder: Path) -> InvalidModel:
    with pytest.raises(InvalidModel) as caught:
        contained_runs.parse(content, folder, on_progress=lambda *_: None)
    return caught.value


@pytest.mark.parametrize(
    ("old", "new", "section", "line", "name", "number", "words"),
    [
        (b"[PATTERNS]", b"[PUMPS]\n PU J1 J2 HEAD NONE\n[PATTERNS]", "PUMPS", 15, "PU", 206, "undefined curve NONE"),
        (b"[PATTERNS]", b"[STATUS]\n P2 CLOSED\n[PATTERNS]", "STATUS", 15, "P2", 207, "control CV"),
        (b"[PATTERNS]", b"[VALVES]\n V R1 J1 200 PRV 30\n[PATTERNS]", "VALVES", 15, "V", 219, "tank node R1"),
        (b"[PATTERNS]", b"[DEMANDS]\n J9 3 1\n[PATTERNS]", "DEMANDS", 15, "J9", 203, "undefined node J9"),
        (b"[PATTERNS]", b"[CONTROLS]\n LINK P9 OPEN AT TIME 3\n[PATTERNS]", "CONTROLS", 15, "LINK", 204, "P9"),
        (b"[PATTERNS]", b"[RULES]\n RULE 1\n IF TANK T9 LEVEL > 1\n THEN PIPE P1 STATUS = OPEN\n[PATTERNS]", "RULES",
         16, "IF", 203, "undefined node"),
    ],
)  # fmt: skip
def test_a_refusal_of_the_engine_names_its_place(
    tmp_path: Path, old: bytes, new: bytes, section: str, line: int, name: str, number: int,
    words: str,
) -> None:  # fmt: skip
    error = parse(GOOD.replace(old, new), tmp_path)
    assert words.lower() in error.message.lower()
    assert error.details == {"section": section, "line": line, "id": name, "epanet_error": number}


@pytest.mark.parametrize(
    "content",
    [
        GOOD.replace(b"J1  100  5", b"J1  " + b"x" * 300 + b" 5"),
        GOOD.replace(b"T1  120  2", b"T1  120  " + b"x" * 1_000),
        GOOD.replace(b"1  1.0  0.8", b"1  1.0  " + b"9" * 1_000),
        GOOD.replace(b"[TIMES]", b"[QUALITY]\n J1 " + b"q" * 1_000 + b"\n[TIMES]"),
        GOOD.replace(b"[TIMES]", b"[RULES]\n RULE " + b"r" * 300 + b"\n IF TANK T1 LEVEL > 3\n[TIMES]"),
        GOOD.replace(b"[TIMES]", b";" + b" x" * 1_000 + b"\n[TIMES]"),
        GOOD.replace(b"Duration  24:00", b"Duration  1e9"),
        bytes(range(256)) * 40,
        GOOD[: GOOD.index(b"R1 J1")],
    ],
)
def test_a_file_that_would_end_the_engine_is_refused_before(tmp_path: Path, content: bytes) -> None:
    error = parse(content, tmp_path)
    assert "ended badly" not in error.message
    assert error.mend
