"""The command ``wnis``: every command can be seen here."""

from __future__ import annotations

import sys

import typer

from wnis_ops.cli import (
    accounts,
    backups,
    bench,
    deploy,
    failures,
    hydraulics,
    instance,
    isolation,
    models,
    networks,
    output,
    queries,
    registers,
    search,
    servers,
    verify,
)

app = typer.Typer(
    name="wnis",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Water Network Intelligence System. Commands talk to the local server, or to WNIS_URL with WNIS_TOKEN.",
)
networks.app.command("valves", epilog="Example: wnis network valves town --top 10")(isolation.valves)
app.add_typer(networks.app, name="network")
app.add_typer(verify.app, name="verify")
app.add_typer(registers.assets_app, name="assets")
app.add_typer(registers.incidents_app, name="incidents")
app.add_typer(search.index_app, name="index")
app.add_typer(accounts.admin_app, name="admin")
app.add_typer(backups.graph_app, name="graph")
app.add_typer(models.app, name="models")
app.command("up", epilog="Example: wnis up --demo --port 8080")(instance.up)
app.command("down", epilog="Example: wnis down")(instance.down)
app.command("status", epilog="Example: wnis status --json")(instance.status)
app.command("backup", epilog="Example: wnis backup --to s3://backups/town")(backups.backup)
app.command("restore", epilog="Example: WNIS_HOME=/srv/new wnis restore /mnt/sets/wnis-20260101T020000Z-a1b2c3")(
    backups.restore
)
app.command("drill", epilog="Example: wnis drill --json")(backups.drill)
app.command("deploy", epilog="Example: wnis deploy --ref v0.2.0")(deploy.deploy)
app.command("migrate", epilog="Example: NEO4J_URI=bolt://graph:7687 wnis migrate")(servers.migrate)
app.command("demo", epilog="Example: WNIS_URL=https://wnis.example WNIS_TOKEN=... wnis demo")(servers.demo)
app.command("simulate", epilog="Example: wnis simulate --inp town.inp --out results")(hydraulics.simulate)
app.command("isolate", epilog="Example: wnis isolate town P-12 --inoperable V-7")(isolation.isolate)
app.command("trace", epilog="Example: wnis trace town J-3 upstream")(isolation.trace)
app.command("train", epilog="Example: wnis train")(failures.train)
app.command("predict", epilog="Example: wnis predict")(failures.predict)
app.command("backtest", epilog="Example: wnis backtest --assets A.csv ... --origin 2020-01-01")(failures.backtest)
app.command("search", epilog='Example: wnis search "crack around the pipe in frost" --limit 5')(search.search)
app.command("query", epilog='Example: wnis query "MATCH (p:Pipe) RETURN count(p)"')(queries.query)
app.command("bench", epilog="Example: wnis bench api --own --config config/bench.yaml --out bench-report")(bench.bench)
app.command("login", epilog="Example: wnis login --username admin")(accounts.login)


def main() -> None:
    """Entry point; exits 0 done, 2 bad input or usage, 1 failure."""
    sys.exit(output.run(app, sys.argv))
