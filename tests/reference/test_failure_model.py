"""The failure model on the City of Kitchener's mains and breaks, judged on later years that it had not seen.

Bounds are what the recipe reached when it was chosen (docs/adr/0005), less a margin for the chance of some 200 breaks.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from wnis_ml.failure.history import History, day_of
from wnis_ml.failure.judgement import Judgement
from wnis_ml.failure.training import backtest
from wnis_ml.offline import FileHistory, predict_files, read_history

from tests.conftest import REPOSITORY

pytestmark = [pytest.mark.shared_data, pytest.mark.slow, pytest.mark.timeout(900)]

MAPPINGS = REPOSITORY / "config" / "mappings"
END = day_of(date(2023, 1, 9))


@pytest.fixture(scope="module")
def files(shared_data: Path) -> tuple[Path, Path, Path, Path]:
    folder = shared_data / "kitchener"
    return (
        folder / "Water_Mains.csv",
        MAPPINGS / "kitchener-assets.toml",
        folder / "Water_Main_Breaks.csv",
        MAPPINGS / "kitchener-breaks.toml",
    )


@pytest.fixture(scope="module")
def source(files: tuple[Path, Path, Path, Path]) -> FileHistory:
    return read_history(*files)


@pytest.fixture(scope="module")
def judgement(source: FileHistory) -> Judgement:
    origin = day_of(date(2020, 1, 1))
    judged = backtest(source.history, origin, END - origin, seed=0)
    assert judged is not None
    return judged


def test_breaks_of_predecessors_are_left_out_and_replaced_mains_are_counted(source: FileHistory) -> None:
    assert len(source.history.assets) == 15_903
    assert source.history.predecessors == 331
    # 2,706 breaks of mains: 2,315 join a main of the register, 391 happened to mains replaced since
    assert (len(source.history.breaks), source.unmatched) == (2_315 - 331, 391)


def test_it_ranks_better_than_age_and_previous_breaks(judgement: Judgement) -> None:
    assert judgement.better
    assert judgement.model.auc > 0.92
    assert judgement.model.auc > max(score.auc for score in judgement.baselines.values()) + 0.05


def test_its_first_metres_and_pipes_hold_as_many_breaks_as_those_of_previous_breaks(judgement: Judgement) -> None:
    baselines = judgement.baselines.values()
    assert judgement.model.breaks_on_top_5pct_length > 0.30
    assert judgement.model.breaks_on_top_5pct_length > max(s.breaks_on_top_5pct_length for s in baselines) - 0.02
    assert judgement.model.precision_top_1pct > max(s.precision_top_1pct for s in baselines)


def test_its_probabilities_are_calibrated(judgement: Judgement) -> None:
    assert judgement.brier < 0.95 * judgement.brier_constant
    assert judgement.expected / judgement.broke == pytest.approx(1.0, abs=0.35)
    first, second = judgement.deciles[-1], judgement.deciles[-2]
    # the two deciles that hold nearly all breaks; three standard deviations of a Poisson count and a fifth for weather
    for decile in (first, second):
        assert abs(decile.expected - decile.observed) < 3 * np.sqrt(decile.expected) + 0.2 * decile.expected


def test_scores_of_files_carry_intervals_ranks_and_the_registers_own_ids(
    files: tuple[Path, Path, Path, Path], source: FileHistory
) -> None:
    scored = predict_files(*files, as_of=date(2016, 1, 1), horizon_days=365, seed=5)
    scores = scored.scores
    assert list(scores.columns[:5]) == ["component_id", "probability", "low", "high", "rank"]
    installed = source.history.assets.installed
    assert len(scores) == int((~(installed > day_of(date(2016, 1, 1)))).sum())
    assert set(scores.component_id) <= set(source.history.assets.id)
    assert scores.probability.is_monotonic_decreasing
    assert ((scores.low <= scores.probability) & (scores.probability <= scores.high)).all()
    assert scored.trained.model.trained_to == day_of(date(2016, 1, 1))


def test_what_happened_after_the_day_asked_for_changes_no_score(source: FileHistory) -> None:
    day = day_of(date(2008, 1, 1))
    known = source.history
    forgotten = History(known.assets, known.breaks.where(known.breaks.available <= day))
    whole, cut = backtest(known, day - 730, 730, seed=1), backtest(forgotten, day - 730, 730, seed=1)
    assert whole == cut
