"""The analysts' console over HTTP: one query a person, cancelled, recorded, in three forms."""

from __future__ import annotations

import csv
import io
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import requests
from wnis_api.http.route import Role

from tests.contract.conftest import Client
from tests.live import LiveStack

LONG = "UNWIND range(1, 1000000) AS a UNWIND range(1, 1000000) AS b WITH a, b WHERE a % 7 = b % 11 RETURN count(*) AS n"


@pytest.fixture
def asking(live: LiveStack, admin: Client) -> Client:
    """Somebody who may ask whatever else shares the graph, and whose place nobody takes."""
    assert admin.person is not None
    return Client(live, live.add_person(admin.person, Role.PLATFORM_ADMIN))


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as made:
        yield made


def _runs(client: Client, *, wanted: bool, within_s: float = 12.0) -> list[str]:
    assert client.person is not None
    until = time.monotonic() + within_s
    while True:
        queries = client("GET", "/graph/queries").json()["queries"]
        mine = [q["query_id"] for q in queries if q["username"] == client.person.username]
        if bool(mine) == wanted:
            return mine
        assert time.monotonic() < until, f"running: {mine}"
        time.sleep(0.1)


def _recorded(client: Client, query_id: str) -> dict[str, object]:
    entries = client("GET", "/admin/audit?limit=100").json()["audit"]
    (entry,) = [e for e in entries if (e["action"], e["subject"]) == ("graph.query", query_id)]
    assert isinstance(entry, dict)
    return entry


def test_a_person_has_one_query_at_a_time_whichever_worker_it_comes_to(
    asking: Client, admin: Client, pool: ThreadPoolExecutor
) -> None:
    first = pool.submit(asking, "POST", "/graph/query", json={"cypher": LONG, "query_id": "my-long-query"})
    assert _runs(asking, wanted=True) == ["my-long-query"]
    for _ in range(6):  # each on a connection of its own, so that both workers are asked
        second = asking("POST", "/graph/query", json={"cypher": "RETURN 1"})
        assert second.status_code == 429, second.text
        assert second.headers["Retry-After"]
        assert second.json()["details"] == {"query_id": "my-long-query"}
    assert admin("POST", "/graph/query", json={"cypher": "RETURN 1 AS one"}).json()["rows"] == [[1]]

    ended = asking("DELETE", "/graph/queries/my-long-query")

    assert ended.status_code == 200, ended.text
    answer = first.result(timeout=15)
    assert (answer.status_code, answer.json()["code"]) == (409, "cancelled")
    _runs(asking, wanted=False)
    assert asking("POST", "/graph/query", json={"cypher": "RETURN 1 AS one"}).json()["rows"] == [[1]]


def test_a_query_is_its_owners_and_the_admins_to_cancel(
    asking: Client, people: dict[Role, Client], pool: ThreadPoolExecutor
) -> None:
    running = pool.submit(asking, "POST", "/graph/query", json={"cypher": LONG, "query_id": "not-of-the-analyst"})
    _runs(asking, wanted=True)
    analyst = people[Role.ANALYST]
    assert analyst("GET", "/graph/queries").json()["queries"] == []
    assert analyst("DELETE", "/graph/queries/not-of-the-analyst").status_code == 404
    assert people[Role.ADMIN]("DELETE", "/graph/queries/not-of-the-analyst").status_code == 200
    assert running.result(timeout=15).status_code == 409


