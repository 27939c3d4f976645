"""A table read through a mapping: names, types, SI units; every row accounted for."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from wnis_core.errors import InvalidValue, NotFound
from wnis_core.mapping import MappedTable, Mapping, parse_mapping, read_table, read_text

ASSETS = """
target = "assets"
[properties.source_id]
column = "ID"
[properties.diameter_m]
column = "DN"
unit = "mm"
missing = ["0"]
[properties.material]
column = "MAT"
codes = { CI = "cast_iron" }
[properties.install_date]
column = "BUILT"
dates = ["%d.%m.%Y", "year", "iso", "epoch_ms"]
"""

BREAKS = """
target = "incidents"
[file]
timezone = "Europe/Berlin"
[[filters]]
column = "STATE"
not_equals = ["Cancelled"]
reason = "cancelled"
[properties.source_id]
column = "NO"
[properties.kind]
constant = "break"
[properties.occurred_at]
column = "WHEN"
dates = ["%d.%m.%Y %H:%M", "%Y/%m/%d %H:%M:%S%z"]
[properties.components]
column = "PIPES"
separator = ";"
[properties.narrative]
columns = ["TEXT", "MORE"]
join = " / "
[[redactions]]
properties = ["narrative"]
pattern = 'Mr [A-Z]\\w+'
replacement = "[name]"
"""


def mapping(text: str) -> Mapping:
    return parse_mapping(text, "mine")


def assets(rows: str, extra: str = "") -> MappedTable:
    return read_text("ID,DN,MAT,BUILT\n" + rows, mapping(ASSETS + extra))


def problems(table: MappedTable) -> set[tuple[int, str]]:
    return {(p.row, p.column) for p in table.rejected}


def test_units_codes_and_dates_become_ours() -> None:
    table = assets('7, 150 ,ci,01.05.1931\n8,0,,"1976"\n')
    assert table.rows == [
        {"source_id": "7", "diameter_m": 0.15, "material": "cast_iron", "install_date": date(1931, 5, 1)},
        {"source_id": "8", "install_date": date(1976, 1, 1)},
    ]
    assert (table.read, table.row_numbers, table.rejected, table.unused) == (2, [1, 2], [], ())


@pytest.mark.parametrize(
    ("text", "day"),
    [("01.02.1990", date(1990, 2, 1)), ("633830400000", date(1990, 2, 1)), ("1990.0", date(1990, 1, 1)),
     ("1990-02-01", date(1990, 2, 1)), ("-1262304000000", date(1930, 1, 1))],
)  # fmt: skip
def test_the_first_date_format_that_fits_is_taken(text: str, day: date) -> None:
    table = assets(f"1,100,CI,{text}\n")
    assert table.rows[0]["install_date"] == day


def test_a_bad_cell_rejects_its_row_with_row_line_and_column() -> None:
    table = assets('1,abc,CI,1990\n2,100,XX,soon\n"3\n",100,CI,1990\n4,-5,CI,1990\n')
    assert problems(table) == {(1, "DN"), (2, "MAT"), (2, "BUILT"), (4, "DN")}
    assert [row["source_id"] for row in table.rows] == ["3"]
    assert [p.line for p in table.rejected if p.row == 4] == [6]
    assert (table.rejected_rows, table.read) == (3, 4)
    assert table.rejected[0].message == "diameter_m: 'abc' is not a number with decimal sign '.'"


def test_a_row_with_too_few_or_too_many_cells_is_rejected() -> None:
    table = assets("1,100,CI\n2,100,CI,1990,5\n3,100,CI,1990\n")
    assert [p.message.split(";")[0] for p in table.rejected] == [
        "has 3 cells where the header has 4",
        "has 5 cells where the header has 4",
    ]
    assert len(table.rows) == 1


def test_a_cell_may_be_left_empty_and_is_counted() -> None:
    table = assets("1,abc,CI,1990\n", '[properties.length_m]\ncolumn = "DN"\nunit = "m"\nunreadable = "missing"\n')
    assert problems(table) == {(1, "DN")}
    lenient = read_text(
        "ID,DN,MAT,BUILT\n1,abc,CI,1990\n",
        mapping(ASSETS.replace('unit = "mm"', 'unit = "mm"\nunreadable = "missing"')),
    )
    assert lenient.rejected == []
    assert [(p.row, p.column) for p in lenient.emptied] == [(1, "DN")]
    assert "diameter_m" not in lenient.rows[0]


@pytest.mark.parametrize(("choice", "outcome"), [("keep", "XX"), ("missing", None)])
def test_codes_that_are_not_listed(choice: str, outcome: str | None) -> None:
    wanted = ASSETS.replace('codes = { CI = "cast_iron" }', f'codes = {{ CI = "cast_iron" }}\nother_codes = "{choice}"')
    table = read_text("ID,DN,MAT,BUILT\n1,100,XX,1990\n", mapping(wanted))
    assert table.rows[0].get("material") == outcome


def test_a_key_that_comes_twice_or_is_missing_rejects_the_row() -> None:
    table = assets("1,100,CI,1990\n1,150,CI,1991\n,150,CI,1992\n")
    assert [(p.row, p.message) for p in table.rejected] == [
        (2, "source_id '1' is that of row 1 already"),
        (3, "has no id or name or source_id, so it cannot be told from others"),
    ]


def test_breaks_are_filtered_joined_redacted_and_set_to_utc() -> None:
    table = read_text(
        "NO;WHEN;PIPES;TEXT;MORE;STATE;EXTRA\n"
        "1;24.12.2020 18:30;P-1; Mr Smith found it;;done;x\n"
        "2;2020/07/01 12:00:00+00;P-1; P-2 ;open;x\n"
        "3;24.12.2020 18:30;P-2;;;cancelled;x\n"
        '4;2020/07/01 12:00:00+00;"P-1; P-2";a;b;open;x\n',
        mapping(BREAKS),
    )
    assert table.rows == [
        {
            "source_id": "1",
            "kind": "break",
            "occurred_at": datetime(2020, 12, 24, 17, 30, tzinfo=UTC),
            "components": ["P-1"],
            "narrative": "[name] found it",
        },
        {
            "source_id": "4",
            "kind": "break",
            "occurred_at": datetime(2020, 7, 1, 12, tzinfo=UTC),
            "components": ["P-1", "P-2"],
            "narrative": "a / b",
        },
    ]
    assert (table.filtered, table.redacted, table.unused, table.rejected_rows) == ({"cancelled": 1}, 1, ("EXTRA",), 1)
    assert table.summary() == "2 of 4 rows read, 1 left out (cancelled), 1 rejected."
    assert table.documents()[0]["occurred_at"] == "2020-12-24T17:30:00Z"


def test_documents_are_what_the_api_takes() -> None:
    stated = ASSETS + '[properties.zone]\ncolumn = "MAT"\n'
    assets_rows = read_text("ID,DN,MAT,BUILT\n7,100,CI,1990\n", mapping(stated))
    assert assets_rows.documents() == [
        {"source_id": "7", "diameter_m": 0.1, "material": "cast_iron", "install_date": "1990-01-01"}
    ]
    placed = BREAKS + '[properties.longitude]\ncolumn = "X"\n[properties.latitude]\ncolumn = "Y"\n'
    breaks = read_text(
        "NO,WHEN,PIPES,TEXT,MORE,STATE,X,Y\n1,2020/07/01 12:00:00+00,,,,open,-80.5,43.4\n"
        "2,2020/07/01 12:00:00+00,,,,open,-80.5,\n",
        mapping(placed),
    )
    assert [row.get("location") for row in breaks.documents()] == [{"x": -80.5, "y": 43.4, "srid": 4326}, None]
    assert all("longitude" not in row for row in breaks.documents())


def test_a_connection_is_known_by_its_key() -> None:
    stated = """
