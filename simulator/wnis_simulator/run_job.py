"""Runs of a network of the graph: hydraulics, and source traces."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wnis_core.jobs import JobContext
from wnis_core.objects import ObjectStore
from wnis_graph.repositories.health import HealthRepository
from wnis_graph.repositories.networks import NetworkRepository
from wnis_graph.repositories.simulations import FedBy, FinishedRun, SimulationRepository, SimulationResult
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope

from wnis_simulator import contained_runs
from wnis_simulator.contained_runs import Output, RunOutput, scratch
from wnis_simulator.differences import require_nodes_between, words_of
from wnis_simulator.import_job import scope_of
from wnis_simulator.inp_edit import Orphan
from wnis_simulator.network_file import NetworkFile, NetworkFiles
from wnis_simulator.series import LINKS_FILE, NODES_FILE, RUN_FILE

log = logging.getLogger(__name__)

HYDRAULIC, SOURCE_TRACE = "hydraulic", "source-trace"
KINDS = (HYDRAULIC, SOURCE_TRACE)
LEAST_DURATION_S, GREATEST_DURATION_S = 3_600, 100 * 24 * 3_600
_SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class _Task:
    """One run on its way: what was asked of which network, and `said`, what is already known to be worth a warning."""

    context: JobContext
    scope: Scope
    run_id: str
    network_id: str
    given: NetworkFile
    said: tuple[str, ...]
    folder: Path

    def progress(self, fraction: float, message: str) -> None:
        self.context.progress(0.1 + 0.6 * fraction, message)

    def finished(self, output: Output) -> FinishedRun:
        return FinishedRun(
            engine_version=output.engine_version,
            demand_model=output.demand_model,
            input_sha256=self.given.sha256,
            network_revision=self.given.network.revision,
            warnings=output.warnings,
            duration_s=output.duration_s,
            steps=output.steps,
        )


@dataclass(frozen=True)
class Simulations:
    """Body of the simulation jobs."""

    runner: Runner
    objects: ObjectStore
    scratch_root: Path

    def run(self, context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
        """Body of jobs of kind ``simulation``: ``network_id``, ``run_id``, ``kind``, ``demand_model``, ``duration_s``.

        Jobs of before there were kinds are hydraulic.
        """
        network_id, run_id = str(arguments["network_id"]), str(arguments["run_id"])
        scope = scope_of(context.caller)
        repository = SimulationRepository(self.runner)
        repository.start(scope, run_id)
        context.progress(0.01, "reading the network")
        with scratch(self.scratch_root) as folder:
            given = NetworkFiles(self.runner, self.objects).present(scope, network_id)
            said = (*words_of(given.changes), *_orphans_in_words(given.orphans))
            task = _Task(context, scope, run_id, network_id, given, said, folder)
            work = self._source_trace if arguments.get("kind") == SOURCE_TRACE else self._hydraulics
            finished, results = work(task, arguments)
        context.progress(0.8, "writing the results")
        repository.finish(scope, run_id, finished, results)
        if finished.nodes_key:
            context.progress(0.95, "judging the health of components")
            HealthRepository(self.runner).refresh(scope, network_id)
        log.info("run %s of network %s: %d results", run_id, network_id, len(results))
        return {
            "run_id": run_id,
            "network_id": network_id,
            "results": len(results),
            "steps": finished.steps,
            "duration_s": finished.duration_s,
            "warnings": list(finished.warnings),
        }

    def _hydraulics(self, task: _Task, arguments: dict[str, Any]) -> tuple[FinishedRun, list[SimulationResult]]:
        output = contained_runs.run(
            task.given.content,
            task.folder,
            demand_model=str(arguments.get("demand_model") or "as-file"),
            on_progress=task.progress,
            cancelled=task.context.cancelled,
        )
        output = replace(output, warnings=(*task.said, *output.warnings))
        task.context.raise_if_cancelled()
        task.context.progress(0.75, "storing the series")
        nodes_key, links_key = self._store(task.scope, task.run_id, output)
        nodes, links = SimulationRepository(self.runner).get_component_ids(task.scope, task.network_id)
        results = [*_of(task.run_id, nodes, output.nodes), *_of(task.run_id, links, output.links)]
        return replace(task.finished(output), nodes_key=nodes_key, links_key=links_key), results

    def _source_trace(self, task: _Task, arguments: dict[str, Any]) -> tuple[FinishedRun, list[SimulationResult]]:
        output = contained_runs.trace(
            task.given.content,
            task.folder,
            duration_s=arguments.get("duration_s"),
            on_progress=task.progress,
            cancelled=task.context.cancelled,
        )
        output = replace(output, warnings=(*task.said, *output.warnings))
        task.context.raise_if_cancelled()
        nodes, links = SimulationRepository(self.runner).get_component_ids(task.scope, task.network_id)
        results = [
            SimulationResult(
                run_id=task.run_id,
                component_id=ids[row["name"]],
                initial_share=row["initial_share"],
                fed_by=tuple(FedBy(nodes[source], *shares) for source, *shares in row["fed_by"] if source in nodes),
            )
            for ids, rows in ((nodes, output.nodes), (links, output.links))
            for row in rows
            if row["name"] in ids
        ]
        return task.finished(output), results

    def check(self, scope: Scope, network_id: str) -> None:
        """Refuse beforehand what no engine can run; raises `InvalidModel`."""
        require_nodes_between(NetworkRepository(self.runner).load_model(scope, network_id))

    def _store(self, scope: Scope, run_id: str, output: RunOutput) -> tuple[str, str]:
        prefix = f"runs/{scope.utility}/{run_id}"
        nodes_key, links_key = f"{prefix}/{NODES_FILE}", f"{prefix}/{LINKS_FILE}"
        self.objects.put(nodes_key, output.folder / NODES_FILE)
        self.objects.put(links_key, output.folder / LINKS_FILE)
        described = {
            "run_id": run_id,
            "engine_version": output.engine_version,
            "demand_model": output.demand_model,
            "duration_s": output.duration_s,
            "steps": output.steps,
            "warnings": list(output.warnings),
        }
        self.objects.put(f"{prefix}/{RUN_FILE}", json.dumps(described, ensure_ascii=False).encode())
        return nodes_key, links_key


def _orphans_in_words(orphans: Iterable[Orphan]) -> list[str]:
    return [
        f"Left out, because {o.removed} was taken out: [{o.section}] line {o.line}: {o.text[:_SHOWN_CHARACTERS]}"
        for o in orphans
    ]


def _of(run_id: str, ids: Mapping[str, str], summaries: Iterable[Mapping[str, Any]]) -> list[SimulationResult]:
    return [
        SimulationResult(
            run_id=run_id,
            component_id=ids[summary["name"]],
            **{name: value for name, value in summary.items() if name != "name"},
        )
        for summary in summaries
        if summary["name"] in ids
    ]
