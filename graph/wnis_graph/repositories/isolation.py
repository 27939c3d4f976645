"""Isolation of a network in the graph: answers from cached analyses, segments kept as nodes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wnis_core.errors import NotFound

from wnis_graph.isolation.answer import Isolation, IsolationAnalysis
from wnis_graph.isolation.exercise import ValveValue, valve_values
from wnis_graph.isolation.load import Load
from wnis_graph.isolation.pieces import Pieces
from wnis_graph.queries import isolation, networks, topology
from wnis_graph.queries.isolation import KeptSegment
from wnis_graph.queries.networks import Network
from wnis_graph.queries.topology import LatestRun
from wnis_graph.query import Query
from wnis_graph.revision_cache import RevisionCache
from wnis_graph.runner import Runner, Transaction
from wnis_graph.scope import Scope

__all__ = ["DemandSource", "Isolated", "IsolationRepository", "KeptSegment", "ValveRanking"]

_BATCH = 100
"""Segments of one transaction: it holds their components for a fraction of a second."""


@dataclass(frozen=True)
class DemandSource:
    """Where demands came from: the means of a run, or without one the base demands of the model.

    Parameters
    ----------
    stale : the network has been changed since the run; a junction that it did not know counts by its base demand
    """

    run_id: str | None
    finished_at: datetime | None
    stale: bool


@dataclass(frozen=True)
class Isolated:
    """An isolation with what it rests on."""

    isolation: Isolation
    revision: int
    demands: DemandSource


@dataclass(frozen=True)
class ValveRanking:
    """Valves by the worth of their maintenance; `predicted` components had a failure probability."""

    valves: tuple[ValveValue, ...]
    revision: int
    predicted: int


class IsolationRepository:
    """Isolation questions. Keep one instance: it holds the caches."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._analyses: RevisionCache[IsolationAnalysis] = RevisionCache()
        self._loads: RevisionCache[Load] = RevisionCache()

    def isolate(
        self,
        scope: Scope,
        network_id: str,
        component_id: str,
        offset_m: float | None = None,
        inoperable: Collection[str] = (),
    ) -> Isolated:
        """What to close for a break and who is without water then; see `IsolationAnalysis.isolate` for errors."""
        head = self._head(scope, network_id)
        analysis = self._analysis(scope, head)
        load, demands = self._load(scope, head, analysis.pieces)
        return Isolated(analysis.isolate(load, component_id, offset_m, inoperable), head.revision, demands)

    def valve_values(
        self,
        scope: Scope,
        network_id: str,
        probabilities: Mapping[str, float],
        closure_h: float,
        progress: Callable[[float], None] = lambda fraction: None,
    ) -> ValveRanking:
        """Isolation valves, those to maintain first; see `wnis_graph.isolation.exercise`."""
        head = self._head(scope, network_id)
        analysis = self._analysis(scope, head)
        load, _ = self._load(scope, head, analysis.pieces)
        known = {i: p for i, p in probabilities.items() if i in analysis.pieces.index}
        return ValveRanking(
            valve_values(analysis, load, known, closure_h, progress), head.revision, len(known)
        )  # fmt: skip

    def segments(self, scope: Scope, network_id: str) -> list[KeptSegment]:
        """The segments of the network as it is now, by id; made anew when it has changed since."""
        head = self._head(scope, network_id)
        if head.segments_revision != head.revision:
            self.refresh(scope, network_id)
        return self._runner.run(scope, isolation.KEPT, id=network_id)

    def segment_components(self, scope: Scope, network_id: str) -> dict[str, tuple[str, ...]]:
        """Ids of the components of every segment, by the segment's id."""
        pieces = self._analysis(scope, self._head(scope, network_id)).pieces
        return {segment.id: segment.components for segment in pieces.segments}

    def refresh(self, scope: Scope, network_id: str) -> int:
        """Make the Segment nodes those of the network as it is; only differences are written. Their number.

        Written in small transactions, so that an import of incidents on the same components waits for none of them
        for long. Each of them first looks whether the network is still at the revision that was read; when it is not,
        the rest is left to who asks next.
        """

        def read(tx: Transaction) -> _Wanted:
            heads = tx.run(networks.HEADS, id=network_id)
            if not heads:
                raise _missing(network_id)
            pieces = _pieces(tx, network_id)
            load = _make_load(tx, network_id, pieces, tx.run_one(topology.LATEST_RUN, id=network_id))
            return _wanted(heads[0], pieces, load, tx.run(isolation.KEPT, id=network_id))

        wanted = self._runner.read(scope, read)
        steps = [(query, rows[at : at + _BATCH]) for query, rows in wanted.writes for at in range(0, len(rows), _BATCH)]
        done = {"segments_revision": wanted.revision}
        for query, rows in [*steps, (None, [])]:

            def work(tx: Transaction, query: Query[None] | None = query, rows: Sequence[Any] = rows) -> bool:
                held = tx.run(networks.LOCK, id=network_id)[0]
                if held["revision"] != wanted.revision:
                    return False
                if query is None:
                    tx.run(networks.SET, id=network_id, properties=done)
                else:
                    tx.run(query, rows=list(rows))
                return True

            if not self._runner.write(scope, work):
                break
        return wanted.segments

    def _head(self, scope: Scope, network_id: str) -> Network:
        heads = self._runner.run(scope, networks.HEADS, id=network_id)
        if not heads:
            raise _missing(network_id)
        return heads[0]

    def _analysis(self, scope: Scope, head: Network) -> IsolationAnalysis:
        def make() -> IsolationAnalysis:
            return IsolationAnalysis(self._runner.read(scope, lambda tx: _pieces(tx, head.id)))

        return self._analyses.get((scope.utility, head.id, head.revision), make)

    def _load(self, scope: Scope, head: Network, pieces: Pieces) -> tuple[Load, DemandSource]:
        run = self._runner.run_one(scope, topology.LATEST_RUN, id=head.id)

        def make() -> Load:
            return self._runner.read(scope, lambda tx: _make_load(tx, head.id, pieces, run))

        key = (scope.utility, head.id, head.revision, head.connections_revision, run.id if run else None)
        source = DemandSource(
            run_id=run.id if run else None,
            finished_at=run.finished_at if run else None,
            stale=run is not None and run.network_revision != head.revision,
        )
        return self._loads.get(key, make), source


