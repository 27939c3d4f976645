"""Which share of the water comes from which source; executed in a contained child.

The hydraulics are solved once. Then EPANET follows the water of each reservoir and tank through them: every parcel of
water carries the percentage that came from, or has passed through, that source (EPANET 2.2 User Manual, section 3.4,
"source tracing").
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from wnis_core.errors import FieldProblem, InvalidValue

from wnis_simulator.binary import Floats, read_binary, read_quality
from wnis_simulator.engine import Engine, TimeParameter, clock
from wnis_simulator.engine_input import OUTPUT_FILE, REPORT_FILE, opened
from wnis_simulator.inp_scan import scan_inp
from wnis_simulator.run_child import MODEL_FILE, solve
from wnis_simulator.summaries import cut_off, cut_off_warnings, report_warnings, weights_s

Report = Callable[[float, str], None]
# mean over time, least and greatest, each by component
_Percentages = tuple[Floats, Floats, Floats]

WINDOW_S = 24 * 3600
_QUALITY_STEP_S = 300
_LEAST_SHARE = 0.001
_STILL_THERE = 0.05


def trace_child(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """Entry of the contained child.

    Parameters
    ----------
    arguments : ``duration_s``, None for the file's own; the input is ``model.inp`` in the working folder

    Returns
    -------
    dict
        ``nodes`` and ``links``: of each ``name`` its ``initial_share`` (water that came from no reservoir: it was in
        the pipes and tanks when the run began) and ``fed_by``, a row of source, mean, least and greatest share for
        each source that gave it a thousandth at any time. Shares are of the run's last day, `WINDOW_S`.

    Raises
    ------
    InvalidModel
        the engine refuses the input
    InvalidValue
        the file describes a single moment, in which no water gets anywhere
    EngineError
        the engine gave up, or a solution is not balanced
    """
    report(0.01, "checking the model")
    scan = scan_inp(Path(MODEL_FILE).read_bytes())
    encoding = scan.text.encoding
    engine = opened(scan)
    try:
        duration_s = _set_times(engine, arguments["duration_s"])
        demand_model = engine.demand_model().kind
        solve(engine, lambda done, said: report(0.02 + 0.27 * done, said))
        sources = engine.sources()
        nodes_by: dict[str, _Percentages] = {}
        links_by: dict[str, _Percentages] = {}
        for number, source in enumerate(sources):
            name = source.name.decode(encoding, "replace")
            said = -1
            for time_s in engine.trace(source):
                done = (number + time_s / duration_s) / len(sources)
                if int(done * 100) > said:
                    said = int(done * 100)
                    report(0.3 + 0.65 * done, f"traced {clock(time_s)} of {clock(duration_s)} from {name}")
            quality = read_quality(Path(OUTPUT_FILE), encoding)
            nodes_by[name] = _summed_up(quality.nodes, quality.time_s)
            links_by[name] = _summed_up(quality.links, quality.time_s)
        version = engine.version()
    finally:
        engine.close()
    report(0.96, "summing up")
    results = read_binary(Path(OUTPUT_FILE), encoding)
    reservoirs = [s.name.decode(encoding, "replace") for s in sources if s.is_reservoir]
    nodes = _shares(results.node_names, nodes_by, reservoirs)
    links = _shares(results.link_names, links_by, reservoirs)
    return {
        "engine_version": version,
        "demand_model": demand_model,
        "duration_s": float(duration_s),
        "steps": len(results.time_s),
        "warnings": [
            *cut_off_warnings(results, cut_off(results)),
            *report_warnings(Path(REPORT_FILE).read_text(encoding, "replace")),
            *_too_short(nodes, duration_s),
        ],
        "nodes": nodes,
        "links": links,
    }


def _set_times(engine: Engine, asked_s: int | None) -> int:
    """Duration of the run in s; its last day is reported at every step of the hydraulics."""
    if asked_s is not None:
        engine.set_time_parameter(TimeParameter.DURATION, asked_s)
    duration_s = engine.time_parameter(TimeParameter.DURATION)
    if duration_s == 0:
        raise InvalidValue(
            "The file describes a single moment (its duration is 0), in which no water gets from a source anywhere.",
            mend="Give the run a duration (duration_s; wnis simulate --hours).",
            fields=[FieldProblem("duration_s", "must be given for a file without a duration")],
        )
    engine.set_time_parameter(TimeParameter.REPORT_STEP, engine.time_parameter(TimeParameter.HYDRAULIC_STEP))
    engine.set_time_parameter(TimeParameter.REPORT_START, max(0, duration_s - WINDOW_S))
    step_s = engine.time_parameter(TimeParameter.QUALITY_STEP)
    engine.set_time_parameter(TimeParameter.QUALITY_STEP, min(step_s, _QUALITY_STEP_S))
    return duration_s


def _summed_up(values: Floats, time_s: npt.NDArray[np.int64]) -> _Percentages:
    weight = weights_s(time_s)
    return weight @ values / weight.sum(), values.min(axis=0), values.max(axis=0)


def _shares(names: list[str], by: dict[str, _Percentages], reservoirs: list[str]) -> list[dict[str, Any]]:
    come = sum((by[source][0] for source in reservoirs), np.zeros(len(names)))
    # the sources are traced one by one, so that rounding may carry their sum past the whole
    initial = np.clip(1 - come / 100, 0, 1)
    return [
        {
            "name": name,
            "initial_share": float(initial[i]),
            "fed_by": [
                [source, float(mean[i]) / 100, float(least[i]) / 100, float(greatest[i]) / 100]
                for source, (mean, least, greatest) in by.items()
                if greatest[i] >= 100 * _LEAST_SHARE
            ],
        }
        for i, name in enumerate(names)
    ]


def _too_short(nodes: list[dict[str, Any]], duration_s: int) -> list[str]:
    left = sum(node["initial_share"] > _STILL_THERE for node in nodes)
    if not left:
        return []
    return [
        f"{left} of {len(nodes)} nodes still have more than {_STILL_THERE:.0%} of water that was in the network when "
        f"the run began: {clock(duration_s)} is too short to say where that came from. Give the run a longer duration."
    ]
