"""``wnis migrate`` and ``wnis demo``: what prepares servers that something else starts (containers, Kubernetes)."""

from __future__ import annotations

import os

from wnis_ops.cli.output import Json, bar, show
from wnis_ops.cli.waiting import Wait, when_there
from wnis_ops.place import connect, home_of


def migrate(wait: Wait = 120, as_json: Json = False) -> None:
    """Bring the graph and the SQL database up to date and make the first account; safe to run again."""
    from wnis_ops.local.first_start import prepare

    home = home_of(os.environ)
    when_there(lambda: prepare(home), wait)
    password_file = str(home.first_password_file) if home.first_password_file.is_file() else None
    words = "Both databases are up to date."
    if password_file:
        words += f" The password of the first account is in {password_file}."
    show({"migrated": True, "first_password_file": password_file}, as_json, lambda: words)


def demo(wait: Wait = 300, as_json: Json = False) -> None:
    """Load the demonstration into a running system; what is there is found, what is missing is made."""
    from wnis_ops.demo.load import load_demo

    client = connect(os.environ)
    when_there(client.require_ready, wait)
    with bar("Demonstration") as progress:
        load_demo(client, progress, home_of(os.environ).path)
    show({"loaded": True}, as_json, lambda: "The demonstration is loaded.")