target = "service_connections"
[properties.source_id]
column = "NO"
[properties.name]
column = "NAME"
[properties.customers]
column = "N"
[properties.served_by]
column = "AT"
"""
    rows = read_text("NO,NAME,N,AT\n4 a,Mill,3,J-1\n", mapping(stated)).documents()
    assert rows == [{"id": "connection:4%20a", "name": "Mill", "customers": 3, "served_by": "J-1"}]


def test_every_row_is_accounted_for() -> None:
    table = assets("1,100,CI,1990\n\n2,x,CI,1990\n3,100,CI\n")
    assert table.read == len(table.rows) + table.rejected_rows + sum(table.filtered.values()) == 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found_out(tmp_path: Path, encoding: str, delimiter: str) -> None:
    file = tmp_path / "assets.csv"
    rows = [["ID", "DN", "MAT", "BUILT"], ["Straße 7", "100", "CI", "1990"]]
    file.write_bytes("\r\n".join(delimiter.join(row) for row in rows).encode(encoding))
    assert read_table(file, mapping(ASSETS)).rows[0]["source_id"] == "Straße 7"


def test_a_decimal_comma_is_read_when_the_mapping_says_so() -> None:
    table = read_text("ID;DN;MAT;BUILT\n1;150,5;CI;1990\n", mapping(ASSETS + '[file]\ndecimal = ","\n'))
    assert table.rows[0]["diameter_m"] == pytest.approx(0.1505)


def test_a_missing_column_is_named_with_the_one_that_looks_like_it() -> None:
    with pytest.raises(InvalidValue) as refused:
        read_text("ID,DN,MATL,BUILT\n", mapping(ASSETS))
    assert [(p.field, p.message) for p in refused.value.fields] == [
        ("MAT", "is not a column of the table; did you mean 'MATL'?")
    ]


def test_a_column_that_is_there_twice_is_refused() -> None:
    with pytest.raises(InvalidValue, match="MAT is there twice"):
        read_text("ID,DN,MAT,MAT,BUILT\n", mapping(ASSETS))


def test_a_binary_or_missing_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "picture.csv"
    file.write_bytes(bytes(range(256)) * 10)
    with pytest.raises(InvalidValue, match="not a text table"):
        read_table(file, mapping(ASSETS))
    with pytest.raises(NotFound, match="There is no file"):
        read_table(tmp_path / "none.csv", mapping(ASSETS))
    with pytest.raises(InvalidValue, match="cannot be read"):
        read_table(tmp_path, mapping(ASSETS))


def test_constants_conditions_flags_and_counts() -> None:
    table = read_text(
        "NO,NAME,N,CRIT,AT\n1,Hospital,300,yes,J-1\n2,Home,3.0,,J-2\n3,Half,1.5,no,J-2\n4,,1,no,J-2\n",
        mapping(
            """
target = "service_connections"
[properties.source_id]
column = "NO"
[properties.name]
column = "NAME"
[properties.customers]
column = "N"
[properties.critical]
column = "CRIT"
only_when = { column = "NAME", equals = ["hospital"] }
[properties.served_by]
column = "AT"
[properties.synthetic]
constant = true
"""
        ),
    )
    assert table.rows == [
        {
            "source_id": "1",
            "name": "Hospital",
            "customers": 300,
            "critical": True,
            "served_by": "J-1",
            "synthetic": True,
        },
        {"source_id": "2", "name": "Home", "customers": 3, "served_by": "J-2", "synthetic": True},
    ]
    assert problems(table) == {(3, "N"), (4, "NAME")}
