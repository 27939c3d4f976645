"""The processes that ask: started once for a measurement, so that a block begins at once."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from wnis_core.errors import Failure

from wnis_ops.bench.api.config import BenchConfig, ThinkTime
from wnis_ops.bench.api.drawing import PreparedEndpoint
from wnis_ops.bench.api.records import Records, joined

_LEAD_S = 0.15
"""Between the request for a block and its start: every process has read it by then."""


@dataclass(frozen=True)
class Target:
    """What is asked: an address with the prefix of its paths, and the headers of every request."""

    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Block:
    """The records of one block, and the moments (monotonic clock) between which they count."""

    records: Records
    measured_from: float
    ended_at: float


class Generator:
    """Load on the named `targets`."""

    def __init__(
        self, config: BenchConfig, endpoints: Sequence[PreparedEndpoint], targets: Mapping[str, Target]
    ) -> None:
        self._config = config
        self._endpoints = tuple(endpoints)
        self._targets = targets
        self._processes: list[subprocess.Popen[str]] = []
        self._folder = tempfile.TemporaryDirectory(prefix="wnis-load-")
        self._blocks = 0

    def __enter__(self) -> Generator:
        plan = {
            "targets": {name: asdict(target) for name, target in self._targets.items()},
            "timeout_s": self._config.timeout_s,
            "endpoints": [
                {"name": e.name, "weight": e.weight, "requests": [(r.method, r.path, r.body) for r in e.requests]}
                for e in self._endpoints
            ],
        }
        for _ in range(self._config.processes):
            process = subprocess.Popen(
                [sys.executable, "-m", "wnis_ops.bench.api.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            self._processes.append(process)
            _tell(process, plan)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            if error is not None:
                process.terminate()
            assert process.stdin is not None
            process.stdin.close()
        for process in self._processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._folder.cleanup()

    def block(
        self,
        target: str,
        names: Sequence[str],
        clients: int,
        duration_s: float,
        *,
        ramp_s: float = 0.0,
        think: ThinkTime | None = None,
    ) -> Block:
        """Ask `target` for the endpoints `names` with `clients` clients: `ramp_s` until all are there, then
        `duration_s` that count.

        Raises
        ------
        Failure
            a process of the generator ended
        """
        self._blocks += 1
        think = think or ThinkTime()
        wanted = -(-clients // self._config.clients_per_process)
        used = self._processes[: min(len(self._processes), wanted)]
        starts_at = time.monotonic() + _LEAD_S
        measured_from = starts_at + ramp_s
        ends_at = measured_from + duration_s
        files = []
        for number, process in enumerate(used):
            files.append(Path(self._folder.name) / f"{self._blocks}-{number}.npy")
            asked = {
                "target": target,
                "endpoints": list(names),
                "clients": clients // len(used) + (1 if number < clients % len(used) else 0),
                "seed": f"{self._config.seed} {self._blocks} {number}",
                "starts_at": starts_at,
                "ends_at": ends_at,
                "ramp_s": ramp_s,
                "think_min_s": think.min_s,
                "think_max_s": think.max_s,
                "file": str(files[-1]),
            }
            _tell(process, asked)
        parts = [self._part(process, file, ends_at - starts_at) for process, file in zip(used, files, strict=True)]
        return Block(joined(parts), measured_from, ends_at)

    def _part(self, process: subprocess.Popen[str], file: Path, elapsed_s: float) -> Records:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise Failure(f"A process of the load generator ended with {process.wait()}.", mend="See its words above.")
        answer = json.loads(line)
        rows = np.load(file)
        file.unlink()
        return Records(
            rows,
            tuple(e.name for e in self._endpoints),
            tuple(answer["kinds"]),
            round(answer["busy_s"] / elapsed_s, 3),
            answer["unfinished"],
        )


def _tell(process: subprocess.Popen[str], document: dict[str, Any]) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(document) + "\n")
    process.stdin.flush()
