"""The search of all logs of a test run: it finds what is there, and says where without saying what."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import planted

_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.dBjftJeZ4CVPmB92K27uhbUJU1p1r"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that is gone when the logs of this run are searched."""
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def _log(path: Path, secret: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"first line\n\xff\x00 not text\n" + f'{{"message":"with {secret} in it"}}\n'.encode())


def test_a_secret_is_found_in_every_kind_of_log(folder: Path) -> None:
    secret = secrets.token_hex(16)
    planted.plant(secret)
    logs = ("a/api.log", "a/logs/api.log.2", "neo4j/logs/debug", "postgresql/log", "run/console.err")
    for name in logs:
        _log(folder / name, secret)
    _log(folder / "data" / "store.db", secret)
    found = planted.hits(folder)
    assert sorted(found) == sorted(f"{folder / name}:3: a secret" for name in logs)
    assert secret not in "".join(found)


def test_the_secrets_of_a_home_need_not_be_named(folder: Path) -> None:
    for name in ("home/secrets/jwt", "home/neo4j/password"):
        secret = secrets.token_hex(16)
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(f"{secret}\n")
        _log(folder / f"{Path(name).name}.log", secret)
    assert sorted(planted.hits(folder)) == [f"{folder}/{name}.log:3: a secret" for name in ("jwt", "password")]


def test_tokens_and_keys_are_known_by_their_shape(folder: Path) -> None:
    _log(folder / "token.log", _TOKEN)
    _log(folder / "key.log", f"wnis_{secrets.token_hex(8)}_{secrets.token_urlsafe(32)}")
    _log(folder / "neither.log", "eyJhbGciOiJIUzI1NiJ9 wnis_graph_runner")
    found = planted.hits(folder)
    assert found == [f"{folder / name}:3: a token or an API key" for name in ("key.log", "token.log")]