def test_a_query_whose_client_has_gone_is_ended(live: LiveStack, asking: Client) -> None:
    assert asking.person is not None
    at = urlsplit(live.url)
    body = json.dumps({"cypher": LONG, "query_id": "nobody-waits"})
    lines = [
        "POST /api/v1/graph/query HTTP/1.1",
        f"Host: {at.netloc}",
        f"Authorization: Bearer {asking.person.token}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    with socket.create_connection((at.hostname or "", at.port or 0)) as line:
        line.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        _runs(asking, wanted=True)
    began = time.monotonic()

    _runs(asking, wanted=False)

    assert time.monotonic() - began < 5, "it ran to the end of its time"
    entry = _recorded(asking, "nobody-waits")
    assert "client has gone" in json.dumps(entry["detail"])


def test_ctrl_c_on_the_command_line_ends_the_query(live: LiveStack, asking: Client) -> None:
    assert asking.person is not None
    environment = {**live.environment, "WNIS_URL": live.url, "WNIS_TOKEN": asking.person.token}
    # a suite in the background hands on that Ctrl-C is ignored
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    wnis = f"{heard}; from wnis_ops.cli.main import main; main()"
    command = [sys.executable, "-c", wnis, "query", LONG]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as asked:
        (query_id,) = _runs(asking, wanted=True)
        asked.send_signal(signal.SIGINT)
        asked.communicate(timeout=10)
    assert asked.returncode not in (0, 2)
    _runs(asking, wanted=False, within_s=5)
    assert _recorded(asking, query_id)["status"] == 409


def test_the_audit_trail_tells_what_was_asked_and_what_became_of_it(asking: Client) -> None:
    assert asking.person is not None
    cypher = "UNWIND range(1, 5000) AS n RETURN n"
    asking("POST", "/graph/query", json={"cypher": cypher, "query_id": "recorded-1"})
    asking("POST", "/graph/query", json={"cypher": "MATCH (n) DETACH DELETE n", "query_id": "recorded-2"})

    done, refused = _recorded(asking, "recorded-1"), _recorded(asking, "recorded-2")

    assert (done["username"], done["action"], done["status"]) == (asking.person.username, "graph.query", 200)
    assert isinstance(done["detail"], dict)
    assert isinstance(refused["detail"], dict)
    assert done["detail"]["elapsed_ms"] > 0
    assert {k: v for k, v in done["detail"].items() if k != "elapsed_ms"} == {
        "cypher": cypher, "rows": 1000, "truncated_by": ["rows"],
    }  # fmt: skip
    assert refused["status"] == 403
    assert refused["detail"]["cypher"] == "MATCH (n) DETACH DELETE n"
    assert "write or administer" in refused["detail"]["refused"]


def test_an_answer_is_a_table_a_csv_file_or_a_drawing(asking: Client) -> None:
    cypher = "UNWIND ['=1+1', '@x', '-2', 'plain'] AS text RETURN text, [1, 2] AS list, 1 AS `=number`"
    answer = asking("POST", "/graph/query?format=csv", json={"cypher": cypher})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert list(csv.reader(io.StringIO(answer.text))) == [
        ["text", "list", "'=number"],
        *([text, "[1, 2]", "1"] for text in ("'=1+1", "'@x", "'-2", "plain")),
    ]
    cut = asking("POST", "/graph/query?format=csv", json={"cypher": "UNWIND range(1, 2000) AS n RETURN n"})
    assert (cut.headers["X-Truncated"], len(cut.text.splitlines())) == ("rows", 1001)
    drawn = asking("POST", "/graph/query?format=graph", json={"cypher": "MATCH (u:User) RETURN u LIMIT 3"}).json()
    assert [node["labels"] for node in drawn["nodes"]] == [["User"]] * len(drawn["rows"])
    assert asking("POST", "/graph/query", json={"cypher": "MATCH (u:User) RETURN u LIMIT 1"}).json()["nodes"] is None
    assert asking("POST", "/graph/query?format=xml", json={"cypher": "RETURN 1"}).status_code == 422


def test_with_several_utilities_the_refusal_says_so(people: dict[Role, Client], asking: Client) -> None:
    several = asking("POST", "/graph/query", json={"cypher": "MATCH (u:Utility) RETURN count(u) AS n"}).json()["rows"]
    for role in (Role.ANALYST, Role.ADMIN):
        answer: requests.Response = people[role]("POST", "/graph/query", json={"cypher": "RETURN 1 AS one"})
        if several[0][0] > 1:
            assert answer.status_code == 403
            assert "Several utilities share this graph" in answer.json()["error"]
        else:
            assert answer.json()["rows"] == [[1]]
