"""Components cut into pieces by the isolation valves, and the segments that the pieces form.

A piece is a node, a link without a valve, or the stretch of a pipe between two valves or a valve and its end. Pieces
that touch are joined by *plain* edges, pieces on both sides of an isolation valve by *guarded* ones::

    J1 ----x--------- J2        pieces: J1, pipe#0 (left of the valve), pipe#1 (right of it), J2
           valve                plain: J1 - pipe#0, pipe#1 - J2; guarded by the valve: pipe#0 - pipe#1

A valve at the very end of a pipe (offset 0) splits nothing: between the node and the valve lies a *void* piece of no
length, which belongs to the node's segment and is reported nowhere. Pumps and control valves may have isolation valves
at their ends too.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse import csgraph

from wnis_graph.queries.isolation import Part, Seat

Index = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Number = npt.NDArray[np.float64]

_AT_THE_END_M = 1e-6
"""A valve nearer than this to the end of its pipe stands at the node."""


@dataclass(frozen=True)
class Segment:
    """What can be shut off together.

    Parameters
    ----------
    id : made from its pieces, so that a segment that nobody changed keeps it
    components : ids; a pipe that a valve splits is in several segments
    valves : ids of the isolation valves that bound it
    number : its number in `Pieces.segment`
    """

    id: str
    components: tuple[str, ...]
    valves: tuple[str, ...]
    number: int


class Pieces:
    """One network revision in pieces.

    Parameters
    ----------
    network_id : prefix of the ids of segments
    parts : the components that are not retired
    joints : (start, end) ids in link direction; joints of other components are ignored
    seats : isolation valves on pipes; one on an unknown pipe is ignored

    Attributes
    ----------
    owner : (pieces,) index into `parts`
    begin_m, end_m : (pieces,) stretch of its pipe, from the start node
    void : (pieces,) of no length at the end of a pipe
    first, last : (parts,) first and last piece of a part in link direction; -1 for one that has none
    plain : (edges, 2) pieces that touch, in link direction
    guarded : (edges, 2) pieces on both sides of a valve, in link direction
    guard : (guarded edges,) the valve, as index into `parts`
    segment : (pieces,) number of the segment
    """

    def __init__(
        self, network_id: str, parts: Sequence[Part], joints: Sequence[tuple[str, str]], seats: Sequence[Seat]
    ) -> None:
        self.network_id = network_id
        self.parts = parts
        self.index: Mapping[str, int] = {part.id: i for i, part in enumerate(parts)}
        index = self.index.get
        pairs = np.array([(index(a, -1), index(b, -1)) for a, b in joints], dtype=np.int64).reshape(-1, 2)
        pairs = pairs[(pairs >= 0).all(axis=1)]
        joined = np.zeros(len(parts), dtype=bool)
        joined[pairs.ravel()] = True
        length = np.array([part.length_m for part in parts])
        self.seats = self._seated(seats, joined)
        cuts = self._cuts(pairs, length)

        in_line = np.flatnonzero(joined & np.array([part.isolates for part in parts], dtype=bool))
        counts = joined.astype(np.int64)
        counts[in_line] = 2
        for link, valves in cuts.items():
            counts[link] = len(valves) + 1
        self.owner = np.repeat(np.arange(len(parts)), counts)
        self.first = np.where(joined, np.cumsum(counts) - counts, -1)
        self.last = np.where(joined, np.cumsum(counts) - 1, -1)
        self.begin_m = np.zeros(len(self.owner))
        self.end_m = length[self.owner]
        self.end_m[self.first[in_line]] = self.end_m[self.last[in_line]] = 0.0
        left, guard = self.first[in_line].tolist(), in_line.tolist()
        body = np.full(len(parts), -1, dtype=np.int64)
        for link, valves in cuts.items():
            first = int(self.first[link])
            for k, (position, _, valve) in enumerate(valves):
                self.end_m[first + k] = self.begin_m[first + k + 1] = position
                left.append(first + k)
                guard.append(valve)
            body[link] = first + sum(1 for _, at_end, _ in valves if not at_end)
        self.guarded: Index = np.array(left, dtype=np.int64)[:, None] + np.array([0, 1])
        self.guard: Index = np.array(guard, dtype=np.int64)
        self.plain = np.column_stack([self.last[pairs[:, 0]], self.first[pairs[:, 1]]]).reshape(-1, 2)
        self.void = self._void(body)
        size = len(self.owner)
        _, self.segment = csgraph.connected_components(
            sparse.csr_array((np.ones(len(self.plain)), (self.plain[:, 0], self.plain[:, 1])), shape=(size, size)),
            directed=False,
        )

    @property
    def size(self) -> int:
        """Number of pieces."""
        return len(self.owner)

    def of(self, part: int) -> range:
        """The pieces of a part, in link direction."""
        return range(int(self.first[part]), int(self.last[part]) + 1) if self.first[part] >= 0 else range(0)

    def components(self, pieces: Mask) -> tuple[str, ...]:
        """Ids of the parts that have a piece in the mask, sorted.

        An isolation valve is among them when both of its sides are.
        """
        owners = set(self.owner[pieces & ~self.void].tolist())
        owners -= {i for i in owners if self.parts[i].isolates}
        both = pieces[self.guarded[:, 0]] & pieces[self.guarded[:, 1]]
        owners |= set(self.guard[both].tolist())
        return tuple(sorted(self.parts[i].id for i in owners))

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """All segments, by id; a segment of a void piece alone is none."""
        members: dict[int, list[int]] = defaultdict(list)
        for piece in np.flatnonzero(~self.void).tolist():
            if not self.parts[self.owner[piece]].isolates:
                members[int(self.segment[piece])].append(piece)
        inside: dict[int, set[str]] = defaultdict(set)
        bounds: dict[int, set[str]] = defaultdict(set)
        sides = self.segment[self.guarded]
        for (a, b), valve in zip(sides.tolist(), self.guard.tolist(), strict=True):
            identifier = self.parts[valve].id
            if a == b:
                inside[a].add(identifier)
            else:
                bounds[a].add(identifier)
                bounds[b].add(identifier)
        found = []
        for number, pieces in members.items():
            names = {self.parts[self.owner[p]].id for p in pieces} | inside[number]
            found.append(Segment(self._segment_id(pieces), tuple(sorted(names)), tuple(sorted(bounds[number])), number))
        return tuple(sorted(found, key=lambda segment: segment.id))

    @cached_property
    def segment_of(self) -> Mapping[int, Segment]:
        """Segments by their number in `segment`."""
        return {segment.number: segment for segment in self.segments}

    def _segment_id(self, pieces: Sequence[int]) -> str:
        keys = sorted(f"{self.parts[self.owner[p]].id}#{p - self.first[self.owner[p]]}" for p in pieces)
        return f"{self.network_id}:segment:{hashlib.sha256(chr(10).join(keys).encode()).hexdigest()[:16]}"

    def _cuts(self, pairs: Index, length: Number) -> dict[int, list[tuple[float, bool, int]]]:
        """(position from the start, counted from the end, valve) of the valves on each split link, in its order."""
        links = {self.index[seat.pipe] for seat in self.seats.values()}
        split = np.zeros(len(self.parts), dtype=bool)
        split[list(links)] = True
        # a link's start is the node before it
        before = {(a, b) for a, b in pairs[split[pairs[:, 1]]].tolist()}
        found: dict[int, list[tuple[float, bool, int]]] = defaultdict(list)
        for valve, seat in self.seats.items():
            link = self.index[seat.pipe]
            at_end = (self.index.get(seat.near, -1), link) not in before
            offset = min(max(seat.offset_m, 0.0), float(length[link]))
            found[link].append((float(length[link]) - offset if at_end else offset, at_end, valve))
        return {link: sorted(valves) for link, valves in found.items()}

    def _seated(self, seats: Sequence[Seat], joined: Mask) -> dict[int, Seat]:
        """Valves on pipes by index; one that links have been joined to is a link itself."""
        found = {}
        for seat in seats:
            valve, pipe = self.index.get(seat.valve), self.index.get(seat.pipe)
            if valve is not None and pipe is not None and joined[pipe] and not joined[valve]:
                found[valve] = seat
        return found

    def _void(self, body: Index) -> Mask:
        """Pieces without length on split links; of a link without any length its `body` between the ends remains."""
        void: Mask = (body >= 0)[self.owner] & (self.end_m - self.begin_m <= _AT_THE_END_M)
        solid = np.zeros(len(self.parts), dtype=bool)
        solid[self.owner[~void]] = True
        void[body[(body >= 0) & ~solid]] = False
        return void
