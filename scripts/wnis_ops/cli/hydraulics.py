"""``wnis simulate``: a run on the server, or a hydraulic run of a file without one."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import typer
from wnis_core.errors import BadRequest

from wnis_ops.cli.networks import readable
from wnis_ops.cli.output import Json, NoWait, bar, follow, say, server, show
from wnis_ops.client import part


class Kind(StrEnum):
    """What can be run."""

    HYDRAULIC = "hydraulic"
    SOURCE_TRACE = "source-trace"


def simulate(
    network: Annotated[str | None, typer.Argument(help="Id of a network of the server.")] = None,
    inp: Annotated[Path | None, typer.Option(help="An EPANET INP file instead, without a server.")] = None,
    kind: Annotated[
        Kind, typer.Option(help="hydraulic, or source-trace: which share of the water comes from where.")
    ] = Kind.HYDRAULIC,
    hours: Annotated[
        float | None,
        typer.Option(
            help="How long a source trace follows the water; as long as the file says unless given.", min=1, max=2400
        ),
    ] = None,
    demand_model: Annotated[str, typer.Option(help="as-file, dda or pda (with --inp).")] = "as-file",
    out: Annotated[Path | None, typer.Option(help="Folder for the series as Parquet (with --inp).")] = None,
    no_wait: NoWait = False,
    as_json: Json = False,
) -> None:
    """Run a network in EPANET."""
    if (network is None) == (inp is None):
        raise BadRequest("Name a network or --inp FILE.", mend="wnis simulate town, or wnis simulate --inp town.inp")
    if hours is not None and kind is not Kind.SOURCE_TRACE:
        raise BadRequest(
            "--hours goes with --kind source-trace.", mend="A hydraulic run lasts as long as its file says."
        )
    if inp is not None:
        if kind is not Kind.HYDRAULIC:
            raise BadRequest(f"A {kind} is of a network of the server.", mend="Import the file (wnis network import).")
        _simulate_file(readable(inp), demand_model, out, as_json)
        return
    if demand_model != "as-file" or out is not None:
        raise BadRequest("--demand-model and --out go with --inp.")
    client = server()
    body: dict[str, Any] = {"network_id": network, "kind": str(kind)}
    if hours is not None:
        if not isfinite(hours):
            raise BadRequest("--hours is no number.", mend="wnis simulate town --kind source-trace --hours 240")
        body["duration_s"] = round(hours * 3600)
    accepted = client.post("/simulations", body)
    job = follow(client, accepted, f"Running {network}", no_wait=no_wait)
    answer: dict[str, Any] = {"job": job, "run_id": accepted["run_id"]}
    if job["state"] == "succeeded":
        run = client.get(f"/simulations/{part(accepted['run_id'])}")
        answer["run"] = run
        for warning in run["warnings"]:
            say(warning)
    show(answer, as_json, lambda: f"{accepted['run_id']}: {job['state']} {json.dumps(job['result'] or {})}")


def _simulate_file(inp: Path, demand_model: str, out: Path | None, as_json: bool) -> None:
    from wnis_simulator.offline import simulate_file

    with bar(f"Running {inp.name}") as report:
        summary = simulate_file(inp, demand_model=demand_model, out=out, on_progress=report)
    document = asdict(summary)
    show(document, as_json, lambda: "\n".join(f"{name}: {value}" for name, value in document.items()))
