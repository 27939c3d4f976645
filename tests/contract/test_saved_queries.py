"""Saved queries over HTTP and on the command line."""

from __future__ import annotations

import csv
import io
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from wnis_api.http.route import Role

from tests.contract.conftest import Client
from tests.live import LiveStack


def _wnis(live: LiveStack, person: Client, *words: str) -> subprocess.CompletedProcess[str]:
    assert person.person is not None
    environment = {**live.environment, "WNIS_URL": live.url, "WNIS_TOKEN": person.person.token, "COLUMNS": "200"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(["wnis", "query", *words], env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def asking(live: LiveStack, admin: Client) -> Client:
    """Somebody who may ask whatever else shares the graph."""
    assert admin.person is not None
    return Client(live, live.add_person(admin.person, Role.PLATFORM_ADMIN))


def test_everybody_may_run_what_comes_with_the_system(people: dict[Role, Client], admin: Client) -> None:
    pipe = {"type": "Pipe", "id": f"P-{secrets.token_hex(4)}", "material": "=cmd", "diameter": 200, "length": 1000}
    assert admin("POST", "/components", json=pipe).status_code == 201
    for role, client in people.items():
        shipped = [q for q in client("GET", "/saved").json()["saved"] if q["shipped"]]
        assert len(shipped) >= 15, role
        answer = client("POST", "/saved/pipes-by-material-and-age/run", json={"parameters": {"band_years": 10}})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found["columns"] == ["material", "from_age_years", "pipes", "length_km", "breaks_and_leaks"]
        assert ["=cmd", None, 1, 1.0, 0] in found["rows"]
        assert (found["truncated"], found["truncated_by"]) == (False, [])
    table = admin("POST", "/saved/pipes-by-material-and-age/run?format=csv").text
    assert ["'=cmd", "", "1", "1.0", "0"] in list(csv.reader(io.StringIO(table)))


@pytest.mark.parametrize(
    ("path", "parameters", "status"),
    [
        ("no-such-query", {}, 404),
        ("incidents-near-a-component", {}, 400),
        ("mains-broken-again", {"utility": "another"}, 400),
        ("mains-broken-again", {"days": "x"}, 422),
        ("mains-broken-again?format=graph", {}, 422),
    ],
)
def test_a_wrong_question_is_refused(path: str, parameters: dict[str, object], status: int, admin: Client) -> None:
    name, _, query = path.partition("?")
    answer = admin("POST", f"/saved/{name}/run?{query}", json={"parameters": parameters})
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")


def test_a_query_of_ones_own_is_kept_run_and_forgotten(asking: Client, people: dict[Role, Client]) -> None:
    body = {"name": "my people", "cypher": "MATCH (u:User) RETURN u LIMIT $n", "parameters": {"n": 2}}
    made = asking("POST", "/saved", json=body)
    assert made.status_code == 201, made.text
    query_id = made.json()["id"]
    assert asking("POST", "/saved", json=body).status_code == 409
    assert (
        asking("POST", "/saved", json={**body, "name": "x", "cypher": "LOAD CSV FROM 'x' AS l RETURN l"}).status_code
        == 403
    )
    (kept,) = [q for q in asking("GET", "/saved").json()["saved"] if not q["shipped"]]
    assert (kept["id"], kept["cypher"], kept["values"]) == (query_id, body["cypher"], {"n": 2})

    assert len(asking("POST", f"/saved/{query_id}/run").json()["rows"]) == 2
    drawn = asking("POST", f"/saved/{query_id}/run?format=graph", json={"parameters": {"n": 1}}).json()
    assert [node["labels"] for node in drawn["nodes"]] == [["User"]]
    entry = next(e for e in asking("GET", "/admin/audit").json()["audit"] if e["action"] == "graph.query")
    assert entry["detail"]["saved"] == "my people"

    for other in (people[Role.ANALYST], people[Role.OPERATOR]):
        assert other("POST", f"/saved/{query_id}/run").status_code == 404
        assert query_id not in other("GET", "/saved").text
    assert people[Role.ANALYST]("DELETE", f"/saved/{query_id}").status_code == 404
    assert asking("DELETE", f"/saved/{query_id}").status_code == 204
    assert asking("POST", f"/saved/{query_id}/run").status_code == 404


def test_the_command_line_asks_and_writes_files(live: LiveStack, asking: Client, tmp_path: Path) -> None:
    listed = json.loads(_wnis(live, asking, "--list", "--json").stdout)
    assert len(listed["saved"]) >= 15
    said = _wnis(live, asking, "--saved", "pipes-without-install-date-by-zone")
    assert said.returncode == 0, said.stderr
    assert "without_install_date" in said.stdout
    table = tmp_path / "rows.csv"
    done = _wnis(live, asking, "UNWIND range(1, 2000) AS n RETURN n, '=1' AS text", "--csv", str(table))
    assert done.returncode == 0, done.stderr
    assert "Truncated: there are more rows." in done.stderr
    rows = list(csv.reader(table.open(encoding="utf-8")))
    assert (rows[0], rows[1], len(rows)) == (["n", "text"], ["1", "'=1"], 1001)
    refused = _wnis(live, asking, "MATCH (n) DELETE n")
    assert (refused.returncode, "write or administer" in refused.stderr) == (1, True)
    for words in (("--saved", "no-such"), ("RETURN 1", "--list"), (), ("RETURN 1", "--parameters", "[1]")):
        assert _wnis(live, asking, *words).returncode == 2, words
