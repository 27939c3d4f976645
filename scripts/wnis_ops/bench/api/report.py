"""The report of a load measurement, as it is stored and read again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError
from wnis_core.errors import InvalidValue, NotFound

from wnis_ops.bench.api.records import Figures
from wnis_ops.bench.api.statistics import Ratio

FORMAT = 1


@dataclass(frozen=True)
class BlockReport:
    """One block of a steady stage; `bare_view` is the block of the bare view beside it.

    `processor_ms` is the processor time of each service by the requests of the block; empty for a server elsewhere.
    """

    total: Figures
    endpoints: Mapping[str, Figures]
    bare_view: Figures | None
    generator_busy_share: float
    processor_ms: Mapping[str, float]


@dataclass(frozen=True)
class Second:
    """A second of an overload stage, counted from the beginning of the overload."""

    at_s: int
    good: int
    refused: int
    disorderly: int
    p95_ms: float | None


@dataclass(frozen=True)
class MemoryPoint:
    """Proportional set size of the services at a moment, counted from the beginning of the overload."""

    at_s: float
    pss_mb: Mapping[str, float]

    @property
    def total_mb(self) -> float:
        """Of all services."""
        return sum(self.pss_mb.values())


@dataclass(frozen=True)
class OverloadReport:
    """Before, while and after `clients` clients asked; `recovery_s` None means not within the time after it.

    Recovered is the first second from which on two seconds in a row have a p95 of at most `level_ms`, the highest of
    a second before the overload.
    """

    clients: int
    before: Figures
    during: Figures
    after: Figures
    offered_per_s: float
    level_ms: float | None
    recovery_s: float | None
    memory_before_mb: float | None
    memory_peak_mb: float | None
    memory_after_mb: float | None
    seconds: tuple[Second, ...]
    memory: tuple[MemoryPoint, ...]


@dataclass(frozen=True)
class Judgement:
    """A threshold and what was found."""

    what: str
    limit: float
    found: float | None
    kept: bool


@dataclass(frozen=True)
class StageReport:
    """A stage; `total` and `endpoints` are of all its blocks together."""

    name: str
    kind: Literal["steady", "overload"]
    clients: int
    duration_s: float
    total: Figures
    endpoints: Mapping[str, Figures]
    blocks: tuple[BlockReport, ...]
    bare_view: Figures | None
    share_of_bare_view: Ratio | None
    overload: OverloadReport | None
    unfinished_clients: int
    judgements: tuple[Judgement, ...]


@dataclass(frozen=True)
class Circumstances:
    """What the figures depend on."""

    started_at: str
    version: str
    machine: str
    cpus: int
    memory_gb: float
    load_average_before: float
    other_work: str
    target: str
    rate_limit_per_minute: int | None
    default_rate_limit_per_minute: int
    generator: str


@dataclass(frozen=True)
class Report:
    """A whole measurement."""

    format: int
    name: str
    circumstances: Circumstances
    config: Mapping[str, Any]
    requests_sent: int
    stages: tuple[StageReport, ...]
    kept: bool

    def as_json(self) -> str:
        """For a file."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"


_REPORT = TypeAdapter(Report)


def read_report(file: Path) -> Report:
    """A stored report.

    Raises
    ------
    NotFound
        there is no such file
    InvalidValue
        it is no report, or one of another format
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise NotFound(f"There is no readable file {file}.", mend="Name a report.json of wnis bench api.") from error
    try:
        report = _REPORT.validate_json(text)
    except ValidationError as error:
        where = ".".join(str(step) for step in error.errors()[0]["loc"]) or "the file"
        raise InvalidValue(f"{file} is not a report of wnis bench api ({where}).") from error
    if report.format != FORMAT:
        raise InvalidValue(f"{file} has format {report.format}; this program reads {FORMAT}.", mend="Measure again.")
    return report
