"""Training in a contained child process: columns in, a trained model out, both as JSON.

The child knows neither the graph nor the signing key.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from wnis_core.contained import run_contained

from wnis_ml.failure.history import Assets, Breaks, History
from wnis_ml.failure.judgement import Judgement
from wnis_ml.failure.training import FailureModel, Progress, TrainedModel, train

_MEMORY_BYTES = 6_000_000_000
_CPU_S = 1_800
_WALL_S = 3_600.0


def train_contained(
    history: History, as_of: float, seed: int, *, folder: Path, progress: Progress, cancelled: Callable[[], bool]
) -> TrainedModel:
    """As `train`, in a child process that may crash or be cancelled without harm."""
    arguments = {
        "assets": _columns(history.assets),
        "breaks": _columns(history.breaks),
        "predecessors": history.predecessors,
        "as_of": as_of,
        "seed": seed,
    }
    answer = run_contained(
        "wnis_ml.failure.contained:train_in_child",
        arguments,
        folder=folder,
        memory_bytes=_MEMORY_BYTES,
        cpu_s=_CPU_S,
        wall_s=_WALL_S,
        threads=2,
        on_progress=progress,
        cancelled=cancelled,
    )
    judgement = answer.pop("judgement")
    model = answer.pop("model")
    return TrainedModel(
        model=FailureModel.from_document(model),
        judgement=Judgement.from_document(judgement) if judgement else None,
        **answer,
    )


def train_in_child(arguments: dict[str, Any], report: Progress) -> dict[str, Any]:
    """The other side of `train_contained`."""
    history = History(
        assets=Assets(**_typed(Assets, arguments["assets"])),
        breaks=Breaks(**_typed(Breaks, arguments["breaks"])),
        predecessors=arguments["predecessors"],
    )
    trained = train(history, arguments["as_of"], arguments["seed"], report)
    judgement = trained.judgement
    return {
        **{k: v for k, v in vars(trained).items() if k not in ("model", "judgement")},
        "model": trained.model.document(),
        "judgement": judgement.document() if judgement else None,
    }


def _columns(table: Assets | Breaks) -> dict[str, list[Any]]:
    return {name: getattr(table, name).tolist() for name in table.__dataclass_fields__}


_DTYPES = {"id": np.str_, "kind": np.str_, "material": np.str_, "asset": np.int64}


def _typed(table: type[Assets | Breaks], columns: dict[str, list[Any]]) -> dict[str, Any]:
    return {n: np.array(columns[n], dtype=_DTYPES.get(n, np.float64)) for n in table.__dataclass_fields__}
