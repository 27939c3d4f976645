"""Seeded towns for tests: pipes whose breaks follow a known hazard."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
from wnis_graph.prediction_inputs import FailableComponent, Failure
from wnis_ml.failure.facts import history_of
from wnis_ml.failure.history import History

FIRST_YEAR, LAST_YEAR = 2008, 2024
AS_OF = datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)


def components(count: int = 240, seed: int = 1) -> list[FailableComponent]:
    """Pipes of two materials and many ages, every twentieth a valve without a length."""
    rng = np.random.default_rng(seed)
    made = []
    for k in range(count):
        year = int(rng.integers(1930, 2005))
        valve = k % 20 == 19
        made.append(
            FailableComponent(
                id=f"c{k:03d}",
                name=f"c{k:03d}",
                type="Valve" if valve else "Pipe",
                network="net",
                material=None if k % 37 == 0 else "cast_iron" if year < 1965 else "pvc",
                diameter_m=float(rng.choice([0.1, 0.15, 0.2, 0.3])),
                length_m=None if valve else float(rng.uniform(20, 600)),
                install_date=None if k % 41 == 0 else date(year, int(rng.integers(1, 13)), 1),
                lined_date=None,
            )
        )
    return made


def failures(of: list[FailableComponent], seed: int = 2) -> list[Failure]:
    """Breaks from 2008 to 2024: more on long old cast iron, and on what broke before."""
    rng = np.random.default_rng(seed)
    made: list[Failure] = []
    for c in of:
        had = 0
        for year in range(FIRST_YEAR, LAST_YEAR + 1):
            age = year - (c.install_date.year if c.install_date else 1960)
            rate = 0.015 * (c.length_m or 30) / 100 * (4.0 if c.material == "cast_iron" else 0.6) * max(age, 0) / 50
            if rng.random() < 1 - np.exp(-rate * (1 + had)):
                at = datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=float(rng.uniform(0, 364)))
                made.append(Failure(c.id, f"{c.id}-{year}", at, at + timedelta(hours=3)))
                had += 1
    return sorted(made, key=lambda f: (f.occurred_at, f.id))


def history(seed: int = 1) -> History:
    """Columns of a town."""
    pipes = components(seed=seed)
    return history_of(pipes, failures(pipes, seed=seed + 1))
