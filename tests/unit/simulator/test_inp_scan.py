"""Where a file is wrong is said with section, line and id; what is right passes."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from wnis_core.errors import InvalidModel
from wnis_simulator.inp_scan import scan_inp

GOOD = b"""[TITLE]
 A small town
[JUNCTIONS]
 J1  100  5  ; the corner shop
 J2  90   3
[RESERVOIRS]
 R1  140
[TANKS]
 T1  120  2 0 5 10 0
[PIPES]
 P1  R1 J1  1000  200  100  0  Open
 P2  J1 J2  500   150  100  CV
 P3  J2 T1  500   150  100  0.5  CLOSED
[PATTERNS]
 1  1.0  0.8
[COORDINATES]
 J1  0  0
[OPTIONS]
 Units  LPS
 Headloss  H-W
[TIMES]
 Duration  24:00
 Start ClockTime  12 AM
[END]
"""


def refused(old: bytes, new: bytes) -> InvalidModel:
    assert GOOD.count(old) == 1, old
    with pytest.raises(InvalidModel) as caught:
        scan_inp(GOOD.replace(old, new))
    return caught.value


def test_a_sound_file_passes_with_what_it_states() -> None:
    scan = scan_inp(GOOD)
    assert (set(scan.nodes), set(scan.links)) == ({"J1", "J2", "R1", "T1"}, {"P1", "P2", "P3"})
    assert (scan.flow_unit, scan.ends, scan.located) == ("LPS", True, {"J1"})
    assert scan.times_s["DURATION"] == 86_400
    assert scan.nodes["J1"].comment == "the corner shop"


@pytest.mark.parametrize(
    ("old", "new", "section", "line", "name", "words"),
    [
        (b"J2  90   3", b"J1  90   3", "JUNCTIONS", 5, "J1", "two nodes with the id J1"),
        (b"R1  140\n", b"J1  140\n", "RESERVOIRS", 7, "J1", "two nodes with the id J1"),
        (b"P2  J1 J2", b"P1  J1 J2", "PIPES", 12, "P1", "two links with the id P1"),
        (b"J1 J2  500", b"J1 J9  500", "PIPES", 12, "P2", "J9, which is not in the model"),
        (b"J1 J2  500", b"J1 J1  500", "PIPES", 12, "P2", "begins and ends at node J1"),
        (b"J1  100  5", b"J1  high  5", "JUNCTIONS", 4, "J1", "elevation is 'high', not a number"),
        (b"J1  100  5", b"J1  nan  5", "JUNCTIONS", 4, "J1", "elevation is 'nan', not a number"),
        (b"J1  100  5", b"J1  1e999  5", "JUNCTIONS", 4, "J1", "not a number"),
        (b"R1 J1  1000", b"R1 J1  -10", "PIPES", 11, "P1", "length is -10; it must be positive"),
        (b"R1 J1  1000  200  100  0  Open", b"R1 J1  1000", "PIPES", 11, "P1", "4 fields; expected"),
        (b"0.5  CLOSED", b"0.5  AJAR", "PIPES", 13, "P3", "'AJAR' is not OPEN, CLOSED or CV"),
        (b"T1  120  2 0 5", b"T1  120  9 0 5", "TANKS", 9, "T1", "initial level 9 is not between 0 and 5"),
        (b"T1  120  2", b"T1  120  " + b"x" * 1_100, "TANKS", 9, "T1", "characters long, EPANET reads 1022"),
        (b"T1  120  2", b"T1  120  " + b"x" * 900, "TANKS", 9, "T1", "(900 characters)', not a number"),
        (b"1  1.0  0.8", b"1  1.0  " + b"y" * 900, "PATTERNS", 15, "1", "multiplier is"),
        (b"Units  LPS", b"Units  CMS", "OPTIONS", 19, None, "flow unit 'CMS' is none of"),
        (b"Headloss  H-W", b"Headloss  D-X", "OPTIONS", 20, None, "head-loss formula"),
        (b"Duration  24:00", b"Duration  1e9", "TIMES", 21, None, "longer than"),
        (b"Duration  24:00", b"Duration  soon", "TIMES", 22, None, "not a time"),
        (b"[PATTERNS]", b"[PATERNS]", "PATERNS", 14, None, "no section [PATERNS]"),
        (b" J2  90   3\n", b" J2  90   3\n J3  90\n", "JUNCTIONS", 6, "J3", "joined to no link"),
    ],
)  # fmt: skip
def test_each_fault_is_named_where_it_is(
    old: bytes, new: bytes, section: str, line: int, name: str | None, words: str
) -> None:
    error = refused(old, new)
    assert words.lower() in error.message.lower()
    assert error.details == {"section": section, "line": line, "id": name}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"Dear all, see below.\n", "before any [SECTION]"),
        (b"PK\x03\x04\x00\x00\x08\x00more", "binary"),
        (b"[TITLE]\nonly a title\n[END]\n", "fewer than two nodes"),
        (GOOD[: GOOD.index(b"[PIPES]")], "no links"),
        (GOOD.replace(b" R1  140\n", b"").replace(b" T1  120  2 0 5 10 0\n", b""), "neither reservoir nor tank"),
    ],
)  # fmt: skip
def test_what_is_no_model_is_called_that(content: bytes, words: str) -> None:
    with pytest.raises(InvalidModel) as caught:
        scan_inp(content)
    assert words in caught.value.message


def test_latin_1_text_and_padding_are_read() -> None:
    scan = scan_inp(GOOD.replace(b"corner shop", "Bäckerei".encode("latin-1")) + b"\0" * 500)
    assert (scan.text.encoding, scan.nodes["J1"].comment) == ("latin-1", "the Bäckerei")


def test_a_line_that_has_the_engine_open_files_is_found() -> None:
    assert scan_inp(GOOD.replace(b"[TIMES]", b"HYDRAULICS SAVE /tmp/x\n[TIMES]")).hydraulics_line == 21


@pytest.mark.parametrize("name", ["Net1", "Net2", "Net3", "Net6", "ky4", "ky10"])
def test_networks_of_the_library_pass(name: str) -> None:
    folder = Path(find_spec("wntr").origin).parent / "library" / "networks"  # type: ignore[union-attr,arg-type]
    assert scan_inp((folder / f"{name}.inp").read_bytes()).ends


@pytest.mark.shared_data
def test_of_the_shared_files_only_the_broken_one_is_refused(shared_data: Path) -> None:
    refused = {}
    for path in sorted((shared_data / "networks").glob("*.inp")):
        try:
            scan_inp(path.read_bytes())
        except InvalidModel as error:
            refused[path.name] = error.details
    assert refused == {"Net1_broken.inp": {"section": "JUNCTIONS", "line": 19, "id": "11"}}
