"""Imports: an INP file, or a sample, becomes a network in the graph; all of it or nothing."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from wnis_core.errors import InvalidModel, NotFound
from wnis_core.jobs import JobContext
from wnis_core.objects import ObjectStore
from wnis_core.tokens import Caller
from wnis_graph.mini import MINI, MINI_ID, MINI_NAME
from wnis_graph.network_model import NetworkModel
from wnis_graph.repositories.health import HealthRepository
from wnis_graph.repositories.networks import NetworkRepository, SourceFile, own_names
from wnis_graph.repositories.simulations import SimulationRepository
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope
from wnis_graph.zones import derive_zones

from wnis_simulator import contained_runs
from wnis_simulator.contained_runs import scratch

log = logging.getLogger(__name__)

SAMPLE_CRS = {"ky4": "EPSG:3089", "ky10": "EPSG:3089"}
"""Kentucky's single zone in US survey feet: drawn pipes are as long there as the models say (median 1.000)."""
_MOST_REMARKS = 200


@dataclass(frozen=True)
class ImportRequest:
    """What an import job is asked to do; `upload_key` names the file's bytes in the object store."""

    network_id: str
    source_name: str
    sha256: str
    upload_key: str
    name: str | None = None
    crs: str | None = None
    strict: bool = False
    dry_run: bool = False
    synthetic: bool = False


@dataclass(frozen=True)
class Importer:
    """Bodies of the import jobs."""

    runner: Runner
    objects: ObjectStore
    scratch_root: Path

    def import_file(self, context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
        """Body of jobs of kind ``import``; arguments are an `ImportRequest`."""
        request = ImportRequest(**arguments)
        utility = context.caller.utility
        kept_key = source_key(utility, request.sha256)
        try:
            content = self.objects.get(request.upload_key)
        except NotFound:
            # an earlier start of this job came as far as its end
            content = self.objects.get(kept_key)
        model = self._read(context, content)
        if request.strict:
            refuse_warnings(model)
        if request.dry_run:
            self.objects.delete(request.upload_key)
            return {"network_id": request.network_id, "dry_run": True, **summary_of(model)}
        self.objects.put(kept_key, content)
        result = self._persist(
            context, request.network_id, model, SourceFile(request.source_name, request.sha256, kept_key),
            crs=request.crs, name=request.name, synthetic=request.synthetic,
        )  # fmt: skip
        self.objects.delete(request.upload_key)
        return result

    def import_sample(self, context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
        """Body of jobs of kind ``import_sample``; arguments are ``name`` and ``network_id``."""
        name, network_id = str(arguments["name"]), str(arguments["network_id"])
        if name == MINI_ID:
            repository = NetworkRepository(self.runner)
            return self._write(
                context,
                network_id,
                MINI,
                lambda scope: asdict(
                    repository.persist(scope, network_id, MINI, None, name=MINI_NAME, id_of=own_names)
                ),
            )
        content = contained_runs.library_model(name)
        sha256 = hashlib.sha256(content).hexdigest()
        utility = context.caller.utility
        model = self._read(context, content)
        self.objects.put(source_key(utility, sha256), content)
        source = SourceFile(f"{name}.inp", sha256, source_key(utility, sha256))
        return self._persist(context, network_id, model, source, crs=SAMPLE_CRS.get(name), name=name)

    def _read(self, context: JobContext, content: bytes) -> NetworkModel:
        context.progress(0.02, "reading the file")
        with scratch(self.scratch_root) as folder:
            model = contained_runs.parse(
                content,
                folder,
                on_progress=lambda fraction, message: context.progress(0.4 * fraction, message),
                cancelled=context.cancelled,
            )
        context.raise_if_cancelled()
        return replace(model, zones=derive_zones(model))

    def _persist(
        self, context: JobContext, network_id: str, model: NetworkModel, source: SourceFile, *, crs: str | None,
        name: str | None, synthetic: bool = False,
    ) -> dict[str, Any]:  # fmt: skip
        repository = NetworkRepository(self.runner)
        return self._write(
            context,
            network_id,
            model,
            lambda scope: asdict(
                repository.persist(scope, network_id, model, source, crs=crs, name=name, synthetic=synthetic)
            ),
        )

    def _write(
        self, context: JobContext, network_id: str, model: NetworkModel, persist: Callable[[Scope], dict[str, Any]]
    ) -> dict[str, Any]:
        scope = scope_of(context.caller)
        context.raise_if_cancelled()
        context.progress(0.5, "writing the network")
        written = persist(scope)
        context.progress(0.9, "judging the health of its components")
        HealthRepository(self.runner).refresh(scope, network_id)
        SimulationRepository(self.runner).imported_by(scope, context.job_id, network_id)
        log.info("imported network %s: %s", network_id, written)
        return {"network_id": network_id, "dry_run": False, **written, **summary_of(model)}


def source_key(utility: str, sha256: str) -> str:
    """Where a source file is kept whole."""
    return f"sources/{utility}/{sha256}.inp"


def upload_key(utility: str, job_id: str) -> str:
    """Where an upload waits for its job."""
    return f"uploads/{utility}/{job_id}"


def scope_of(caller: Caller) -> Scope:
    """The scope in which work for `caller` is done."""
    return Scope(caller.utility, caller.user, caller.roles)


def summary_of(model: NetworkModel) -> dict[str, Any]:
    """What a model holds, and what the import remarked, for the job's result."""
    return {
        "components": {
            "junctions": len(model.junctions),
            "reservoirs": len(model.reservoirs),
            "tanks": len(model.tanks),
            "pipes": len(model.pipes),
            "pumps": len(model.pumps),
            "valves": len(model.valves),
        },
        "zones": len(model.zones),
        "remarks": [asdict(remark) for remark in model.remarks[:_MOST_REMARKS]],
    }


def refuse_warnings(model: NetworkModel) -> None:
    """What ``strict`` means: the first remark of severity warning is an error."""
    for remark in model.remarks:
        if remark.severity == "warning":
            raise InvalidModel(
                remark.message,
                mend="Correct the file, or import it without strict.",
                details={"section": remark.section, "line": remark.line, "id": remark.component},
            )
