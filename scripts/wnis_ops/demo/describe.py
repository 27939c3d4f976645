"""What the demonstration's data look like, beside the model they were drawn from.

``python -m wnis_ops.demo.describe [--until 2026-01-01] [--seed 4] [--json] [--out FOLDER]``
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from wnis_ops.demo.files import SEED, Demonstration, draw, write
from wnis_ops.demo.hazard import FOLLOWED, LAWS, MILE_M, REFERENCE_YEARS, Array, Material
from wnis_ops.demo.history import Event
from wnis_ops.demo.register import Asset


@dataclass(frozen=True)
class MaterialFigures:
    """One material: its mains and its breaks over the reference years, beside the published rate."""

    material: str
    mains: int
    km: float
    laid_median: int
    breaks: int
    per_100mi_year: float
    published_per_100mi_year: float


@dataclass(frozen=True)
class Effect:
    """An effect of the model, and what a Poisson regression on the drawn breaks finds of it (90% interval)."""

    name: str
    true: float
    found: float
    low: float
    high: float


@dataclass(frozen=True)
class Figures:
    """The whole description."""

    seed: int
    until: str
    mains: int
    km: float
    customers: int
    critical_customers: int
    incidents: dict[str, int]
    open_incidents: int
    cancelled: int
    materials: list[MaterialFigures]
    effects: list[Effect]
    breaks_in_winter: float
    followed_within_90_days: float


def describe(demonstration: Demonstration) -> Figures:
    """The figures of a drawn demonstration."""
    breaks = [e for e in demonstration.events if e.kind == "MAIN BREAK" and e.state != "CANCELLED"]
    iron = {a.pipe for a in demonstration.register if a.material is Material.CAST_IRON}
    of_iron = [e for e in breaks if e.assets[0] in iron]
    valid = [e for e in demonstration.events if e.state != "CANCELLED"]
    return Figures(
        demonstration.seed,
        demonstration.until.isoformat(),
        len(demonstration.register),
        round(sum(a.length_m for a in demonstration.register) / 1000, 1),
        sum(c.customers for c in demonstration.connections),
        sum(c.critical for c in demonstration.connections),
        dict(Counter(e.kind for e in valid).most_common()),
        sum(e.state == "OPEN" for e in valid),
        len(demonstration.events) - len(valid),
        [_material(demonstration, breaks, material) for material in Material],
        _effects(demonstration, of_iron),
        round(sum(e.occurred.month in (12, 1, 2) for e in of_iron) / len(of_iron), 3),
        round(_followed(breaks), 3),
    )


def text(figures: Figures) -> str:
    """The figures as a page of plain text."""
    lines = [
        f"Demonstration of seed {figures.seed}, history up to {figures.until}: synthetic.",
        f"{figures.mains:,} mains, {figures.km:,.1f} km; {figures.customers:,} people served, "
        f"{figures.critical_customers} critical customers.",
        "Incidents: " + ", ".join(f"{count} {kind.lower()}" for kind, count in figures.incidents.items())
        + f"; {figures.open_incidents} open, {figures.cancelled} cancelled besides.",
        "",
        f"Breaks/(100 mi year), {REFERENCE_YEARS[0]}-{REFERENCE_YEARS[1]}"
        "   mains     km  laid  breaks  drawn  published",
    ]  # fmt: skip
    for m in figures.materials:
        lines.append(
            f"  {m.material:<34} {m.mains:>7,} {m.km:>6.1f}  {m.laid_median}  {m.breaks:>6} "
            f"{m.per_100mi_year:>6.1f} {m.published_per_100mi_year:>10.1f}"
        )
    lines += ["", "Cast iron, what a Poisson regression finds (90% interval)       model  found"]
    for e in figures.effects:
        lines.append(f"  {e.name:<58} {e.true:>6.3f} {e.found:>6.3f} ({e.low:.3f} to {e.high:.3f})")
    lines += [
        "",
        f"Cast iron breaks in December to February: {figures.breaks_in_winter:.0%} (25% without a season).",
        f"Breaks followed by another on the same main within 90 days: {figures.followed_within_90_days:.0%} "
        f"(the model follows {FOLLOWED:.0%}, the rest is chance).",
    ]
    return "\n".join(lines) + "\n"


def _material(demonstration: Demonstration, breaks: Sequence[Event], material: Material) -> MaterialFigures:
    mains = [a for a in demonstration.register if a.material is material]
    names = {a.pipe for a in mains}
    first, last = REFERENCE_YEARS
    last = min(last, demonstration.until.year - 1)
    count = sum(e.assets[0] in names and first <= e.occurred.year <= last for e in breaks)
    exposure = sum(
        a.length_m / MILE_M / 100 for a in mains for year in range(first, last + 1) if year > a.installed.year
    )
    return MaterialFigures(
        material.name.lower(),
        len(mains),
        round(sum(a.length_m for a in mains) / 1000, 1),
        int(np.median([a.installed.year for a in mains])),
        count,
        round(count / exposure, 1),
        LAWS[material].breaks_per_100mi_year,
    )


def _effects(demonstration: Demonstration, breaks: Sequence[Event]) -> list[Effect]:
    """Age and diameter of cast iron, from main-years with length as exposure; ground is not known to the regression."""
    mains = [a for a in demonstration.register if a.material is Material.CAST_IRON]
    counts = Counter((e.assets[0], e.occurred.year) for e in breaks)
    years = range(demonstration.until.year - 25, demonstration.until.year)
    pairs: list[tuple[Asset, int]] = [(a, y) for a in mains for y in years if y > a.installed.year]
    age = np.array([float(y - a.installed.year) for a, y in pairs])
    diameter = np.log(np.array([a.diameter_m for a, _ in pairs]) / 0.2)
    offset = np.log(np.array([a.length_m for a, _ in pairs]))
    found = np.array([float(counts[a.pipe, y]) for a, y in pairs])
    estimate, error = _poisson(np.column_stack([np.ones(len(pairs)), age - age.mean(), diameter]), offset, found)
    law = LAWS[Material.CAST_IRON]
    truths = (("growth with age, per year", law.age_growth_per_year), ("power of diameter", -law.diameter_power))
    return [
        Effect(name, true, *(round(float(v), 3) for v in (b, b - 1.645 * s, b + 1.645 * s)))
        for (name, true), b, s in zip(truths, estimate[1:], error[1:], strict=True)
    ]


def _poisson(design: Array, offset: Array, counts: Array) -> tuple[Array, Array]:
    """Maximum likelihood of a log-linear Poisson rate by Newton's method: estimates and standard errors."""
    beta = np.zeros(design.shape[1])
    beta[0] = np.log(counts.sum() / np.exp(offset).sum())
    for _ in range(50):
        mean = np.exp(design @ beta + offset)
        information = design.T @ (design * mean[:, None])
        step = np.linalg.solve(information, design.T @ (counts - mean))
        beta = beta + step
        if float(np.abs(step).max()) < 1e-10:
            break
    return beta, np.sqrt(np.diag(np.linalg.inv(information)))


def _followed(breaks: Sequence[Event]) -> float:
    times: dict[str, list[datetime]] = {}
    for e in breaks:
        times.setdefault(e.assets[0], []).append(e.occurred)
    pairs = [(b - a).days for dates in times.values() for a, b in zip(sorted(dates), sorted(dates)[1:], strict=False)]
    return sum(days <= 90 for days in pairs) / len(breaks)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m wnis_ops.demo.describe", description=__doc__)
    parser.add_argument("--until", type=date.fromisoformat, default=datetime.now(UTC).date(), help="end of the history")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--out", type=Path, help="write the three CSV files into this folder")
    given = parser.parse_args(arguments)
    demonstration = draw(given.until, given.seed)
    if given.out:
        write(demonstration, given.out)
    figures = describe(demonstration)
    sys.stdout.write(json.dumps(asdict(figures), indent=2) + "\n" if given.json else text(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
