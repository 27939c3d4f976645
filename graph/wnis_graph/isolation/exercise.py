"""Which isolation valves to maintain first: what each one's being inoperable would cost over all closures.

For every segment that a valve bounds: how many customers more are without water when the segment is shut off and the
valve cannot be closed, times the hours of a closure, times the closures of the segment to be expected in a year. The
sum over its segments is the valve's value in customer-hours a year, after Walski (1993) and the valve criticality of
Liu, Walski and others (2017), with failure probabilities in place of equal weights.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from wnis_graph.isolation.answer import IsolationAnalysis
from wnis_graph.isolation.load import Load

BREAKS_PER_M_YEAR = 14 / (100 * 1609.344)
"""14 breaks per 100 miles and year: Folkman (2018), "Water Main Break Rates in the USA and Canada". Used where no
prediction says more."""


@dataclass(frozen=True)
class ValveValue:
    """What exercising a valve is worth.

    Parameters
    ----------
    customer_hours : added per year by its being inoperable
    worst_added_customers : in its worst segment, `worst_segment`
    closures : expected per year of the segments that it bounds
    """

    id: str
    name: str
    customer_hours: float
    worst_added_customers: int
    worst_segment: str
    closures: float


def valve_values(
    analysis: IsolationAnalysis,
    load: Load,
    probabilities: Mapping[str, float],
    closure_h: float,
    progress: Callable[[float], None] = lambda fraction: None,
) -> tuple[ValveValue, ...]:
    """Every isolation valve, the most valuable first.

    Parameters
    ----------
    probabilities : of failure within a year by component; a pipe without one counts by its length
    closure_h : hours that a closure lasts
    """
    pieces = analysis.pieces
    length = pieces.end_m - pieces.begin_m
    yearly = np.zeros(pieces.size)
    for piece, owner in enumerate(pieces.owner.tolist()):
        part = pieces.parts[owner]
        if part.id in probabilities:
            share = length[piece] / part.length_m if part.type == "Pipe" and part.length_m > 0 else 1.0
            yearly[piece] = probabilities[part.id] * share
        elif part.type == "Pipe":
            yearly[piece] = BREAKS_PER_M_YEAR * length[piece]
    closures = np.bincount(pieces.segment, weights=yearly, minlength=int(pieces.segment.max(initial=-1)) + 1)

    value: dict[str, float] = defaultdict(float)
    expected: dict[str, float] = defaultdict(float)
    worst: dict[str, tuple[int, str]] = {}
    for done, segment in enumerate(pieces.segments, start=1):
        inside = [int(np.flatnonzero(pieces.segment == segment.number)[0])]
        baseline = load.customers(analysis.closure(inside, analysis.out_of_service).dry)
        for valve in segment.valves:
            stuck = analysis.out_of_service | {pieces.index[valve]}
            added = load.customers(analysis.closure(inside, stuck).dry) - baseline
            rate = float(closures[segment.number])
            value[valve] += added * closure_h * rate
            expected[valve] += rate
            worst[valve] = max(worst.get(valve, (-1, "")), (added, segment.id))
        progress(done / len(pieces.segments))
    ranked = [
        ValveValue(v, pieces.parts[pieces.index[v]].name, value[v], *worst[v], closures=expected[v]) for v in value
    ]
    return tuple(sorted(ranked, key=lambda one: (-one.customer_hours, -one.worst_added_customers, one.id)))
