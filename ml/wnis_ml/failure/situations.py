"""Assets as they were known on a day: what features are computed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wnis_ml.failure.history import YEAR, Assets, Floats, History, Integers


@dataclass(frozen=True)
class Situations:
    """One asset on one origin day a row, with the breaks it had had by then.

    The features of a row are a function of this row alone. The constructor refuses a break after the origin, a break
    before the installation, and an origin before the installation, so that no feature can see the future.

    Parameters
    ----------
    asset : row of each situation's asset in `Assets`
    origin : days
    broke_row, broke_on : one entry a past break: the situation it belongs to, and its day
    records_begin : day on which breaks began to be recorded
    """

    assets: Assets
    asset: Integers
    origin: Floats
    broke_row: Integers
    broke_on: Floats
    records_begin: float

    def __post_init__(self) -> None:
        if (self.broke_on > self.origin[self.broke_row]).any():
            raise ValueError("A situation knows a break from after its origin.")
        if (self.assets.installed[self.asset] > self.origin).any():
            raise ValueError("A situation lies before the installation of its asset.")
        if (self.broke_on < self.assets.installed[self.asset[self.broke_row]]).any():
            raise ValueError("A situation counts a break of the asset's predecessor.")

    def __len__(self) -> int:
        return len(self.asset)

    @property
    def age_years(self) -> Floats:
        """Years since installation, NaN when that is unknown."""
        return (self.origin - self.assets.installed[self.asset]) / YEAR

    @property
    def recorded_years(self) -> Floats:
        """Years during which a break of the asset would be on record; at least half a year."""
        since_records = (self.origin - self.records_begin) / YEAR
        return np.maximum(np.fmin(self.age_years, since_records), 0.5)

    def count(self, within_years: float = np.inf) -> Floats:
        """Number of breaks in the last `within_years`."""
        recent = self.broke_on > self.origin[self.broke_row] - within_years * YEAR
        return np.bincount(self.broke_row[recent], minlength=len(self)).astype(np.float64)

    @property
    def years_since_break(self) -> Floats:
        """Years since the latest break, NaN without one."""
        latest = np.full(len(self), -np.inf)
        np.maximum.at(latest, self.broke_row, self.broke_on)
        return np.where(np.isinf(latest), np.nan, (self.origin - latest) / YEAR)

    def at(self, origin: Floats) -> Situations:
        """The same rows later, nothing having happened since."""
        return Situations(self.assets, self.asset, origin, self.broke_row, self.broke_on, self.records_begin)


def observe(history: History, origin: float, records_begin: float) -> Situations:
    """Every asset that was in the ground on `origin`, with what was known then."""
    known = history.known_at(origin).breaks
    alive = ~(history.assets.installed > origin)
    row_of = np.cumsum(alive) - 1
    return Situations(
        assets=history.assets,
        asset=np.flatnonzero(alive),
        origin=np.full(int(alive.sum()), origin),
        broke_row=row_of[known.asset],
        broke_on=known.occurred,
        records_begin=records_begin,
    )


def pooled(parts: list[Situations]) -> Situations:
    """All rows of `parts`, which are about the same assets."""
    starts = np.cumsum([0, *(len(part) for part in parts)])
    return Situations(
        assets=parts[0].assets,
        asset=np.concatenate([part.asset for part in parts]),
        origin=np.concatenate([part.origin for part in parts]),
        broke_row=np.concatenate([part.broke_row + start for part, start in zip(parts, starts, strict=False)]),
        broke_on=np.concatenate([part.broke_on for part in parts]),
        records_begin=parts[0].records_begin,
    )


def breaks_after(history: History, situations: Situations, days: float) -> Integers:
    """Number of breaks of each situation's asset in the `days` after its origin."""
    counts = np.zeros(len(situations), dtype=np.int64)
    for origin in np.unique(situations.origin):
        rows = np.flatnonzero(situations.origin == origin)
        occurred = history.breaks.occurred
        inside = (occurred > origin) & (occurred <= origin + days)
        per_asset = np.bincount(history.breaks.asset[inside], minlength=len(history.assets))
        counts[rows] = per_asset[situations.asset[rows]]
    return counts
