"""No named query reads or changes anything of another utility, even one with the same ids everywhere."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import neo4j
import pytest
import wnis_graph.queries  # noqa: F401  # registers every query
from neo4j.time import DateTime
from wnis_graph.query import REGISTRY, Access

from tests.component.graph.twin import MARK, MARK_NUMBER, examples, load, portrait

SCOPED = sorted(name for name, query in REGISTRY.items() if not query.platform)
EXAMPLES = examples()


@dataclass(frozen=True)
class Twins:
    """Two utilities with equal ids.

    `alone` is what each query answered before the twin was there; `portrait` is the twin as it was loaded.
    """

    driver: neo4j.Driver
    utility: str
    twin: str
    alone: dict[str, Any]
    portrait: list[str]


@dataclass(frozen=True)
class Answer:
    rows: list[Any]
    wrote: bool
    twin_after: list[str] | None


def _comparable(value: Any) -> Any:
    """Values without what may differ: moments set by the server, and scores, which weigh words by the whole index."""
    if isinstance(value, (datetime, DateTime)):
        return "moment"
    if isinstance(value, dict):
        return {k: _comparable(v) for k, v in value.items() if k != "score"}
    if isinstance(value, (list, tuple)):
        return [_comparable(v) for v in value]
    return value


def _parameters(name: str, utility: str) -> dict[str, Any]:
    named = {
        key: value.replace("{utility}", utility) if isinstance(value, str) else value
        for key, value in EXAMPLES[name].items()
    }
    return {**named, "utility": utility}


def _answer(driver: neo4j.Driver, name: str, utility: str, twin: str) -> Answer:
    """What the query answers as `utility`, and the twin afterwards; nothing of it stays."""
    query = REGISTRY[name]
    # in READ mode the server itself refuses to write, so the twin need not be looked at afterwards
    with driver.session(default_access_mode=query.access.value) as session, session.begin_transaction() as tx:
        result = tx.run(query.cypher, _parameters(name, utility))
        rows = [_comparable(record.data()) for record in result]
        wrote = result.consume().counters.contains_updates
        after = portrait(tx, twin) if query.access is Access.WRITE else None
        tx.rollback()
    return Answer(rows, wrote, after)


@pytest.fixture(scope="module")
def twins(driver: neo4j.Driver) -> Twins:
    utility, twin = (f"{name}-{uuid.uuid4().hex[:12]}" for name in ("first", "twin"))
    load(driver, utility, twin=False)
    known = [name for name in SCOPED if name in EXAMPLES]
    alone = {name: _answer(driver, name, utility, twin).rows for name in known}
    load(driver, twin, twin=True)
    with driver.session() as session, session.begin_transaction() as tx:
        loaded = portrait(tx, twin)
    assert len(loaded) > 50
    return Twins(driver, utility, twin, alone, loaded)


def test_every_scoped_query_has_an_example() -> None:
    missing = [name for name in SCOPED if name not in EXAMPLES]
    assert not missing, f"add parameters to tests/component/graph/twin_examples_*.py for: {', '.join(missing)}"


def test_every_example_is_of_a_query_and_has_its_parameters() -> None:
    wrong = {
        name: sorted(set(given) ^ (REGISTRY[name].parameters - {"utility"})) if name in REGISTRY else ["no such query"]
        for name, given in EXAMPLES.items()
        if name not in REGISTRY or set(given) != REGISTRY[name].parameters - {"utility"}
    }
    assert not wrong


@pytest.mark.parametrize("name", [name for name in SCOPED if name in EXAMPLES])
def test_query_leaves_the_twin_alone(twins: Twins, name: str) -> None:
    answer = _answer(twins.driver, name, twins.utility, twins.twin)

    assert answer.twin_after in (None, twins.portrait), "the twin was changed"
    assert answer.rows == twins.alone[name], "the answer depends on whether the twin is there"
    assert MARK not in repr(answer.rows)
    assert str(MARK_NUMBER) not in repr(answer.rows)
    if REGISTRY[name].access is Access.READ:
        assert answer.rows, "the example finds nothing, so it shows nothing"
