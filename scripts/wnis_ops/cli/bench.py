"""``wnis bench``: measurements that anybody can repeat."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from wnis_core.errors import BadRequest

from wnis_ops.cli.output import Json, say, show
from wnis_ops.place import connect, home_of

NAMES = {
    "api": "load on the API, as --config describes it",
    "component": "GET /components/{id} beside the bare driver query and a bare Flask view",
    "demo": "loading the demonstration on a fresh home",
    "isolation": "segments beside WNTR's, and isolation answers and traces over HTTP",
    "import": "parse and write of Net6 beside bare UNWIND, and up to 100,000 pipes",
    "memory": "idle memory of the running instance, process by process",
    "start": "a warm start of everything beside a bare start of Neo4j",
}


def bench(
    name: Annotated[str, typer.Argument(help="; ".join(f"{name}: {what}" for name, what in NAMES.items()))],
    config: Annotated[Path | None, typer.Option(help="api: the YAML file that describes the load.")] = None,
    out: Annotated[Path | None, typer.Option(help="api: folder for report.json, report.md and report.html.")] = None,
    compare: Annotated[Path | None, typer.Option(help="api: report.json of an earlier run to compare with.")] = None,
    own: Annotated[
        bool, typer.Option("--own", help="api: an instance of its own with the demonstration, not the running one.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Measure; all but api and memory start an instance of their own and remove it afterwards.

    api ends with 1 when a threshold of its configuration is missed.
    """
    if name not in NAMES:
        raise BadRequest(f"There is no measurement {name!r}.", mend=f"Choose one of {', '.join(NAMES)}.")
    # the instance of a measurement runs in the background: it has to be stopped when the measurement is
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if name == "api":
        _api(config, out, compare, own, as_json)
        return
    if config or out or compare or own:
        raise BadRequest(f"--config, --out, --compare and --own are for wnis bench api, not for {name}.")
    document = {"name": name, **asdict(_measured(name))}
    show(document, as_json, lambda: json.dumps(document, indent=2))


def _api(config: Path | None, out: Path | None, compare: Path | None, own: bool, as_json: bool) -> None:
    from wnis_ops.bench.api.compare import compare as compared
    from wnis_ops.bench.api.config import read_config
    from wnis_ops.bench.api.html import as_html
    from wnis_ops.bench.api.markdown import as_markdown
    from wnis_ops.bench.api.measure import Instance, measure
    from wnis_ops.bench.api.report import read_report
    from wnis_ops.bench.instances import instance, temporary_home

    if config is None:
        raise BadRequest("wnis bench api needs --config.", mend="Give a YAML file, for example config/bench.yaml.")
    # what is wrong with the files is said before the minutes of measuring, not after them
    wanted = read_config(config)
    earlier = read_report(compare) if compare else None
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    if own:
        with temporary_home() as home, instance(home, say, demo=True) as running:
            report = measure(wanted, Instance(running.url, running.token, home), say)
    else:
        client = connect(os.environ)
        home_here = None if os.environ.get("WNIS_URL") else home_of(os.environ)
        report = measure(wanted, Instance(client.url, client.token, home_here), say)
    comparison = compared(earlier, report) if earlier else None
    words = as_markdown(report, comparison)
    if out is not None:
        for file, text in (
            ("report.json", report.as_json()),
            ("report.md", words),
            ("report.html", as_html(report, comparison)),
        ):
            (out / file).write_text(text, encoding="utf-8")
        say(f"Written: {out / 'report.json'}, report.md and report.html.")
    document = {**asdict(report), **({"comparison": asdict(comparison)} if comparison else {})}
    show(document, as_json, lambda: words)
    if not report.kept:
        raise SystemExit(1)


def _measured(name: str) -> Any:
    if name == "memory":
        from wnis_ops.bench import memory

        return memory.measure(home_of(os.environ))
    if name == "start":
        from wnis_ops.bench import start

        return start.measure(say)
    if name == "import":
        from wnis_ops.bench import imports

        return imports.measure(say)
    if name == "demo":
        from wnis_ops.bench import demo

        return demo.measure(say)
    if name == "isolation":
        from wnis_ops.bench import isolation

        return isolation.measure(say)
    from wnis_ops.bench import component

    return component.measure(say)
