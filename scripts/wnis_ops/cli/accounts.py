"""``wnis login`` and ``wnis admin``: who the command line is, and the way back in."""

from __future__ import annotations

import os
import socket
from typing import Annotated

import typer
from wnis_core.settings import read_settings

from wnis_ops.cli.output import Json, show
from wnis_ops.cli.waiting import Wait, when_there
from wnis_ops.client import ApiClient
from wnis_ops.place import home_of, server_url

admin_app = typer.Typer(no_args_is_help=True, help="What only the owner of the home folder can do.")


def login(
    username: Annotated[str, typer.Option(prompt=True, help="Your account.")],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, envvar="WNIS_PASSWORD", help="Asked for.")],
    wait: Wait = 0,
    as_json: Json = False,
) -> None:
    """Sign in; later commands of this home use an API key of yours, kept readable for you alone."""
    url = server_url(os.environ)
    if wait:
        when_there(ApiClient(url).require_ready, wait)
    tokens = ApiClient(url).post("/auth/login", {"username": username, "password": password})
    key = ApiClient(url, tokens["token"]).post("/auth/keys", {"name": f"wnis on {socket.gethostname()}"})
    home_of(os.environ).store_token(key["key"])
    document = {"url": url, "username": username, "utility": key["utility"]}
    show(document, as_json, lambda: f"Signed in to {url} as {username}.")


@admin_app.command("reset-password", epilog="Example: wnis admin reset-password --username admin")
def reset_password(
    username: Annotated[str, typer.Option(help="The account.")] = "admin", as_json: Json = False
) -> None:
    """Give an account a new generated password, printed once; needs the home folder, not the old password."""
    from wnis_api.accounts import reset_password as reset

    password = reset(read_settings(os.environ, secrets=()).sql_url, username)
    document = {"username": username, "password": password}
    show(document, as_json, lambda: f"{username}: {password}")
