"""``wnis backup``, ``wnis restore``, ``wnis drill`` and ``wnis graph export|import``."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from wnis_core.errors import InvalidValue

from wnis_ops.cli.output import Json, say, show, table
from wnis_ops.place import connect, home_of

graph_app = typer.Typer(no_args_is_help=True, help="The graph alone, as a file that any Neo4j takes over.")

_MEGABYTE = 1e6


def backup(
    to: Annotated[
        str | None, typer.Option(help="A folder, or s3://bucket/prefix beside the home's own copy; default the home.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Neo4j's own dump; the instance is stopped.")] = False,
    as_json: Json = False,
) -> None:
    """Make one consistent, encrypted set of graph, SQL, jobs, objects and configuration."""
    from wnis_core.starting import require_writable

    from wnis_ops.backup.keys import ensure_key, key_file
    from wnis_ops.backup.place import Installation
    from wnis_ops.backup.records import LAST_BACKUP, record
    from wnis_ops.backup.take import Backup, sample_client

    home = home_of(os.environ)
    require_writable(home.path, "WNIS_HOME")
    key, made = ensure_key(home, os.environ)
    if made:
        say(
            f"The key of the backups was made: {key_file(home, os.environ)}. Keep a copy of it elsewhere: without it "
            "no set can be read, and no set holds it."
        )
    _stop_on_sigterm()
    client = None if offline else sample_client(lambda: connect(os.environ))
    try:
        taken = Backup(Installation.of(home, os.environ), key, client, say).take(to, offline=offline)
    except BaseException:
        record(home, LAST_BACKUP, {"ok": False, "bytes": 0, "pause_seconds": 0.0})
        raise
    manifest = taken.manifest
    outcome = {"ok": True, "bytes": manifest.size_bytes, "pause_seconds": manifest.pause_seconds}
    record(home, LAST_BACKUP, outcome)
    document = {
        "set": manifest.set_id,
        "location": taken.location,
        "bytes": manifest.size_bytes,
        "pause_seconds": manifest.pause_seconds,
        "seconds": taken.seconds,
        "graph": manifest.graph,
        "sql": manifest.sql,
        "objects": manifest.objects,
        "samples": len(manifest.samples),
        "key_id": key.id,
    }
    show(
        document,
        as_json,
        lambda: (
            f"{taken.location}\n{manifest.size_bytes / _MEGABYTE:.1f} MB in {taken.seconds:.1f} s; writes were paused "
            f"for {manifest.pause_seconds:.2f} s; {manifest.graph['nodes']} nodes, "
            f"{manifest.graph['relationships']} relationships, {manifest.objects['number']} objects, "
            f"{len(manifest.samples)} answers of the API."
        ),
    )


def restore(
    named: Annotated[str, typer.Argument(metavar="SET", help="A folder, an s3:// address, or a name in the home.")],
    no_start: Annotated[bool, typer.Option("--no-start", help="Fill in and compare, but do not start it.")] = False,
    as_json: Json = False,
) -> None:
    """Verify a set and bring it into an empty home or server; goes on where a killed attempt was."""
    from wnis_core.clock import iso, now

    from wnis_ops.backup.drill import compare_answers, started
    from wnis_ops.backup.keys import read_key
    from wnis_ops.backup.place import Installation
    from wnis_ops.backup.restore import Restore
    from wnis_ops.backup.sets import find_set

    home, began = home_of(os.environ), time.monotonic()
    _stop_on_sigterm()
    sets, name = find_set(home, named)
    into = Installation.of(home, os.environ)
    run = Restore(into, read_key(home, os.environ), sets, name, say)
    report = run.run()
    assert run.manifest is not None
    if not no_start:
        with started(into, say, began) as (client, stages):
            compare_answers(client, run.manifest.samples, report, say)
        report.seconds |= stages
    report.finished_at = iso(now()) or ""
    run.forget()
    show(report.document(), as_json, lambda: _words(report))
    if not report.ok:
        raise typer.Exit(1)


def drill(
    source: Annotated[
        str | None, typer.Option("--from", help="A folder or s3://bucket/prefix with sets; default the home's own.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Restore the newest set into a scratch home, start it, compare, and state the time of each stage."""
    from wnis_ops.backup.drill import TARGETS_S
    from wnis_ops.backup.drill import drill as hold
    from wnis_ops.backup.keys import read_key
    from wnis_ops.backup.records import LAST_DRILL, record
    from wnis_ops.backup.sets import local_sets, sets_at

    home, began = home_of(os.environ), time.monotonic()
    _stop_on_sigterm()
    try:
        sets = sets_at(source) if source else local_sets(home)
        held = hold(home, os.environ, read_key(home, os.environ), sets, say)
    except BaseException:
        record(home, LAST_DRILL, {"ok": False, "seconds": round(time.monotonic() - began, 2)})
        raise
    record(home, LAST_DRILL, {"ok": held.report.ok, "seconds": held.total_seconds})

    def words() -> Any:
        say(_words(held.report))
        return table(
            ("back again", "after (s)", "target (s)"),
            [(name.replace("_", " "), took, TARGETS_S[name]) for name, took in held.seconds.items()],
        )

    show(held.document(), as_json, words)
    if not held.report.ok:
        raise typer.Exit(1)


@graph_app.command("export", epilog="Example: wnis graph export town.jsonl.zst")
def export_graph(
    file: Annotated[Path, typer.Argument(help="The file to write: JSON lines, compressed with zstandard.")],
    as_json: Json = False,
) -> None:
    """Write the graph of the home, or of NEO4J_URI, to a file; writes are paused meanwhile."""
    from wnis_ops.backup.migration import export_to
    from wnis_ops.backup.place import Installation

    done = export_to(Installation.of(home_of(os.environ), os.environ), file, say)
    show(done, as_json, lambda: f"{file}: {done['nodes']} nodes, {done['relationships']} relationships.")


@graph_app.command("import", epilog="Example: NEO4J_URI=bolt://new:7687 wnis graph import town.jsonl.zst")
def import_graph(
    file: Annotated[Path, typer.Argument(help="A file that `wnis graph export` wrote.")],
    as_json: Json = False,
) -> None:
    """Bring a file into an empty server (NEO4J_URI) or an empty home; goes on where a killed attempt was."""
    from wnis_ops.backup.migration import import_from
    from wnis_ops.backup.place import Installation

    if not file.is_file():
        raise InvalidValue(f"There is no file {file}.", mend="Write one with `wnis graph export`.")
    done = import_from(Installation.of(home_of(os.environ), os.environ), file, say)
    show(done, as_json, lambda: f"{done['nodes']} nodes, {done['relationships']} relationships, as in the file.")


def _stop_on_sigterm() -> None:
    # what was begun (a pause, a server, a scratch home) is ended in order, as with Ctrl-C
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _words(report: Any) -> str:
    failed = [name for name, fine in report.checks.items() if not fine]
    lines = [f"{report.set_id}: {report.graph['nodes']} nodes, {report.graph['relationships']} relationships, "
             f"{report.objects['number']} objects."]  # fmt: skip
    lines.append(f"{len(report.checks) - len(failed)} of {len(report.checks)} checks hold.")
    lines += [f"  does not hold: {name}" for name in failed]
    if report.samples:
        lines.append(f"{report.samples - len(report.different)} of {report.samples} answers are those of the backup.")
        lines += [f"  differs: {path}" for path in report.different]
    return "\n".join(lines)
