"""Who takes water at which piece: customers and demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from wnis_graph.isolation.pieces import Index, Mask, Number, Pieces
from wnis_graph.queries.isolation import Connection


@dataclass(frozen=True)
class Without:
    """What is without water.

    Parameters
    ----------
    critical : names of the critical customers
    """

    customers: int
    demand_m3s: float
    critical: tuple[str, ...]


class Load:
    """Customers and demand of one network by piece.

    A connection on a pipe that a valve splits belongs to the piece at its place; where the place is unknown it counts
    as without water as soon as any piece of the pipe is.

    Parameters
    ----------
    demands : mean demand by component in m3/s; base demands for components without one
    """

    def __init__(
        self, pieces: Pieces, connections: Sequence[Connection], demands: Mapping[str, float] = MappingProxyType({})
    ) -> None:
        self.connections = connections
        rows: list[int] = []
        places: list[int] = []
        for row, connection in enumerate(connections):
            serving = pieces.index.get(connection.component)
            found: Sequence[int] = pieces.of(serving) if serving is not None else ()
            if connection.offset_m is not None and len(found) > 1:
                at = connection.offset_m
                found = [p for p in found if pieces.begin_m[p] <= at <= pieces.end_m[p]][:1] or found[-1:]
            rows += [row] * len(found)
            places += found
        self._row: Index = np.array(rows, dtype=np.int64)
        self._place: Index = np.array(places, dtype=np.int64)
        self._customers: Index = np.array([c.customers for c in connections], dtype=np.int64)
        self._demand: Number = np.zeros(pieces.size)
        for i, part in enumerate(pieces.parts):
            if part.type == "Junction" and pieces.first[i] >= 0:
                # an inflow is no customer
                self._demand[pieces.first[i]] = max(demands.get(part.id, part.demand_m3s), 0.0)

    def customers(self, pieces: Mask) -> int:
        """Customers at the pieces of the mask."""
        return int(self._customers[self._rows(pieces)].sum())

    def demand_m3s(self, pieces: Mask) -> float:
        """Demand at the pieces of the mask."""
        return float(self._demand[pieces].sum())

    def without(self, pieces: Mask) -> Without:
        """All that is without water when these pieces are."""
        rows = self._rows(pieces)
        critical = [self.connections[row].name for row in rows.tolist() if self.connections[row].critical]
        return Without(int(self._customers[rows].sum()), self.demand_m3s(pieces), tuple(sorted(critical)))

    def _rows(self, pieces: Mask) -> Index:
        return np.unique(self._row[pieces[self._place]])
