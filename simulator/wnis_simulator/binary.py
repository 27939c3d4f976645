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


@dataclass(frozen=True)
class QualityResults:
    """Quality at every reported step, in the engine's own unit; matrices are steps x nodes or steps x links."""

    time_s: npt.NDArray[np.int64]
    node_names: list[str]
    link_names: list[str]
    nodes: Floats
    links: Floats


def read_binary(path: Path, encoding: str = "utf-8") -> BinaryResults:
    """The hydraulics of a finished run.

    Parameters
    ----------
    encoding : of the input file, whose bytes the engine repeats in names

    Raises
    ------
    Failure
        the file is not whole: the run was cut short
    """
    whole = _Output(path, encoding)
    unit = whole.unit
    flow = whole.of_links(0) * unit.m3s
    return BinaryResults(
        flow_unit=unit,
        time_s=whole.time_s,
        node_names=whole.node_names,
        link_names=whole.link_names,
        link_start=whole.link_start - 1,
        link_end=whole.link_end - 1,
        source_nodes=whole.source_nodes - 1,
        elevation_m=whole.elevation * unit.length_m,
        demand_m3s=whole.of_nodes(0) * unit.m3s,
        head_m=whole.of_nodes(1) * unit.length_m,
        flow_m3s=flow,
        velocity_ms=whole.of_links(1) * unit.velocity_ms,
        headloss_m=_headloss(whole.of_links(2), flow, whole.link_kind, whole.length, unit),
        status=whole.of_links(4).astype(np.int8),
    )


def read_quality(path: Path, encoding: str = "utf-8") -> QualityResults:
    """The quality of a finished run; parameters and errors as in `read_binary`."""
    whole = _Output(path, encoding)
    return QualityResults(whole.time_s, whole.node_names, whole.link_names, whole.of_nodes(3), whole.of_links(3))


class _Output:
    """The file as it lies on the disk: prolog read, results by number of the quantity, in the file's units."""

    def __init__(self, path: Path, encoding: str) -> None:
        if path.stat().st_size < 4 * _PROLOG_WORDS + _EPILOG_BYTES:
            raise _cut_short(path)
        raw = np.memmap(path, dtype=np.uint8, mode="r")
        prolog = raw[: 4 * _PROLOG_WORDS].view(np.int32)
        periods, _warning, magic = (int(v) for v in raw[-12:].view(np.int32))
        if prolog[0] != _MAGIC or magic != _MAGIC:
            raise _cut_short(path)
        self._nodes, sources, self._links, pumps = (int(prolog[i]) for i in (2, 3, 4, 5))
        self.unit = ENGINE_ORDER[int(prolog[9])]
        self.time_s = int(prolog[12]) + int(prolog[13]) * np.arange(periods, dtype=np.int64)
        reader = _Reader(raw, 4 * _PROLOG_WORDS + _TITLE_BYTES + 2 * _FILE_BYTES + 2 * _ID_BYTES)
        self.node_names, self.link_names = reader.names(self._nodes, encoding), reader.names(self._links, encoding)
        self.link_start, self.link_end, self.link_kind = (reader.array(np.int32, self._links) for _ in range(3))
        self.source_nodes = reader.array(np.int32, sources)
        reader.skip(4 * sources)
        self.elevation = reader.array(np.float32, self._nodes).astype(np.float64)
        self.length = reader.array(np.float32, self._links).astype(np.float64)
        reader.skip(4 * self._links + _ENERGY_BYTES * pumps + 4)
        width = 4 * self._nodes + 8 * self._links
        self._records = reader.array(np.float32, periods * width).reshape(periods, width)

    def of_nodes(self, quantity: int) -> Floats:
        return self._records[:, quantity * self._nodes : (quantity + 1) * self._nodes].astype(np.float64)

    def of_links(self, quantity: int) -> Floats:
        first = 4 * self._nodes + quantity * self._links
        return self._records[:, first : first + self._links].astype(np.float64)


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
