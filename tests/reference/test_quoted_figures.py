"""The figures that README and guide quote are those of a back-test on Kitchener's records."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from wnis_ml.offline import backtest_files

from tests.guide_blocks import GUIDE, ROOT

ORIGIN = date(2018, 1, 1)
ROWS = {
    "age": "age",
    "previous breaks": "prior_breaks",
    "previous breaks per length": "prior_breaks_per_length",
    "random": "random",
}


@pytest.mark.shared_data
def test_quoted_figures_are_measured(shared_data: Path) -> None:
    mappings = ROOT / "config" / "mappings"
    judged = backtest_files(
        shared_data / "kitchener" / "Water_Mains.csv",
        mappings / "kitchener-assets.toml",
        shared_data / "kitchener" / "Water_Main_Breaks.csv",
        mappings / "kitchener-breaks.toml",
        origins=[ORIGIN],
        horizon_days=1096.0,
    )[ORIGIN]
    assert judged is not None
    assert judged.better
    scores = {"this model": judged.model, **{row: judged.baselines[name] for row, name in ROWS.items()}}
    quoted = (GUIDE / "concepts.md").read_text(encoding="utf-8").replace("**", "")
    for row, s in scores.items():
        line = f"| {row} | {s.auc:.2f} | {s.precision_top_1pct:.0%} | {s.breaks_on_top_5pct_length:.0%} |"
        assert line in quoted
    readme = (ROOT / "README.md").read_text(encoding="utf-8").replace("**", "")
    for row, name in (("this model", "this model"), ("age alone", "age"), ("previous breaks alone", "previous breaks")):
        assert f"| {row} | {scores[name].auc:.2f} | {scores[name].breaks_on_top_5pct_length:.0%} |" in readme
    counts = (f"{judged.assets:,}", str(judged.broke), f"{judged.expected:.0f}")
    assert re.search(rf"{counts[0]} mains, of which {counts[1]} broke; {counts[2]} expected", quoted)
    assert f"Expected {counts[2]} broken mains, observed {counts[1]} of {counts[0]}" in readme
