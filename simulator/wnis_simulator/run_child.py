"""One hydraulic run; executed in a contained child, whose working folder holds the input and receives the output."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from wnis_core.units import ENGINE_ORDER

from wnis_simulator.binary import read_binary
from wnis_simulator.engine import DemandModel, Engine, TimeParameter, clock
from wnis_simulator.engine_input import OUTPUT_FILE, REPORT_FILE, opened
from wnis_simulator.inp_scan import scan_inp
from wnis_simulator.series import write_series
from wnis_simulator.summaries import cut_off, cut_off_warnings, link_summaries, node_summaries, report_warnings

Report = Callable[[float, str], None]

MODEL_FILE = "model.inp"
HYDRAULICS_IGNORED = "The line HYDRAULICS of the file names a file to read or write; it was ignored."
_REQUIRED_PRESSURE_M, _EXPONENT = 20.0, 0.5


def run_child(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """Entry of the contained child.

    Parameters
    ----------
    arguments : ``demand_model`` (as-file, dda, pda), ``low_pressure_m``; the input is ``model.inp`` in the working
        folder

    Raises
    ------
    InvalidModel
        the engine refuses the input
    EngineError
        the engine gave up, or a solution is not balanced
    """
    report(0.01, "checking the model")
    scan = scan_inp(Path(MODEL_FILE).read_bytes())
    warnings: list[str] = []
    if scan.hydraulics_line:
        warnings.append(HYDRAULICS_IGNORED)
    engine = opened(scan)
    try:
        chosen = _choose_demand_model(engine, arguments["demand_model"], scan.options, warnings)
        solve(engine, lambda done, said: report(0.05 + 0.85 * done, said))
        version = engine.version()
    finally:
        engine.close()
    report(0.9, "reading the results")
    results = read_binary(Path(OUTPUT_FILE), scan.text.encoding)
    dry = cut_off(results)
    report(0.93, "writing the series")
    write_series(results, dry, Path())
    warnings += cut_off_warnings(results, dry)
    warnings += report_warnings(Path(REPORT_FILE).read_text(scan.text.encoding, "replace"))
    report(0.97, "summing up")
    return {
        "engine_version": version,
        "demand_model": chosen,
        "duration_s": float(results.time_s[-1] if len(results.time_s) else 0),
        "steps": len(results.time_s),
        "flow_unit": results.flow_unit.value,
        "warnings": warnings,
        "nodes": node_summaries(results, dry, arguments["low_pressure_m"]),
        "links": link_summaries(results),
    }


def _choose_demand_model(engine: Engine, asked: str, options: dict[str, str], warnings: list[str]) -> str:
    stated = engine.demand_model()
    if asked in ("as-file", stated.kind.lower()):
        return stated.kind
    if asked == "dda":
        engine.set_demand_model(DemandModel("DDA", stated.minimum_pressure, stated.required_pressure, stated.exponent))
        return "DDA"
    required = "REQUIRED PRESSURE" in options
    if required:
        wanted = DemandModel("PDA", stated.minimum_pressure, stated.required_pressure, stated.exponent)
    else:
        # the engine's default, 0.1 psi or m, would deliver every demand at hardly any pressure
        unit = ENGINE_ORDER[engine.flow_unit_number()]
        wanted = DemandModel("PDA", 0.0, _REQUIRED_PRESSURE_M / unit.pressure_m, _EXPONENT)
        warnings.append(
            f"The file states no required pressure: demands are met in full from {_REQUIRED_PRESSURE_M:g} m on, "
            f"below it by (pressure / {_REQUIRED_PRESSURE_M:g} m)^{_EXPONENT:g}."
        )
    engine.set_demand_model(wanted)
    return "PDA"


def solve(engine: Engine, report: Report) -> None:
    """Solve the hydraulics of the whole duration; `report` hears of every hundredth of it."""
    duration = engine.time_parameter(TimeParameter.DURATION)
    said = -1
    for moment in engine.solve():
        # the last step may reach past the duration
        done = min(1.0, moment.time_s / duration) if duration else 1.0
        if int(done * 100) > said:
            said = int(done * 100)
            report(done, f"solved {clock(moment.time_s)} of {clock(duration)}")
