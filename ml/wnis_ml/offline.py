"""Failure prediction and back-testing on files, without a server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from wnis_core.errors import InvalidValue
from wnis_core.mapping import load_mapping, read_table

from wnis_ml.failure.history import KINDS, UNKNOWN_MATERIAL, YEAR, Assets, Breaks, History, day_of
from wnis_ml.failure.judgement import Judgement
from wnis_ml.failure.situations import observe
from wnis_ml.failure.survival_curves import survival_curves
from wnis_ml.failure.training import TrainedModel, backtest, train

FAILURE_KINDS = frozenset({"break", "leak"})
"""Kinds of incident that count as a failure of the component they affected."""


@dataclass(frozen=True)
class FileHistory:
    """A history read from files, and what was not taken.

    Parameters
    ----------
    unmatched : breaks of components that are not in the asset file (in a real register: replaced since)
    rejected, filtered : rows of both files that were refused or left out by their mappings
    """

    history: History
    unmatched: int
    rejected: int
    filtered: int


@dataclass(frozen=True)
class Scored:
    """The scores of one day, and the model they come from."""

    scores: pd.DataFrame
    trained: TrainedModel
    source: FileHistory


def predict_files(
    assets: Path,
    assets_mapping: Path,
    events: Path,
    events_mapping: Path,
    *,
    as_of: date,
    horizon_days: float = 365.0,
    seed: int = 0,
) -> Scored:
    """Train on what the files say was known at the beginning of `as_of`, and score what was in the ground then.

    Returns
    -------
    Scored
        `scores` is sorted by rank and has the columns ``component_id``, ``probability`` within `horizon_days`, ``low``
        and ``high`` (90%), ``rank`` (1 is likeliest), ``expected_breaks_per_km`` and ``rank_per_km`` (which metres
        first; empty without a length)

    Raises
    ------
    InvalidValue, NotFound
        files or mappings that cannot be used, a horizon that is not positive
    Conflict
        too few breaks to train on
    """
    if not 0 < horizon_days < np.inf:
        raise InvalidValue(f"A horizon of {horizon_days} days cannot be answered.", mend="Give a positive number.")
    source = read_history(assets, assets_mapping, events, events_mapping)
    day = day_of(as_of)
    trained = train(source.history, day, seed)
    situations = observe(source.history, day, trained.model.records_begin)
    curves = survival_curves(trained.model.hazard, trained.model.season, situations, (float(horizon_days),))
    probability = curves.probability[:, 0]
    km = source.history.assets.length_m[situations.asset] / 1000
    # a register's shortest stubs would lead any list per km
    per_km = -np.log1p(-np.minimum(probability, 1 - 1e-12)) / np.maximum(km, 0.001)
    scores = pd.DataFrame(
        {
            "component_id": source.history.assets.id[situations.asset],
            "probability": probability,
            "low": curves.low[:, 0],
            "high": curves.high[:, 0],
            "expected_breaks_per_km": per_km,
        }
    )
    scores = scores.sort_values(["probability", "component_id"], ascending=[False, True], ignore_index=True)
    scores.insert(4, "rank", np.arange(1, len(scores) + 1))
    scores["rank_per_km"] = scores["expected_breaks_per_km"].rank(ascending=False, method="first").astype("Int64")
    return Scored(scores, trained, source)


def backtest_files(
    assets: Path,
    assets_mapping: Path,
    events: Path,
    events_mapping: Path,
    *,
    origins: Iterable[date],
    horizon_days: float = 3 * YEAR,
    seed: int = 0,
) -> dict[date, Judgement | None]:
    """For each origin: fit on what was known then, judge on the `horizon_days` after it, beside the baselines."""
    history = read_history(assets, assets_mapping, events, events_mapping).history
    return {origin: backtest(history, day_of(origin), horizon_days, seed) for origin in origins}


def read_history(assets: Path, assets_mapping: Path, events: Path, events_mapping: Path) -> FileHistory:
    """Assets and their failures as the mappings read them; components are told apart by id, key or name."""
    rules, event_rules = load_mapping(assets_mapping), load_mapping(events_mapping)
    for mapping, wanted, path in ((rules, "assets", assets_mapping), (event_rules, "incidents", events_mapping)):
        if mapping.target.name != wanted:
            raise InvalidValue(
                f"{path} maps {mapping.target.name}, not {wanted}.", mend=f"Name a mapping whose target is {wanted}."
            )
    asset_table, event_table = read_table(assets, rules), read_table(events, event_rules)
    register = assets_of(asset_table.rows)
    breaks, unmatched = _breaks_of(event_table.rows, _references(asset_table.rows))
    return FileHistory(
        history=History.of(register, breaks),
        unmatched=unmatched,
        rejected=asset_table.rejected_rows + event_table.rejected_rows,
        filtered=sum(asset_table.filtered.values()) + sum(event_table.filtered.values()),
    )


def assets_of(rows: Iterable[Mapping[str, object]]) -> Assets:
    """Rows in our property names as columns; only pipes, valves and pumps, and rows without a type are pipes."""
    failable = _failable(rows)
    return Assets(
        id=np.array([_key(row) for row in failable], dtype=np.str_),
        kind=np.array([str(row.get("type") or "Pipe").lower() for row in failable], dtype=np.str_),
        material=np.array([str(row.get("material") or UNKNOWN_MATERIAL) for row in failable], dtype=np.str_),
        diameter_m=np.array([_number(row.get("diameter_m")) for row in failable], dtype=np.float64),
        length_m=np.array([_number(row.get("length_m")) for row in failable], dtype=np.float64),
        installed=np.array([_day(row.get("install_date")) for row in failable], dtype=np.float64),
        lined=np.array([_day(row.get("lined_date")) for row in failable], dtype=np.float64),
    )


def _failable(rows: Iterable[Mapping[str, object]]) -> list[Mapping[str, object]]:
    return [row for row in rows if str(row.get("type") or "Pipe").lower() in KINDS]


def _references(rows: Iterable[Mapping[str, object]]) -> dict[str, int]:
    """Whatever an event may call an asset by: its id, else its key, else a name that no other bears."""
    known: dict[str, int] = {}
    for key in ("name", "source_id", "id"):
        stated = [(str(row[key]), number) for number, row in enumerate(_failable(rows)) if row.get(key)]
        borne = Counter(name for name, _ in stated)
        known |= {name: number for name, number in stated if borne[name] == 1}
    return known


def _breaks_of(rows: Iterable[Mapping[str, object]], asset_row: Mapping[str, int]) -> tuple[Breaks, int]:
    found: list[tuple[float, str, int, float]] = []
    unmatched = 0
    for number, row in enumerate(rows):
        if row.get("kind") not in FAILURE_KINDS:
            continue
        named = row.get("components")
        components = {str(name) for name in named} if isinstance(named, list) else set()
        matched = sorted(asset_row[name] for name in components if name in asset_row)
        unmatched += not matched
        occurred, stated = _day(row.get("occurred_at")), _day(row.get("available_at"))
        available = occurred if np.isnan(stated) else max(occurred, stated)
        identity = str(row.get("id") or row.get("source_id") or number)
        found += [(occurred, identity, asset, available) for asset in matched]
    found.sort()
    return breaks_of(found), unmatched


def breaks_of(sorted_rows: list[tuple[float, str, int, float]]) -> Breaks:
    """Columns of (occurred, id, asset row, available), sorted."""
    occurred, identity, asset, available = zip(*sorted_rows, strict=True) if sorted_rows else ((), (), (), ())
    return Breaks(
        id=np.array(identity, dtype=np.str_),
        asset=np.array(asset, dtype=np.int64),
        occurred=np.array(occurred, dtype=np.float64),
        available=np.array(available, dtype=np.float64),
    )


def _key(row: Mapping[str, object]) -> str:
    return str(row.get("id") or row.get("source_id") or row.get("name"))


def _number(value: object) -> float:
    number = float(value) if isinstance(value, int | float) else float("nan")
    return number if number > 0 else float("nan")


def _day(value: object) -> float:
    return day_of(value) if isinstance(value, datetime | date) else float("nan")
