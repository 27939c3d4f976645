"""``wnis assets`` and ``wnis incidents``: what a utility has in files, brought in through a mapping."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from wnis_core.errors import InvalidValue
from wnis_core.mapping import MappedTable, load_mapping, read_table

from wnis_ops.cli.networks import readable
from wnis_ops.cli.output import Json, bar, say, server, show
from wnis_ops.client import ApiClient, Progress

assets_app = typer.Typer(no_args_is_help=True, help="Asset registers: attributes of components.")
incidents_app = typer.Typer(no_args_is_help=True, help="Incidents: breaks, leaks, complaints.")

MappingFile = Annotated[Path, typer.Option("--mapping", help="TOML file that says what the columns mean.")]
CHUNK = 2_000
"""Rows of one request: a chunk takes effect as a whole, and a file of any size stays below the limit of a body."""


@assets_app.command("import", epilog="Example: wnis assets import pipes.csv --mapping pipes.toml --network town")
def import_assets(
    file: Annotated[Path, typer.Argument(help="CSV file.")],
    mapping: MappingFile,
    network: Annotated[str | None, typer.Option(help="Network that the components belong to.")] = None,
    as_json: Json = False,
) -> None:
    """Attach attributes to components by id, register key or name; or add service connections or isolation valves."""
    table = _mapped(file, mapping, ("assets", "service_connections", "isolation_valves"))
    with bar(f"Importing {file.name}") as report:
        client = server()
        outcome = send_assets(client, table, table.target, network or _only_network(client), report)
    _finish(outcome, table, as_json)


@incidents_app.command("import", epilog="Example: wnis incidents import breaks.csv --mapping breaks.toml")
def import_incidents(
    file: Annotated[Path, typer.Argument(help="CSV file.")],
    mapping: MappingFile,
    network: Annotated[str | None, typer.Option(help="Look up keys and names in this network only.")] = None,
    as_json: Json = False,
) -> None:
    """Import incidents; a row with a known id or source id is updated, never duplicated."""
    table = _mapped(file, mapping, ("incidents",))
    with bar(f"Importing {file.name}") as report:
        outcome = send_incidents(server(), table, network, report)
    _finish(outcome, table, as_json)


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


def _mapped(file: Path, mapping: Path, targets: Sequence[str]) -> MappedTable:
    rules = load_mapping(readable(mapping))
    if rules.target.name not in targets:
        raise InvalidValue(
            f"{mapping} maps {rules.target.name}.", mend=f"Name a mapping whose target is {' or '.join(targets)}."
        )
    return read_table(readable(file), rules)


def _finish(outcome: dict[str, Any], table: MappedTable, as_json: bool) -> None:
    refused = [{"row": p.row, "errors": [{"field": p.column, "message": p.message}]} for p in table.rejected]
    outcome["rejected"] = refused + list(outcome.get("rejected", ()))
    outcome["read"] = table.read
    outcome["filtered"] = table.filtered
    say(table.summary())
    for item in outcome["rejected"][:20]:
        say(f"row {item['row']}: " + "; ".join(f"{e['field']}: {e['message']}" for e in item["errors"]))
    for name in outcome.get("unmatched", ())[:20]:
        say(f"{name}: no component of that id, key or name, or more than one")
    more = max(0, len(outcome["rejected"]) - 20) + max(0, len(outcome.get("unmatched", ())) - 20)
    if more:
        say(f"... and {more} more; --json lists them all.")
    counts = {k: len(v) if isinstance(v, list) else v for k, v in outcome.items() if k not in ("read", "filtered")}
    show(outcome, as_json, lambda: ", ".join(f"{name} {count}" for name, count in counts.items()))
