"""``wnis network``: import and export, samples, the list, the source file back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from wnis_core.errors import NotFound

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


@app.command("import", epilog="Example: wnis network import town.inp --id town --crs EPSG:3089")
def import_(
    file: Annotated[Path, typer.Argument(help="EPANET INP file.")],
    id: Annotated[str, typer.Option("--id", help="Id of the network; a known one is imported again.")],
    crs: Annotated[str | None, typer.Option(help="Coordinate reference system, such as EPSG:3089.")] = None,
    name: Annotated[str | None, typer.Option(help="Name shown to people.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse what would be reinterpreted.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check only.")] = False,
    no_wait: NoWait = False,
    as_json: Json = False,
) -> None:
    """Import an EPANET INP file; importing it again changes what changed and duplicates nothing."""
    client = server()
    fields = {"id": id, "crs": crs, "name": name, "strict": str(strict).lower(), "dry_run": str(dry_run).lower()}
    accepted = client.upload("/networks", readable(file), {k: v for k, v in fields.items() if v is not None})
    job = follow(client, accepted, f"Importing {file.name}", no_wait=no_wait)
    for remark in (job.get("result") or {}).get("remarks", []):
        say(str(remark))
    show(job, as_json, lambda: _summary(job))


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
    """Write the network as an INP file: the imported one, with what changed since written into it."""
    orphans = "drop" if drop_orphans else "refuse"
    content = server().download(f"/networks/{part(id)}/inp", orphans=orphans)
    file.write_bytes(content)
    show({"file": str(file), "bytes": len(content)}, as_json, lambda: f"{file}: {len(content):,} bytes")


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
