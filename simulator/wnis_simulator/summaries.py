"""From reported steps to what a person reads: values that mean something, and one summary a component.

A reported value holds until the next report (EPANET's solutions are constant within a hydraulic step), so means and
durations are weighted by the time to the next report; the last report of a period lasts no time. A run of a single
moment is its own mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse import csgraph

from wnis_simulator.binary import ACTIVE, CLOSED_BELOW, BinaryResults, Floats
from wnis_simulator.engine import clock

_WARNING = re.compile(r"^\s*WARNING:\s*(?P<what>.*?)(?:\s+at\s+(?P<at>\d+:\d\d:\d\d)\s+hrs)?\s*\.?\s*$")
_MOST_WARNINGS = 50
STATUS_WORDS = ("closed", "open", "active")


def cut_off(results: BinaryResults) -> npt.NDArray[np.bool_]:
    """Steps x nodes: whether a node has no way to any reservoir or tank along links that are not closed.

    The engine solves such nodes all the same and gives them heads of -3e8 m, or any other number.
    """
    nodes, closed = len(results.node_names), results.status < CLOSED_BELOW
    patterns, which = np.unique(closed, axis=0, return_inverse=True)
    rows = np.empty((len(patterns), nodes), dtype=np.bool_)
    for number, pattern in enumerate(patterns):
        carrying = np.flatnonzero(~pattern)
        graph = sparse.coo_array(
            (np.ones(len(carrying)), (results.link_start[carrying], results.link_end[carrying])),
            shape=(nodes, nodes),
        )
        _, part = csgraph.connected_components(graph, directed=False)
        rows[number] = ~np.isin(part, part[results.source_nodes])
    dry: npt.NDArray[np.bool_] = rows[which.reshape(-1)]
    return dry


def status_numbers(results: BinaryResults) -> npt.NDArray[np.int8]:
    """Steps x links: index into `STATUS_WORDS`."""
    status = results.status
    return np.where(status < CLOSED_BELOW, 0, np.where(status == ACTIVE, 2, 1)).astype(np.int8)


def weights_s(time_s: npt.NDArray[np.int64]) -> Floats:
    """How long each reported value lasts, in s."""
    if len(time_s) < 2:
        return np.ones(len(time_s))
    return np.append(np.diff(time_s), 0).astype(np.float64)


def node_summaries(results: BinaryResults, dry: npt.NDArray[np.bool_], low_pressure_m: float) -> list[dict[str, Any]]:
    """One summary a node, under the property names of `SimulationResult`."""
    weight = weights_s(results.time_s)
    head = np.where(dry, np.nan, results.head_m)
    pressure = head - results.elevation_m
    # a cut-off junction takes no water, whatever a demand-driven solution says
    demand = np.where(dry, 0.0, results.demand_m3s)
    lasting = len(results.time_s) > 1
    low = (np.where(dry, -np.inf, pressure) < low_pressure_m).T @ (weight if lasting else np.zeros(1))
    sources = set(results.source_nodes.tolist())
    columns = {
        "pressure_min_m": _extreme(np.fmin, pressure),
        "pressure_mean_m": _mean(pressure, weight),
        "pressure_max_m": _extreme(np.fmax, pressure),
        "head_min_m": _extreme(np.fmin, head),
        "head_mean_m": _mean(head, weight),
        "head_max_m": _extreme(np.fmax, head),
        "demand_mean_m3s": _mean(demand, weight),
    }
    summaries = _rows(results.node_names, columns)
    for index, summary in enumerate(summaries):
        if index not in sources:
            summary["low_pressure_s"] = float(low[index])
            summary["low_pressure_threshold_m"] = low_pressure_m
    return summaries


def link_summaries(results: BinaryResults) -> list[dict[str, Any]]:
    """One summary a link, under the property names of `SimulationResult`."""
    weight = weights_s(results.time_s)
    flow, velocity, headloss = results.flow_m3s, results.velocity_ms, results.headloss_m
    return _rows(
        results.link_names,
        {
            "flow_min_m3s": flow.min(axis=0),
            "flow_mean_m3s": _mean(flow, weight),
            "flow_max_m3s": flow.max(axis=0),
            "velocity_mean_ms": _mean(velocity, weight),
            "velocity_max_ms": velocity.max(axis=0),
            "headloss_mean_m": _mean(headloss, weight),
            "headloss_max_m": headloss.max(axis=0),
        },
    )


def cut_off_warnings(results: BinaryResults, dry: npt.NDArray[np.bool_]) -> list[str]:
    """One sentence about nodes without a source, if there are any."""
    ever = np.flatnonzero(dry.any(axis=0))
    if not len(ever):
        return []
    steps = np.flatnonzero(dry.any(axis=1))
    names = ", ".join(results.node_names[i] for i in ever[:5]) + (", ..." if len(ever) > 5 else "")
    first, last = clock(results.time_s[steps[0]]), clock(results.time_s[steps[-1]])
    when = f"at {first}" if first == last else f"between {first} and {last}"
    return [
        f"{len(ever)} nodes had no open way to a source {when} ({names}); "
        "they have no pressure there and take no water."
    ]


def report_warnings(report: str) -> list[str]:
    """The engine's warnings, each once, with how often and when it was given."""
    times: dict[str, list[str]] = {}
    for line in report.splitlines():
        found = _WARNING.match(line)
        if found:
            times.setdefault(found["what"], []).append(found["at"] or "")
    words = [_repeated(what, [t for t in at if t], len(at)) for what, at in times.items()]
    if len(words) > _MOST_WARNINGS:
        return [*words[:_MOST_WARNINGS], f"EPANET gave {len(words) - _MOST_WARNINGS} more warnings."]
    return words


def _repeated(what: str, at: list[str], count: int) -> str:
    if not at:
        return f"EPANET: {what}."
    if count == 1 or at[0] == at[-1]:
        return f"EPANET: {what} at {at[0]} h."
    return f"EPANET: {what}, {count} times between {at[0]} h and {at[-1]} h."


def _mean(values: Floats, weight: Floats) -> Floats:
    known = ~np.isnan(values)
    lasting = weight @ known
    # a node that was only supplied at the very last moment has no time to be averaged over
    total = weight @ np.where(known, values, 0.0)
    mean: Floats = np.divide(total, lasting, out=np.full(values.shape[1], np.nan), where=lasting > 0)
    return mean


def _extreme(choose: np.ufunc, values: Floats) -> Floats:
    extreme: Floats = choose.reduce(values, axis=0)
    return extreme


def _rows(names: Iterable[str], columns: dict[str, Floats]) -> list[dict[str, Any]]:
    lists = {name: values.tolist() for name, values in columns.items()}
    return [
        {"name": name} | {column: values[i] for column, values in lists.items() if values[i] == values[i]}
        for i, name in enumerate(names)
    ]
