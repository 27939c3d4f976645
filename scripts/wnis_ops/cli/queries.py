"""``wnis query``: questions to the graph, in Cypher."""

from __future__ import annotations

import csv
import json
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from wnis_core.cells import cell
from wnis_core.errors import BadRequest, NotFound
from wnis_core.ids import new_id

from wnis_ops.cli.output import Json, say, server, show, table
from wnis_ops.client import ApiClient, part

_LIMITS = {
    "rows": "there are more rows",
    "bytes": "there are more rows than fit into one answer",
    "values": "some values are longer than shown",
}


def query(
    cypher: Annotated[str | None, typer.Argument(help="A statement that only reads.")] = None,
    saved: Annotated[str | None, typer.Option("--saved", help="Run the saved query of this name instead.")] = None,
    list_saved: Annotated[bool, typer.Option("--list", help="List the saved queries.")] = False,
    parameters: Annotated[str, typer.Option(help="Its parameters, as a JSON object.")] = "{}",
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write the rows to this file.")] = None,
    as_json: Json = False,
) -> None:
    """Ask the graph in Cypher, or run a saved query; Ctrl-C cancels the query."""
    if [cypher is not None, saved is not None, list_saved].count(True) != 1:
        raise BadRequest("Give a statement, or --saved NAME, or --list.")
    client = server()
    if list_saved:
        found = client.get("/saved")
        rows = ((q["name"], _signature(q), q["description"]) for q in found["saved"])
        show(found, as_json, lambda: table(("name", "parameters", "what it answers"), rows))
    elif saved is not None:
        answer = client.post(f"/saved/{part(_id_of(client, saved))}/run", {"parameters": _object(parameters)})
        _present(answer, csv_file, as_json)
    else:
        _present(_asked(client, cypher or "", _object(parameters)), csv_file, as_json)


def _id_of(client: ApiClient, name: str) -> str:
    for query in client.get("/saved")["saved"]:
        if name in (query["name"], query["id"]):
            return str(query["id"])
    raise NotFound(f"There is no saved query {name!r}.", mend="List them with wnis query --list.")


def _signature(saved: dict[str, Any]) -> str:
    values = saved["values"] or {p["name"]: p["default"] for p in saved["parameters"]}
    return json.dumps(values, ensure_ascii=False) if values else ""


def _asked(client: ApiClient, cypher: str, parameters: dict[str, Any]) -> dict[str, Any]:
    query_id = new_id("query")
    body = {"cypher": cypher, "parameters": parameters, "query_id": query_id}
    try:
        answer: dict[str, Any] = client.post("/graph/query", body)
    except KeyboardInterrupt:
        # the server may have seen before us that nobody waits any more
        with suppress(NotFound):
            client.delete(f"/graph/queries/{part(query_id)}")
        raise
    return answer


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadRequest(f"--parameters is not JSON: {error}.") from error
    if not isinstance(found, dict):
        raise BadRequest("--parameters is not a JSON object.", mend='Write {"name": "value"}.')
    return found


def _present(answer: dict[str, Any], csv_file: Path | None, as_json: bool) -> None:
    for limit in answer["truncated_by"]:
        say(f"Truncated: {_LIMITS[limit]}.")
    if csv_file is None:
        show(answer, as_json, lambda: table(answer["columns"], ([_shown(c) for c in row] for row in answer["rows"])))
        return
    with csv_file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow([cell(name) for name in answer["columns"]])
        writer.writerows([cell(value) for value in row] for row in answer["rows"])
    written = {"file": str(csv_file), "rows": len(answer["rows"]), "truncated_by": answer["truncated_by"]}
    show(written, as_json, lambda: f"{csv_file}: {len(answer['rows'])} rows")


def _shown(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
