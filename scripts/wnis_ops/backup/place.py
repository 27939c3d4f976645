"""What a backup reads and a restore fills: the graph, the databases and the objects of one installation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from wnis_core.errors import Unavailable
from wnis_core.settings import Settings, read_settings
from wnis_neo4j.local import LocalServer

from wnis_ops.local.instance import status
from wnis_ops.place import Home


@dataclass(frozen=True)
class Installation:
    """One home with its settings."""

    home: Home
    settings: Settings
    environ: Mapping[str, str]

    @classmethod
    def of(cls, home: Home, environ: Mapping[str, str]) -> Installation:
        """The installation on `home`."""
        inherited = {**environ, "WNIS_HOME": str(home.path)}
        return cls(home, read_settings({**inherited, "WNIS_ENV": "development"}), inherited)

    @property
    def has_own_graph(self) -> bool:
        """Whether the graph is the home's own server."""
        return not self.settings.neo4j_uri

    @property
    def runs(self) -> bool:
        """Whether the local instance runs."""
        return status(self.home).state != "stopped"

    def signing_key(self) -> str:
        """The seed that signs models, empty when there is none here."""
        if self.settings.signing_key:
            return self.settings.signing_key
        file = self.home.path / "secrets" / "signing-key"
        return file.read_text(encoding="utf-8").strip() if file.is_file() else ""

    def running_graph(self) -> tuple[str, str, str]:
        """Address, user and password of the graph that runs.

        Raises
        ------
        Unavailable
            it is the home's own, and the instance does not run
        """
        if not self.has_own_graph:
            return self.settings.neo4j_uri, self.settings.neo4j_user, self.settings.neo4j_password
        now = status(self.home)
        if now.state == "stopped":
            raise Unavailable(f"No instance runs on {self.home.path}.", mend="Start it with `wnis up`.")
        password = (self.home.path / "secrets" / "neo4j").read_text(encoding="utf-8")
        return f"bolt://127.0.0.1:{now.ports['neo4j']}", "neo4j", password

    def own_server(self) -> LocalServer:
        """The home's own graph server, not started."""
        return LocalServer(
            self.home.path / "neo4j", password_file=self.home.path / "secrets" / "neo4j", short_lived=False
        )


@contextmanager
def writing_to(home: Home) -> Iterator[None]:
    """What the disk of `home` refuses, as `Unavailable`; what was written until then stays, to go on from there."""
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"{home.path} cannot be written ({error.strerror}).",
            mend="Make room there and repeat the command; it goes on where it was.",
        ) from error
