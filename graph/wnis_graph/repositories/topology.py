"""Neighbours and traces: breadth-first search on the cached topology, display fields read in one query."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from wnis_core.errors import Conflict, FieldProblem, InvalidValue, NotFound

from wnis_graph.queries import networks
from wnis_graph.queries import topology as queries
from wnis_graph.queries.simulations import FedBy
from wnis_graph.queries.topology import Display, LatestRun, Place
from wnis_graph.revision_cache import RevisionCache
from wnis_graph.runner import Runner, Transaction
from wnis_graph.scope import Scope
from wnis_graph.topology import SOURCES, Direction, Flows, Irredundant, Route, Topology

__all__ = ["Direction", "Feed", "FlowsAt", "Irredundant", "Reached", "Route", "RunUsed", "TopologyRepository", "Trace"]

MOST_HOPS = 100
_LINKS = frozenset({"Pipe", "Pump", "Valve"})


class Reached(NamedTuple):
    """A component and its distance in hops."""

    component: Display
    hops: int


@dataclass(frozen=True)
class RunUsed:
    """The run whose flows decided.

    Parameters
    ----------
    time_s : the time of the run that was looked at; None is its whole period
    network_revision : the revision that was run; `stale` when the network has been changed since
    """

    id: str
    finished_at: datetime | None
    network_revision: int | None
    time_s: int | None
    stale: bool


@dataclass(frozen=True)
class Trace:
    """What lies upstream or downstream.

    Parameters
    ----------
    method : ``run`` when the flows of `run` decided, ``topology`` when distance from the sources did
    revision : of the network
    """

    component_id: str
    direction: Direction
    method: str
    run: RunUsed | None
    revision: int
    reached: tuple[Reached, ...]


class Source(NamedTuple):
    """A reservoir or tank that feeds a component, or a junction at which water from outside comes in.

    Parameters
    ----------
    hops : None when only the source trace leads water from it, as from any junction
    shares : of the source trace, 0 when that led no water from there; None without one, or when it did not know the
        source
    """

    component: Display
    hops: int | None
    shares: FedBy | None


@dataclass(frozen=True)
class Shares:
    """The source trace that the shares of a component come from.

    Parameters
    ----------
    run : its `time_s` is None: the shares are of the last day, or of the whole period when that was shorter
    initial : share of water that was in the network when the run began, `duration_s` earlier; None when the component
        was not in the run
    """

    run: RunUsed
    duration_s: float
    initial: float | None


@dataclass(frozen=True)
class Feed:
    """Where a component's water comes from.

    Parameters
    ----------
    sources : reservoirs and tanks from which water gets to it, by `method` as in `Trace`, and by the last source trace
    shares : None when the network's sources have not been traced
    route : the shortest open way from any source, whether or not water flowed there
    """

    component_id: str
    method: str
    run: RunUsed | None
    sources: tuple[Source, ...]
    shares: Shares | None
    route: Route | None


FlowsAt = Callable[[str, int], tuple[int, Mapping[str, float]]]
"""From a run and a time: the reported time at or before it, and the flow of each link by its name in m3/s."""


class TopologyRepository:
    """Connectivity questions. Keep one instance: it holds the cache."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._cache: RevisionCache[Topology] = RevisionCache()
        self._run_flows: RevisionCache[Flows] = RevisionCache()

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
        place = self._place(scope, component_id)
        return self._shown(scope, place.network, found, self._of(scope, place))

    def trace(
        self,
        scope: Scope,
        component_id: str,
        direction: Direction,
        *,
        time_s: int | None = None,
        flows_at: FlowsAt | None = None,
    ) -> Trace:
        """Everything the water passes before or after the component.

        The flows of the network's last run decide, of its whole period or at `time_s`, also when the network has been
        changed since (the answer says so); without a run the distance from the sources does
        (see `wnis_graph.topology.Topology.trace`).

        Raises
        ------
        NotFound
            no such component
        Conflict
            a time was asked for and there is no run
        """
        place = self._place(scope, component_id)
        topology = self._of(scope, place)
        run, flows = self._flows(scope, place, topology, time_s, flows_at)
        found = topology.trace(component_id, direction, flows)
        method = "topology" if flows is None else "run"
        return Trace(
            component_id, direction, method, run, place.revision, self._shown(scope, place.network, found, topology)
        )

    def feed(self, scope: Scope, component_id: str) -> Feed:
        """The sources that feed the component, and the shortest open way from one; NotFound for an unknown id."""
        place = self._place(scope, component_id)
        topology = self._of(scope, place)
        run, flows = self._flows(scope, place, topology, None, None)
        found = topology.trace(component_id, Direction.UPSTREAM, flows)
        hops = {i: hops for i, hops in found.items() if topology.vertices[topology.index[i]].type in SOURCES}
        traced = self._runner.run_one(
            scope,
            queries.LATEST_SOURCE_TRACE,
            id=place.network,
            component_id=component_id,
            sources=list(hops),
        )
        # a source is not fed by itself
        fed_by = {one.id: (one, shares) for one, shares in traced.fed_by if one.id != component_id} if traced else {}
        known = traced.traced if traced is not None and traced.initial_share is not None else frozenset()
        sources = []
        for shown in self._shown(scope, place.network, hops, topology):
            nothing = FedBy(shown.component.id, 0.0, 0.0, 0.0) if shown.component.id in known else None
            sources.append(Source(shown.component, shown.hops, fed_by.pop(shown.component.id, (None, nothing))[1]))
        # those that only the trace knows, the retired too, stand behind the others
        sources += [Source(one, None, shares) for one, shares in fed_by.values()]
        shares = Shares(_used(traced.run, None, place), traced.duration_s, traced.initial_share) if traced else None
        method = "topology" if flows is None else "run"
        return Feed(component_id, method, run, tuple(sources), shares, topology.route(component_id))

    def irredundant(self, scope: Scope, network_id: str) -> tuple[int, list[Irredundant]]:
        """Revision of the network, and its components without redundancy, those with most customers first."""
        heads = self._runner.run(scope, networks.HEADS, id=network_id)
        if not heads:
            raise NotFound(f"There is no network {network_id!r}.", mend="See the list of networks.")
        topology = self._of(scope, Place(network_id, heads[0].revision))
        return heads[0].revision, topology.irredundant(dict(self._runner.run(scope, queries.SERVED, id=network_id)))

    def _flows(
        self, scope: Scope, place: Place, topology: Topology, time_s: int | None, flows_at: FlowsAt | None
    ) -> tuple[RunUsed | None, Flows | None]:
        run = self._runner.run_one(scope, queries.LATEST_RUN, id=place.network)
        if run is None:
            if time_s is not None:
                raise Conflict(
                    f"The network {place.network!r} has not been run, so there are no flows at {time_s} s.",
                    mend="Run it (POST /simulations), or leave time_s out.",
                )
            return None, None
        if time_s is not None and flows_at is not None:
            time_s, at = flows_at(run.id, time_s)
            # an isolation valve on a pipe, which nothing is joined to, may bear the name of a link
            named = {v.name: v.id for v in topology.vertices if v.type in _LINKS and topology.is_joined(v.id)}
            flows: Flows = {named[name]: (flow, flow) for name, flow in at.items() if name in named}
        else:
            flows = self._run_flows.get(
                (scope.utility, run.id), lambda: self._runner.run_one(scope, queries.FLOW_RANGES, run=run.id) or {}
            )
        if not flows:
            return None, None
        return _used(run, time_s, place), flows

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

    def _shown(
        self, scope: Scope, network_id: str, found: Mapping[str, int], topology: Topology
    ) -> tuple[Reached, ...]:
        # everything but health belongs to the revision and is in memory
        healths = self._runner.run_one(scope, queries.HEALTHS, id=network_id) if found else None
        if healths is None:
            return ()
        health, most, vertices, index = healths.others.get, healths.most, topology.vertices, topology.index
        shown = []
        for identifier, hops in sorted(found.items(), key=lambda item: (item[1], item[0])):
            v = vertices[index[identifier]]
            shown.append(Reached(Display(identifier, v.type, v.name, v.status, health(identifier, most)), hops))
        return tuple(shown)


def _used(run: LatestRun, time_s: int | None, place: Place) -> RunUsed:
    return RunUsed(run.id, run.finished_at, run.network_revision, time_s, run.network_revision != place.revision)
