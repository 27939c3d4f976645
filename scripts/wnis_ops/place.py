"""Where commands work: the local server of one home, or the one that ``WNIS_URL`` and ``WNIS_TOKEN`` name."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wnis_core.errors import Unavailable

from wnis_ops.client import ApiClient


@dataclass(frozen=True)
class Home:
    """The folder of one instance's state."""

    path: Path

    @property
    def state_file(self) -> Path:
        """What the supervisor says of itself: state, url, pids, ports."""
        return self.path / "run" / "state.json"

    @property
    def token_file(self) -> Path:
        """The API key that local commands use (0600)."""
        return self.path / "secrets" / "cli-token"

    @property
    def first_password_file(self) -> Path:
        """The password of the first account, until it has been shown once (0600)."""
        return self.path / "secrets" / "first-password"

    def take_first_password(self) -> str | None:
        """The password of the first account when nobody has seen it yet; it is forgotten here."""
        try:
            text = self.first_password_file.read_text(encoding="utf-8")
        except OSError:
            return None
        self.first_password_file.unlink()
        return text

    def state(self) -> dict[str, Any]:
        """The supervisor's own words, empty when it never ran."""
        try:
            found: dict[str, Any] = json.loads(self.state_file.read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError):
            return {}
        return found

    def store_token(self, token: str) -> None:
        """Keep `token` for later commands, readable by this user alone."""
        self.token_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self.token_file.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(token)
        fresh.replace(self.token_file)


def own_release() -> Path:
    """The checkout that this program runs from, whatever links led to it."""
    return Path(sys.prefix).resolve().parent


def python_of(release: Path) -> str:
    """The interpreter of a checkout that is set up; of one name, and without links that may point elsewhere later."""
    return str(release.resolve() / ".venv" / "bin" / "python3")


def home_of(environ: Mapping[str, str]) -> Home:
    """The home that ``WNIS_HOME`` names, by default ``.wnis`` here."""
    return Home(Path(environ.get("WNIS_HOME") or ".wnis").expanduser().resolve())


def server_url(environ: Mapping[str, str]) -> str:
    """Address of the server that commands talk to.

    Raises
    ------
    Unavailable
        none is named and none runs here
    """
    url = environ.get("WNIS_URL") or home_of(environ).state().get("url")
    if not url:
        raise Unavailable(
            f"No server runs in {home_of(environ).path}.",
            mend="Start one with `wnis up`, or set WNIS_URL and WNIS_TOKEN.",
        )
    return str(url)


def connect(environ: Mapping[str, str]) -> ApiClient:
    """A client of that server with its token.

    Raises
    ------
    Unavailable
        no server, or no token for it
    """
    url = server_url(environ)
    token = environ.get("WNIS_TOKEN", "")
    if not token and not environ.get("WNIS_URL"):
        try:
            token = home_of(environ).token_file.read_text(encoding="utf-8").strip()
        except OSError:
            token = ""
    if not token:
        raise Unavailable(f"There is no token for {url}.", mend="Sign in with `wnis login`, or set WNIS_TOKEN.")
    return ApiClient(url, token)
