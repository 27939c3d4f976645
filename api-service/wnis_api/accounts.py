"""The first account, and the way back in when its password is lost; for the command line."""

from __future__ import annotations

import secrets

from wnis_core.errors import NotFound
from wnis_core.ids import new_id
from wnis_graph.repositories.users import UserRepository
from wnis_graph.repositories.utilities import UtilityRepository
from wnis_graph.runner import Runner
from wnis_graph.scope import DEFAULT_UTILITY, Scope

from wnis_api.credentials import Credentials
from wnis_api.directory import PLATFORM_ADMIN
from wnis_api.sql import Database
from wnis_api.throttle import SignInThrottle

FIRST_USERNAME = "admin"


def ensure_admin(
    sql_url: str,
    runner: Runner,
    *,
    utility: str = DEFAULT_UTILITY,
    utility_name: str = "Default utility",
    username: str = FIRST_USERNAME,
    password: str = "",
) -> str | None:
    """Make the utility and its first account, a platform_admin; returns the password when one was made up.

    Safe to run again: an account that is there keeps its password. An identity that a fresh graph lacks is
    recorded anew, and one whose credentials a fresh SQL database lacks gets new ones.

    Parameters
    ----------
    sql_url : database that `wnis_api.sql.upgrade` has prepared
    runner : door to a migrated graph
    password : of an account made now; empty for a made-up one
    """
    database = Database(sql_url)
    try:
        credentials = Credentials(database)
        users = UserRepository(runner)
        scope = Scope(utility, FIRST_USERNAME, frozenset({PLATFORM_ADMIN}))
        UtilityRepository(runner).ensure(scope, utility_name)
        account = credentials.by_username(username)
        known = users.find_by_username(scope, username)
        if known is None:
            user_id = account.user_id if account else new_id("user")
            known = users.create(scope, username, PLATFORM_ADMIN, user_id=user_id).user
        else:
            users.add_member(scope, known.id, PLATFORM_ADMIN)
        if account is not None and account.user_id == known.id:
            return None
        made_up = None if password else _new_password()
        credentials.replace(known.id, username, password or str(made_up))
        return made_up
    finally:
        database.close()


def reset_password(sql_url: str, username: str = FIRST_USERNAME) -> str:
    """A new password for `username`, whose sessions and keys end, and whose throttle is lifted.

    Raises
    ------
    NotFound
        there is no such account
    """
    database = Database(sql_url)
    try:
        credentials = Credentials(database)
        account = credentials.by_username(username)
        if account is None:
            raise NotFound(f"There is no account {username!r}.", mend="Start the system once, it makes the first one.")
        password = _new_password()
        credentials.set_password(account.user_id, username, password)
        if not account.active:
            credentials.set_active(account.user_id, True)
        SignInThrottle(database).forget(username)
        return password
    finally:
        database.close()


def _new_password() -> str:
    return secrets.token_urlsafe(18)
