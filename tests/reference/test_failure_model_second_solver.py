"""Boosted trees on the same facts as the logistic hazard model: the simpler model gives nothing away.

Second solver: LightGBM (Ke et al., "LightGBM", NeurIPS 2017) on the pooled situations of the same origins.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import lightgbm
import numpy as np
import pytest
from wnis_ml.failure.history import WINDOW, YEAR, Floats, day_of
from wnis_ml.failure.judgement import judge
from wnis_ml.failure.situations import Situations, breaks_after, observe, pooled
from wnis_ml.failure.training import fit_failure_model
from wnis_ml.offline import read_history

from tests.conftest import REPOSITORY

pytestmark = [pytest.mark.shared_data, pytest.mark.slow, pytest.mark.timeout(900)]

TOLERANCE_AUC = 0.01


def _facts(situations: Situations) -> Floats:
    assets, rows = situations.assets, situations.asset
    materials = {name: k for k, name in enumerate(np.unique(assets.material))}
    return np.column_stack(
        [
            situations.age_years,
            assets.installed[rows] / YEAR,
            assets.length_m[rows],
            assets.diameter_m[rows],
            np.array([materials[name] for name in assets.material])[rows],
            *(situations.count(years) for years in (1.0, 3.0, 5.0, 10.0, np.inf)),
            situations.years_since_break,
            situations.recorded_years,
        ]
    )


@pytest.mark.parametrize("origin", [date(2020, 1, 1), date(2014, 1, 1)])
def test_boosted_trees_rank_no_better(shared_data: Path, origin: date) -> None:
    folder, mappings = shared_data / "kitchener", REPOSITORY / "config" / "mappings"
    history = read_history(
        folder / "Water_Mains.csv",
        mappings / "kitchener-assets.toml",
        folder / "Water_Main_Breaks.csv",
        mappings / "kitchener-breaks.toml",
    ).history
    day = day_of(origin)
    model = fit_failure_model(history, day, seed=0)
    seen = observe(history, day, model.records_begin)
    broke = breaks_after(history, seen, 3 * WINDOW)
    known = history.known_at(day)
    count = int((day - model.trained_from) / WINDOW)
    training = pooled([observe(known, day - WINDOW * k, model.records_begin) for k in range(1, count + 1)])
    trees = lightgbm.LGBMClassifier(
        num_leaves=8, n_estimators=150, learning_rate=0.05, min_child_samples=100, subsample=0.7, subsample_freq=1,
        colsample_bytree=0.6, reg_lambda=10.0, random_state=1, n_jobs=2, verbose=-1,
    )  # fmt: skip
    trees.fit(_facts(training), breaks_after(known, training, WINDOW) > 0, categorical_feature=[4])

    year = trees.predict_proba(_facts(seen))[:, 1]
    by_trees = judge(seen, 1 - (1 - year) ** 3, broke, seed=0)
    by_hazard = judge(seen, model.probability(seen, 3 * WINDOW), broke, seed=0)

    assert by_trees is not None
    assert by_hazard is not None
    print(f"{origin} trees {by_trees.model} {by_trees.brier:.5f} {by_trees.expected / by_trees.broke:.2f}")
    print(f"{origin} hazard {by_hazard.model} {by_hazard.brier:.5f} {by_hazard.expected / by_hazard.broke:.2f}")
    assert by_hazard.model.auc > by_trees.model.auc - TOLERANCE_AUC
    assert by_hazard.brier < by_trees.brier * 1.02
