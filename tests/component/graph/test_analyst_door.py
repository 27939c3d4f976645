"""What people may ask the graph in Cypher, and what they may not."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import neo4j
import pytest
from wnis_core.errors import BadRequest, Forbidden, InvalidValue
from wnis_graph.analyst import LONGEST_LIST, LONGEST_STRING, AnalystDoor
from wnis_graph.repositories.networks import NetworkRepository
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope

from tests.component.graph.samples import SOURCE, line_network


@pytest.fixture
def door(driver: neo4j.Driver) -> AnalystDoor:
    return AnalystDoor(driver)


@pytest.fixture(scope="module")
def marked(driver: neo4j.Driver) -> Iterator[str]:
    """A label whose nodes no hostile query may make."""
    label = "MadeByAHostileQuery"
    yield label
    with driver.session() as session:
        assert session.run(f"MATCH (n:{label}) RETURN count(n)").single(strict=True)[0] == 0


def test_rows_are_json(door: AnalystDoor, runner: Runner, scope: Scope) -> None:
    NetworkRepository(runner).persist(scope, "net", line_network(), SOURCE)

    answer = door.run(
        scope,
        "MATCH p = (a:Junction {utility: $utility, name: $name})-[r:CONNECTED_TO]->(b) "
        "RETURN a, r, p, a.location AS point, datetime('2024-01-02T03:04:05Z') AS moment, "
        "date('2024-01-02') AS day, [1, 2.5, null] AS list, {deep: {er: true}} AS map, 0.0 / 0.0 AS nan",
        {"name": "A"},
    )

    (row,) = json.loads(json.dumps(answer.rows))
    found = dict(zip(answer.columns, row, strict=True))
    assert found["a"]["labels"] == ["Component", "Junction"]
    assert (found["r"]["type"], found["r"]["start"]) == ("CONNECTED_TO", "net:junction:A")
    assert [n["properties"]["name"] for n in found["p"]["nodes"]] == ["A", "AB"]
    assert found["point"] == {"srid": 7203, "x": 1.0, "y": 0.0}
    assert (found["day"], found["moment"][:19]) == ("2024-01-02", "2024-01-02T03:04:05")
    assert (found["list"], found["map"], found["nan"]) == ([1, 2.5, None], {"deep": {"er": True}}, "nan")
    assert not answer.truncated


@pytest.mark.parametrize(
    "cypher",
    [
        "CREATE (n:{label}) RETURN n",
        "MERGE (n:{label} {{id: 1}})",
        "MATCH (n) SET n:{label}",
        "MATCH (n) DETACH DELETE n",
        "FOREACH (x IN [1] | CREATE (:{label}))",
        "CALL () {{ CREATE (x:{label}) }} RETURN 1",
        "MATCH (n) CALL (n) {{ CREATE (x:{label}) }} IN TRANSACTIONS RETURN 1",
        "UNWIND [1] AS x CALL (x) {{ RETURN 1 AS y }} IN 2 CONCURRENT TRANSACTIONS RETURN y",
        "LOAD CSV FROM 'http://127.0.0.1:1/x' AS line RETURN line",
        "LOAD/**/CSV FROM 'file:///etc/passwd' AS line RETURN line",
        "CALL dbms.listConfig()",
        "CALL dbms.listConfig() YIELD name, value RETURN name, value",
        "call `dbms`.`listConfig`() yield value return value",
        "RETURN COLLECT {{ CALL dbms.listConfig() YIELD value RETURN value }} AS x",
        "CALL dbms.components() YIELD name RETURN name",
        "CALL db.clearQueryCaches()",
        "CALL db.createLabel('{label}')",
        "CALL db.awaitIndexes(1)",
        "SHOW SETTINGS",
        "SHOW USERS",
        "/* x */ SHOW TRANSACTIONS",
        "// x\nSHOW PROCEDURES YIELD name RETURN name",
        "TERMINATE TRANSACTIONS 'neo4j-transaction-1'",
        "CREATE INDEX hostile FOR (n:{label}) ON (n.x)",
        "DROP CONSTRAINT component_id_unique",
        "CREATE USER mallory SET PASSWORD 'long-enough-1'",
        "ALTER CURRENT USER SET PASSWORD FROM 'a' TO 'b'",
        "USE system MATCH (n) RETURN n",
        "CALL {{ USE neo4j RETURN 1 AS x }} RETURN x",
        "EXPLAIN CREATE (n:{label})",
        "PROFILE CREATE (n:{label})",
        "CYPHER runtime=slotted CREATE (n:{label})",
    ],
)
def test_whatever_does_more_than_read_is_refused(door: AnalystDoor, scope: Scope, marked: str, cypher: str) -> None:
    with pytest.raises(Forbidden):
        door.run(scope, cypher.format(label=marked))


@pytest.mark.parametrize(
    ("cypher", "line", "column"),
    [("RETRUN 1", 1, 1), ("MATCH (n)\nRETRUN n", 2, 1), ("RETURN x", 1, 8)],
)
def test_a_syntax_error_says_where(door: AnalystDoor, scope: Scope, cypher: str, line: int, column: int) -> None:
    with pytest.raises(BadRequest) as refused:
        door.run(scope, cypher)

    assert refused.value.details == {"line": line, "column": column}


@pytest.mark.parametrize("cypher", ["", "  \n", "RETURN 1; RETURN 2", "RETURN $missing", "CALL apoc.load.json('x')"])
def test_what_cannot_be_run_is_malformed(door: AnalystDoor, scope: Scope, cypher: str) -> None:
    with pytest.raises(BadRequest):
        door.run(scope, cypher)


def test_words_in_strings_names_and_comments_are_no_offence(door: AnalystDoor, scope: Scope) -> None:
    answer = door.run(scope, "RETURN 'LOAD CSV; USE system' AS `SHOW; x` // CREATE (n); really\n;")

    assert (answer.columns, answer.rows) == (("SHOW; x",), (("LOAD CSV; USE system",),))


def test_rows_beyond_the_limit_are_left_out(door: AnalystDoor, scope: Scope) -> None:
    answer = door.run(scope, "UNWIND range(1, 1000000) AS n RETURN n", row_limit=10)

    assert (answer.rows, answer.truncated) == (tuple((n,) for n in range(1, 11)), True)


def test_a_thousand_rows_of_long_text_stay_small(door: AnalystDoor, scope: Scope) -> None:
    answer = door.run(
        scope, "WITH reduce(s = 'x', i IN range(1, 15) | s + s) AS text UNWIND range(1, 5000) AS n RETURN text, n"
    )

    assert answer.truncated
    assert len(json.dumps(answer.rows)) < 10_000_000
    assert len(answer.rows[0][0]) == LONGEST_STRING + 3


def test_long_lists_are_shortened(door: AnalystDoor, scope: Scope) -> None:
    answer = door.run(scope, "RETURN range(1, 100000) AS numbers")

    assert (len(answer.rows[0][0]), answer.truncated) == (LONGEST_LIST, True)


def test_a_list_beyond_memory_is_an_error_and_the_server_lives_on(door: AnalystDoor, scope: Scope) -> None:
    with pytest.raises(InvalidValue, match="memory"):
        door.run(scope, "RETURN range(1, 200000000) AS numbers", timeout_s=60)

    assert door.run(scope, "RETURN 1 AS one").rows == ((1,),)


def test_a_query_that_explodes_is_stopped_in_time(door: AnalystDoor, scope: Scope) -> None:
    started = time.monotonic()

    with pytest.raises(InvalidValue, match="stopped"):
        door.run(
            scope,
            "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b WITH a, b WHERE a % 7 = b % 11 "
            "RETURN count(*) AS pairs",
            timeout_s=1,
        )

    assert time.monotonic() - started < 20
