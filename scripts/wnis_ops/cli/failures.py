"""``wnis train``, ``wnis predict`` and ``wnis backtest``: the failure model, on the server or on files."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from wnis_core.errors import BadRequest

from wnis_ops.cli.networks import readable
from wnis_ops.cli.output import Json, NoWait, follow, say, server, show, table

Assets = Annotated[Path | None, typer.Option("--assets", help="Asset register (CSV); with it no server is needed.")]
AssetsMapping = Annotated[Path | None, typer.Option("--assets-mapping", help="Mapping of the register (TOML).")]
Events = Annotated[Path | None, typer.Option("--events", help="Breaks (CSV).")]
EventsMapping = Annotated[Path | None, typer.Option("--events-mapping", help="Mapping of the breaks (TOML).")]
Seed = Annotated[int, typer.Option(help="Seed of the random numbers.")]


def train(no_wait: NoWait = False, as_json: Json = False) -> None:
    """Train the failure model on the utility's components and incidents, and judge it on a later period."""
    client = server()
    job = follow(client, client.post("/models/runs"), "Training", no_wait=no_wait)
    show(job, as_json, lambda: f"{job['state']}: {json.dumps(job['result'] or {}, indent=2)}")


def predict(
    assets: Assets = None,
    assets_mapping: AssetsMapping = None,
    events: Events = None,
    events_mapping: EventsMapping = None,
    as_of: Annotated[str | None, typer.Option(help="Only what was known at the beginning of this day.")] = None,
    horizon: Annotated[float, typer.Option(help="Days ahead.")] = 365.0,
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option(help="Where to write the scores (CSV).")] = None,
    no_wait: NoWait = False,
    as_json: Json = False,
) -> None:
    """Score every component on the server, or with --assets the rows of a register."""
    if assets is None:
        client = server()
        body = {"as_of": f"{_day(as_of).isoformat()}T00:00:00Z"} if as_of else {}
        job = follow(client, client.post("/predictions/runs", body), "Predicting", no_wait=no_wait)
        show(job, as_json, lambda: f"{job['state']}: {json.dumps(job['result'] or {})}")
        return
    files = _files(assets, assets_mapping, events, events_mapping)
    from wnis_ml.offline import predict_files

    scored = predict_files(*files, as_of=_day(as_of), horizon_days=horizon, seed=seed)
    if out is not None:
        scored.scores.to_csv(out, index=False)
    source = scored.source
    say(f"{source.unmatched} breaks name no asset, {source.rejected} rows rejected, {source.filtered} left out.")
    judgement = scored.trained.judgement
    say(_verdict(judgement.better if judgement else None))
    top = scored.scores.head(10)
    document = {
        "components": len(scored.scores),
        "horizon_days": horizon,
        "out": str(out) if out else None,
        "judgement": judgement.document() if judgement else None,
    }
    show(
        {**document, "scores": None if out else scored.scores.to_dict("records")},
        as_json,
        lambda: table(list(top.columns), top.astype(str).itertuples(index=False)),
    )


def backtest(
    assets: Assets = None,
    assets_mapping: AssetsMapping = None,
    events: Events = None,
    events_mapping: EventsMapping = None,
    origin: Annotated[list[str] | None, typer.Option(help="Day of a fit; may be given again.")] = None,
    horizon: Annotated[float, typer.Option(help="Days after each origin on which it is judged.")] = 1096.0,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Fit on what was known at each origin and judge on what happened after, beside the baselines."""
    from wnis_ml.offline import backtest_files

    files = _files(assets, assets_mapping, events, events_mapping)
    if not origin:
        raise BadRequest("Name at least one --origin DATE.")
    judged = backtest_files(*files, origins=[_day(o) for o in origin], horizon_days=horizon, seed=seed)
    document: dict[str, Any] = {day.isoformat(): asdict(j) if j else None for day, j in judged.items()}
    show(document, as_json, lambda: json.dumps(document, indent=2, default=str))


def _verdict(better: bool | None) -> str:
    if better is None:
        return "The model was not judged: there are too few breaks after the training period."
    if not better:
        return "On the later period the model was NOT better than age and prior breaks; see judgement with --json."
    return "On the later period the model ranked better than age and prior breaks."


def _files(
    assets: Path | None, assets_mapping: Path | None, events: Path | None, events_mapping: Path | None
) -> tuple[Path, Path, Path, Path]:
    if assets is None or assets_mapping is None or events is None or events_mapping is None:
        raise BadRequest("--assets, --assets-mapping, --events and --events-mapping go together.")
    return readable(assets), readable(assets_mapping), readable(events), readable(events_mapping)


def _day(text: str | None) -> date:
    if text is None:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadRequest(f"{text!r} is not a day.", mend="Write it as 2020-12-31.") from error
