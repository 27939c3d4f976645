"""``wnis verify``: what is doubtful in the networks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from wnis_ops.cli.output import Json, say, server, show
from wnis_ops.client import ApiClient, part

app = typer.Typer(help="Consistency checks. They change nothing and end with 1 when they find an error.")

_SHOWN = 10


@app.callback(invoke_without_command=True)
def verify(context: typer.Context, as_json: Json = False) -> None:
    """Check every network of the utility."""
    if context.invoked_subcommand is not None:
        return
    client = server()
    found = [_judged(client, str(n["id"])) for n in client.pages("/networks")]
    show({"networks": found}, as_json, lambda: "\n\n".join("\n".join(_words(one)) for one in found) or "No networks.")
    _end(found)


@app.command("network", epilog="Example: wnis verify network town")
def network(id: Annotated[str, typer.Argument(help="Id of the network.")], as_json: Json = False) -> None:
    """Check one network."""
    found = _judged(server(), id)
    show(found, as_json, lambda: "\n".join(_words(found)))
    _end([found])


def _judged(client: ApiClient, network_id: str) -> dict[str, Any]:
    say(f"Checking {network_id}")
    document: dict[str, Any] = client.get(f"/networks/{part(network_id)}/quality")
    return document


def _words(judged: dict[str, Any]) -> Iterator[str]:
    scores = ", ".join(f"{c['name']} {c['score']:g}" for c in judged["categories"])
    yield f"{judged['network_id']} (revision {judged['revision']}): score {judged['score']:g} of 100 ({scores})"
    for check in judged["checks"]:
        if not check["findings"]:
            continue
        yield f"{check['severity']}: {check['title']} ({check['id']}): {check['findings']}"
        own = [f for f in judged["findings"] if f["check"] == check["id"]]
        for finding in own[:_SHOWN]:
            yield f"  {finding['message']}"
        if len(own) > _SHOWN:
            yield f"  ... and {len(own) - _SHOWN} more; --json lists them all"
        yield f"  Mend: {check['mend']}"
    clean = sum(1 for check in judged["checks"] if not check["findings"])
    yield f"{clean} of {len(judged['checks'])} checks found nothing."


def _end(found: list[dict[str, Any]]) -> None:
    if any(f["severity"] == "error" for one in found for f in one["findings"]):
        raise typer.Exit(1)
