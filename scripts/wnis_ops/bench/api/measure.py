"""The measurement: draws the requests, runs the stages, judges."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

import psutil
import requests
from wnis_core.errors import InvalidValue, Unavailable
from wnis_core.settings import SETTINGS

from wnis_ops.bench.api.config import BenchConfig, Stage
from wnis_ops.bench.api.drawing import draw
from wnis_ops.bench.api.generator import Block, Generator, Target
from wnis_ops.bench.api.overload import overload
from wnis_ops.bench.api.processor import per_request_ms, processor_seconds
from wnis_ops.bench.api.records import Figures, Records, joined
from wnis_ops.bench.api.report import (
    FORMAT,
    BlockReport,
    Circumstances,
    Judgement,
    Report,
    StageReport,
)
from wnis_ops.bench.api.statistics import Ratio, paired_ratio
from wnis_ops.bench.bare_server import bare_view
from wnis_ops.client import ApiClient
from wnis_ops.place import Home

_PREFIX = "/api/v1"
_WARM_UP_CLIENTS = 16


@dataclass(frozen=True)
class Instance:
    """What is measured; `home` when it runs on this machine."""

    url: str
    token: str
    home: Home | None


@dataclass(frozen=True)
class _Taken:
    api: Block
    bare: Block | None
    processor_ms: Mapping[str, float]


def measure(config: BenchConfig, instance: Instance, say: Callable[[str], None]) -> Report:
    """Run every stage of `config` against `instance`.

    Steady stages take turns, block by block, so that what changes during the run is part of the noise and not of the
    difference between stages. Overloads come last.

    Raises
    ------
    InvalidValue
        a stage needs the processes of the instance, which is not on this machine
    """
    _check_reach(config, instance)
    circumstances = _circumstances(config, instance)
    say("Drawing the requests from the graph.")
    endpoints = draw(config, ApiClient(instance.url, instance.token))
    every_name = [e.name for e in config.endpoints]
    sent = 0
    taken: dict[str, list[_Taken]] = {stage.name: [] for stage in config.stages}
    reports: dict[str, StageReport] = {}
    with _targets(config, instance) as targets, Generator(config, endpoints, targets) as generator:
        if config.warm_up_s:
            say(f"Warming up for {config.warm_up_s:g} s.")
            sent += len(generator.block("api", every_name, _WARM_UP_CLIENTS, config.warm_up_s).records.rows)
        steady = [stage for stage in config.stages if stage.kind == "steady"]
        for number in range(max((stage.blocks for stage in steady), default=0)):
            for stage in steady:
                if number < stage.blocks:
                    say(f"{stage.name}: {stage.clients} clients, block {number + 1} of {stage.blocks}.")
                    taken[stage.name].append(_turn(generator, config, instance, stage, number))
        for stage in config.stages:
            names = [e.name for e in config.endpoints_of(stage)]
            if stage.kind == "steady":
                reports[stage.name] = _steady_report(stage, names, taken[stage.name])
                sent += sum(len(one.api.records.rows) for one in taken[stage.name])
                continue
            found, records = overload(generator, stage, names, instance.home, say)
            sent += len(records.rows)
            reports[stage.name] = StageReport(
                name=stage.name,
                kind="overload",
                clients=stage.clients,
                duration_s=stage.duration_s,
                total=found.during,
                endpoints={},
                blocks=(),
                bare_view=None,
                share_of_bare_view=None,
                overload=found,
                unfinished_clients=records.unfinished,
                judgements=tuple(
                    _judgements(
                        stage,
                        disorderly=found.during.disorderly + found.after.disorderly + found.before.disorderly,
                        recovery_s=found.recovery_s,
                        memory_growth_mb=None
                        if found.memory_peak_mb is None or found.memory_before_mb is None
                        else round(found.memory_peak_mb - found.memory_before_mb, 1),
                    )
                ),
            )
    stages = tuple(reports[stage.name] for stage in config.stages)
    return Report(
        format=FORMAT,
        name=config.name,
        circumstances=circumstances,
        config=config.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        requests_sent=sent,
        stages=stages,
        kept=all(one.kept for stage in stages for one in stage.judgements),
    )


def _check_reach(config: BenchConfig, instance: Instance) -> None:
    if instance.home is not None:
        return
    for number, stage in enumerate(config.stages):
        for wanted, what in (
            (stage.beside_bare_view, "beside_bare_view"),
            (stage.thresholds.memory_growth_mb, "thresholds.memory_growth_mb"),
        ):
            if wanted:
                raise InvalidValue(
                    f"stages.{number}.{what} needs the processes of the instance, and {instance.url} is not of a home"
                    " on this machine.",
                    mend="Leave it out, or measure with WNIS_HOME or --own.",
                )


@contextmanager
def _targets(config: BenchConfig, instance: Instance) -> Iterator[dict[str, Target]]:
    api = Target(instance.url.rstrip("/") + _PREFIX, {"Authorization": f"Bearer {instance.token}"})
    if instance.home is None or not any(stage.beside_bare_view for stage in config.stages):
        yield {"api": api}
        return
    with bare_view(instance.home) as url:
        yield {"api": api, "bare": Target(url, {})}


def _turn(generator: Generator, config: BenchConfig, instance: Instance, stage: Stage, number: int) -> _Taken:
    names = [e.name for e in config.endpoints_of(stage)]

    def of(target: str) -> Block:
        return generator.block(
            target, names, stage.clients, stage.duration_s, ramp_s=stage.ramp_s, think=stage.think_time
        )

    # who comes first changes, as what comes second finds the caches as the first has left them
    bare = of("bare") if stage.beside_bare_view and number % 2 else None
    before = processor_seconds(instance.home)
    api = of("api")
    spent = per_request_ms(before, processor_seconds(instance.home), len(api.records.rows))
    if stage.beside_bare_view and bare is None:
        bare = of("bare")
    return _Taken(api, bare, spent)


def _measured(block: Block) -> Records:
    return block.records.measured(block.measured_from, block.ended_at)


def _steady_report(stage: Stage, names: list[str], taken: list[_Taken]) -> StageReport:
    blocks = []
    for one in taken:
        of_api = _measured(one.api)
        blocks.append(
            BlockReport(
                total=of_api.figures(stage.duration_s),
                endpoints={name: of_api.of_endpoint(name).figures(stage.duration_s) for name in names},
                bare_view=_measured(one.bare).figures(stage.duration_s) if one.bare else None,
                generator_busy_share=one.api.records.busy_share,
                processor_ms=one.processor_ms,
            )
        )
    everything, all_s = joined([_measured(one.api) for one in taken]), stage.duration_s * len(taken)
    total = everything.figures(all_s)
    share: Ratio | None = None
    bare: Figures | None = None
    if stage.beside_bare_view:
        bare = joined([_measured(one.bare) for one in taken if one.bare]).figures(all_s)
        share = paired_ratio(
            [block.bare_view.per_s for block in blocks if block.bare_view], [block.total.per_s for block in blocks]
        )
    # a client without an answer at the end is an error like those with a wrong one
    unfinished = sum(one.api.records.unfinished for one in taken)
    return StageReport(
        name=stage.name,
        kind="steady",
        clients=stage.clients,
        duration_s=stage.duration_s,
        total=total,
        endpoints={name: everything.of_endpoint(name).figures(all_s) for name in names},
        blocks=tuple(blocks),
        bare_view=bare,
        share_of_bare_view=share,
        overload=None,
        unfinished_clients=unfinished,
        judgements=tuple(
            _judgements(
                stage,
                p95_ms=total.p95_ms,
                errors=total.failed + unfinished,
                share_of_bare_view=share.estimate if share else None,
                disorderly=total.disorderly + unfinished,
            )
        ),
    )


def _judgements(stage: Stage, **found: float | None) -> Iterator[Judgement]:
    for what, limit in stage.thresholds.model_dump().items():
        if limit is None:
            continue
        value = found[what]
        kept = value is not None and (value >= limit if what == "share_of_bare_view" else value <= limit)
        yield Judgement(what, limit, value, kept)


def _circumstances(config: BenchConfig, instance: Instance) -> Circumstances:
    limit = _rate_limit(instance)
    busy = psutil.cpu_percent(interval=1.0)
    return Circumstances(
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        version=version("wnis"),
        machine=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        cpus=os.cpu_count() or 1,
        memory_gb=round(psutil.virtual_memory().total / 1e9, 1),
        load_average_before=round(os.getloadavg()[0], 2),
        other_work=f"{busy:.0f} % of the processors were busy in the second before",
        target=f"an instance of this machine ({instance.home.path})" if instance.home else instance.url,
        rate_limit_per_minute=limit,
        default_rate_limit_per_minute=int(next(v.default for v in SETTINGS if v.name == "WNIS_RATE_LIMIT")),
        generator=f"locust {version('locust')}, at most {config.processes} processes, on the same machine"
        if instance.home
        else f"locust {version('locust')}, at most {config.processes} processes",
    )


def _rate_limit(instance: Instance) -> int | None:
    try:
        answer = requests.get(
            f"{instance.url.rstrip('/')}{_PREFIX}/networks",
            headers={"Authorization": f"Bearer {instance.token}"},
            timeout=30,
        )
    except requests.RequestException as error:
        raise Unavailable(
            f"{instance.url} does not answer ({type(error).__name__}).",
            mend="Start it with `wnis up`, or correct WNIS_URL.",
        ) from error
    limit = answer.headers.get("X-RateLimit-Limit", "")
    return int(limit) if limit.isdigit() else None
