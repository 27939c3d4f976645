"""EPANET's binary output file, read in bulk to SI.

Layout: EPANET 2.2 user manual, appendix C (prolog, energy, dynamic results, epilog). Results are 4-byte floats in
the units of the input file, one record a reported step, each quantity for all nodes or links together.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from wnis_core.errors import Failure
from wnis_core.units import ENGINE_ORDER, FlowUnit

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int32]
Scalar = TypeVar("Scalar", bound=np.generic)

_MAGIC = 516114521
_ID_BYTES = 32
_PROLOG_WORDS = 15
_TITLE_BYTES = 3 * 80
_FILE_BYTES = 260
_ENERGY_BYTES = 28
_EPILOG_BYTES = 28
CLOSED_BELOW = 3
"""Statuses below this number are some kind of closed."""
ACTIVE = 4
_PUMP = 2


@dataclass(frozen=True)
class BinaryResults:
    """Every reported step in SI; matrices are steps x nodes or steps x links.

    `headloss_m` is signed: positive from start to end node, negative across a pump that lifts. `status` keeps the
    engine's numbers: below `CLOSED_BELOW` closed, `ACTIVE` active, else open.
    """

    flow_unit: FlowUnit
    time_s: npt.NDArray[np.int64]
    node_names: list[str]
    link_names: list[str]
    link_start: Integers
    link_end: Integers
    source_nodes: Integers
    elevation_m: Floats
    demand_m3s: Floats
    head_m: Floats
    flow_m3s: Floats
    velocity_ms: Floats
    headloss_m: Floats
    status: npt.NDArray[np.int8]


def read_binary(path: Path, encoding: str = "utf-8") -> BinaryResults:
    """The results of a finished run.

    Parameters
    ----------
    encoding : of the input file, whose bytes the engine repeats in names

    Raises
    ------
    Failure
        the file is not whole: the run was cut short
    """
    size = path.stat().st_size
    if size < 4 * _PROLOG_WORDS + _EPILOG_BYTES:
        raise _cut_short(path)
    raw = np.memmap(path, dtype=np.uint8, mode="r")
    prolog = raw[: 4 * _PROLOG_WORDS].view(np.int32)
    periods, _warning, magic = (int(v) for v in raw[-12:].view(np.int32))
    if prolog[0] != _MAGIC or magic != _MAGIC:
        raise _cut_short(path)
    nodes, sources, links, pumps = (int(prolog[i]) for i in (2, 3, 4, 5))
    unit = ENGINE_ORDER[int(prolog[9])]
    reader = _Reader(raw, 4 * _PROLOG_WORDS + _TITLE_BYTES + 2 * _FILE_BYTES + 2 * _ID_BYTES)
    node_names, link_names = reader.names(nodes, encoding), reader.names(links, encoding)
    start, end, kind = (reader.array(np.int32, links) for _ in range(3))
    source_nodes = reader.array(np.int32, sources)
    reader.skip(4 * sources)
    elevation = reader.array(np.float32, nodes).astype(np.float64) * unit.length_m
    length = reader.array(np.float32, links).astype(np.float64)
    reader.skip(4 * links + _ENERGY_BYTES * pumps + 4)
    width = 4 * nodes + 8 * links
    records = reader.array(np.float32, periods * width).reshape(periods, width)

    def of_nodes(quantity: int) -> Floats:
        return records[:, quantity * nodes : (quantity + 1) * nodes].astype(np.float64)

    def of_links(quantity: int) -> Floats:
        first = 4 * nodes + quantity * links
        return records[:, first : first + links].astype(np.float64)

    flow = of_links(0) * unit.m3s
    return BinaryResults(
        flow_unit=unit,
        time_s=int(prolog[12]) + int(prolog[13]) * np.arange(periods, dtype=np.int64),
        node_names=node_names,
        link_names=link_names,
        link_start=start - 1,
        link_end=end - 1,
        source_nodes=source_nodes - 1,
        elevation_m=elevation,
        demand_m3s=of_nodes(0) * unit.m3s,
        head_m=of_nodes(1) * unit.length_m,
        flow_m3s=flow,
        velocity_ms=of_links(1) * unit.velocity_ms,
        headloss_m=_headloss(of_links(2), flow, kind, length, unit),
        status=of_links(4).astype(np.int8),
    )


class _Reader:
    def __init__(self, raw: npt.NDArray[np.uint8], position: int) -> None:
        self._raw, self._position = raw, position

    def skip(self, count: int) -> None:
        self._position += count

    def array(self, dtype: type[Scalar], count: int) -> npt.NDArray[Scalar]:
        first = self._position
        self._position += count * np.dtype(dtype).itemsize
        # a copy, because the position need not be aligned
        return np.frombuffer(self._raw[first : self._position].tobytes(), dtype=dtype)

    def names(self, count: int, encoding: str) -> list[str]:
        block = self.array(np.uint8, count * _ID_BYTES).tobytes()
        cells = (block[i * _ID_BYTES : (i + 1) * _ID_BYTES] for i in range(count))
        return [cell.split(b"\0", 1)[0].decode(encoding, "replace") for cell in cells]


def _headloss(stored: Floats, flow: Floats, kind: Integers, length: Floats, unit: FlowUnit) -> Floats:
    """Head loss in m: the file has it per 1000 units of length for pipes, without a sign for all but pumps."""
    pipe, pump = kind < _PUMP, kind == _PUMP
    total = np.where(pipe, stored * length / 1000, stored) * unit.length_m
    return np.where(pump, total, np.copysign(total, np.where(flow == 0, 1.0, flow)))


def _cut_short(path: Path) -> Failure:
    return Failure(f"The engine's output {path.name} is not whole; the run was cut short.")
