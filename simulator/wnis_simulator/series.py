"""Time series of a run as Parquet: long, sorted by name and time, so that one component is read from one place."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from wnis_core.errors import FieldProblem, InvalidValue, NotFound

from wnis_simulator.binary import BinaryResults, Floats
from wnis_simulator.summaries import STATUS_WORDS, status_numbers

NODES_FILE, LINKS_FILE, RUN_FILE = "nodes.parquet", "links.parquet", "run.json"
_ROWS_OF_A_GROUP = 16_384

NODE_QUANTITIES = {"pressure": ("pressure_m", "m"), "head": ("head_m", "m"), "demand": ("demand_m3s", "m3/s")}
LINK_QUANTITIES = {
    "flow": ("flow_m3s", "m3/s"),
    "velocity": ("velocity_ms", "m/s"),
    "headloss": ("headloss_m", "m"),
    "status": ("status", ""),
}


def write_series(results: BinaryResults, dry: npt.NDArray[np.bool_], folder: Path) -> None:
    """Write ``nodes.parquet`` and ``links.parquet``; heads of cut-off nodes are null, their demand is 0."""
    head = np.where(dry, np.nan, results.head_m)
    _write(
        folder / NODES_FILE,
        results.time_s,
        results.node_names,
        {
            "head_m": head,
            "pressure_m": head - results.elevation_m,
            "demand_m3s": np.where(dry, 0.0, results.demand_m3s),
        },
        {},
    )
    _write(
        folder / LINKS_FILE,
        results.time_s,
        results.link_names,
        {"flow_m3s": results.flow_m3s, "velocity_ms": results.velocity_ms, "headloss_m": results.headloss_m},
        {"status": status_numbers(results)},
    )


def read_series(content: bytes, name: str, column: str) -> tuple[list[int], list[float | str | None]]:
    """Times in s and values of one component; `NotFound` when the run has no such component."""
    table = pq.read_table(
        io.BytesIO(content), columns=["time_s", column], filters=[("name", "==", name)], use_threads=False
    )
    if table.num_rows == 0:
        raise NotFound(f"The run has no results of {name}.")
    return table["time_s"].to_pylist(), table[column].to_pylist()


def read_flows(content: bytes, time_s: int) -> tuple[int, dict[str, float]]:
    """The reported time at or before `time_s`, and the flow of each link then, in m3/s by name.

    Raises
    ------
    InvalidValue
        before the first reported time, or after the last
    """
    times = np.unique(pq.read_table(io.BytesIO(content), columns=["time_s"], use_threads=False)["time_s"].to_numpy())
    if not times[0] <= time_s <= times[-1]:
        raise InvalidValue(
            f"The run reports from {times[0]} s to {times[-1]} s.",
            fields=[FieldProblem("time_s", f"must be {times[0]} to {times[-1]}")],
        )
    at = int(times[times <= time_s][-1])
    table = pq.read_table(
        io.BytesIO(content), columns=["name", "flow_m3s"], filters=[("time_s", "==", at)], use_threads=False
    )
    return at, dict(zip(table["name"].to_pylist(), table["flow_m3s"].to_pylist(), strict=True))


def column_of(type_: str, quantity: str) -> tuple[str, str, bool]:
    """Column, unit, and whether it is a node's, of a quantity of a component of that type.

    Raises
    ------
    InvalidValue
        components of that type have no such quantity
    """
    of_node = type_ in ("Junction", "Reservoir", "Tank")
    known = NODE_QUANTITIES if of_node else LINK_QUANTITIES if type_ in ("Pipe", "Pump", "Valve") else {}
    if quantity not in known:
        allowed = ", ".join(known) or "no results"
        raise InvalidValue(
            f"A {type_.lower()} has no {quantity!r} in a hydraulic run.",
            mend=f"Components of this type have: {allowed}.",
            fields=[FieldProblem("quantity", f"must be one of: {allowed}")],
        )
    column, unit = known[quantity]
    return column, unit, of_node


def _write(
    path: Path,
    time_s: npt.NDArray[np.int64],
    names: list[str],
    numbers: dict[str, Floats],
    words: dict[str, npt.NDArray[np.int8]],
) -> None:
    order = sorted(range(len(names)), key=names.__getitem__)
    ordered = [names[i] for i in order]
    place = np.repeat(np.arange(len(names), dtype=np.int32), len(time_s))
    columns: dict[str, pa.Array] = {
        "time_s": pa.array(np.tile(time_s, len(names))),
        "name": pa.DictionaryArray.from_arrays(pa.array(place), pa.array(ordered, pa.string())),
    }
    for column, values in numbers.items():
        flat = values[:, order].T.reshape(-1)
        # the engine's own precision; more digits would be its noise
        columns[column] = pa.array(flat.astype(np.float32), mask=np.isnan(flat))
    for column, choice in words.items():
        flat_choice = pa.array(choice[:, order].T.reshape(-1))
        columns[column] = pa.DictionaryArray.from_arrays(flat_choice, pa.array(STATUS_WORDS))
    # plain strings for readers that know no dictionaries; the file encodes them as such all the same
    table = pa.table({n: c.cast(pa.string()) if isinstance(c, pa.DictionaryArray) else c for n, c in columns.items()})
    pq.write_table(table, path, row_group_size=_ROWS_OF_A_GROUP, compression="zstd")
