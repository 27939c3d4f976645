"""Who may write Cypher: analysts and admins of the only utility; beside a second one, platform_admins alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from wnis_graph.runner import open_driver
from wnis_neo4j.local import LocalServer

from tests.conftest import Neo4jServer
from tests.live import Answer, LiveStack

_ROLES = ("operator", "maintenance", "engineer", "manager", "analyst", "admin", "platform_admin")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    """A system whose graph holds a single utility: the server that other tests share never does."""
    with LocalServer(tmp_path_factory.mktemp("neo4j")) as server:
        neo4j = Neo4jServer(server.uri, server.user, server.password)
        with LiveStack(tmp_path_factory.mktemp("home"), neo4j, parts=(), workers=1) as stack:
            yield stack


def _asked(stack: LiveStack, person: Answer) -> requests.Response:
    body = {"cypher": "MATCH (u:Utility) RETURN count(u) AS n"}
    return requests.post(f"{stack.url}/api/v1/graph/query", json=body, headers=person.headers, timeout=30)


def test_a_second_utility_takes_the_right_from_all_but_platform_admins(alone: LiveStack) -> None:
    admin = alone.sign_in()
    people = {role: alone.add_person(admin, role) for role in _ROLES}
    before = {role: _asked(alone, person).status_code for role, person in people.items()}
    assert {role for role, status in before.items() if status == 200} == {"analyst", "admin", "platform_admin"}
    assert {status for status in before.values() if status != 200} == {403}

    driver = open_driver(alone.neo4j.uri, alone.neo4j.user, alone.neo4j.password)
    with driver, driver.session() as session:
        session.run("CREATE (:Utility {id: 'neighbour', name: 'Neighbour'})").consume()

    after = {role: _asked(alone, person) for role, person in people.items()}
    assert {role for role, answer in after.items() if answer.status_code == 200} == {"platform_admin"}
    assert after["platform_admin"].json()["rows"] == [[2]]
    for role in ("analyst", "admin"):
        assert "Several utilities share this graph" in after[role].json()["error"]
        assert "saved queries" in after[role].json()["mend"]
    run = f"{alone.url}/api/v1/saved/runs-older-than-the-network/run"
    assert requests.post(run, headers=people["analyst"].headers, timeout=30).json()["rows"] == []
