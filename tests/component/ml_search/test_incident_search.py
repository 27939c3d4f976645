"""Incidents are found by meaning and by words, near a component if asked, and the index follows the graph."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from wnis_core.errors import Cancelled, NotFound
from wnis_core.settings import share_dir
from wnis_graph.repositories.incidents import IncidentDraft, IncidentRepository
from wnis_graph.repositories.outbox import INCIDENT_INDEX, OutboxRepository
from wnis_graph.repositories.topology import TopologyRepository
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope
from wnis_ml.embedding.encoder import SentenceEncoder
from wnis_ml.search.embedded_store import EmbeddedStore
from wnis_ml.search.incident_search import Asked, Found, IncidentSearch
from wnis_ml.search.index_keeper import IndexKeeper, IndexState
from wnis_ml.search.jargon import read_jargon
from wnis_ml.search.meaning import Meaning

from tests.component.ml_search.conftest import LayStreet

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
CRACK = IncidentDraft(
    "break", NOON, ("net:pipe:P1",), id="crack",
    narrative="SET UP TRAFFIC. FOUND ROUND CRACK ON 6\" C.I. MAIN. INSTALLED 360 CLAMP. LEFT JOB SAFE.",
)  # fmt: skip
RUST = IncidentDraft("leak", NOON - timedelta(days=400), ("net:pipe:P3",), id="rust",
                     narrative="Rust hole in 2 inch steel pipe, repaired with a clamp")  # fmt: skip
BROWN = IncidentDraft("quality", NOON, ("net:junction:J5",), id="brown", narrative="Customer reports discolored water")


@dataclass(frozen=True)
class Desk:
    """Everything that the ml service has for one utility."""

    scope: Scope
    incidents: IncidentRepository
    keeper: IndexKeeper
    store: EmbeddedStore
    finder: IncidentSearch

    def found(self, query: str, **asked: object) -> list[str]:
        return [one.incident.id for one in self.search(query, **asked)]

    def search(self, query: str, **asked: object) -> list[Found]:
        return self.finder.search(self.scope, Asked(query, **asked))  # type: ignore[arg-type]  # fields of several types


@pytest.fixture(scope="session")
def meaning() -> Meaning:
    return Meaning(SentenceEncoder(share_dir() / "minilm"), read_jargon())


@pytest.fixture
def desk(
    street: Scope, runner: Runner, incidents: IncidentRepository, outbox: OutboxRepository, meaning: Meaning,
    tmp_path: Path,
) -> Iterator[Desk]:  # fmt: skip
    store = EmbeddedStore(tmp_path / "vectors", meaning.fingerprint)
    keeper = IndexKeeper(incidents, outbox, store, meaning, utilities=lambda: [street.utility], poll_s=0.2)
    finder = IncidentSearch(incidents, store, meaning, TopologyRepository(runner).within)
    yield Desk(street, incidents, keeper, store, finder)
    keeper.stop()
    store.close()


@pytest.fixture
def told(desk: Desk) -> Desk:
    """A desk that knows three incidents."""
    desk.incidents.upsert_many(desk.scope, [CRACK, RUST, BROWN])
    assert desk.keeper.sync(desk.scope) == IndexState(indexed=3, pending=0)
    return desk


def eventually(reached: bool, since: float, within_s: float) -> bool:
    """Whether to go on waiting; fails when it took too long."""
    assert reached or time.monotonic() - since < within_s
    if not reached:
        time.sleep(0.05)
    return not reached


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("the pipe broke straight across in a ring", "crack"),
        ("corroded through, small pits", "rust"),
        ("brown water from the tap", "brown"),
        ("round crack", "crack"),
        ("cast iron", "crack"),
        ("DISCOLORED", "brown"),
    ],
)
def test_a_description_in_plain_words_finds_the_incident(told: Desk, query: str, first: str) -> None:
    assert told.found(query)[0] == first


def test_an_answer_says_why(told: Desk) -> None:
    best = told.search("ring fracture of an iron main")[0]
    assert best.incident.id == "crack"
    assert best.semantic is not None
    assert best.semantic > 0.3
    assert best.lexical is not None
    assert best.lexical > 0
    assert 0.9 < best.score <= 1.0
    assert best.highlights == ('FOUND ROUND CRACK ON 6" C.I. MAIN.',)
    assert [c.name for c in best.incident.components] == ["P1"]
    assert best.hops is None


def test_hops_count_joints_from_the_component(told: Desk) -> None:
    near = told.search("leak", component_id="net:pipe:P1", hops=4)
    assert {(f.incident.id, f.hops) for f in near} == {("crack", 0), ("rust", 4)}
    assert told.found("leak", component_id="net:pipe:P1") == ["crack"]
    assert told.found("leak", component_id="net:junction:J4", hops=0) == []


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"kind": "leak"}, {"rust"}),
        ({"since": NOON - timedelta(days=1)}, {"crack", "brown"}),
        ({"zone": "north"}, {"crack"}),
        ({"zone": "south"}, {"rust"}),
        ({"zone": "south", "component_id": "net:pipe:P1", "hops": 3}, set()),
        ({"limit": 1}, {"crack"}),
    ],
)
def test_a_filter_keeps_what_it_asks_for(told: Desk, asked: dict[str, object], found: set[str]) -> None:
    assert set(told.found("round crack in the main", **asked)) == found


def test_unknown_places_are_not_found(told: Desk) -> None:
    with pytest.raises(NotFound, match="component"):
        told.found("leak", component_id="nowhere")
    with pytest.raises(NotFound, match="zone"):
        told.found("leak", zone="nowhere")


@pytest.mark.parametrize(
    "query",
    ["the of and", '")) OR utility:* \\', "!!!", "+-&&||{}[]^~*?:/", "x" * 2000, "word " * 400, "漏水", "half \ud83d"],
)
def test_odd_queries_are_answered(told: Desk, query: str) -> None:
    assert len(told.found(query)) <= 3


def test_many_different_words_stay_within_what_lucene_takes(told: Desk) -> None:
    assert told.found(" ".join(f"unheard{chr(97 + k % 26)}{chr(97 + k // 26)}" for k in range(200)) + " crack")


def test_a_twin_utility_never_appears(
    told: Desk, runner: Runner, incidents: IncidentRepository, outbox: OutboxRepository, meaning: Meaning,
    lay_street: LayStreet,
) -> None:  # fmt: skip
    twin = Scope(f"{told.scope.utility}-twin", "tester")
    lay_street(twin)
    incidents.upsert_many(twin, [replace(CRACK, id=f"twin-{k}") for k in range(60)] + [CRACK])
    told.keeper.sync(twin)
    assert told.found("round crack on the main", limit=100)[0] == "crack"
    assert set(told.found("round crack on the main", limit=100)) == {"crack", "rust", "brown"}
    assert told.store.count(twin.utility) == 61


def test_a_new_incident_is_found_by_its_words_within_two_seconds(desk: Desk) -> None:
    desk.keeper.start()
    while eventually(desk.keeper.follows(), time.monotonic(), 10):
        pass
    made = desk.incidents.create(desk.scope, CRACK)
    began = time.monotonic()
    while eventually(desk.keeper.state(desk.scope) == IndexState(1, 0), began, 2):
        pass
    best = desk.search("transverse fracture")[0]
    assert (best.incident.id, best.semantic is not None) == (made.id, True)


def test_a_changed_narrative_is_found_by_its_new_words(told: Desk) -> None:
    told.incidents.upsert_many(told.scope, [replace(RUST, narrative="Excavator struck the pipe", components=("P2",))])
    told.keeper.sync(told.scope)
    assert told.found("hit by a digger of the contractor", component_id="net:pipe:P2", hops=0) == ["rust"]


def test_a_deleted_incident_is_no_longer_found(told: Desk) -> None:
    told.incidents.delete(told.scope, "crack")
    assert "crack" not in told.found("round crack")  # not even before the index knows
    told.keeper.sync(told.scope)
    assert told.store.ids(told.scope.utility) == {"rust", "brown"}


def test_a_keeper_killed_before_it_acknowledged_repeats_and_loses_nothing(told: Desk, outbox: OutboxRepository) -> None:
    """What kill -9 between writing the vectors and acknowledging leaves: the vectors are there, the entries too."""
    told.incidents.upsert_many(told.scope, [replace(RUST, id="new", narrative="dripping joint")])
    entries = outbox.pending(told.scope, INCIDENT_INDEX)
    told.keeper.sync(told.scope)
    outbox.enqueue(told.scope, INCIDENT_INDEX, [e.subject_id for e in entries])
    assert told.keeper.sync(told.scope) == IndexState(indexed=4, pending=0)
    assert told.found("leak where two lengths of pipe meet")[0] == "new"


def test_a_lost_store_is_filled_again_from_the_graph(told: Desk) -> None:
    told.store.delete(told.scope.utility, ["crack", "rust"])
    told.keeper.start()
    began = time.monotonic()
    while eventually(told.store.count(told.scope.utility) == 3, began, 5):
        pass
    assert told.found("transverse fracture")[0] == "crack"


def test_vectors_that_the_graph_does_not_know_are_forgotten(told: Desk) -> None:
    stray = told.keeper._vectors_of([replace(told.incidents.get(told.scope, "crack"), id="stray")])
    told.store.upsert(told.scope.utility, stray)
    assert told.keeper.verify(told.scope) == 1
    assert told.store.ids(told.scope.utility) == {"crack", "rust", "brown"}


def test_a_rebuild_reports_progress_and_can_be_cancelled(told: Desk) -> None:
    told.store.delete(told.scope.utility, ["crack"])
    steps: list[float] = []
    state = told.keeper.rebuild(told.scope, lambda fraction, _: steps.append(fraction), lambda: None)
    assert (state, steps[-1]) == (IndexState(3, 0), 1.0)

    def cancelled() -> None:
        raise Cancelled("The job was cancelled.")

    with pytest.raises(Cancelled):
        told.keeper.rebuild(told.scope, lambda *_: None, cancelled)
    assert told.store.count(told.scope.utility) == 3


def test_eight_threads_recording_and_searching_at_once_lose_nothing(desk: Desk) -> None:
    desk.keeper.start()

    def record(thread: int) -> None:
        for k in range(12):
            desk.incidents.create(desk.scope, replace(CRACK, id=f"t{thread}-{k}"))
            if k % 4 == 0:
                desk.search("round crack")
                desk.keeper.sync(desk.scope)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(record, range(8)))
    assert desk.keeper.sync(desk.scope) == IndexState(indexed=96, pending=0)
    assert desk.store.ids(desk.scope.utility) == {f"t{thread}-{k}" for thread in range(8) for k in range(12)}
