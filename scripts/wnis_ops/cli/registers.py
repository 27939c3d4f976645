"""``wnis assets`` and ``wnis incidents``: what a utility has in files, brought in through a mapping."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from wnis_core.errors import InvalidValue
from wnis_core.mapping import MappedTable, Mapping, load_mapping, read_table

from wnis_ops.cli.networks import readable
from wnis_ops.cli.output import Json, bar, say, server, show
from wnis_ops.client import ApiClient, Progress, part

assets_app = typer.Typer(no_args_is_help=True, help="Asset registers: attributes of components.")
incidents_app = typer.Typer(no_args_is_help=True, help="Incidents: breaks, leaks, complaints.")

MappingFile = Annotated[Path, typer.Option("--mapping", help="TOML file that says what the columns mean.")]
CHUNK = 2_000
"""Rows of one request: a chunk takes effect as a whole, and a file of any size stays below the limit of a body."""


@assets_app.command("import", epilog="Example: wnis assets import pipes.gpkg --mapping pipes.toml --network town")
def import_assets(
    file: Annotated[Path, typer.Argument(help="CSV, GeoJSON, Shapefile (.shp) or GeoPackage.")],
    mapping: MappingFile,
    network: Annotated[str | None, typer.Option(help="Network that the components belong to.")] = None,
    layer: Annotated[str, typer.Option(help="Layer of the file, where there are several.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and match only; send nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Attach attributes to components, by key or geometry; or add connections, isolation valves, hydrants, sensors."""
    rules = _rules(mapping, ("assets", "service_connections", "isolation_valves", "devices"))
    client = server()
    network = network or _only_network(client)
    # the images that have the command line without maps have no GDAL
    from wnis_ops.gis.register import read_register

    register = read_register(readable(file), rules, layer, lambda: client.get(f"/networks/{part(network)}/geometry"))
    table, outcome = register.table, {}
    if not dry_run:
        with bar(f"Importing {file.name}") as report:
            outcome = send_assets(client, table, table.target, network, report)
    _finish({**outcome, **register.report}, table, register.summary, as_json)


@assets_app.command("inspect", epilog="Example: wnis assets inspect mains.shp > mains.toml")
def inspect(
    file: Annotated[Path, typer.Argument(help="CSV, GeoJSON, Shapefile (.shp) or GeoPackage.")],
    layer: Annotated[str, typer.Option(help="Layer of the file, where there are several.")] = "",
    as_json: Json = False,
) -> None:
    """Propose a mapping for a file from its header and its first values; read it before you use it."""
    from wnis_ops.gis.layers import read_layer
    from wnis_ops.gis.proposal import propose

    found = propose(read_layer(readable(file), layer))
    show(found.document(), as_json, found.toml)


@incidents_app.command("import", epilog="Example: wnis incidents import breaks.csv --mapping breaks.toml")
def import_incidents(
    file: Annotated[Path, typer.Argument(help="CSV file.")],
    mapping: MappingFile,
    network: Annotated[str | None, typer.Option(help="Look up keys and names in this network only.")] = None,
    as_json: Json = False,
) -> None:
    """Import incidents; a row with a known id or source id is updated, never duplicated."""
    table = read_table(readable(file), _rules(mapping, ("incidents",)))
    with bar(f"Importing {file.name}") as report:
        outcome = send_incidents(server(), table, network, report)
    _finish(outcome, table, table.summary(), as_json)


def _only_network(client: ApiClient) -> str:
    found = [n["id"] for n in client.pages("/networks")]
    if len(found) != 1:
        raise InvalidValue(
            f"There are {len(found)} networks here: {', '.join(found) or 'none'}.", mend="Name one with --network."
        )
    return str(found[0])


def send_assets(
    client: ApiClient, table: MappedTable, target: str, network: str | None, report: Progress
) -> dict[str, Any]:
    """The rows of a table of any target but incidents through ``POST /assets/import``, in chunks."""
    named = {"network": network} if network else {}
    return _send(client, "/assets/import", named, target, table, report)


def send_incidents(client: ApiClient, table: MappedTable, network: str | None, report: Progress) -> dict[str, Any]:
    """The rows of an incident table through ``POST /incidents/import``, in chunks."""
    named = {"network": network} if network else {}
    return _send(client, "/incidents/import", named, "incidents", table, report)


def _send(
    client: ApiClient, path: str, named: dict[str, str], key: str, table: MappedTable, report: Progress
) -> dict[str, Any]:
    rows = table.documents()
    total: dict[str, Any] = {}
    for start in range(0, len(rows), CHUNK):
        answer = client.post(path, {**named, key: rows[start : start + CHUNK]})
        for rejected in answer.get("rejected", ()):
            # rows of the file (from 1), not of the chunk (from 0)
            rejected["row"] = table.row_numbers[start + rejected["row"]]
        for name, value in answer.items():
            total[name] = total.get(name, type(value)()) + value
        report((start + CHUNK) / len(rows), f"{min(start + CHUNK, len(rows)):,} of {len(rows):,} rows")
    return total


def _rules(mapping: Path, targets: Sequence[str]) -> Mapping:
    rules = load_mapping(readable(mapping))
    if rules.target.name not in targets:
        raise InvalidValue(
            f"{mapping} maps {rules.target.name}.", mend=f"Name a mapping whose target is {' or '.join(targets)}."
        )
    return rules


def _finish(outcome: dict[str, Any], table: MappedTable, summary: str, as_json: bool) -> None:
    refused = [{"row": p.row, "errors": [{"field": p.column, "message": p.message}]} for p in table.rejected]
    outcome["rejected"] = refused + list(outcome.get("rejected", ()))
    outcome["read"] = table.read
    outcome["filtered"] = table.filtered
    say(summary)
    for item in outcome["rejected"][:20]:
        say(f"row {item['row']}: " + "; ".join(f"{e['field']}: {e['message']}" for e in item["errors"]))
    for name in outcome.get("unmatched", ())[:20]:
        say(f"{name}: no component of that id, key or name, or more than one")
    for doubt in outcome.get("ambiguous", ())[:20]:
        options = ", ".join(f"{_named(one)} {one['distance_m']:g} m" for one in doubt["candidates"])
        say(f"{_named(doubt)}: ambiguous, left out: {options}")
    for item in outcome.get("unplaced", ())[:20]:
        say(f"row {item['row']}: {item['message']}")
    lists = ("rejected", "unmatched", "ambiguous", "unplaced")
    more = sum(max(0, len(outcome.get(name, ())) - 20) for name in lists)
    if more:
        say(f"... and {more} more; --json lists them all.")
    counts = {k: len(v) if isinstance(v, list) else v for k, v in outcome.items() if k not in ("read", "filtered")}
    show(outcome, as_json, lambda: ", ".join(f"{name} {count}" for name, count in counts.items()))


def _named(one: dict[str, Any]) -> str:
    """A row or component of the report."""
    return f"row {one['row']}" if "row" in one else str(one.get("component") or one["id"])
