"""Neighbours and traces: breadth-first search on the cached topology, display fields read in one query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wnis_core.errors import FieldProblem, InvalidValue, NotFound

from wnis_graph.queries import networks
from wnis_graph.queries import topology as queries
from wnis_graph.queries.topology import Display, Place
from wnis_graph.revision_cache import RevisionCache
from wnis_graph.runner import Runner, Transaction
from wnis_graph.scope import Scope
from wnis_graph.topology import Direction, Topology

__all__ = ["Direction", "Reached", "TopologyRepository", "Trace"]

MOST_HOPS = 100


@dataclass(frozen=True)
class Reached:
    """A component and its distance in hops."""

    component: Display
    hops: int


@dataclass(frozen=True)
class Trace:
    """What lies upstream or downstream.

    Parameters
    ----------
    method : ``run`` when the flows of run `run_id` decided, ``topology`` when distance from the sources did
    """

    component_id: str
    direction: Direction
    method: str
    run_id: str | None
    reached: tuple[Reached, ...]


class TopologyRepository:
    """Connectivity questions. Keep one instance: it holds the cache."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._cache: RevisionCache[Topology] = RevisionCache()

    def topology(self, scope: Scope, network_id: str) -> Topology:
        """The topology of the network as it is now, or NotFound."""
        heads = self._runner.run(scope, networks.HEADS, id=network_id)
        if not heads:
            raise NotFound(f"There is no network {network_id!r}.")
        return self._of(scope, Place(network_id, heads[0].revision))

    def within(self, scope: Scope, component_id: str, hops: int) -> dict[str, int]:
        """Hops to every component within `hops` (itself at 0); NotFound for an unknown component."""
        if not 0 <= hops <= MOST_HOPS:
            raise InvalidValue(
                f"{hops} hops cannot be asked for.", fields=[FieldProblem("hops", f"must be 0 to {MOST_HOPS}")]
            )
        return self._of(scope, self._place(scope, component_id)).within(component_id, hops)

    def neighbours(self, scope: Scope, component_id: str, hops: int = 1) -> tuple[Reached, ...]:
        """Components within `hops`, the nearest first, without the component itself."""
        found = self.within(scope, component_id, hops)
        found.pop(component_id, None)
        return self._shown(scope, found)

    def trace(self, scope: Scope, component_id: str, direction: Direction) -> Trace:
        """Everything the water passes before or after the component.

        The mean flows of the last run decide when it ran the network's present revision; otherwise the distance
        from the sources (see `wnis_graph.topology.Topology.trace`).
        """
        place = self._place(scope, component_id)
        run = self._runner.run_one(scope, queries.LATEST_RUN, id=place.network)
        flows: dict[str, float] | None = None
        if run is not None and run.network_revision == place.revision:
            flows = dict(self._runner.run(scope, queries.MEAN_FLOWS, run=run.id)) or None
        found = self._of(scope, place).trace(component_id, direction, flows)
        return Trace(
            component_id=component_id,
            direction=direction,
            method="topology" if flows is None else "run",
            run_id=run.id if run is not None and flows is not None else None,
            reached=self._shown(scope, found),
        )

    def _place(self, scope: Scope, component_id: str) -> Place:
        place = self._runner.run_one(scope, queries.PLACE, id=component_id)
        if place is None:
            raise NotFound(f"There is no component {component_id!r}.")
        return place

    def _of(self, scope: Scope, place: Place) -> Topology:
        def make() -> Topology:
            def work(tx: Transaction) -> Topology:
                return Topology(tx.run(queries.VERTICES, id=place.network), tx.run(networks.JOINTS, id=place.network))

            return self._runner.read(scope, work)

        return self._cache.get((scope.utility, place.network, place.revision), make)

    def _shown(self, scope: Scope, found: Mapping[str, int]) -> tuple[Reached, ...]:
        shown = self._runner.run(scope, queries.DISPLAY, ids=list(found))
        return tuple(sorted((Reached(d, found[d.id]) for d in shown), key=lambda r: (r.hops, r.component.id)))
