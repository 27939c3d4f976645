"""Which pieces water reaches from the sources when given valves are shut.

Pieces between which water passes freely in both directions are one *unit*; units are joined by isolation valves and
by links that let water through one way. The search runs over the units, of which there are few.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from wnis_graph.isolation.pieces import Index, Mask, Pieces

_NO_VALVE = -1


class Reach:
    """Reachability in one network revision.

    Attributes
    ----------
    unit : (pieces,) number of the piece's unit
    shut : (parts,) isolation valves that let nothing through as they stand: closed, or between two nodes and out of
        service, as every link is then. One on a pipe that is out of service cannot be moved, and stands open.
    blocked : (pieces,) of a link that is closed or out of service
    """

    def __init__(self, pieces: Pieces) -> None:
        parts = pieces.parts
        self._pieces = pieces
        isolates = np.zeros(len(parts), dtype=bool)
        isolates[pieces.guard] = True
        closed = np.array([part.blocked for part in parts], dtype=bool)
        one_way = np.array([part.one_way for part in parts], dtype=bool)
        self.shut: Mask = closed & isolates
        self.shut[[valve for valve in pieces.seats if parts[valve].status == "out_of_service"]] = False
        self.blocked: Mask = (closed & ~isolates)[pieces.owner]
        one_way = (one_way & ~isolates)[pieces.owner]

        a, b = pieces.plain[:, 0], pieces.plain[:, 1]
        passable = ~(self.blocked[a] | self.blocked[b])
        directed = one_way[a] | one_way[b]
        both_ways = passable & ~directed
        size = pieces.size
        self.units, self.unit = csgraph.connected_components(
            sparse.csr_array((np.ones(both_ways.sum()), (a[both_ways], b[both_ways])), shape=(size, size)),
            directed=False,
        )
        along = passable & directed
        left, right = pieces.guarded[:, 0], pieces.guarded[:, 1]
        open_pipe = ~(self.blocked[left] | self.blocked[right])
        back = open_pipe & ~(one_way[left] | one_way[right])
        self._from: Index = self.unit[np.concatenate([a[along], left[open_pipe], right[back]])]
        self._to: Index = self.unit[np.concatenate([b[along], right[open_pipe], left[back]])]
        self._valve: Index = np.concatenate(
            [np.full(along.sum(), _NO_VALVE), pieces.guard[open_pipe], pieces.guard[back]]
        )
        self.reservoirs = self._nodes("Reservoir")
        self.tanks = self._nodes("Tank")

    def units_of(self, pieces: Mask) -> Mask:
        """The units that the pieces of the mask belong to."""
        mask = np.zeros(self.units, dtype=bool)
        mask[self.unit[pieces]] = True
        return mask

    def from_units(self, sources: Mask, removed: Mask) -> Mask:
        """The units that water reaches from the `sources` that are not `removed` themselves."""
        starts = np.flatnonzero(sources & ~removed)
        if not len(starts):
            return np.zeros(self.units, dtype=bool)
        # index -1 of a unit boundary without a valve: never shut
        shut = np.append(self.shut, False)
        keep = ~(shut[self._valve] | removed[self._from] | removed[self._to])
        everywhere = self.units
        rows = np.concatenate([self._from[keep], np.full(len(starts), everywhere)])
        columns = np.concatenate([self._to[keep], starts])
        ways = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(everywhere + 1, everywhere + 1))
        found = csgraph.breadth_first_order(ways, everywhere, directed=True, return_predecessors=False)
        reached = np.zeros(everywhere + 1, dtype=bool)
        reached[found] = True
        wet: Mask = reached[:-1]
        return wet

    def wet_pieces(self, wet: Mask) -> Mask:
        """The pieces that touch water: those of wet units, and closed links with water at an end."""
        pieces = wet[self.unit]
        a, b = self._pieces.plain[:, 0], self._pieces.plain[:, 1]
        touched: Mask = pieces.copy()
        touched[a[self.blocked[a] & pieces[b]]] = True
        touched[b[self.blocked[b] & pieces[a]]] = True
        return touched

    def _nodes(self, kind: str) -> Mask:
        owners = np.array([part.type == kind for part in self._pieces.parts], dtype=bool)
        return self.units_of(owners[self._pieces.owner]) if self._pieces.size else np.zeros(0, dtype=bool)
