"""What a graph and a SQL database need before the services can work: schema, the utility, the first account."""

from __future__ import annotations

from dataclasses import dataclass

from wnis_api.accounts import FIRST_USERNAME, ensure_admin
from wnis_api.api_keys import ApiKeys
from wnis_api.credentials import Credentials
from wnis_api.sql import Database, upgrade
from wnis_core.errors import NotAuthenticated
from wnis_graph.migrations import migrate
from wnis_graph.runner import Runner, open_driver
from wnis_graph.scope import DEFAULT_UTILITY

from wnis_ops.place import Home


@dataclass(frozen=True)
class GraphDoor:
    """Address and credentials of the graph."""

    uri: str
    user: str
    password: str


def prepare(graph: GraphDoor, sql_url: str, home: Home) -> str | None:
    """Bring both databases up to date; returns the password of the first account when it was made now."""
    upgrade(sql_url)
    driver = open_driver(graph.uri, graph.user, graph.password)
    migrate(driver)
    runner = Runner(driver)
    try:
        password = ensure_admin(sql_url, runner)
    finally:
        runner.close()
    ensure_command_key(sql_url, home)
    return password


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