@dataclass(frozen=True)
class _Wanted:
    """What to write so that the kept segments are those of a revision."""

    revision: int
    segments: int
    writes: tuple[tuple[Query[None], list[Any]], ...]


def _wanted(head: Network, pieces: Pieces, load: Load, present: Sequence[KeptSegment]) -> _Wanted:
    kept = {segment.id: segment for segment in present}
    length = pieces.end_m - pieces.begin_m
    new, changed = [], []
    for segment in pieces.segments:
        mask = pieces.segment == segment.number
        figures = KeptSegment(
            segment.id,
            len(segment.components),
            round(float(length[mask].sum()), 3),
            load.customers(mask),
            load.demand_m3s(mask),
            segment.valves,
        )
        properties = {
            "id": segment.id,
            "network": head.id,
            "components": figures.components,
            "length_m": figures.length_m,
            "customers": figures.customers,
            "demand_m3s": figures.demand_m3s,
        }
        known = kept.get(segment.id)
        if known is not None and known.valves == figures.valves:
            kept.pop(segment.id)
            if known != figures:
                changed.append(properties)
        else:
            members = {"components": list(segment.components), "valves": list(segment.valves)}
            new.append({"properties": properties, **members})
    writes = ((isolation.DROP, sorted(kept)), (isolation.PUT, new), (isolation.SET_FIGURES, changed))
    return _Wanted(head.revision, len(pieces.segments), writes)


def _pieces(tx: Transaction, network_id: str) -> Pieces:
    return Pieces(
        network_id,
        tx.run(isolation.PARTS, id=network_id),
        tx.run(networks.JOINTS, id=network_id),
        tx.run(isolation.SEATS, id=network_id),
    )


def _make_load(tx: Transaction, network_id: str, pieces: Pieces, run: LatestRun | None) -> Load:
    demands = dict(tx.run(isolation.MEAN_DEMANDS, run=run.id)) if run else {}
    return Load(pieces, tx.run(isolation.CONNECTIONS, id=network_id), demands)


def _missing(network_id: str) -> NotFound:
    return NotFound(f"There is no network {network_id!r}.", mend="See the list of networks.")
