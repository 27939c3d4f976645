"""Parsing and running, each in its own child with limits; crashes there become errors that name the model."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wnis_core.contained import ChildLost, Progress, run_contained
from wnis_core.errors import InvalidModel, NotFound
from wnis_graph.health import PRESSURE_WARNING_M
from wnis_graph.network_model import NetworkModel, from_document

from wnis_simulator.engine import wntr_folder

MODEL_FILE = "model.inp"
_PARSE_CPU_S, _PARSE_WALL_S = 120, 180.0
_RUN_CPU_S, _RUN_WALL_S = 1_800, 3_600.0
_MEMORY_BYTES = 3_000_000_000
LIBRARY = ("Net1", "Net2", "Net3", "Net6", "ky4", "ky10")
DEMAND_MODELS = ("as-file", "dda", "pda")


@dataclass(frozen=True)
class Output:
    """What a run of any kind gave; `nodes` and `links` are rows by source name."""

    engine_version: str
    demand_model: str
    duration_s: float
    steps: int
    warnings: tuple[str, ...]
    nodes: Sequence[dict[str, Any]]
    links: Sequence[dict[str, Any]]


@dataclass(frozen=True)
class RunOutput(Output):
    """What a hydraulic run gave; series lie in `folder` as nodes.parquet and links.parquet.

    `nodes` and `links` are summaries under the property names of `SimulationResult`.
    """

    flow_unit: str
    folder: Path


@contextmanager
def scratch(parent: Path | None = None) -> Iterator[Path]:
    """A folder for one child, removed afterwards."""
    if parent is not None:
        parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="wnis-run-", dir=parent, ignore_cleanup_errors=True) as name:
        yield Path(name)


def parse(
    content: bytes, folder: Path, *, on_progress: Progress, cancelled: Callable[[], bool] = lambda: False
) -> NetworkModel:
    """The model of an INP file's bytes.

    Raises
    ------
    InvalidModel
        the file is no usable model, or reading it crashed, hung or took more memory than a model may
    """
    source = folder / MODEL_FILE
    source.write_bytes(content)
    with _blaming_the_model("Reading the file"):
        document = run_contained(
            "wnis_simulator.inp_parse:parse_child",
            {"path": str(source)},
            folder=folder,
            memory_bytes=_MEMORY_BYTES,
            cpu_s=_PARSE_CPU_S,
            wall_s=_PARSE_WALL_S,
            on_progress=on_progress,
            cancelled=cancelled,
        )
    return from_document(document)


def run(
    content: bytes,
    folder: Path,
    *,
    demand_model: str,
    on_progress: Progress,
    cancelled: Callable[[], bool] = lambda: False,
) -> RunOutput:
    """Run an INP file's bytes for its own duration.

    Parameters
    ----------
    demand_model : one of `DEMAND_MODELS`

    Raises
    ------
    InvalidModel
        the engine refuses the model, does not converge, crashes on it or does not come to an end
    Cancelled
        `cancelled` returned true
    """
    arguments = {"demand_model": demand_model, "low_pressure_m": PRESSURE_WARNING_M}
    answer = _answer("run_child:run_child", "The run", arguments, content, folder, on_progress, cancelled)
    return RunOutput(**answer, folder=folder)


def trace(
    content: bytes,
    folder: Path,
    *,
    duration_s: int | None,
    on_progress: Progress,
    cancelled: Callable[[], bool] = lambda: False,
) -> Output:
    """Trace the water of every source of an INP file's bytes; rows as `trace_child.trace_child` has them.

    Parameters
    ----------
    duration_s : None is the file's own

    Raises
    ------
    InvalidModel, Cancelled
        as for `run`
    InvalidValue
        neither the file nor the caller gives a duration
    """
    arguments = {"duration_s": duration_s}
    answer = _answer("trace_child:trace_child", "The source trace", arguments, content, folder, on_progress, cancelled)
    return Output(**answer)


def _answer(
    target: str,
    what: str,
    arguments: dict[str, Any],
    content: bytes,
    folder: Path,
    on_progress: Progress,
    cancelled: Callable[[], bool],
) -> dict[str, Any]:
    """What the child answers that the engine runs in."""
    (folder / MODEL_FILE).write_bytes(content)
    with _blaming_the_model(what):
        answer = run_contained(
            f"wnis_simulator.{target}",
            arguments,
            folder=folder,
            memory_bytes=_MEMORY_BYTES,
            cpu_s=_RUN_CPU_S,
            wall_s=_RUN_WALL_S,
            on_progress=on_progress,
            cancelled=cancelled,
        )
    return {**answer, "warnings": tuple(answer["warnings"])}


def library_model(name: str) -> bytes:
    """The INP file of a network of WNTR's library.

    Raises
    ------
    NotFound
        there is none of that name
    """
    if name not in LIBRARY:
        raise NotFound(f"There is no sample network {name!r}.", mend=f"Samples: mini, {', '.join(LIBRARY)}.")
    return (wntr_folder() / "library" / "networks" / f"{name}.inp").read_bytes()


@contextmanager
def _blaming_the_model(what: str) -> Iterator[None]:
    try:
        yield
    except ChildLost as lost:
        raise InvalidModel(
            f"{what} ended badly: {lost.message}",
            mend=lost.mend or "Check the model in EPANET's own editor; the service itself is unharmed.",
            details={"reason": lost.reason},
        ) from lost
