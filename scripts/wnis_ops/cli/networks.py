"""``wnis network``: import and export, samples, the list, the source file back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from wnis_core.errors import BadRequest, NotFound

from wnis_ops.cli.output import Json, NoWait, follow, say, server, show, table
from wnis_ops.client import part

app = typer.Typer(no_args_is_help=True, help="Networks: import, samples, the list.")


def readable(path: Path) -> Path:
    """`path` when it is a file; raises `NotFound`."""
    if not path.is_file():
        raise NotFound(f"There is no file {path}.")
    return path


def _summary(job: dict[str, Any]) -> str:
    result = job.get("result") or {}
    facts = ", ".join(f"{name} {value}" for name, value in result.items() if isinstance(value, int | str))
    return f"{job['state']}: {facts}" if facts else str(job["state"])


def _report(job: dict[str, Any]) -> None:
    """What the import remarks, line by line, on standard error."""
    result = job.get("result") or {}
    for remark in result.get("remarks", []):
        at = " ".join(
            ([f"[{remark['section']}]"] if remark["section"] else [])
            + ([f"line {remark['line']}"] if remark["line"] else [])
        )
        say(f"{remark['severity']}: {at + ': ' if at else ''}{remark['message']}")
    more = result.get("remarks_total", 0) - len(result.get("remarks", []))
    if more > 0:
        say(f"and {more} remarks more.")


def _differences(result: dict[str, Any]) -> str:
    """Added, changed and removed components, a line each."""
    signs = {"add": "+", "change": "~", "remove": "-", "restore": "+"}
    lines = []
    for one in result["differences"]:
        changed = "; ".join(f"{n}: {_value(v['old'])} -> {_value(v['new'])}" for n, v in one["properties"].items())
        lines.append(f"{signs[one['action']]} {one['type']} {one['name']}" + (f"  {changed}" if changed else ""))
    more = result["differences_total"] - len(result["differences"])
    lines += [f"and {more} more."] if more else []
    counts = f"{result['created']} added, {result['updated']} changed, {result['removed']} removed"
    return "\n".join([*lines, f"{counts}, {result['unchanged']} unchanged."])


def _value(value: Any) -> str:
    return "-" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _upload(file: Path, id: str, **fields: str | None) -> dict[str, Any]:
    known = {name: value for name, value in fields.items() if value is not None}
    accepted: dict[str, Any] = server().upload("/networks", readable(file), {"id": id, **known})
    return accepted


@app.command("import", epilog="Example: wnis network import town.inp --id town --crs EPSG:3089")
def import_(
    file: Annotated[Path, typer.Argument(help="EPANET INP file.")],
    id: Annotated[str, typer.Option("--id", help="Id of the network; a known one is imported again.")],
    crs: Annotated[str | None, typer.Option(help="Coordinate reference system, such as EPSG:3089.")] = None,
    name: Annotated[str | None, typer.Option(help="Name shown to people.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse what would be lost or misread.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read, check and say what would change.")] = False,
    no_wait: NoWait = False,
    as_json: Json = False,
) -> None:
    """Import an EPANET INP file; importing it again changes what changed and duplicates nothing."""
    accepted = _upload(file, id, crs=crs, name=name, strict=str(strict).lower(), dry_run=str(dry_run).lower())
    job = follow(server(), accepted, f"Importing {file.name}", no_wait=no_wait)
    _report(job)
    result = job.get("result") or {}
    show(job, as_json, lambda: _differences(result) if dry_run and result else _summary(job))


@app.command("diff", epilog="Example: wnis network diff town town-2027.inp")
def diff(
    id: Annotated[str, typer.Argument(help="Id of the network.")],
    file: Annotated[Path, typer.Argument(help="EPANET INP file.")],
    as_json: Json = False,
) -> None:
    """What importing the file would add, change and remove; nothing is written."""
    client = server()
    readable(file)
    client.get(f"/networks/{part(id)}")
    job = follow(client, _upload(file, id, dry_run="true"), f"Comparing {file.name}", no_wait=False)
    result = job["result"]
    show(result, as_json, lambda: _differences(result))


@app.command("sample", epilog="Example: wnis network sample mini")
def sample(
    name: Annotated[str, typer.Argument(help="mini, Net1, Net2, Net3, Net6, ky4 or ky10.")],
    no_wait: NoWait = False,
    as_json: Json = False,
) -> None:
    """Load a network that comes with the program."""
    client = server()
    job = follow(client, client.post("/networks/samples", {"name": name}), f"Loading {name}", no_wait=no_wait)
    show(job, as_json, lambda: _summary(job))


@app.command("list", epilog="Example: wnis network list")
def list_(as_json: Json = False) -> None:
    """The networks of the utility."""
    found = list(server().pages("/networks"))
    show(
        {"networks": found},
        as_json,
        lambda: table(
            ("id", "name", "components", "revision", "CRS"),
            ((n["id"], n["name"], sum(n["counts"].values()), n["revision"], n["crs"]) for n in found),
        ),
    )


@app.command("export", epilog="Example: wnis network export town town.inp")
def export(
    id: Annotated[str, typer.Argument(help="Id of the network.")],
    file: Annotated[Path, typer.Argument(help="Where to write it.")],
    drop_orphans: Annotated[
        bool, typer.Option("--drop-orphans", help="Leave out controls, rules and options that name what was removed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write the network to a file, by its suffix.

    .inp: the imported file, with what changed since written into it; .csv and .geojson: the components;
    .gpkg: a layer for each type of component; .jsonl: everything, as lines of JSON.
    """
    client, suffix = server(), file.suffix.lower()
    if drop_orphans and suffix != ".inp":
        raise BadRequest("--drop-orphans is about .inp files only.")
    if suffix == ".inp":
        size = client.save(f"/networks/{part(id)}/inp", file, orphans="drop" if drop_orphans else "refuse")
    elif suffix in (".csv", ".geojson"):
        client.get(f"/networks/{part(id)}")  # a list of an unknown network would be an empty file
        size = client.save("/components", file, network=id, format=suffix[1:])
    elif suffix in (".gpkg", ".jsonl"):
        size = client.save(f"/networks/{part(id)}/{'gpkg' if suffix == '.gpkg' else 'bundle'}", file)
    else:
        raise BadRequest(f"{file} has no known suffix.", mend="Use .inp, .csv, .geojson, .gpkg or .jsonl.")
    show({"file": str(file), "bytes": size}, as_json, lambda: f"{file}: {size:,} bytes")


@app.command("source", epilog="Example: wnis network source town town-as-imported.inp")
def source(
    id: Annotated[str, typer.Argument(help="Id of the network.")],
    file: Annotated[Path, typer.Argument(help="Where to write it.")],
    as_json: Json = False,
) -> None:
    """Write the file that the network was imported from, byte for byte."""
    content = server().download(f"/networks/{part(id)}/inp", version="imported")
    file.write_bytes(content)
    show({"file": str(file), "bytes": len(content)}, as_json, lambda: f"{file}: {len(content):,} bytes")
