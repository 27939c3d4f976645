"""What a graph and a SQL database need before the services can work: schema, the utility, the first account.

``python -m wnis_ops.local.first_start HOME`` does it in a process of its own, so that the supervisor, which lives for
weeks, does not carry the libraries of a few seconds. The environment says where the graph and the database are.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from wnis_api.accounts import FIRST_USERNAME, ensure_admin
from wnis_api.api_keys import ApiKeys
from wnis_api.credentials import Credentials
from wnis_api.sql import Database, upgrade
from wnis_core.errors import NotAuthenticated, WnisError
from wnis_core.logs import configure_logging
from wnis_core.secret_files import write_secret
from wnis_core.settings import read_settings
from wnis_graph.migrations import migrate
from wnis_graph.runner import Runner, open_driver
from wnis_graph.scope import DEFAULT_UTILITY

from wnis_ops.place import Home


def prepare(home: Home) -> None:
    """Bring both databases up to date; the password of a first account made now is kept until it has been seen."""
    settings = read_settings(os.environ, secrets=("NEO4J_PASSWORD",))
    upgrade(settings.sql_url)
    driver = open_driver(settings.neo4j_uri, settings.neo4j_user, settings.neo4j_password)
    migrate(driver)
    runner = Runner(driver)
    try:
        password = ensure_admin(settings.sql_url, runner, password=settings.admin_password)
    finally:
        runner.close()
    if password is not None:
        # a start that fails further on must not swallow it
        write_secret(home.first_password_file, password)
    ensure_command_key(settings.sql_url, home)


def ensure_command_key(sql_url: str, home: Home) -> None:
    """An API key of the first account for the commands of this home, unless the kept one still holds."""
    database = Database(sql_url)
    try:
        keys = ApiKeys(database)
        try:
            keys.holder(home.token_file.read_text(encoding="utf-8").strip())
        except (OSError, NotAuthenticated):
            account = Credentials(database).by_username(FIRST_USERNAME)
            if account is not None and account.active:
                _, text = keys.issue(account.user_id, DEFAULT_UTILITY, "command line of this home", None)
                home.store_token(text)
    finally:
        database.close()


def main() -> int:
    """The command; says in one line what went wrong."""
    configure_logging("supervisor", "WARNING")
    try:
        prepare(Home(Path(sys.argv[1])))
    except WnisError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
