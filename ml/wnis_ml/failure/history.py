"""What is known of a utility's components and their breaks, as columns.

Times are float days since 1970-01-01 UTC (`day_of`); NaN stands for unknown.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from wnis_core.errors import InvalidValue

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Texts = NDArray[np.str_]
Flags = NDArray[np.bool_]

YEAR = 365.25
"""Days of a mean year."""

WINDOW = 365.0
"""Days after an origin in which a break counts: the model's unit of time."""

KINDS = ("pipe", "valve", "pump")
UNKNOWN_MATERIAL = "unknown"

_QUIET_SEASON_DAYS = 90.0
_UNLIKELY_SILENCE_BREAKS = 7.0

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def day_of(moment: datetime | date) -> float:
    """Days since 1970-01-01 UTC; a date means its beginning."""
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return (moment - _EPOCH).total_seconds() / 86_400


def moment_of(day: float) -> datetime:
    """The moment `day` days after 1970-01-01 UTC."""
    return _EPOCH + timedelta(days=day)


@dataclass(frozen=True)
class Assets:
    """Components that can fail, one a row.

    Parameters
    ----------
    id : identifiers, unique
    kind : pipe, valve or pump
    material : material code, ``unknown`` when not known
    diameter_m, length_m : positive, NaN when unknown or, for the length, when there is none
    installed, lined : days, NaN when unknown or never
    """

    id: Texts
    kind: Texts
    material: Texts
    diameter_m: Floats
    length_m: Floats
    installed: Floats
    lined: Floats

    def __post_init__(self) -> None:
        sizes = {len(getattr(self, name)) for name in self.__dataclass_fields__}
        if len(sizes) != 1:
            raise ValueError(f"The columns of assets have different lengths: {sorted(sizes)}.")
        if len(np.unique(self.id)) != len(self.id):
            raise InvalidValue("Two components carry the same id.", mend="Give each component an id of its own.")
        if not np.isin(self.kind, KINDS).all():
            raise ValueError(f"Only {', '.join(KINDS)} can fail.")

    def __len__(self) -> int:
        return len(self.id)

    def take(self, rows: Integers) -> Assets:
        """The assets at `rows`, which may repeat only in columns that nobody keys by id."""
        return Assets(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})


@dataclass(frozen=True)
class Breaks:
    """Failures: which asset (row of `Assets`), when, and when it was known. Sorted by occurrence, then id."""

    id: Texts
    asset: Integers
    occurred: Floats
    available: Floats

    def __post_init__(self) -> None:
        if (self.available < self.occurred).any():
            raise ValueError("A break was known before it happened.")
        if (np.diff(self.occurred) < 0).any():
            raise ValueError("Breaks are not sorted by occurrence.")

    def __len__(self) -> int:
        return len(self.id)

    def where(self, kept: Flags) -> Breaks:
        """Those breaks for which `kept` is true."""
        return Breaks(self.id[kept], self.asset[kept], self.occurred[kept], self.available[kept])


@dataclass(frozen=True)
class History:
    """Assets and the breaks that are their own.

    Parameters
    ----------
    predecessors : breaks left out because they are dated before the asset was installed: they happened to the one
        that lay there before
    """

    assets: Assets
    breaks: Breaks
    predecessors: int = 0

    @staticmethod
    def of(assets: Assets, breaks: Breaks) -> History:
        """`assets` with those of `breaks` that happened to them and not to their predecessors."""
        before = breaks.occurred < assets.installed[breaks.asset]
        return History(assets, breaks.where(~before), int(before.sum()))

    def __post_init__(self) -> None:
        if len(self.breaks) and (self.breaks.occurred < self.assets.installed[self.breaks.asset]).any():
            raise ValueError("A break is dated before its asset was installed.")

    def known_at(self, day: float) -> History:
        """What was known on `day`: a later break is in no feature and in no label."""
        return replace(self, breaks=self.breaks.where(self.breaks.available <= day))

    def sha256(self) -> str:
        """Hash of everything in it."""
        digest = hashlib.sha256()
        for part in (self.assets, self.breaks):
            for name in part.__dataclass_fields__:
                column: NDArray[Any] = getattr(part, name)
                values = column.tolist() if column.dtype.kind in "iU" else [repr(float(v)) for v in column]
                digest.update(json.dumps([name, values]).encode())
        return digest.hexdigest()


def records_begin(breaks: Breaks) -> float:
    """The day on which breaks begin to be recorded, judged from the breaks themselves.

    The start of the first year with at least a fifth of the usual yearly number: stray older breaks, entered from
    memory, do not make the years around them years on record.
    """
    if not len(breaks):
        return float("nan")
    years = np.array([moment_of(day).year for day in breaks.occurred])
    first, last = int(years.min()), int(years.max())
    counts = np.bincount(years - first, minlength=last - first + 1)
    usual = np.median(counts[counts > 0])
    begun = first + int(np.argmax(counts >= max(1.0, usual / 5)))
    return max(day_of(date(begun, 1, 1)), float(breaks.occurred.min()) if begun == first else -np.inf)


def records_end(breaks: Breaks, as_of: float) -> float:
    """The day up to which breaks are on record: `as_of`, or the latest break when the silence since is no chance.

    A list imported once ends on the day of its export; the silence afterwards is no sign of a better network. With a
    mean of ``r`` breaks a day, a silence is taken for the end of the record when more than 7 breaks were to be expected
    in it (a chance below 1 in 1,000) and it lasted over 90 days (longer than a quiet season).
    """
    if len(breaks) < 2:
        return as_of
    latest = float(breaks.available.max())
    begun = records_begin(breaks)
    since = breaks.occurred >= begun
    rate = since.sum() / max(float(breaks.occurred.max()) - begun, 1.0)
    silence = as_of - latest
    return latest if silence > _QUIET_SEASON_DAYS and silence * rate > _UNLIKELY_SILENCE_BREAKS else as_of
