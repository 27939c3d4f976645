"""A graph leaves one server as lines and comes into another as it was."""

from __future__ import annotations

from typing import Any

import neo4j
import pytest
from wnis_core.errors import Conflict, InvalidValue
from wnis_graph.bundle import GraphLoader, export_lines, read_census, take_census
from wnis_graph.migrations import migrate

from tests.component.backup.conftest import make_empty
from tests.component.backup.samples import EVERY_TYPE, fill


def schema_of(driver: neo4j.Driver) -> set[tuple[str, str]]:
    with driver.session() as session:
        constraints = session.run("SHOW CONSTRAINTS YIELD name, type RETURN name, type").values()
        indexes = session.run("SHOW INDEXES YIELD name, type, state WHERE state = 'ONLINE' RETURN name, type").values()
    return {(str(name), str(kind)) for name, kind in [*constraints, *indexes]}


def test_everything_comes_back_as_it_was(graph: neo4j.Driver) -> None:
    fill(graph)
    lines, schema, before = list(export_lines(graph)), schema_of(graph), take_census(graph).document()
    make_empty(graph)
    loader = GraphLoader(graph, "first")
    loader.load(iter(lines))
    loader.finish()
    assert take_census(graph).document() == before == read_census(lines)[1]
    assert before["nodes"] == 3_002 + before["labels"]["Migration"]
    assert before["types"] == {"ODD `TYPE": 1, "TWICE": 2, "BACK": 1, "LOOP": 1, "CONNECTED_TO": 2_999}
    assert schema_of(graph) == schema
    with graph.session() as session:
        found = session.run(
            "MATCH (a:Odd)-[r:`ODD ``TYPE`]->(b) RETURN properties(a), properties(r), labels(b)"
        ).single()
        left = session.run("MATCH (n) WHERE n._bundle_row IS NOT NULL OR n:_BundleRow OR n:_BundleLoad RETURN n").data()
    assert found is not None
    for kept in found.values()[:2]:
        assert {k: text(v) for k, v in kept.items()} == {k: text(v) for k, v in EVERY_TYPE.items()}
    assert (found[2], left) == ([], [])
    # the program itself has nothing left to migrate
    assert migrate(graph) == []


def text(value: Any) -> str:
    """A value with its type and zone, which comparing alone would not tell apart."""
    if isinstance(value, list):
        return repr([text(item) for item in value])
    if hasattr(value, "iso_format"):
        zone = getattr(value, "tzinfo", None)
        return f"{type(value).__name__} {value.iso_format()} {getattr(zone, 'key', getattr(zone, 'zone', ''))}"
    return f"{type(value).__name__} {value!r}"


def test_a_load_that_was_cut_off_goes_on_where_it_was(graph: neo4j.Driver) -> None:
    fill(graph, 5_000)
    lines, before = list(export_lines(graph)), take_census(graph).document()
    make_empty(graph)
    for stop_after in (0, 1, 2_500, 5_100, 9_000):
        with pytest.raises(ConnectionResetError):
            GraphLoader(graph, "one").load(cut_off(lines, stop_after))
    with pytest.raises(Conflict, match="Another bundle"):
        GraphLoader(graph, "two").load(iter(lines))
    GraphLoader(graph, "one").load(iter(lines))
    GraphLoader(graph, "one").load(iter(lines))
    GraphLoader(graph, "one").finish()
    assert take_census(graph).document() == before


def cut_off(lines: list[bytes], after: int) -> Any:
    yield from lines[: after + 1]
    raise ConnectionResetError


def test_a_server_with_anything_in_it_is_left_alone(graph: neo4j.Driver) -> None:
    lines = list(export_lines(graph))
    with pytest.raises(Conflict, match="not empty"):
        GraphLoader(graph, "one").load(iter(lines))


def test_a_bundle_that_is_short_altered_or_newer_is_refused(graph: neo4j.Driver) -> None:
    fill(graph, 10)
    lines = list(export_lines(graph))
    wrong = {
        "cut short": lines[:-1],
        "do not add up": [*lines[:4], *lines[5:]],
        "no JSON": [*lines[:3], b"{", *lines[3:]],
        "after its end": [*lines, lines[1]],
        "newer program": [lines[0].replace(b'"R-schema"', b'"9999-future"'), *lines[1:]],
        "no wnis-graph/1 bundle": lines[1:],
    }
    for reason, altered in wrong.items():
        with pytest.raises(InvalidValue, match=reason):
            read_census(altered)
