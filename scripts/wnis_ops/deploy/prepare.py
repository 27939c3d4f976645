"""Bring the databases to this release while the one before goes on: ``python -m wnis_ops.deploy.prepare HOME``.

Run with the new release's Python by the supervisor of the old one. Changes that would lock the old one out are refused:
it must be able to serve on, and to come back.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from wnis_api import sql
from wnis_core.errors import Conflict, WnisError
from wnis_core.logs import configure_logging
from wnis_core.settings import read_settings
from wnis_graph import migrations
from wnis_graph.runner import open_driver

from wnis_ops.local.first_start import prepare
from wnis_ops.place import Home


def prepare_beside(home: Home) -> list[str]:
    """Apply what is missing, and name it.

    Raises
    ------
    Conflict
        a change would lock the running release out; nothing was changed
    """
    settings = read_settings(os.environ, secrets=("NEO4J_PASSWORD",))
    driver = open_driver(settings.neo4j_uri, settings.neo4j_user, settings.neo4j_password)
    try:
        in_graph = [one.id for one in migrations.pending(driver)]
        locking = [one.id for one in migrations.pending(driver) if not one.additive]
    finally:
        driver.close()
    in_sql = sql.pending(settings.sql_url)
    locking += [one for one in in_sql if not sql.is_additive(one)]
    if locking:
        raise Conflict(
            f"{', '.join(locking)} would lock the running release out of the databases.",
            mend="Stop the instance, make a backup and start the new release by hand (guide: upgrade).",
        )
    prepare(home)
    return [*in_graph, *in_sql]


def main() -> int:
    """The command; its last line says what was applied, or what went wrong."""
    configure_logging("supervisor", "ERROR")
    try:
        applied = prepare_beside(Home(Path(sys.argv[1])))
    except WnisError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    sys.stdout.write((", ".join(applied) or "nothing to change") + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
