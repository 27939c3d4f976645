"""Two reports side by side: what differs by more than noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from wnis_ops.bench.api.records import Figures
from wnis_ops.bench.api.report import BlockReport, Report, StageReport
from wnis_ops.bench.api.statistics import Ratio, ratio

_FIGURES: tuple[tuple[str, Callable[[Figures], float | None], bool], ...] = (
    ("requests/s", lambda f: f.per_s, True),
    ("median ms", lambda f: f.p50_ms, False),
    ("p95 ms", lambda f: f.p95_ms, False),
    ("p99 ms", lambda f: f.p99_ms, False),
)


@dataclass(frozen=True)
class Compared:
    """One figure of one stage (`endpoint` empty) or endpoint: the earlier one, the later one, their ratio."""

    stage: str
    endpoint: str
    figure: str
    before: float | None
    after: float | None
    ratio: Ratio | None
    verdict: str


@dataclass(frozen=True)
class Comparison:
    """Of a report with an earlier one; what only one of them has is named."""

    before: str
    after: str
    rows: tuple[Compared, ...]
    remarks: tuple[str, ...]


def compare(before: Report, after: Report) -> Comparison:
    """Every figure that both have; stages are matched by name."""
    earlier = {stage.name: stage for stage in before.stages}
    pairs = [(earlier[stage.name], stage) for stage in after.stages if stage.name in earlier]
    remarks = []
    if missing := sorted(earlier.keys() ^ {stage.name for stage in after.stages}):
        remarks.append(f"Only in one of the reports, and not compared: {', '.join(missing)}.")
    for one, other in pairs:
        if (one.clients, one.duration_s) != (other.clients, other.duration_s):
            remarks.append(f"{one.name}: the stages are not alike (clients or duration); read its ratios with care.")
    if before.circumstances.machine != after.circumstances.machine or (
        before.circumstances.cpus != after.circumstances.cpus
    ):
        remarks.append("The reports come from different machines.")
    remarks.append(
        "The noise is that of the blocks within each run; what other work a machine had during one run and not during"
        f" the other is in the ratio (before: {before.circumstances.other_work}; after:"
        f" {after.circumstances.other_work})."
    )
    drawn = [(stage, name, blocks) for stage, name, blocks in _drawn(pairs)]
    figures = len(drawn) * len(_FIGURES)
    rows = tuple(
        _compared(stage, name, figure, value, up, blocks, figures)
        for stage, name, blocks in drawn
        for figure, value, up in _FIGURES
    )
    return Comparison(before.circumstances.started_at, after.circumstances.started_at, rows, tuple(remarks))


def _drawn(
    pairs: list[tuple[StageReport, StageReport]],
) -> Iterator[tuple[str, str, tuple[list[Figures], list[Figures]]]]:
    def of(blocks: tuple[BlockReport, ...], name: str) -> list[Figures]:
        return [block.endpoints[name] if name else block.total for block in blocks]

    for one, other in pairs:
        if one.blocks and other.blocks:
            yield one.name, "", (of(one.blocks, ""), of(other.blocks, ""))
            for name in other.endpoints:
                if name in one.endpoints and len(other.endpoints) > 1:
                    yield one.name, name, (of(one.blocks, name), of(other.blocks, name))


def _compared(
    stage: str,
    endpoint: str,
    figure: str,
    value: Callable[[Figures], float | None],
    more_is_better: bool,
    blocks: tuple[list[Figures], list[Figures]],
    figures: int,
) -> Compared:
    before, after = ([v for f in some if (v := value(f)) is not None] for some in blocks)
    found = ratio(before, after, figures=figures)
    return Compared(stage, endpoint, figure, _mean(before), _mean(after), found, _verdict(found, more_is_better))


def _mean(values: list[float]) -> float | None:
    return round(sum(values) / len(values), 2) if values else None


def _verdict(found: Ratio | None, more_is_better: bool) -> str:
    if found is None:
        return "nothing to compare"
    if found.differs is None:
        return "one block: the noise is not known"
    if not found.differs:
        return "no difference beyond noise"
    return "better" if (found.estimate > 1) == more_is_better else "worse"
