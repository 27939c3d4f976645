"""Simulation runs: asked of the simulator, read from the graph, series from the run's files."""

from __future__ import annotations

from urllib.parse import quote

from wnis_api.http.route import Call, Nothing, Reply, Role, Route, roles
from wnis_api.http.schemas.simulations import (
    NewRun,
    ResultsQuery,
    RunAccepted,
    RunAnswer,
    RunQuery,
    Runs,
    Series,
)
from wnis_api.parts import Parts
from wnis_api.request_limits import Rate


def list_runs(parts: Parts, call: Call[RunQuery, None]) -> Runs:
    asked = call.query
    page = parts.simulations.list(call.scope, network=asked.network_id, limit=asked.limit, cursor=asked.cursor)
    return Runs(simulations=[RunAnswer.model_validate(run) for run in page.rows], next_cursor=page.next_cursor)


def start_run(parts: Parts, call: Call[Nothing, NewRun]) -> Reply:
    run_id = call.new_id("run")
    body = {
        "network_id": parts.networks.head(call.scope, call.body.network_id).id,
        "kind": str(call.body.kind),
        "duration_s": call.body.duration_s,
        "job_id": call.new_id("job"),
        "run_id": run_id,
    }
    accepted = parts.simulator.call(call.internal, "POST", "/simulations", json=body, timeout_s=15)
    return Reply(RunAccepted.model_validate(accepted), status=202, subject=run_id)


def show_run(parts: Parts, call: Call[Nothing, None]) -> Reply:
    run = parts.simulations.get(call.scope, call.id("run_id"))
    return Reply(RunAnswer.model_validate(run), revision=run.state)


def show_series(parts: Parts, call: Call[ResultsQuery, None]) -> Series:
    run = parts.simulations.get(call.scope, call.id("run_id"))
    asked = {"component_id": call.query.component_id, "quantity": str(call.query.quantity)}
    path = f"/simulations/{quote(run.id, safe='')}/results"
    return Series.model_validate(parts.simulator.call(call.internal, "GET", path, params=asked, timeout_s=15))


_TAG = "simulations"
_RUNNERS = roles(Role.OPERATOR, Role.ENGINEER, Role.MANAGER, Role.ANALYST)

ROUTES: tuple[Route, ...] = (
    Route("GET", "/simulations", list_runs, "List runs", _TAG, query=RunQuery, answer=Runs),
    Route("POST", "/simulations", start_run, "Run a network", _TAG, _RUNNERS, body=NewRun, answer=RunAccepted,
          status=202, errors=(404, 409), action="simulation.start", rate=Rate.COSTLY, repeatable=True,
          description="`hydraulic`: for the network's own duration under its file's demand model. `source-trace`: "
          "which share of every component's water comes from which source (see `/components/{id}/sources`). Follow the "
          "job at `/jobs/{job_id}`; its summaries become nodes of the graph."),
    Route("GET", "/simulations/{run_id}", show_run, "One run", _TAG, answer=RunAnswer, errors=(304,)),
    Route("GET", "/simulations/{run_id}/results", show_series, "A component over the run", _TAG, query=ResultsQuery,
          answer=Series, errors=(409,),
          description="Nodes have pressure, head and demand; links have flow, velocity, headloss and status. A source "
          "trace keeps no series."),
)  # fmt: skip
