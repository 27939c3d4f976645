"""Imports: an INP file, or a sample, becomes a network in the graph; all of it or nothing."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from wnis_core.errors import FieldProblem, InvalidModel, NotFound
from wnis_core.jobs import JobContext
from wnis_core.objects import ObjectStore
from wnis_core.tokens import Caller
from wnis_graph.import_difference import ComponentDifference
from wnis_graph.mini import MINI, MINI_ID, MINI_NAME
from wnis_graph.network_model import NetworkModel
from wnis_graph.repositories.health import HealthRepository
from wnis_graph.repositories.networks import ImportSummary, NetworkRepository, SourceFile, own_names
from wnis_graph.repositories.simulations import SimulationRepository
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope
from wnis_graph.zones import derive_zones

from wnis_simulator import contained_runs
from wnis_simulator.contained_runs import scratch

log = logging.getLogger(__name__)

SAMPLE_CRS = {"ky4": "EPSG:3089", "ky10": "EPSG:3089"}
"""Kentucky's single zone in US survey feet: drawn pipes are as long there as the models say (median 1.000)."""
_MOST_LISTED = 1_000


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
        request = replace(request, crs=request.crs or self._present_crs(context, request.network_id))
        if request.dry_run:
            would = NetworkRepository(self.runner).compare(
                scope_of(context.caller), request.network_id, model, crs=request.crs
            )
            self.objects.delete(request.upload_key)
            return {"network_id": request.network_id, "dry_run": True, **difference_of(would), **summary_of(model)}
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
                lambda scope: repository.persist(scope, network_id, MINI, None, name=MINI_NAME, id_of=own_names),
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

    def _present_crs(self, context: JobContext, network_id: str) -> str | None:
        """A newer file is in the coordinates of the older one, unless somebody says otherwise."""
        try:
            return NetworkRepository(self.runner).head(scope_of(context.caller), network_id).crs
        except NotFound:
            return None

    def _persist(
        self, context: JobContext, network_id: str, model: NetworkModel, source: SourceFile, *, crs: str | None,
        name: str | None, synthetic: bool = False,
    ) -> dict[str, Any]:  # fmt: skip
        repository = NetworkRepository(self.runner)
        return self._write(
            context,
            network_id,
            model,
            lambda scope: repository.persist(scope, network_id, model, source, crs=crs, name=name, synthetic=synthetic),
        )

    def _write(
        self, context: JobContext, network_id: str, model: NetworkModel, persist: Callable[[Scope], ImportSummary]
    ) -> dict[str, Any]:
        scope = scope_of(context.caller)
        context.raise_if_cancelled()
        context.progress(0.5, "writing the network")
        written = persist(scope)
        context.progress(0.9, "judging the health of its components")
        HealthRepository(self.runner).refresh(scope, network_id)
        SimulationRepository(self.runner).imported_by(scope, context.job_id, network_id)
        difference = difference_of(written)
        log.info("imported network %s: %s", network_id, {k: v for k, v in difference.items() if k != "differences"})
        return {"network_id": network_id, "dry_run": False, **difference, **summary_of(model)}


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
        "remarks": [asdict(remark) for remark in model.remarks[:_MOST_LISTED]],
        "remarks_total": len(model.remarks),
    }


def difference_of(summary: ImportSummary) -> dict[str, Any]:
    """What an import did, or would do, for the job's result; `differences_total` says how many there are to list.

    The components of a network's first import are not listed: they are all of the file's.
    """
    listed = summary.components if summary.unchanged + summary.updated + summary.removed else ()
    return {
        "created": summary.created,
        "updated": summary.updated,
        "removed": summary.removed,
        "unchanged": summary.unchanged,
        "revision": summary.revision,
        "differences": [_difference_document(one) for one in listed[:_MOST_LISTED]],
        "differences_total": len(listed),
    }


def _difference_document(one: ComponentDifference) -> dict[str, Any]:
    changed = {} if one.action == "add" else {
        name: {"old": _plain(one.old.get(name)), "new": _plain(new)} for name, new in one.new.items()
    }  # fmt: skip
    return {"action": one.action, "id": one.id, "type": one.type, "name": one.name, "properties": changed}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def refuse_warnings(model: NetworkModel) -> None:
    """What ``strict`` means: what would be lost or read otherwise than it looks is an error that lists all of it."""
    lost = [remark for remark in model.remarks if remark.severity == "warning"]
    if not lost:
        return
    more = f" ({len(lost) - 1} more)" if len(lost) > 1 else ""
    raise InvalidModel(
        f"{lost[0].message}{more}",
        mend="Correct the file, or import it without strict.",
        details={"section": lost[0].section, "line": lost[0].line, "id": lost[0].component},
        fields=[FieldProblem(f"[{r.section}] line {r.line}", r.message) for r in lost[:_MOST_LISTED]],
    )
