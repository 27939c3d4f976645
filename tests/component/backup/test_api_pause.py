"""The API during the cut: reads go on, writes hear 503, and a set has all of a request or nothing of it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import neo4j
import pytest
import requests
from wnis_graph.write_gate import WritePause
from wnis_ops.backup import sql
from wnis_ops.backup.place import Installation
from wnis_ops.backup.sealed import lines, unseal
from wnis_ops.backup.take import Backup
from wnis_ops.client import ApiClient
from wnis_ops.place import Home

from tests.component.backup import town
from tests.component.backup.conftest import make_empty
from tests.conftest import Neo4jServer
from tests.live import LiveStack


@pytest.fixture
def stack(own_driver: neo4j.Driver, own_server: Neo4jServer, tmp_path: Path) -> Iterator[LiveStack]:
    """The API alone, with two workers, on a graph of its own."""
    make_empty(own_driver)
    with LiveStack(tmp_path / "home", own_server, parts=()) as running:
        yield running


def test_reads_go_on_and_writes_are_told_when_to_come_back(stack: LiveStack, own_driver: neo4j.Driver) -> None:
    headers = stack.sign_in().headers
    url = f"{stack.url}/api/v1"
    pipe = {"type": "Junction", "elevation": 1.0}
    asked = {"cypher": "RETURN 1", "parameters": {}}
    with WritePause(own_driver):
        refused = requests.post(f"{url}/components", json={"id": "J1", **pipe}, headers=headers, timeout=20)
        assert refused.status_code == 503, refused.text
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert int(refused.headers["Retry-After"]) > 0
        assert "backup" in refused.json()["error"]
        assert requests.get(f"{url}/components", headers=headers, timeout=20).json()["components"] == []
        assert requests.post(f"{url}/graph/query", json=asked, headers=headers, timeout=20).status_code == 200
        assert requests.get(f"{stack.url}/health", timeout=20).ok
    accepted = requests.post(f"{url}/components", json={"id": "J1", **pipe}, headers=headers, timeout=20)
    assert accepted.status_code == 201, accepted.text


class Counting(ApiClient):
    """A client that knows how much it has asked."""

    asked = 0

    def get(self, path: str, **parameters: Any) -> Any:
        self.asked += 1
        return super().get(path, **parameters)


def test_what_a_backup_asks_is_asked_before_the_pause_already(stack: LiveStack, tmp_path: Path) -> None:
    client = Counting(stack.url, stack.sign_in().token)
    until_then: list[int] = []

    def say(text: str) -> None:
        if text == "Pausing writes.":
            until_then.append(client.asked)

    key = town.key_of(tmp_path)
    taken = Backup(Installation.of(Home(stack.home), stack.environment), key, client, say).take(None)
    assert len(taken.manifest.samples) > 3
    assert until_then == [client.asked / 2], "an API that was just started answers slowly, and only once"


def grown(acknowledged: set[str], lock: threading.Lock, size: int) -> set[str]:
    """The set as soon as it has `size` members."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with lock:
            if len(acknowledged) >= size:
                return set(acknowledged)
        time.sleep(0.05)
    raise AssertionError(f"only {len(acknowledged)} of {size} were acknowledged")


def test_a_set_made_while_many_write_has_whole_requests_only(stack: LiveStack, tmp_path: Path) -> None:
    headers = stack.sign_in().headers
    stop, acknowledged, lock = threading.Event(), set[str](), threading.Lock()

    def write(worker: int) -> None:
        session, n = requests.Session(), 0
        while not stop.is_set():
            n += 1
            body = {"id": f"J{worker}-{n}", "type": "Junction", "elevation": 1.0}
            answer = session.post(f"{stack.url}/api/v1/components", json=body, headers=headers, timeout=60)
            if answer.status_code == 201:
                with lock:
                    acknowledged.add(body["id"])
            else:
                assert answer.status_code == 503, answer.text
                time.sleep(0.05)

    writers = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for one in writers:
        one.start()
    before = grown(acknowledged, lock, 5)
    key = town.key_of(tmp_path)
    sets, manifest = town.take(Installation.of(Home(stack.home), stack.environment), key)
    after = grown(acknowledged, lock, len(acknowledged) + 3)
    stop.set()
    for one in writers:
        one.join()
    assert before < after

    def content(kind: str) -> Iterator[bytes]:
        file = sets.root / manifest.set_id / f"{kind}.sealed"
        return lines(unseal(file, key, f"{manifest.set_id}/{kind}"))

    nodes = [json.loads(line) for line in content("graph")]
    in_graph = {n["p"]["id"] for n in nodes if "Junction" in n.get("l", ())}
    on_record = {
        values["subject"]
        for _, table, values in map(sql.parsed, content("sql"))
        if table == "audit" and values["action"] == "component.add"
    }
    assert before <= in_graph
    assert in_graph == on_record, "each component with its line in the audit trail, and no line without its component"
    assert ApiClient(stack.url).answers()
