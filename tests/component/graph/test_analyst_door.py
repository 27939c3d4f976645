"""What people may ask the graph in Cypher, and what they may not."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import neo4j
import pytest
from wnis_core.errors import BadRequest, Cancelled, InvalidValue
from wnis_graph.analyst.answers import LONGEST_LIST, LONGEST_STRING
from wnis_graph.analyst.door import AnalystDoor
from wnis_graph.analyst.words import MOST_JOINS
from wnis_graph.repositories.networks import NetworkRepository
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope

from tests.component.graph.samples import SOURCE, line_network
from tests.conftest import Neo4jServer


@pytest.fixture(scope="module")
def door(driver: neo4j.Driver, neo4j_server: Neo4jServer) -> AnalystDoor:
    return AnalystDoor(driver, neo4j_server.uri, neo4j_server.user, neo4j_server.password)


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
    doubled = " ".join("WITH text + text AS text" for _ in range(MOST_JOINS))
    answer = door.run(
        scope, f"WITH $text AS text {doubled} UNWIND range(1, 5000) AS n RETURN text, n", {"text": "x" * 20}
    )

    assert answer.truncated_by == ("bytes", "values")
    assert len(json.dumps(answer.rows)) < 10_000_000
    assert len(answer.rows[0][0]) == LONGEST_STRING + 3


def test_one_row_larger_than_memory_is_an_error_and_not_the_end_of_the_process(door: AnalystDoor, scope: Scope) -> None:
    doubled = " ".join("WITH t + t AS t" for _ in range(MOST_JOINS))
    with pytest.raises(InvalidValue, match=r"larger than one answer|more memory"):
        door.run(scope, f"WITH $text AS t {doubled} RETURN [{', '.join(['t'] * 500)}] AS row", {"text": "x" * 9_000})


def test_long_lists_are_shortened(door: AnalystDoor, scope: Scope) -> None:
    answer = door.run(scope, "UNWIND range(1, 100000) AS n RETURN collect(n) AS numbers")

    assert (len(answer.rows[0][0]), answer.truncated_by) == (LONGEST_LIST, ("values",))


def test_a_list_beyond_memory_is_an_error_and_the_server_lives_on(door: AnalystDoor, scope: Scope) -> None:
    with pytest.raises(InvalidValue, match="memory"):
        door.run(scope, "UNWIND range(1, 200000000) AS n RETURN collect(n) AS numbers", timeout_s=60)

    assert door.run(scope, "RETURN 1 AS one").rows == ((1,),)


_EXPLODES = (
    "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b WITH a, b WHERE a % 7 = b % 11 RETURN count(*) AS pairs"
)


def test_a_query_that_explodes_is_stopped_in_time_and_leaves_nothing_behind(door: AnalystDoor, scope: Scope) -> None:
    started = time.monotonic()

    with pytest.raises(InvalidValue, match="stopped"):
        door.run(scope, _EXPLODES, timeout_s=1, query_id="explodes")

    assert time.monotonic() - started < 10
    assert _until_gone(door, "explodes") < 5


def test_a_query_is_ended_by_somebody_else_or_by_word_of_its_caller(door: AnalystDoor, scope: Scope) -> None:
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(door.run, scope, _EXPLODES, query_id="ended", timeout_s=30)
        while not door.still_runs("ended"):
            time.sleep(0.05)
        door.end("ended")
        with pytest.raises(Cancelled):
            running.result(timeout=10)
    assert _until_gone(door, "ended") < 5
    began = time.monotonic()
    with pytest.raises(Cancelled):
        door.run(scope, _EXPLODES, query_id="word", cancelled=lambda: time.monotonic() - began > 2, timeout_s=30)
    assert time.monotonic() - began < 10
    assert _until_gone(door, "word") < 5


def _until_gone(door: AnalystDoor, query_id: str) -> float:
    began = time.monotonic()
    while door.still_runs(query_id) and time.monotonic() - began < 20:
        time.sleep(0.05)
    return time.monotonic() - began


def test_what_an_answer_can_be_drawn_from_is_there_once(door: AnalystDoor, runner: Runner, scope: Scope) -> None:
    NetworkRepository(runner).persist(scope, "net", line_network(), SOURCE)

    answer = door.run(
        scope, "MATCH p = (a:Junction {utility: $utility, name: 'A'})-[:CONNECTED_TO*1..4]-(b) RETURN a, p"
    )

    names = {node["key"]: node["properties"]["name"] for node in answer.nodes}
    assert sorted(names.values()) == ["A", "AB", "B", "BC", "C", "R", "RA"]
    joints = sorted((names[r["start"]], names[r["end"]]) for r in answer.relationships)
    assert joints == [("A", "AB"), ("AB", "B"), ("B", "BC"), ("BC", "C"), ("R", "RA"), ("RA", "A")]


def test_the_largest_answer_fits_the_childs_memory(door: AnalystDoor, scope: Scope) -> None:
    answer = door.run(
        scope, "UNWIND range(1, 1000) AS n RETURN [n, {a: {b: {c: $text}}}, $numbers] AS row, $text AS text",
        {"text": "x" * 4_000, "numbers": list(range(400))},
    )  # fmt: skip

    assert answer.truncated_by == ("bytes",)
    assert 5_000_000 < len(json.dumps(answer.rows)) < 10_000_000
