"""Twenty-five years of incidents drawn from the hazard model: breaks, and what goes with them.

The events of a year depend on the seed and the year alone, so a history that is made later begins with the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from wnis_ops.demo.failures import modes_of
from wnis_ops.demo.hazard import (
    FOLLOWED,
    FOLLOWING_WAIT_DAYS,
    HUNDRED_MILES_M,
    LAWS,
    Law,
    Material,
    relative_rate,
    season,
)
from wnis_ops.demo.narratives import Facts, break_text, complaint_text, leak_text, outage_text, quality_text
from wnis_ops.demo.network import Ground
from wnis_ops.demo.register import Asset, Connection

YEARS = 25
OPEN_DAYS = 14
"""An incident that began less than this before the end may still need work."""

_LEAKS_PER_BREAK = 0.45
_OUTAGES_PER_BREAK = 0.12
_COMPLAINTS_PER_YEAR = 9.0
_QUALITY_PER_YEAR = 3.5
_POWER_PER_YEAR = 0.6
_CANCELLED = 0.01


@dataclass(frozen=True)
class Event:
    """One work order, in local time."""

    kind: str
    occurred: datetime
    reported: datetime
    assets: tuple[str, ...]
    remarks: str
    priority: int
    cause: str
    repair: str
    state: str = "DONE"
    work_order: str = ""


def make_history(
    ground: Ground, register: Sequence[Asset], connections: Sequence[Connection], until: date, seed: int
) -> tuple[Event, ...]:
    """All events of the `YEARS` before `until` (itself outside), by time, with their work orders."""
    end = datetime.combine(until, datetime.min.time())
    begin = _first_moment(end.year - YEARS)
    people = {c.node: c.customers for c in connections if not c.critical}
    events: list[Event] = []
    for year in range(begin.year, end.year + 1):
        rng = np.random.default_rng([seed, 3, year])
        events += _failures(rng, register, people, year)
        events += _calls(rng, ground, register, people, year)
    numbered = []
    counts: dict[int, int] = {}
    for event in sorted(events, key=lambda e: (e.occurred, e.kind, e.assets)):
        counts[event.occurred.year] = number = counts.get(event.occurred.year, 0) + 1
        if begin <= event.occurred and event.reported < end:
            state = event.state
            if state == "DONE" and event.occurred > end - timedelta(days=OPEN_DAYS):
                state = "OPEN"
            numbered.append(
                Event(
                    event.kind, event.occurred, event.reported, event.assets, event.remarks, event.priority,
                    event.cause, event.repair, state, f"WO-{event.occurred.year}-{number:04d}",
                )
            )  # fmt: skip
    return tuple(numbered)


def _failures(
    rng: np.random.Generator, register: Sequence[Asset], people: dict[str, int], year: int
) -> Iterator[Event]:
    """Breaks of one year with the breaks that follow them, leaks, and shut-downs."""
    age = np.array([float(year - a.installed.year) for a in register])
    diameter = np.array([a.diameter_m for a in register])
    rate = np.array([a.length_m / HUNDRED_MILES_M * a.level * a.ground for a in register])
    for material, law in LAWS.items():
        of = np.array([a.material is material for a in register])
        rate[of] *= relative_rate(law, age[of], diameter[of])
    breaks = rng.poisson(rate)
    leaks = rng.poisson(rate * _LEAKS_PER_BREAK)
    for asset, broke, leaked in zip(register, breaks, leaks, strict=True):
        for _ in range(int(broke)):
            when = _moment(rng, year, LAWS[asset.material])
            yield from _break(rng, asset, when, people)
            while rng.random() < FOLLOWED:
                wait = rng.exponential(FOLLOWING_WAIT_DAYS)
                when = _daytime(when + timedelta(days=0.2 + wait))
                yield from _break(rng, asset, when, people)
        for _ in range(int(leaked)):
            yield _leak(rng, asset, _in_hours(rng, _moment(rng, year, LAWS[asset.material])))


def _break(rng: np.random.Generator, asset: Asset, when: datetime, people: dict[str, int]) -> Iterator[Event]:
    chances = modes_of(asset.material, asset.diameter_m, when.month)
    mode = list(chances)[int(rng.choice(len(chances), p=list(chances.values())))]
    inches = round(asset.diameter_m / 0.0254)
    out = (people.get(asset.start, 3) + people.get(asset.end, 3)) // 3 + int(rng.integers(2, 40))
    facts = Facts(inches, asset.material, out, when.hour)
    remarks, repair = break_text(rng, mode, facts)
    reported = _daytime(when + timedelta(minutes=int(rng.integers(10, 240))))
    priority = 1 if inches >= 16 else 2 if inches >= 10 or out > 60 else 3
    state = "CANCELLED" if rng.random() < _CANCELLED else "DONE"
    yield Event("MAIN BREAK", when, reported, (asset.pipe,), remarks, priority, mode.cause, repair, state)
    if rng.random() < _OUTAGES_PER_BREAK and state == "DONE":
        yield Event(
            "OUTAGE", when, reported, (asset.pipe, asset.start, asset.end), outage_text(rng, facts), 2,
            "shut down for repair", "",
        )  # fmt: skip


def _leak(rng: np.random.Generator, asset: Asset, when: datetime) -> Event:
    facts = Facts(round(asset.diameter_m / 0.0254), asset.material, 0, when.hour)
    remarks, repair = leak_text(rng, facts)
    # nobody sees a leak begin: what is written down is the day it was found
    return Event("LEAK", when, when, (asset.pipe,), remarks, 4, "seepage", repair)


def _calls(
    rng: np.random.Generator, ground: Ground, register: Sequence[Asset], people: dict[str, int], year: int
) -> Iterator[Event]:
    """Complaints, quality problems and power failures of one year."""
    nodes = [n for n in ground.nodes if n.name in people]
    weight = np.array([float(people[n.name]) for n in nodes])
    high = weight * np.exp((np.array([n.elevation_m for n in nodes]) - max(n.elevation_m for n in nodes)) / 15.0)
    iron = {end for a in register if a.material is Material.CAST_IRON for end in (a.start, a.end)}
    rusty = weight * np.array([1.0 if n.name in iron else 0.1 for n in nodes])
    calm = Law(0, 0, 0, 0.0)
    about = {"low pressure": 0.36, "discoloured water": 0.34, "milky water": 0.1, "noise": 0.08, "no water": 0.12}
    for _ in range(int(rng.poisson(_COMPLAINTS_PER_YEAR))):
        topic = list(about)[int(rng.choice(len(about), p=list(about.values())))]
        odds = high if topic == "low pressure" else rusty if topic == "discoloured water" else weight
        when = _in_hours(rng, _moment(rng, year, calm))
        yield _call(rng, "COMPLAINT", nodes[int(rng.choice(len(nodes), p=odds / odds.sum()))].name, when, topic,
                    complaint_text(rng, topic))  # fmt: skip
    quality = ("low chlorine residual", "taste and odour", "total coliform", "turbidity")
    summer = Law(0, 0, 0, -0.8)
    for _ in range(int(rng.poisson(_QUALITY_PER_YEAR))):
        topic = quality[int(rng.choice(4, p=[0.4, 0.3, 0.12, 0.18]))]
        when = _in_hours(rng, _moment(rng, year, summer))
        node = nodes[int(rng.choice(len(nodes), p=weight / weight.sum()))].name
        yield _call(rng, "QUALITY", node, when, topic, quality_text(rng, topic))
    for _ in range(int(rng.poisson(_POWER_PER_YEAR))):
        when = _moment(rng, year, summer)
        pump = ground.pumps[int(rng.integers(len(ground.pumps)))]
        remarks = outage_text(rng, Facts(hour=when.hour), power=True)
        yield Event("OUTAGE", when, when, (pump,), remarks, 2, "power failure", "restarted")


def _call(rng: np.random.Generator, kind: str, node: str, when: datetime, topic: str, remarks: str) -> Event:
    reported = _daytime(when + timedelta(minutes=int(rng.integers(20, 600))))
    return Event(kind, when, reported, (node,), remarks, 3 if kind == "QUALITY" else 4, topic, "")


def _moment(rng: np.random.Generator, year: int, law: Law) -> datetime:
    """A moment of the year by the season of the law, to the minute."""
    while True:
        day = rng.uniform(0, 365)
        if rng.uniform(0, 1 + abs(law.winter)) < float(season(law, np.array([day]))[0]):
            return _daytime(_first_moment(year) + timedelta(minutes=int(day * 1440)))


def _first_moment(year: int) -> datetime:
    return datetime.combine(date(year, 1, 1), datetime.min.time())


def _in_hours(rng: np.random.Generator, moment: datetime) -> datetime:
    """The same day, at an hour when people call and crews survey."""
    return moment.replace(hour=int(rng.integers(7, 20)))


def _daytime(moment: datetime) -> datetime:
    """To the minute, and never in the two hours that clock changes repeat or leave out."""
    moment = moment.replace(second=0, microsecond=0)
    return moment.replace(hour=3) if moment.hour in (1, 2) else moment
