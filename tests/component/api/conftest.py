"""A SQL database with our schema: SQLite, and PostgreSQL where Debian's server is."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from wnis_api.sql import Database, upgrade

from tests.live import free_ports
from tests.planted import look_into


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an empty database on a real PostgreSQL."""
    tools = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    folder = tmp_path_factory.mktemp("postgresql") / "cluster"
    port = free_ports(1)[0]
    as_user: list[str] = []
    if os.getuid() == 0:
        # the server refuses to run as root
        account = pwd.getpwnam("postgres")
        folder = Path(f"/tmp/wnis-postgresql-{port}")
        folder.mkdir(mode=0o700)
        os.chown(folder, account.pw_uid, account.pw_gid)
        as_user = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"
    initdb = [*as_user, str(tools / "initdb"), "-D", str(folder), "-U", "wnis", "-A", "trust", "-E", "UTF8"]
    control = [*as_user, str(tools / "pg_ctl"), "-D", str(folder), "-w"]
    subprocess.run(initdb, check=True, capture_output=True, cwd="/")
    subprocess.run([*control, "-o", options, "-l", str(folder / "log"), "start"], check=True, cwd="/")
    try:
        yield f"postgresql://wnis@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=True, cwd="/")
        look_into(folder)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.system)])
def sql_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database at the newest version of the schema."""
    kind: str = request.param
    url = request.getfixturevalue("postgresql") if kind == "postgresql" else f"sqlite:///{tmp_path / 'wnis.sqlite'}"
    upgrade(url)
    return str(url)


@pytest.fixture
def database(sql_url: str) -> Iterator[Database]:
    """An open door to it."""
    opened = Database(sql_url)
    yield opened
    opened.close()
