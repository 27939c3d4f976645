"""Sets on a real S3 server: uploaded in parts that are not sent twice, checked there, restored from there."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import neo4j
import pytest
import requests
from wnis_core.errors import Failure, InvalidValue, NotFound, Unavailable
from wnis_core.objects import open_object_store
from wnis_graph.bundle import take_census
from wnis_ml.failure.history import day_of
from wnis_ml.failure.training import train
from wnis_ops.backup.s3 import Bucket
from wnis_ops.backup.sets import BucketSets, good, newest, retain, sets_at
from wnis_ops.backup.take import Backup

from tests.component.backup import town
from tests.component.backup.conftest import make_empty
from tests.component.backup.test_entry_points import SCOPE, Place
from tests.component.core.ports import free_port
from tests.conftest import Neo4jServer
from tests.unit.ml.towns import AS_OF, history

pytestmark = pytest.mark.system


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder behind a real S3 server that checks credentials."""
    folder = tmp_path / "served"
    (folder / "bucket").mkdir(parents=True)
    address = f"127.0.0.1:{free_port()}"
    server = subprocess.Popen(
        ["rclone", "serve", "s3", "--auth-key", "access-key,secret-key", "--addr", address, str(folder)]
    )
    try:
        until = time.monotonic() + 20
        while True:
            try:
                requests.get(f"http://{address}/", timeout=1)
                break
            except requests.ConnectionError:
                assert time.monotonic() < until
                time.sleep(0.05)
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://{address}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "access-key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-key")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield folder
    finally:
        server.terminate()
        server.wait()


def test_finished_parts_of_an_upload_are_not_sent_again(served: Path, tmp_path: Path) -> None:
    part = 5 << 20
    file, progress = tmp_path / "file", tmp_path / "progress.json"
    file.write_bytes(os.urandom(3 * part + 1))
    bucket = Bucket("bucket", "sets", part_bytes=part)
    sent: list[int] = []

    def cut_off(number: int) -> None:
        sent.append(number)
        if number == 2:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        bucket.upload("a/file", file, progress, cut_off)
    assert bucket.sizes("") == {}
    bucket.upload("a/file", file, progress, sent.append)
    assert sent == [1, 2, 3, 4]
    assert not progress.exists()
    assert (served / "bucket" / "sets" / "a" / "file").read_bytes() == file.read_bytes()
    bucket.upload("a/file", file, progress, sent.append)
    assert sent == [1, 2, 3, 4], "what is there already is not sent again"
    back = tmp_path / "back"
    back.write_bytes(file.read_bytes()[: part + 3])
    bucket.download("a/file", back)
    assert back.read_bytes() == file.read_bytes()


def test_a_set_goes_there_and_comes_back(
    served: Path, graph: neo4j.Driver, own_server: Neo4jServer, tmp_path: Path
) -> None:
    key, a = town.key_of(tmp_path), town.installation(tmp_path / "a", own_server, tmp_path / "key")
    town.build(a, graph, 50)
    census = take_census(graph).document()
    taken = Backup(a, key, None, town.quiet).take("s3://bucket/town")
    assert taken.location == f"s3://bucket/town/{taken.manifest.set_id}"
    there = sets_at("s3://bucket/town")
    assert isinstance(there, BucketSets)
    assert good(there, taken.manifest.set_id, key) == taken.manifest
    make_empty(graph)
    report = town.restore(town.installation(tmp_path / "b", own_server, tmp_path / "key"), key, taken.location)
    assert report.ok
    assert take_census(graph).document() == census
    folder = served / "bucket" / "town" / taken.manifest.set_id
    # what is altered there is found here
    whole = (folder / "graph.sealed").read_bytes()
    (folder / "graph.sealed").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    make_empty(graph)
    c = town.installation(tmp_path / "c", own_server, tmp_path / "key")
    with pytest.raises(InvalidValue, match="altered"):
        town.restore(c, key, taken.location)
    there.bucket.delete(f"{taken.manifest.set_id}/manifest.json")
    with pytest.raises(NotFound, match="no manifest"):
        town.restore(c, key, taken.location)
    assert newest(there, key) is None
    assert retain(there, key, town.quiet) == []


def test_models_go_there_and_come_back(
    served: Path, graph: neo4j.Driver, own_server: Neo4jServer, tmp_path: Path
) -> None:
    place, kept = Place(tmp_path / "home", own_server, graph), open_object_store("s3://bucket/sets/models")
    version = place.registry.register(SCOPE, train(history(), day_of(AS_OF), 7), job_id=None)
    (written,) = place.exchange.export_to(SCOPE, kept)
    assert {file.name for file in (served / "bucket" / "sets" / "models").iterdir()} == {
        "models.wnis",
        f"failure-{version}.model",
    }
    assert place.exchange.import_from(SCOPE, kept) == [written]
    # models lie beside the sets and are none
    assert sets_at("s3://bucket/sets").names() == []


def test_an_upload_that_was_cut_off_is_finished_by_the_next_backup(
    served: Path, graph: neo4j.Driver, own_server: Neo4jServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, a = town.key_of(tmp_path), town.installation(tmp_path / "a", own_server, tmp_path / "key")
    town.build(a, graph, 10)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(Failure, match="refused"):
        Backup(a, key, None, town.quiet).take("s3://bucket/town")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-key")
    names = [Backup(a, key, None, town.quiet).take("s3://bucket/town").manifest.set_id]
    there = sets_at("s3://bucket/town")
    assert names[0] in there.names()


def test_a_server_that_is_away_or_a_bucket_that_is_missing_is_said_in_one_sentence(
    served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises((NotFound, Failure), match="nowhere"):
        Bucket("nowhere").upload("file", tmp_path / "file", tmp_path / "progress")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable, match=r"s3://bucket does not answer .* AWS_ENDPOINT_URL_S3"):
        Bucket("bucket").sizes("")
