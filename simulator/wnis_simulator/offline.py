"""Runs of a file without any server: ``wnis simulate --inp FILE``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from wnis_core.clock import iso, now
from wnis_core.contained import Progress
from wnis_core.errors import BadRequest, InvalidValue

from wnis_simulator import contained_runs
from wnis_simulator.contained_runs import DEMAND_MODELS, scratch
from wnis_simulator.engine import ENGINE
from wnis_simulator.series import LINKS_FILE, NODES_FILE, RUN_FILE


@dataclass(frozen=True)
class RunSummary:
    """What ``run.json`` says of a run: how it was made, and how it went."""

    engine: str
    engine_version: str
    input_name: str
    input_sha256: str
    demand_model: str
    flow_unit: str
    duration_s: float
    steps: int
    nodes: int
    links: int
    pressure_min_m: float | None
    pressure_min_at: str | None
    warnings: tuple[str, ...]
    finished_at: str


def simulate_file(
    inp: Path,
    *,
    demand_model: str = "as-file",
    out: Path | None = None,
    on_progress: Progress = lambda _fraction, _message: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> RunSummary:
    """Run an INP file and, when `out` is given, write nodes.parquet, links.parquet and run.json there.

    Parameters
    ----------
    demand_model : ``as-file``, ``dda`` or ``pda``
    out : folder, made when missing

    Raises
    ------
    BadRequest
        the file cannot be read
    InvalidModel
        it is no usable model, or there is no solution
    """
    if demand_model not in DEMAND_MODELS:
        raise InvalidValue(f"The demand model {demand_model!r} is none of {', '.join(DEMAND_MODELS)}.")
    try:
        content = inp.read_bytes()
    except OSError as error:
        raise BadRequest(f"{inp} cannot be read ({error.strerror}).", mend="Check the path.") from error
    with scratch() as folder:
        output = contained_runs.run(
            content, folder, demand_model=demand_model, on_progress=on_progress, cancelled=cancelled
        )
        lowest = min(
            (node for node in output.nodes if "low_pressure_s" in node and "pressure_min_m" in node),
            key=lambda node: float(node["pressure_min_m"]),
            default=None,
        )
        summary = RunSummary(
            engine=ENGINE,
            engine_version=output.engine_version,
            input_name=inp.name,
            input_sha256=hashlib.sha256(content).hexdigest(),
            demand_model=output.demand_model,
            flow_unit=output.flow_unit,
            duration_s=output.duration_s,
            steps=output.steps,
            nodes=len(output.nodes),
            links=len(output.links),
            pressure_min_m=lowest["pressure_min_m"] if lowest else None,
            pressure_min_at=lowest["name"] if lowest else None,
            warnings=output.warnings,
            finished_at=iso(now()) or "",
        )
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            for name in (NODES_FILE, LINKS_FILE):
                (out / name).write_bytes((folder / name).read_bytes())
            (out / RUN_FILE).write_text(json.dumps(asdict(summary), indent=2, ensure_ascii=False) + "\n")
    return summary
