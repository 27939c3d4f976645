"""Connectivity of one network revision as sparse matrices: neighbours, traces, distances.

Every component is a vertex, nodes and links alike, so a hop is one ``CONNECTED_TO``: from a junction to its pipe is
one hop, to the next junction two. Nothing here touches the graph; `TopologyRepository` fills and caches it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse import csgraph

from wnis_graph.queries.topology import Vertex

SOURCES = frozenset({"Reservoir", "Tank"})

_SHORTEST_M = 0.001
"""A sparse matrix has no edge of length zero."""

_STILL_M3S = 1e-9
"""Flow below which a link carries no water (the solver's noise)."""

Index = npt.NDArray[np.int64]

Flows = Mapping[str, tuple[float, float]]
"""Least and greatest flow of links in m3/s, positive from start to end; both are the same at one time."""


class Direction(StrEnum):
    """Against the water, or with it."""

    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"


@dataclass(frozen=True)
class Route:
    """The shortest open way from a source: ids of its components, the source first, and the length of its pipes."""

    source: str
    length_m: float
    components: tuple[str, ...]


@dataclass(frozen=True)
class Irredundant:
    """A component whose failure cuts others off from every source.

    Parameters
    ----------
    behind : number of components that it cuts off
    customers : served by it or by these
    """

    id: str
    type: str
    behind: int
    customers: int


@dataclass(frozen=True)
class Topology:
    """Joints between the components of one network revision.

    Parameters
    ----------
    vertices : the components that are not retired
    joints : (start, end) ids in link direction; joints of other components are ignored
    """

    vertices: Sequence[Vertex]
    joints: Sequence[tuple[str, str]]
    index: Mapping[str, int] = field(init=False)
    _starts: Index = field(init=False, repr=False)
    _ends: Index = field(init=False, repr=False)
    _joined: sparse.csr_array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        index = {vertex.id: i for i, vertex in enumerate(self.vertices)}
        known = [(index[a], index[b]) for a, b in self.joints if a in index and b in index]
        pairs = np.array(known, dtype=np.int64).reshape(-1, 2)
        set_now = object.__setattr__
        set_now(self, "index", index)
        set_now(self, "_starts", pairs[:, 0])
        set_now(self, "_ends", pairs[:, 1])
        one_way = self._matrix(pairs[:, 0], pairs[:, 1], np.ones(len(pairs)))
        set_now(self, "_joined", (one_way + one_way.T).tocsr())

    def within(self, component_id: str, hops: int) -> dict[str, int]:
        """Hops to every component within `hops` of `component_id` (itself at 0); empty for an unknown id."""
        start = self.index.get(component_id)
        if start is None:
            return {}
        return {self.vertices[i].id: d for i, d in self._breadth_first(self._joined, start, hops).items()}

    def is_joined(self, component_id: str) -> bool:
        """Whether anything is joined to the component."""
        i = self.index[component_id]
        return bool(self._joined.indptr[i + 1] > self._joined.indptr[i])

    def trace(self, component_id: str, direction: Direction, flows: Flows | None = None) -> dict[str, int]:
        """Hops to every component the water passes before (upstream) or after (downstream) `component_id`.

        With `flows` of a run the water goes where it flowed: over a period in both directions where the flow turned;
        links that carried none end the trace. Without a run it is taken to come from the nearest source (reservoir or
        tank) along open links, by pipe length: a component lies downstream of those that are nearer to a source on
        the way to it.
        """
        start = self.index.get(component_id)
        if start is None:
            return {}
        wet = self._by_flow(flows) if flows is not None else self._by_distance()
        if direction is Direction.UPSTREAM:
            wet = wet.T.tocsr()
        found = self._breadth_first(wet, start, len(self.vertices))
        return {self.vertices[i].id: d for i, d in found.items() if i != start}

    def route(self, component_id: str) -> Route | None:
        """The shortest open way from any source to the component; None when there is none."""
        start = self.index.get(component_id)
        sources = [i for i, v in enumerate(self.vertices) if v.type in SOURCES]
        if start is None or not sources:
            return None
        distance, before, _ = csgraph.dijkstra(
            self._passable(), directed=True, indices=sources, min_only=True, return_predecessors=True
        )
        if not np.isfinite(distance[start]):
            return None
        way = [start]
        while before[way[-1]] >= 0:
            way.append(int(before[way[-1]]))
        ids = tuple(self.vertices[i].id for i in reversed(way))
        return Route(ids[0], round(sum(self.vertices[i].length_m for i in way), 3), ids)

    def irredundant(self, customers: Mapping[str, int]) -> list[Irredundant]:
        """Bridges (links) and articulation points (nodes): what cuts others off from every source when it fails.

        All sources are taken as one root, so that a second source is redundancy; what is closed joins nothing. The
        articulation points of the undirected graph by depth-first search (Tarjan 1972, "Depth-first search and linear
        graph algorithms"), with the sizes of the subtrees that each cuts off.

        Parameters
        ----------
        customers : served by each component
        """
        size = len(self.vertices)
        blocked = np.array([v.blocked for v in self.vertices], dtype=bool)
        open_joint = ~(blocked[self._starts] | blocked[self._ends])
        sources = np.array([i for i, v in enumerate(self.vertices) if v.type in SOURCES], dtype=np.int64)
        rows = np.concatenate([self._starts[open_joint], np.full(len(sources), size)])
        columns = np.concatenate([self._ends[open_joint], sources])
        both = sparse.csr_array(
            (np.ones(2 * len(rows)), (np.concatenate([rows, columns]), np.concatenate([columns, rows]))),
            shape=(size + 1, size + 1),
        )
        served = [customers.get(v.id, 0) for v in self.vertices]
        behind, lost = _cut_off(both.indptr.tolist(), both.indices.tolist(), size, [*served, 0])
        found = [
            Irredundant(v.id, v.type, behind[i], lost[i] + served[i])
            for i, v in enumerate(self.vertices)
            if behind[i] > 0
        ]
        return sorted(found, key=lambda one: (-one.customers, -one.behind, one.id))

    def distance_from_sources_m(self) -> npt.NDArray[np.float64]:
        """Length of the shortest open way from any source to each vertex; infinite when there is none."""
        sources = [i for i, v in enumerate(self.vertices) if v.type in SOURCES]
        if not sources:
            return np.full(len(self.vertices), np.inf)
        distance = csgraph.dijkstra(self._passable(), directed=True, indices=sources, min_only=True)
        return np.asarray(distance, dtype=np.float64)

    def _passable(self) -> sparse.csr_array:
        """Lengths of the ways that water can take: not through closed links, one way through pumps and the like."""
        blocked = np.array([v.blocked for v in self.vertices], dtype=bool)
        one_way = np.array([v.one_way for v in self.vertices], dtype=bool)
        # each of a link's two joints carries half of its length
        half = np.array([max(v.length_m / 2, _SHORTEST_M) for v in self.vertices])
        open_joint = ~(blocked[self._starts] | blocked[self._ends])
        starts, ends = self._starts[open_joint], self._ends[open_joint]
        length = np.maximum(half[starts], half[ends])
        back = ~(one_way[starts] | one_way[ends])
        return self._matrix(
            np.concatenate([starts, ends[back]]),
            np.concatenate([ends, starts[back]]),
            np.concatenate([length, length[back]]),
        )

    def _by_distance(self) -> sparse.csr_array:
        passable = self._passable().tocoo()
        distance = self.distance_from_sources_m()
        onward = distance[passable.row] < distance[passable.col]
        return self._matrix(passable.row[onward], passable.col[onward], passable.data[onward])

    def _by_flow(self, flows: Flows) -> sparse.csr_array:
        still = (0.0, 0.0)
        ranges = np.array([flows.get(v.id, still) for v in self.vertices]).reshape(-1, 2)
        moved = (np.abs(ranges) > _STILL_M3S).any(axis=1)
        # of a joint's two ends at most one is a link with a flow; between two links either tells the direction
        through = np.where(moved[self._starts, None], ranges[self._starts], ranges[self._ends])
        against, along = through[:, 0] < -_STILL_M3S, through[:, 1] > _STILL_M3S
        rows = np.concatenate([self._starts[along], self._ends[against]])
        columns = np.concatenate([self._ends[along], self._starts[against]])
        return self._matrix(rows, columns, np.ones(len(rows)))

    def _matrix(self, rows: Index, columns: Index, values: npt.NDArray[np.float64]) -> sparse.csr_array:
        size = len(self.vertices)
        return sparse.csr_array((values, (rows, columns)), shape=(size, size))

    @staticmethod
    def _breadth_first(matrix: sparse.csr_array, start: int, hops: int) -> dict[int, int]:
        found = {start: 0}
        frontier: Iterable[int] = [start]
        for hop in range(1, hops + 1):
            reached: list[int] = []
            for vertex in frontier:
                for other in matrix.indices[matrix.indptr[vertex] : matrix.indptr[vertex + 1]].tolist():
                    if other not in found:
                        found[other] = hop
                        reached.append(other)
            if not reached:
                break
            frontier = reached
        return found


def _cut_off(indptr: list[int], indices: list[int], root: int, weights: list[int]) -> tuple[list[int], list[int]]:
    """By vertex: how many others, and what weight of them, lose the root when the vertex is taken away."""
    size = len(indptr) - 1
    seen, low, entered = [-1] * size, [0] * size, 0
    count, weight = [0] * size, [0] * size
    behind, lost = [0] * size, [0] * size
    seen[root] = low[root] = entered
    parents, cursor, stack = [-1] * size, list(indptr[:-1]), [root]
    while stack:
        v = stack[-1]
        if cursor[v] < indptr[v + 1]:
            w = indices[cursor[v]]
            cursor[v] += 1
            if seen[w] < 0:
                entered += 1
                seen[w] = low[w] = entered
                parents[w] = v
                stack.append(w)
            elif w != parents[v]:
                low[v] = min(low[v], seen[w])
            continue
        stack.pop()
        count[v] += 1
        weight[v] += weights[v]
        if (p := parents[v]) >= 0:
            low[p] = min(low[p], low[v])
            count[p] += count[v]
            weight[p] += weight[v]
            if low[v] >= seen[p]:
                behind[p] += count[v]
                lost[p] += weight[v]
    behind[root] = lost[root] = 0
    return behind, lost
