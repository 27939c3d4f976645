"""``wnis up``, ``wnis down`` and ``wnis status``: the local instance."""

from __future__ import annotations

import logging
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from wnis_ops.cli.output import Json, say, show
from wnis_ops.place import home_of


def up(
    demo: Annotated[bool, typer.Option("--demo", help="Load the demonstration when it is not there.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Return when it is ready; stop it with wnis down.")] = False,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port; 8080, later the one of last time.")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; other than this machine's needs TLS.")] = "127.0.0.1",
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key (PEM).")] = None,
    as_json: Json = False,
) -> None:
    """Start the whole system on this machine; Ctrl-C stops it."""
    from wnis_ops.local.instance import start_detached, status
    from wnis_ops.local.options import UpOptions
    from wnis_ops.prerequisites import require_startable

    home, options = home_of(os.environ), UpOptions(port, host, tls_cert, tls_key, demo)
    # a second start on a home is refused by the first one, which has taken the memory
    if status(home).state == "stopped":
        require_startable(home, options, os.environ)
    if detach:
        started = start_detached(home, options, os.environ, say)
        document = {**asdict(started.status), "username": "admin", "password": started.first_password}
        words = greeting(str(started.status.url), started.first_password, demo)
        show(document, as_json, lambda: words)
        return
    from wnis_ops.local.supervisor import Supervisor

    logging.basicConfig(level=logging.WARNING, format="%(message)s")

    def ready(url: str) -> None:
        password = home.take_first_password()
        document = {**asdict(status(home)), "username": "admin", "password": password}
        show(document, as_json, lambda: greeting(url, password, demo))

    Supervisor(home, options, os.environ, say=say, on_ready=ready).run()


def down(as_json: Json = False) -> None:
    """Stop the local system."""
    from wnis_ops.local.instance import stop

    ran = stop(home_of(os.environ))
    show({"state": "stopped", "was_running": ran}, as_json, lambda: "Stopped." if ran else "Nothing was running.")


def status(as_json: Json = False) -> None:
    """Whether the local system runs, where, and as which processes."""
    from wnis_ops.backup.records import LAST_BACKUP, last_good
    from wnis_ops.local.instance import status as status_of

    home = home_of(os.environ)
    now, backup = status_of(home), last_good(home, LAST_BACKUP)
    saved_at = backup["finished_at"] if backup else None
    processes = ", ".join(f"{name} {pid}" for name, pid in sorted(now.pids.items()))
    words = f"{now.state} {now.url or ''}\n{processes}".strip()
    show(
        {**asdict(now), "last_backup_at": saved_at},
        as_json,
        lambda: f"{words}\nLast good backup: {saved_at or 'none'}",
    )


def greeting(url: str, password: str | None, demo: bool) -> str:
    """What a person reads when the system is ready."""
    account = f"admin / {password}   (shown this once)" if password else "as before; lost? wnis admin reset-password"
    tries = (
        (
            f"open {url} and click a pipe: pressure, failure probability and where it came from",
            'wnis search "crack in frost" --limit 5',
            'wnis query "MATCH (p:Pipe) RETURN p.material AS material, count(*) AS pipes"',
        )
        if demo
        else (
            "wnis network sample mini",
            "wnis network import YOUR.inp --id town",
            f"open {url}/api/docs",
        )
    )
    lines = ["", f"  WNIS is ready:  {url}", f"  Account:        {account}", "", "  Three things to try:"]
    return "\n".join([*lines, *(f"    {number}. {text}" for number, text in enumerate(tries, 1)), ""])
