"""The shipped mappings on the real files they are for."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from wnis_core.mapping import MappedTable, load_mapping, read_table, read_text

MAPPINGS = Path(__file__).parents[3] / "config" / "mappings"


def mapped(file: Path, mapping: str) -> MappedTable:
    return read_table(file, load_mapping(MAPPINGS / f"{mapping}.toml"))


@pytest.mark.shared_data
def test_kitchener_mains_are_all_read(shared_data: Path) -> None:
    mains = mapped(shared_data / "kitchener" / "Water_Mains.csv", "kitchener-assets")
    assert (mains.read, len(mains.rows), mains.rejected, mains.emptied) == (15_903, 15_903, [], [])
    assert {"CONDITION_SCORE", "CRITICALITY", "STATUS"} <= set(mains.unused)
    lined = {row["lined_date"] for row in mains.rows if "lined_date" in row}
    assert min(day for day in lined if isinstance(day, date)) > date(1970, 1, 2)
    assert sum("install_date" not in row for row in mains.rows) == 135
    assert sum("diameter_m" not in row for row in mains.rows) == 49


@pytest.mark.shared_data
def test_kitchener_breaks_are_main_breaks_not_cancelled_and_join_the_mains(shared_data: Path) -> None:
    mains = mapped(shared_data / "kitchener" / "Water_Mains.csv", "kitchener-assets")
    breaks = mapped(shared_data / "kitchener" / "Water_Main_Breaks.csv", "kitchener-breaks")
    assert breaks.read == 2_766
    assert breaks.filtered == {"not a break of a main": 30, "cancelled": 30}
    assert (len(breaks.rows), breaks.rejected) == (2_706, [])
    known = {str(row["source_id"]) for row in mains.rows}
    joined = [row for row in breaks.rows if isinstance(row["components"], list) and known.issuperset(row["components"])]
    assert len(joined) == 2_315


@pytest.mark.shared_data
def test_leak_remarks_are_all_read_with_names_of_people_dropped(shared_data: Path) -> None:
    remarks = mapped(shared_data / "leak_remarks" / "remarks_2010_2012.csv", "leak-remarks")
    assert (remarks.read, len(remarks.rows), remarks.rejected) == (3_219, 3_219, [])
    assert remarks.redacted > 60
    # the patterns look for people: nearly all of the trade's words stay
    assert sum("[name]" in str(row["narrative"]) for row in remarks.rows) < 60


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("MR. JONESON TURNED MAIN ON", "[name] TURNED MAIN ON"),
        ("MR JONESON & MR BRAITHE DUG OUT", "[name] & [name] DUG OUT"),
        ("ASSISTED BY K. JONESON", "ASSISTED BY [name]"),
        ("WORK TODAY K. JONESON A. BRAITHE SET UP TRAFFIC", "WORK TODAY [name] [name] SET UP TRAFFIC"),
        ("RELIEVED BY WALTER JONESON", "RELIEVED BY [name]"),
        ("WELDED BY JONESON, BACKFILLED", "WELDED BY [name], BACKFILLED"),
        ("NOTIFIED JONESON FOR PAVING", "NOTIFIED [name] FOR PAVING"),
        ("LEFT SITE SAFE. JONESON/ BRAITHE/ DE LA ROCA", "LEFT SITE SAFE. [name]"),
        ('ROUND CRACK ON 6" C.I. MAIN, CUT IN D.I. PIPE', 'ROUND CRACK ON 6" C.I. MAIN, CUT IN D.I. PIPE'),
        ("F.H. LEFT OPEN, G.V. LEAKING ON N. SIDE", "F.H. LEFT OPEN, G.V. LEAKING ON N. SIDE"),
        ("RELIEVED BY NIGHT CREW, NOTIFIED DISPATCH", "RELIEVED BY NIGHT CREW, NOTIFIED DISPATCH"),
        ("SERVICE AT 1178 S. HIGHLAND", "SERVICE AT 1178 S. HIGHLAND"),
    ],
)
def test_people_are_dropped_and_the_trade_stays(written: str, kept: str) -> None:
    text = 'doc_id,date,text,LEAK_TYPE,LAT,LON\nL1,2010-01-01,"' + written.replace('"', '""') + '",,,\n'
    table = read_text(text, load_mapping(MAPPINGS / "leak-remarks.toml"))
    assert table.rows[0]["narrative"] == kept
