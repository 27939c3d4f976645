"""The isolation of a pipe, node, valve or point: what to close, and who is without water afterwards."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from wnis_core.errors import FieldProblem, InvalidValue, NotFound

from wnis_graph.isolation.load import Load, Without
from wnis_graph.isolation.pieces import Index, Mask, Number, Pieces, Segment
from wnis_graph.isolation.reach import Reach


@dataclass(frozen=True)
class ValveToClose:
    """A valve to close; `distance_m` is along the pipes from the break, from the middle where its place is unknown.

    Parameters
    ----------
    pipe, near, offset_m : its place on a pipe; None for a valve between two nodes
    """

    id: str
    name: str
    distance_m: float
    pipe: str | None
    near: str | None
    offset_m: float | None


@dataclass(frozen=True)
class TankSupply:
    """A tank that no reservoir fills afterwards; None when nobody takes its water.

    Several tanks of one part empty together: `lasts_s` is the volume of all of them over the part's mean demand.
    """

    id: str
    lasts_s: float | None


@dataclass(frozen=True)
class WorstValve:
    """The valve whose being inoperable would leave most people without water in addition."""

    id: str
    added_customers: int
    added_demand_m3s: float


@dataclass(frozen=True)
class Isolation:
    """An answer.

    Parameters
    ----------
    valves : to close, the nearest to the break first
    already_closed : valves around the part that are closed as they stand
    segments : the segments that have to be shut off, that of the break first
    components : of these segments
    isolated : everything without a source afterwards, `components` included
    unintended : `isolated` without `components`
    without_source_before : what of `unintended` has no source as the network stands
    sources_inside : reservoirs and tanks in the segments: no valve parts them from the break
    inoperable : the valves that were taken as such
    """

    component: str
    offset_m: float | None
    valves: tuple[ValveToClose, ...]
    already_closed: tuple[str, ...]
    segments: tuple[Segment, ...]
    components: tuple[str, ...]
    isolated: tuple[str, ...]
    unintended: tuple[str, ...]
    without_source_before: tuple[str, ...]
    sources_inside: tuple[str, ...]
    tanks: tuple[TankSupply, ...]
    without: Without
    inoperable: tuple[str, ...]
    worst: WorstValve | None


@dataclass(frozen=True)
class Closure:
    """The pieces of the segments to shut off, and what that does.

    Parameters
    ----------
    inside : (pieces,)
    boundary : guarded edges with one side inside
    dry : (pieces,) without a source, `inside` included
    fed : (units,) reached from a reservoir
    """

    inside: Mask
    boundary: Index
    dry: Mask
    fed: Mask


class IsolationAnalysis:
    """Isolation questions on one network revision; safe for threads."""

    def __init__(self, pieces: Pieces) -> None:
        self.pieces = pieces
        self.reach = Reach(pieces)
        self._sides: Index = pieces.segment[pieces.guarded]
        parts = pieces.parts
        self.out_of_service = frozenset(v for v in pieces.guard.tolist() if parts[v].status == "out_of_service")
        self._by_valve: dict[int, list[int]] = defaultdict(list)
        for edge, valve in enumerate(pieces.guard.tolist()):
            self._by_valve[valve].append(edge)
        nothing = np.zeros(self.reach.units, dtype=bool)
        now = self.reach.from_units(self.reach.reservoirs | self.reach.tanks, nothing)
        self.dry_now: Mask = ~self.reach.wet_pieces(now)

    def isolate(
        self, load: Load, component_id: str, offset_m: float | None = None, inoperable: Collection[str] = ()
    ) -> Isolation:
        """The answer for a break.

        Parameters
        ----------
        offset_m : place on a pipe, from its start node; without it a pipe that valves split means all its segments
        inoperable : ids of valves that cannot be closed; those out of service and a broken valve itself are so anyhow

        Raises
        ------
        NotFound
            no such component in the network
        InvalidValue
            a place outside the pipe, a component without pipes, or an id that is no isolation valve
        """
        pieces = self.pieces
        part = pieces.index.get(component_id)
        if part is None:
            raise NotFound(f"There is no component {component_id!r} in this network.")
        given = self._valves(inoperable)
        targets = self._targets(part, offset_m)
        stuck = given | self.out_of_service | ({part} & self._by_valve.keys())
        closure = self.closure(targets, stuck, broken=part)
        numbers = np.unique(pieces.segment[closure.inside]).tolist()
        own = {int(pieces.segment[t]) for t in targets}
        shown = [pieces.segment_of[n] for n in numbers if n in pieces.segment_of]
        valves, closed = self._to_close(closure, part, targets, offset_m)
        inside = pieces.components(closure.inside)
        # the valves that bound the closure are no part of what it leaves dry
        isolated = tuple(i for i in pieces.components(closure.dry) if i not in {*closed, *(v.id for v in valves)})
        unintended = tuple(sorted(set(isolated) - set(inside)))
        before = set(pieces.components(self.dry_now))
        without = load.without(closure.dry)
        return Isolation(
            component=component_id,
            offset_m=offset_m,
            valves=valves,
            already_closed=closed,
            segments=tuple(sorted(shown, key=lambda s: (s.number not in own, s.id))),
            components=inside,
            isolated=isolated,
            unintended=unintended,
            without_source_before=tuple(i for i in unintended if i in before),
            sources_inside=tuple(
                i for i in inside if pieces.parts[pieces.index[i]].type in ("Reservoir", "Tank")
            ),
            tanks=self._tanks(closure, load),
            without=without,
            inoperable=tuple(sorted(pieces.parts[v].id for v in stuck)),
            worst=self._worst(load, targets, stuck, part, valves, without),
        )  # fmt: skip

    def closure(self, targets: Iterable[int], stuck: Collection[int], broken: int | None = None) -> Closure:
        """What has to be shut off around the target pieces when the `stuck` valves (parts) cannot be closed.

        A stuck valve that is closed holds, unless it is the `broken` component itself.
        """
        pieces = self.pieces
        inside_segment = np.zeros(int(pieces.segment.max(initial=-1)) + 1, dtype=bool)
        across: dict[int, list[int]] = defaultdict(list)
        for valve in stuck:
            if pieces.parts[valve].status == "closed" and valve != broken:
                continue
            for edge in self._by_valve[valve]:
                a, b = self._sides[edge].tolist()
                across[a].append(b)
                across[b].append(a)
        todo = deque(int(pieces.segment[t]) for t in targets)
        while todo:
            segment = todo.popleft()
            if not inside_segment[segment]:
                inside_segment[segment] = True
                todo.extend(across.get(segment, ()))
        inside = inside_segment[pieces.segment]
        sides = inside_segment[self._sides]
        removed = self.reach.units_of(inside)
        fed = self.reach.from_units(self.reach.reservoirs, removed)
        wet = fed | self.reach.from_units(self.reach.tanks, removed)
        dry = ~self.reach.wet_pieces(wet & ~removed) | inside
        return Closure(inside, np.flatnonzero(sides[:, 0] != sides[:, 1]), dry, fed)

    def _targets(self, part: int, offset_m: float | None) -> Sequence[int]:
        pieces = self.pieces
        found = pieces.of(part)
        component = pieces.parts[part]
        if not found:
            edges = self._by_valve.get(part)
            if not edges:
                raise InvalidValue(
                    f"{component.id!r} is joined to nothing, so there is nothing to shut off.",
                    mend="Name the pipe or node that it belongs to.",
                    fields=[FieldProblem("component_id", "is joined to no pipe or node")],
                )
            # a broken valve on a pipe: both sides of it
            return [int(p) for edge in edges for p in pieces.guarded[edge]]
        if offset_m is None:
            return [p for p in found if not pieces.void[p]]
        if component.type != "Pipe" or not 0 <= offset_m <= component.length_m:
            raise InvalidValue(
                f"{offset_m:g} m is no place on {component.id!r}.",
                mend="Give a distance from the start node of a pipe, within its length.",
                fields=[FieldProblem("offset_m", f"must be 0 to {component.length_m:g} and on a pipe")],
            )
        solid = [p for p in found if not pieces.void[p]]
        return [next((p for p in solid if pieces.begin_m[p] <= offset_m <= pieces.end_m[p]), solid[-1])]

    def _valves(self, ids: Collection[str]) -> set[int]:
        found = {self.pieces.index.get(i, -1) for i in ids}
        unknown = sorted(i for i in ids if self.pieces.index.get(i, -1) not in self._by_valve)
        if unknown:
            raise InvalidValue(
                f"{unknown[0]!r} is no isolation valve of this network.",
                mend="See the valves of its segments: GET /networks/{id}/segments.",
                fields=[FieldProblem("inoperable_valves", f"{i!r} is no isolation valve") for i in unknown],
            )
        return found

    def _to_close(
        self, closure: Closure, part: int, targets: Sequence[int], offset_m: float | None
    ) -> tuple[tuple[ValveToClose, ...], tuple[str, ...]]:
        pieces = self.pieces
        away = self._distances(closure, part, targets, offset_m)
        nearest: dict[int, float] = {}
        closed = set()
        for edge in closure.boundary.tolist():
            valve = int(pieces.guard[edge])
            if pieces.parts[valve].status == "closed":
                closed.add(pieces.parts[valve].id)
            else:
                nearest[valve] = min(nearest.get(valve, np.inf), away[edge])
        found = []
        for valve, distance in sorted(nearest.items(), key=lambda item: (item[1], pieces.parts[item[0]].id)):
            seat, known = pieces.seats.get(valve), pieces.parts[valve]
            place = (seat.pipe, seat.near, seat.offset_m) if seat else (None, None, None)
            found.append(ValveToClose(known.id, known.name, round(distance, 3), *place))
        return tuple(found), tuple(sorted(closed))

    def _distances(
        self, closure: Closure, part: int, targets: Sequence[int], offset_m: float | None
    ) -> dict[int, float]:
        """Distance along the pipes from the break to each boundary valve, by guarded edge, in m.

        Pieces are vertices; between two of them lies half of each one's length. The piece of the break is left
        through its begin or its end, at the distance that the break has from that.
        """
        pieces = self.pieces
        length: Number = pieces.end_m - pieces.begin_m
        inside = np.flatnonzero(closure.inside)
        place = np.full(pieces.size, -1, dtype=np.int64)
        place[inside] = np.arange(len(inside))
        edges = np.concatenate([pieces.plain, pieces.guarded])
        a, b = place[edges[:, 0]], place[edges[:, 1]]
        within = (a >= 0) & (b >= 0)
        edges, a, b = edges[within], a[within], b[within]
        at = pieces.parts[part].length_m / 2 if offset_m is None else offset_m
        size = len(inside)
        to_begin = np.full(pieces.size, np.inf)
        to_end = np.full(pieces.size, np.inf)
        for target in targets:
            owned = pieces.owner[target] == part and pieces.parts[part].type == "Pipe"
            to_begin[target] = max(at - pieces.begin_m[target], 0.0) if owned else 0.0
            to_end[target] = max(pieces.end_m[target] - at, 0.0) if owned else 0.0
        starting = np.zeros(pieces.size, dtype=bool)
        starting[list(targets)] = True
        from_end, from_begin = starting[edges[:, 0]], starting[edges[:, 1]]
        half = (length[edges[:, 0]] + length[edges[:, 1]]) / 2
        # a sparse matrix has no edge of length zero
        weights = np.concatenate(
            [
                half,
                (to_end[edges[:, 0]] + length[edges[:, 1]] / 2)[from_end],
                (to_begin[edges[:, 1]] + length[edges[:, 0]] / 2)[from_begin],
            ]
        )
        rows = np.concatenate([a, np.full(from_end.sum() + from_begin.sum(), size)])
        columns = np.concatenate([b, b[from_end], a[from_begin]])
        # of parallel edges the shortest counts; a sparse matrix would add them
        order = np.lexsort((weights, columns, rows))
        rows, columns, weights = rows[order], columns[order], np.maximum(weights[order], 1e-9)
        distinct = np.ones(len(rows), dtype=bool)
        distinct[1:] = (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])
        ways = sparse.csr_array((weights[distinct], (rows[distinct], columns[distinct])), shape=(size + 1, size + 1))
        centre = csgraph.dijkstra(ways, directed=False, indices=size)
        found = {}
        for edge in closure.boundary.tolist():
            left, right = pieces.guarded[edge].tolist()
            piece, target_side = (left, to_end) if closure.inside[left] else (right, to_begin)
            found[edge] = (
                float(target_side[piece]) if starting[piece] else float(centre[place[piece]] + length[piece] / 2)
            )
        return found

    def _tanks(self, closure: Closure, load: Load) -> tuple[TankSupply, ...]:
        """Tanks outside that no reservoir fills, and how long they last."""
        pieces, reach = self.pieces, self.reach
        removed = reach.units_of(closure.inside)
        found = []
        for i, part in enumerate(pieces.parts):
            if part.type != "Tank" or pieces.first[i] < 0:
                continue
            unit = int(reach.unit[pieces.first[i]])
            if removed[unit] or closure.fed[unit]:
                continue
            alone = np.zeros(reach.units, dtype=bool)
            alone[unit] = True
            region = reach.from_units(alone, removed) & ~closure.fed
            volume = sum(
                p.volume_m3 for j, p in enumerate(pieces.parts)
                if p.type == "Tank" and pieces.first[j] >= 0 and region[reach.unit[pieces.first[j]]]
            )  # fmt: skip
            demand = load.demand_m3s(region[reach.unit])
            found.append(TankSupply(part.id, volume / demand if demand > 0 else None))
        return tuple(found)

    def _worst(
        self,
        load: Load,
        targets: Sequence[int],
        stuck: Collection[int],
        part: int,
        valves: Sequence[ValveToClose],
        without: Without,
    ) -> WorstValve | None:
        worst: WorstValve | None = None
        for valve in valves:
            dry = self.closure(targets, {*stuck, self.pieces.index[valve.id]}, broken=part).dry
            one = WorstValve(
                valve.id, load.customers(dry) - without.customers, load.demand_m3s(dry) - without.demand_m3s
            )
            if worst is None or (one.added_customers, one.added_demand_m3s) > (
                worst.added_customers,
                worst.added_demand_m3s,
            ):
                worst = one
        return worst
