"""One contract on both object stores: a folder, and a real S3 server."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from wnis_core.errors import InvalidValue, NotFound, Unavailable, WnisError
from wnis_core.objects import FolderStore, ObjectStore, S3Store, open_object_store

from tests.component.core.ports import free_port

HOSTILE_KEYS = ("", "/etc/passwd", "../up", "a/../../up", "a//b", "a/./b", "a/", "a\\b", "a\nb", "ä", ".partial-x")


def keeps_the_contract(store: ObjectStore, scratch: Path) -> None:
    store.put("runs/a/nodes.parquet", b"one")
    store.put("runs/a/nodes.parquet", b"two")
    store.put("runs/b/x=1/run.json", b"{}")
    store.put("sources/net:1%20.inp", b"")
    (scratch / "file").write_bytes(b"\0" * 3_000_000)
    store.put("runs/a/large", scratch / "file")
    assert store.get("runs/a/nodes.parquet") == b"two"
    assert store.get("sources/net:1%20.inp") == b""
    assert len(store.get("runs/a/large")) == 3_000_000
    store.fetch("runs/a/large", scratch / "back")
    assert (scratch / "back").read_bytes() == b"\0" * 3_000_000
    assert list(store.list()) == [
        "runs/a/large", "runs/a/nodes.parquet", "runs/b/x=1/run.json", "sources/net:1%20.inp",
    ]  # fmt: skip
    assert list(store.list("runs/a/")) == ["runs/a/large", "runs/a/nodes.parquet"]
    assert (store.exists("runs/a/large"), store.exists("runs/a"), store.exists("nothing")) == (True, False, False)
    store.delete("runs/a/large")
    store.delete("runs/a/large")
    assert not store.exists("runs/a/large")
    for missing in (lambda: store.get("nothing"), lambda: store.fetch("nothing", scratch / "none")):
        with pytest.raises(NotFound):
            missing()
    for key in HOSTILE_KEYS:
        with pytest.raises(InvalidValue):
            store.put(key, b"x")


def test_a_folder_keeps_the_contract(tmp_path: Path) -> None:
    keeps_the_contract(open_object_store(str(tmp_path / "objects")), tmp_path)


def test_an_interrupted_write_to_a_folder_leaves_what_was_there(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "objects")
    store.put("key", b"before")
    with pytest.raises(Unavailable):
        store.put("key", tmp_path / "missing")
    assert store.get("key") == b"before"
    assert list(store.list()) == ["key"]
    assert [p.name for p in (tmp_path / "objects").iterdir()] == ["key"]


@pytest.fixture
def s3_server(tmp_path: Path) -> Iterator[str]:
    """A real S3 server that checks credentials; `serve s3` came with rclone 1.65, Debian 12 has 1.60."""
    (tmp_path / "served" / "bucket").mkdir(parents=True)
    address = f"127.0.0.1:{free_port()}"
    server = subprocess.Popen(
        ["rclone", "serve", "s3", "--auth-key", "access-key,secret-key", "--addr", address, str(tmp_path / "served")]
    )
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                requests.get(f"http://{address}/", timeout=1)
                break
            except requests.ConnectionError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait()


@pytest.mark.system
def test_an_s3_server_keeps_the_contract(s3_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "access-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-key")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    keeps_the_contract(open_object_store("s3://bucket/wnis"), tmp_path)
    assert (tmp_path / "served" / "bucket" / "wnis" / "runs" / "a" / "nodes.parquet").read_bytes() == b"two"


@pytest.mark.system
def test_wrong_credentials_are_an_error_that_names_the_setting(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with pytest.raises(WnisError, match="WNIS_OBJECT_STORE"):
        S3Store("bucket").put("key", b"x")


def test_an_s3_server_that_is_away_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "access-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-key")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with pytest.raises(Unavailable):
        S3Store("bucket").get("key")
