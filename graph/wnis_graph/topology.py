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
BLOCKED = frozenset({"closed", "out_of_service"})

_SHORTEST_M = 0.001
"""A sparse matrix has no edge of length zero."""

_STILL_M3S = 1e-9
"""Mean flow below which a link carries no water (the solver's noise)."""

Index = npt.NDArray[np.int64]


class Direction(StrEnum):
    """Against the water, or with it."""

    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"


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

    def trace(
        self, component_id: str, direction: Direction, mean_flows: Mapping[str, float] | None = None
    ) -> dict[str, int]:
        """Hops to every component the water passes before (upstream) or after (downstream) `component_id`.

        With `mean_flows` of a run the water goes where it flowed; links that carried none end the trace. Without a
        run it is taken to come from the nearest source (reservoir or tank) along open links, by pipe length: a
        component lies downstream of those that are nearer to a source on the way to it.
        """
        start = self.index.get(component_id)
        if start is None:
            return {}
        wet = self._by_flow(mean_flows) if mean_flows is not None else self._by_distance()
        if direction is Direction.UPSTREAM:
            wet = wet.T.tocsr()
        found = self._breadth_first(wet, start, len(self.vertices))
        return {self.vertices[i].id: d for i, d in found.items() if i != start}

    def distance_from_sources_m(self) -> npt.NDArray[np.float64]:
        """Length of the shortest open way from any source to each vertex; infinite when there is none."""
        sources = [i for i, v in enumerate(self.vertices) if v.type in SOURCES]
        if not sources:
            return np.full(len(self.vertices), np.inf)
        distance = csgraph.dijkstra(self._passable(), directed=True, indices=sources, min_only=True)
        return np.asarray(distance, dtype=np.float64)

    def _passable(self) -> sparse.csr_array:
        """Lengths of the ways that water can take: not through closed links, one way through pumps and the like."""
        blocked = np.array([v.status in BLOCKED for v in self.vertices], dtype=bool)
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

    def _by_flow(self, mean_flows: Mapping[str, float]) -> sparse.csr_array:
        flow = np.array([mean_flows.get(v.id, 0.0) for v in self.vertices])
        # of a joint's two ends at most one is a link with a flow; between two links either tells the direction
        through = np.where(np.abs(flow[self._starts]) > _STILL_M3S, flow[self._starts], flow[self._ends])
        along, against = through > _STILL_M3S, through < -_STILL_M3S
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
