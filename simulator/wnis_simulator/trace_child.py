"""Which share of the water comes from where; executed in a contained child.

The hydraulics are solved once. Then the water of each origin is followed through them (`wnis_simulator.tracer`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from wnis_core.errors import FieldProblem, InvalidValue

from wnis_simulator.binary import Floats, read_binary
from wnis_simulator.engine import Engine, TimeParameter, clock
from wnis_simulator.engine_input import OUTPUT_FILE, REPORT_FILE, opened
from wnis_simulator.inp_scan import Scan, scan_inp
from wnis_simulator.run_child import HYDRAULICS_IGNORED, MODEL_FILE, solve
from wnis_simulator.summaries import cut_off, cut_off_warnings, report_warnings
from wnis_simulator.tracer import Origin, OriginKind, Tracer

Report = Callable[[float, str], None]

WINDOW_S = 24 * 3600
_QUALITY_STEP_S = 300
_SAMPLE_S = 900
_LEAST_SHARE = 0.001
_STILL_THERE = 0.05
_NAMED = 5


class _Day(NamedTuple):
    """Shares over the last day by node, then by link: mean over time, least and greatest."""

    mean: Floats
    least: Floats
    greatest: Floats


def trace_child(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """Entry of the contained child.

    Parameters
    ----------
    arguments : ``duration_s``, None for the file's own; the input is ``model.inp`` in the working folder

    Returns
    -------
    dict
        ``nodes`` and ``links``: of each ``name`` its ``initial_share`` (water that was in pipes and tanks when the run
        began) and ``fed_by``, a row of node, mean, least and greatest share for each reservoir, tank and junction with
        inflow that gave it a thousandth at any time. Shares are of the run's last day, `WINDOW_S`.

    Raises
    ------
    InvalidModel
        the engine refuses the input
    InvalidValue
        the file describes a single moment, in which no water gets from a source anywhere
    EngineError
        the engine gave up, or a solution is not balanced
    """
    report(0.01, "checking the model")
    scan = scan_inp(Path(MODEL_FILE).read_bytes())
    encoding = scan.text.encoding
    warnings = [HYDRAULICS_IGNORED] if scan.hydraulics_line else []
    engine = opened(scan)
    try:
        own_s = engine.time_parameter(TimeParameter.DURATION)
        duration_s = _set_times(engine, arguments["duration_s"])
        demand_model = engine.demand_model().kind
        solve(engine, lambda done, said: report(0.02 + 0.27 * done, said))
        tracer = Tracer(engine)
        origins = tracer.origins()
        days: list[_Day] = []
        for number, origin in enumerate(origins):
            name = origin.name.decode(encoding, "replace") or "what was there at the beginning"

            def say(time_s: int, number: int = number, name: str = name) -> None:
                done = (number + time_s / duration_s) / len(origins)
                report(0.3 + 0.65 * done, f"followed {clock(time_s)} of {clock(duration_s)}: {name}")

            days.append(_last_day(tracer, origin, duration_s, say))
        version = engine.version()
    finally:
        engine.close()
    report(0.96, "summing up")
    results = read_binary(Path(OUTPUT_FILE), encoding)
    dry = cut_off(results)
    rows = _rows([*results.node_names, *results.link_names], origins, days, encoding)
    nodes, links = rows[: len(results.node_names)], rows[len(results.node_names) :]
    warnings += cut_off_warnings(results, dry)
    warnings += report_warnings(Path(REPORT_FILE).read_text(encoding, "replace"))
    warnings += _too_short(nodes, set(np.flatnonzero(dry.any(axis=0)).tolist()), duration_s)
    if duration_s > own_s > 0:
        warnings += _done_once(scan, own_s)
    return {
        "engine_version": version,
        "demand_model": demand_model,
        "duration_s": float(duration_s),
        "steps": len(results.time_s),
        "warnings": warnings,
        "nodes": nodes,
        "links": links,
    }


def _set_times(engine: Engine, asked_s: int | None) -> int:
    """Duration of the run in s; of the hydraulics only the last day is kept."""
    if asked_s is not None:
        engine.set_time_parameter(TimeParameter.DURATION, asked_s)
    duration_s = engine.time_parameter(TimeParameter.DURATION)
    if duration_s == 0:
        raise InvalidValue(
            "The file describes a single moment (its duration is 0), in which no water gets from a source anywhere.",
            mend="Give the run a duration (duration_s; wnis simulate --hours).",
            fields=[FieldProblem("duration_s", "must be given for a file without a duration")],
        )
    step_s = engine.time_parameter(TimeParameter.REPORT_STEP)
    engine.set_time_parameter(TimeParameter.REPORT_START, max(0, duration_s - WINDOW_S) // step_s * step_s)
    quality_step_s = engine.time_parameter(TimeParameter.QUALITY_STEP)
    engine.set_time_parameter(TimeParameter.QUALITY_STEP, min(quality_step_s, _QUALITY_STEP_S))
    return duration_s


def _last_day(tracer: Tracer, origin: Origin, duration_s: int, say: Callable[[int], None]) -> _Day:
    """Shares sampled every quarter of an hour; concentrations are taken to change evenly in between."""
    first_s = max(0, duration_s - WINDOW_S)
    said, due_s, before = -1, first_s, None
    total, lasted_s = np.zeros(tracer.nodes + tracer.links), 0
    least, greatest = np.full_like(total, np.inf), np.full_like(total, -np.inf)
    for time_s in tracer.follow(origin):
        if (hundredth := time_s * 100 // duration_s) > said:
            said = hundredth
            say(time_s)
        if time_s < due_s and time_s != duration_s:
            continue
        due_s = time_s + _SAMPLE_S
        shares = tracer.percentages() / 100
        np.minimum(least, shares, out=least)
        np.maximum(greatest, shares, out=greatest)
        if before is not None:
            total += (shares + before[1]) / 2 * (time_s - before[0])
            lasted_s += time_s - before[0]
        before = (time_s, shares)
    return _Day(total / lasted_s, least, greatest)


def _rows(names: list[str], origins: list[Origin], days: list[_Day], encoding: str) -> list[dict[str, Any]]:
    initial = next(day.mean for origin, day in zip(origins, days, strict=True) if origin.kind is OriginKind.BEGINNING)
    sources = [
        (origin.name.decode(encoding, "replace"), day)
        for origin, day in zip(origins, days, strict=True)
        if origin.kind is not OriginKind.BEGINNING
    ]
    return [
        {
            "name": name,
            "initial_share": float(initial[i]),
            "fed_by": [
                [source, float(day.mean[i]), float(day.least[i]), float(day.greatest[i])]
                for source, day in sources
                if day.greatest[i] >= _LEAST_SHARE
            ],
        }
        for i, name in enumerate(names)
    ]


def _too_short(nodes: list[dict[str, Any]], dry: set[int], duration_s: int) -> list[str]:
    left = [node["name"] for i, node in enumerate(nodes) if i not in dry and node["initial_share"] > _STILL_THERE]
    if not left:
        return []
    names = ", ".join(left[:_NAMED]) + (", ..." if len(left) > _NAMED else "")
    return [
        f"After {clock(duration_s)} {len(left)} of {len(nodes)} nodes still have more than {_STILL_THERE:.0%} of the "
        f"water that was in the network when the run began ({names}). Where it does not stand still, a longer duration "
        "tells where water comes from."
    ]


def _done_once(scan: Scan, own_s: int) -> list[str]:
    """A warning when a run longer than the file's goes on after controls that happen at one time only."""
    lines = [*_timed(scan, "CONTROLS", ("AT", "TIME")), *_timed(scan, "RULES", ("SYSTEM", "TIME"))]
    if not lines:
        return []
    numbers = ", ".join(str(line) for line in lines[:_NAMED]) + (", ..." if len(lines) > _NAMED else "")
    return [
        f"The run goes on after {clock(own_s)}, for which the file is made, and {len(lines)} of its controls happen at "
        f"one time only and not again each day (line {numbers}): links keep the state that the last of them gave. "
        "AT CLOCKTIME and SYSTEM CLOCKTIME repeat."
    ]


def _timed(scan: Scan, section: str, words: tuple[str, str]) -> Iterator[int]:
    for row in scan.of(section):
        said = [token.upper() for token in row.tokens]
        if any(pair == words for pair in pairwise(said)):
            yield row.line
