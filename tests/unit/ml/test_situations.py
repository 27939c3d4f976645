"""What a feature may know."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from wnis_ml.failure.features import TRANSFORMS
from wnis_ml.failure.history import WINDOW, Assets, Breaks, History, day_of, records_begin, records_end
from wnis_ml.failure.situations import Situations, breaks_after, observe, pooled

from tests.unit.ml.towns import AS_OF, history

ORIGIN = day_of(date(2018, 1, 1))


def _with_break(known: History, asset: int, occurred: float, available: float) -> History:
    breaks = known.breaks
    order = np.argsort(np.append(breaks.occurred, occurred), kind="stable")
    added = Breaks(
        id=np.append(breaks.id, "added")[order],
        asset=np.append(breaks.asset, asset)[order],
        occurred=np.append(breaks.occurred, occurred)[order],
        available=np.append(breaks.available, available)[order],
    )
    return History.of(known.assets, added)


def _features(known: History) -> np.ndarray:
    begin = day_of(date(2008, 1, 1))
    training = pooled([observe(known, ORIGIN - WINDOW * k, begin) for k in (3, 2, 1)])
    broke = breaks_after(known, training, WINDOW)
    seen = observe(known, ORIGIN, begin)
    return np.hstack([t.fit(training, broke).columns(seen) for t in TRANSFORMS])


@pytest.mark.parametrize("days_later", [0.01, 1.0, 400.0])
def test_an_event_after_the_origin_changes_no_feature(days_later: float) -> None:
    known = history()
    changed = _with_break(known, 5, ORIGIN + days_later, ORIGIN + days_later)
    assert np.array_equal(_features(known), _features(changed))


def test_an_event_that_was_not_known_by_the_origin_changes_no_feature() -> None:
    known = history()
    changed = _with_break(known, 5, ORIGIN - 30.0, ORIGIN + 2.0)
    assert np.array_equal(_features(known), _features(changed))


def test_an_event_before_the_origin_changes_features_of_its_own_asset_only() -> None:
    known = history()
    changed = _with_break(known, 5, ORIGIN - 30.0, ORIGIN - 29.0)
    rows = np.flatnonzero((_features(known) != _features(changed)).any(axis=1))
    assert rows.tolist() == [5]


def test_a_lining_after_the_origin_is_not_known() -> None:
    known = history()
    lined = known.assets.lined.copy()
    lined[5] = ORIGIN + 1.0
    changed = replace(known, assets=replace(known.assets, lined=lined))
    assert np.array_equal(_features(known), _features(changed))


def test_breaks_before_the_installation_belong_to_the_predecessor() -> None:
    known = history()
    row = int(np.argmax(np.nan_to_num(known.assets.installed)))
    changed = _with_break(known, row, known.assets.installed[row] - 1.0, known.assets.installed[row])
    assert changed.predecessors == 1
    assert changed.breaks.id.tolist() == known.breaks.id.tolist()


@pytest.mark.parametrize(
    ("origin", "broke_on", "message"),
    [(1000.0, 1001.0, "after its origin"), (-1.0, -2.0, "before the installation"), (1000.0, -5.0, "predecessor")],
)
def test_a_situation_that_cannot_be_is_refused(origin: float, broke_on: float, message: str) -> None:
    nan = np.array([np.nan])
    assets = Assets(np.array(["p"]), np.array(["pipe"]), np.array(["pvc"]), nan, nan, np.array([0.0]), nan)
    with pytest.raises(ValueError, match=message):
        Situations(assets, np.array([0]), np.array([origin]), np.array([0]), np.array([broke_on]), 0.0)


def test_an_asset_is_seen_from_its_installation_on_only() -> None:
    known = history()
    early = day_of(date(1950, 6, 1))
    seen = observe(known, early, early)
    assert not (known.assets.installed[seen.asset] > early).any()
    assert 0 < len(seen) < len(known.assets)


def test_stray_early_breaks_do_not_begin_the_record() -> None:
    days = [day_of(date(1985, 5, 1))] + [day_of(date(1997 + k // 20, 1 + k % 12, 3)) for k in range(100)]
    days.sort()
    column = np.array(days)
    breaks = Breaks(np.array([str(k) for k in range(101)]), np.zeros(101, dtype=np.int64), column, column)
    assert records_begin(breaks) == day_of(date(1997, 1, 1))


def test_a_long_silence_ends_the_record_and_a_quiet_season_does_not() -> None:
    breaks = history().breaks
    latest = float(breaks.available.max())
    assert records_end(breaks, latest + 1000.0) == latest
    assert records_end(breaks, latest + 60.0) == latest + 60.0
    assert records_end(breaks, day_of(AS_OF)) == day_of(AS_OF)
