"""``wnis search`` and ``wnis index``: questions to the memory of incidents."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from wnis_ops.cli.components import component_id
from wnis_ops.cli.output import Json, NoWait, follow, server, show, table

index_app = typer.Typer(no_args_is_help=True, help="The vector index of incidents.")


def search(
    words: Annotated[str, typer.Argument(help="What happened, in your own words.")],
    component: Annotated[str | None, typer.Option(help="Only near this component (id or name).")] = None,
    hops: Annotated[int | None, typer.Option(help="How near, in steps along the network.")] = None,
    limit: Annotated[int, typer.Option(help="How many results.")] = 10,
    as_json: Json = False,
) -> None:
    """Find incidents like the one described."""
    client = server()
    body = {"query": words, "limit": limit, "hops": hops}
    if component is not None:
        body["component_id"] = component_id(client, component)
    answer = client.post("/incidents/search", {k: v for k, v in body.items() if v is not None})
    show(
        answer,
        as_json,
        lambda: table(
            ("score", "when", "kind", "components", "what"),
            (
                (
                    f"{hit['score']:.3f}",
                    str(hit["incident"]["occurred_at"])[:10],
                    hit["incident"]["kind"],
                    ", ".join(c["name"] for c in hit["components"]),
                    (hit["highlights"] or [hit["incident"]["narrative"]])[0],
                )
                for hit in answer["results"]
            ),
        ),
    )


@index_app.command("rebuild", epilog="Example: wnis index rebuild")
def rebuild(no_wait: NoWait = False, as_json: Json = False) -> None:
    """Make the index of incidents anew from the graph."""
    client = server()
    job = follow(client, client.post("/index/rebuild"), "Rebuilding the index", no_wait=no_wait)
    show(job, as_json, lambda: f"{job['state']}: {json.dumps(job['result'])}")
