"""The synthetic register: when every main was laid, of what, in which ground; and who takes water where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from wnis_ops.demo.hazard import GROUND_SPREAD, LAWS, Array, Material, level, smooth_field
from wnis_ops.demo.network import Ground

FIRST_YEAR, LAST_YEAR = 1936, 2016
M3_PER_PERSON_DAY = 0.35


@dataclass(frozen=True)
class Era:
    """Mains laid from `since` on: shares of the materials of the time, for small mains and large (12 in. and up)."""

    since: int
    small: dict[Material, float]
    large: dict[Material, float]


CI, AC, DI, PVC = Material.CAST_IRON, Material.ASBESTOS_CEMENT, Material.DUCTILE_IRON, Material.PVC

ERAS: tuple[Era, ...] = (
    Era(1936, {CI: 1.0}, {CI: 1.0}),
    Era(1952, {CI: 0.70, AC: 0.30}, {CI: 0.95, AC: 0.05}),
    Era(1965, {CI: 0.15, AC: 0.30, DI: 0.55}, {CI: 0.20, DI: 0.80}),
    Era(1975, {DI: 0.80, PVC: 0.20}, {DI: 1.0}),
    Era(1985, {DI: 0.30, PVC: 0.70}, {DI: 0.85, PVC: 0.15}),
    Era(1998, {DI: 0.10, PVC: 0.90}, {DI: 0.60, PVC: 0.40}),
)

# how much of the length had been laid by a year: two booms, before 1970 and around 1990
_GROWTH_YEARS = (1936, 1950, 1960, 1970, 1980, 1990, 2000, 2008, 2016)
_GROWTH_SHARE = (0.0, 0.12, 0.26, 0.40, 0.52, 0.72, 0.88, 0.97, 1.0)

CRITICAL_CUSTOMERS: tuple[tuple[str, int], ...] = (
    ("Cedar Ridge Hospital", 320),
    ("Floyds Bend Dialysis Clinic", 60),
    ("Maple Grove Nursing Home", 140),
    ("Salt Creek Elementary School", 430),
    ("Limestone Middle School", 560),
    ("North Knob High School", 910),
    ("Orchard Hill Day Care", 70),
    ("Bluegrass Creamery", 85),
    ("Fire Station 2", 24),
    ("Emergency Operations Center", 30),
)


@dataclass(frozen=True)
class Asset:
    """One main of the register, with what the generator alone knows (ground, constant of its material)."""

    asset_no: str
    pipe: str
    start: str
    end: str
    installed: date
    material: Material
    diameter_m: float
    length_m: float
    ground: float
    level: float


@dataclass(frozen=True)
class Connection:
    """Customers at a junction."""

    meter_no: str
    name: str
    customers: int
    critical: bool
    node: str


@dataclass(frozen=True)
class IsolationValve:
    """An isolation valve on a main, near one of its junctions."""

    valve_no: str
    pipe: str
    node: str
    offset_m: float
    kind: str
    installed: date
    seized: bool


def make_register(ground: Ground, seed: int) -> tuple[Asset, ...]:
    """Every main with install date and material, by growth outwards from the densest quarter."""
    rng = np.random.default_rng([seed, 1])
    x = np.array([m.x for m in ground.mains])
    y = np.array([m.y for m in ground.mains])
    length = np.array([m.length_m for m in ground.mains])
    diameter = np.array([m.diameter_m for m in ground.mains])
    years = _install_years(rng, x, y, length)
    materials = [_material(rng, int(year), m.diameter_m) for year, m in zip(years, ground.mains, strict=True)]
    soil = np.exp(GROUND_SPREAD * smooth_field(rng, x, y, 4_000.0))
    soil /= soil.mean()
    levels = {}
    for material, law in LAWS.items():
        of = np.array([m is material for m in materials])
        levels[material] = level(law, years[of], diameter[of], length[of], soil[of])
    months = rng.integers(4, 12, len(years))
    days = rng.integers(1, 29, len(years))
    return tuple(
        Asset(
            f"WM-{i + 1:05d}", m.name, m.start, m.end, date(int(years[i]), int(months[i]), int(days[i])), materials[i],
            m.diameter_m, m.length_m, float(soil[i]), levels[materials[i]],
        )
        for i, m in enumerate(ground.mains)
    )  # fmt: skip


def make_valves(ground: Ground, register: tuple[Asset, ...], seed: int) -> tuple[IsolationValve, ...]:
    """Isolation valves by the N-1 rule, with gaps.

    At a junction of n mains, n - 1 of them have a valve near it (Walski 1993); every eighth of these was never built.
    Where two mains meet every fourth junction has one. Three in a hundred cannot be moved.
    """
    rng = np.random.default_rng([seed, 11])
    at: dict[str, list[Asset]] = {}
    for asset in register:
        for end in (asset.start, asset.end):
            at.setdefault(end, []).append(asset)
    found: list[IsolationValve] = []
    for node in ground.nodes:
        mains = at.get(node.name, [])
        if len(mains) < 2:
            continue
        share = 0.25 if len(mains) == 2 else 0.875
        for place in sorted(rng.choice(len(mains), len(mains) - 1, replace=False).tolist()):
            built, seized = rng.random() < share, rng.random() < 0.03
            offset_m = float(min(rng.uniform(0.5, 3.0), mains[place].length_m / 3))
            if built:
                main = mains[place]
                kind = "BUTTERFLY" if main.diameter_m >= 0.4 else "GATE"
                number = f"IV-{len(found) + 1:05d}"
                found.append(
                    IsolationValve(number, main.pipe, node.name, round(offset_m, 2), kind, main.installed, seized)
                )
    return tuple(found)


def make_connections(ground: Ground, seed: int) -> tuple[Connection, ...]:
    """Customers at every junction with demand, and the critical ones at some of them."""
    rng = np.random.default_rng([seed, 2])
    with_demand = [n for n in ground.nodes if n.demand_m3s > 0]
    rows = []
    for i, node in enumerate(with_demand):
        people = max(1, round(node.demand_m3s * 86_400 / M3_PER_PERSON_DAY))
        rows.append(Connection(f"SC-{i + 1:05d}", f"Services at {node.name}", people, False, node.name))
    # the larger takers of water stand where most water is taken
    weight = np.array([n.demand_m3s for n in with_demand])
    places = rng.choice(len(with_demand), len(CRITICAL_CUSTOMERS), replace=False, p=weight / weight.sum())
    for i, ((name, customers), place) in enumerate(zip(CRITICAL_CUSTOMERS, places, strict=True)):
        rows.append(Connection(f"SC-9{i + 1:04d}", name, customers, True, with_demand[int(place)].name))
    return tuple(rows)


def _install_years(rng: np.random.Generator, x: Array, y: Array, length: Array) -> Array:
    """Years that follow the distance from the densest quarter, in neighbourhoods, along the growth of the town."""
    near = [float(np.sum(np.hypot(x - a, y - b) < 4_000)) for a, b in zip(x, y, strict=True)]
    centre = int(np.argmax(near))
    distance = np.hypot(x - x[centre], y - y[centre])
    order = distance / distance.max() + 0.22 * smooth_field(rng, x, y, 3_000.0) + 0.05 * rng.normal(size=len(x))
    rank = np.argsort(order)
    share = np.empty(len(x))
    share[rank] = (np.cumsum(length[rank]) - length[rank] / 2) / length.sum()
    return np.floor(np.interp(share, _GROWTH_SHARE, _GROWTH_YEARS))


def _material(rng: np.random.Generator, year: int, diameter_m: float) -> Material:
    era = [e for e in ERAS if e.since <= year][-1]
    shares = era.large if diameter_m >= 0.3 else era.small
    return list(shares)[int(rng.choice(len(shares), p=list(shares.values())))]
