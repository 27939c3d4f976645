"""Simulation runs: asked for, run, and what they say of each component."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from wnis_core.clock import now
from wnis_core.errors import Conflict, NotFound

from wnis_graph.paging import Page, checked_limit, page_of, start_after
from wnis_graph.queries import simulations
from wnis_graph.queries.simulations import ComponentKey, FedBy, SimulationResult, SimulationRun
from wnis_graph.runner import Runner, Transaction
from wnis_graph.schema.model import SCHEMA
from wnis_graph.scope import Scope

__all__ = ["ComponentKey", "FedBy", "FinishedRun", "SimulationRepository", "SimulationResult", "SimulationRun"]

_ORDER = "simulations"
_NODE_TYPES = frozenset({"Junction", "Reservoir", "Tank"})


@dataclass(frozen=True)
class FinishedRun:
    """What is known of a run once it has succeeded."""

    engine_version: str
    demand_model: str
    input_sha256: str
    network_revision: int
    warnings: tuple[str, ...]
    duration_s: float
    steps: int
    nodes_key: str | None = None
    links_key: str | None = None


class SimulationRepository:
    """Runs of a utility's networks and their results, which are immutable."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def request(
        self, scope: Scope, run_id: str, network_id: str, *, kind: str, job_id: str, engine: str, engine_version: str
    ) -> SimulationRun:
        """Record that a run is wanted; the same id again is the same run.

        Raises
        ------
        NotFound
            there is no such network
        Conflict
            the id belongs to a run of another network
        """
        properties = {
            "kind": kind,
            "state": "queued",
            "engine": engine,
            "engine_version": engine_version,
            "job_id": job_id,
            "requested_by": scope.user,
            "created_at": now(),
        }
        SCHEMA.require("SimulationRun", properties | {"id": run_id, "utility": scope.utility, "network": network_id})
        found = self._runner.run_one(scope, simulations.REQUEST, id=run_id, network=network_id, properties=properties)
        if found is None:
            if self._runner.run_one(scope, simulations.GET, id=run_id) is not None:
                raise Conflict(f"Run {run_id} is of another network.", mend="Use another run id.")
            raise NotFound(f"There is no network {network_id!r}.", mend="See the list of networks.")
        return found

    def start(self, scope: Scope, run_id: str) -> None:
        """Mark the run as running, unless it has ended."""
        self._runner.run(scope, simulations.START, id=run_id, at=now())

    def end_of_job(self, scope: Scope, job_id: str, state: str, error: str) -> None:
        """Mark the run of a job as failed or cancelled, unless it has ended; a job without a run is no fault."""
        self._runner.run(scope, simulations.END_OF_JOB, job_id=job_id, state=state, error=error, at=now())

    def imported_by(self, scope: Scope, job_id: str, network_id: str) -> None:
        """Join the job that imported a network to it."""
        self._runner.run(scope, simulations.IMPORTED_BY, job_id=job_id, network=network_id)

    def finish(
        self,
        scope: Scope,
        run_id: str,
        finished: FinishedRun,
        results: Sequence[SimulationResult],
    ) -> bool:
        """Write the results and the success of a run, together and once; false when it had ended before."""
        known = {name: value for name, value in asdict(finished).items() if value is not None}
        properties = known | {"warnings": list(finished.warnings), "finished_at": now()}
        SCHEMA.require("SimulationRun", properties, partial=True)
        rows = [_row(run_id, result) for result in results]
        shares = [
            {"id": _result_id(run_id, result), "source": one.source, "properties": _shares(one)}
            for result in results
            for one in result.fed_by
        ]

        def work(tx: Transaction) -> bool:
            if tx.run_one(simulations.OPEN_TO_FINISH, id=run_id) is None:
                return False
            tx.run_batches(simulations.WRITE_RESULTS, rows, id=run_id)
            tx.run_batches(simulations.WRITE_SHARES, shares)
            tx.run(simulations.FINISH, id=run_id, properties=properties)
            return True

        return self._runner.write(scope, work, timeout_s=240)

    def get(self, scope: Scope, run_id: str) -> SimulationRun:
        """The run, or NotFound."""
        found = self._runner.run_one(scope, simulations.GET, id=run_id)
        if found is None:
            raise NotFound(f"There is no simulation run {run_id!r}.")
        return found

    def get_results(self, scope: Scope, run_id: str) -> list[SimulationResult]:
        """What the run says of each component, by component id."""
        return self._runner.run(scope, simulations.RESULTS, id=run_id)

    def list(
        self,
        scope: Scope,
        *,
        network: str | None = None,
        state: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[SimulationRun]:
        """Runs, the latest first."""
        limit = checked_limit(limit)
        rows = self._runner.run(
            scope, simulations.LIST, network=network, state=state, limit=limit + 1, **start_after(cursor, _ORDER)
        )
        return page_of(rows, limit, _ORDER, lambda run: (run.created_at, run.id))

    def get_result(self, scope: Scope, run_id: str, component_id: str) -> SimulationResult | None:
        """What the run says of one component, if it was in the run."""
        return self._runner.run_one(scope, simulations.RESULT, id=run_id, component_id=component_id)

    def get_component_key(self, scope: Scope, component_id: str) -> ComponentKey:
        """Type and source name of a component, or NotFound."""
        found = self._runner.run_one(scope, simulations.COMPONENT_KEY, component_id=component_id)
        if found is None:
            raise NotFound(f"There is no component {component_id!r}.")
        return found

    def get_component_ids(self, scope: Scope, network_id: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Ids of the network's nodes and of its links, each by source name: the two share no namespace."""
        nodes: dict[str, str] = {}
        links: dict[str, str] = {}
        for key in self._runner.run(scope, simulations.COMPONENT_KEYS, network=network_id):
            (nodes if key.type in _NODE_TYPES else links)[key.name] = key.id
        return nodes, links


def _row(run_id: str, result: SimulationResult) -> dict[str, Any]:
    values = {
        name: value
        for name, value in asdict(result).items()
        if value is not None and name not in ("run_id", "component_id", "fed_by")
    }
    return {"id": _result_id(run_id, result), "component_id": result.component_id, "properties": values}


def _result_id(run_id: str, result: SimulationResult) -> str:
    return f"{run_id}:{result.component_id}"


def _shares(one: FedBy) -> dict[str, float]:
    return {"share": one.share, "share_min": one.share_min, "share_max": one.share_max}
