"""Incidents are written once, with their components, and listed in a total order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import neo4j
import pytest
from wnis_core.errors import BadRequest, Conflict, InvalidValue, NotFound
from wnis_graph.repositories.incidents import (
    IncidentDraft,
    IncidentFilter,
    IncidentRepository,
    Location,
    Outcome,
)
from wnis_graph.repositories.outbox import INCIDENT_INDEX, OutboxRepository
from wnis_graph.scope import Scope

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
BREAK = IncidentDraft(
    kind="break",
    occurred_at=NOON,
    components=("net:pipe:P1",),
    source_id="WO 17/3",
    narrative="Found a round crack on the 6 inch main",
    cause="ground movement",
    repair="clamp",
    severity="high",
    location=Location(-84.5, 38.0),
)


def test_a_created_incident_is_read_back_with_its_components(street: Scope, incidents: IncidentRepository) -> None:
    made = incidents.create(street, replace(BREAK, source_id=None))
    read = incidents.get(street, made.id)
    assert read == made
    assert [(c.id, c.type, c.name) for c in read.components] == [("net:pipe:P1", "Pipe", "P1")]
    assert (read.status, read.available_at, read.location) == ("open", NOON, Location(-84.5, 38.0))


def test_creating_records_what_the_index_has_to_learn(
    street: Scope, incidents: IncidentRepository, outbox: OutboxRepository
) -> None:
    made = incidents.create(street, BREAK)
    entries = outbox.pending(street, INCIDENT_INDEX)
    assert [(e.subject_id, e.action) for e in entries] == [(made.id, "upsert")]


def test_an_unknown_component_is_refused_by_field_and_nothing_is_written(
    street: Scope, incidents: IncidentRepository, outbox: OutboxRepository
) -> None:
    with pytest.raises(InvalidValue) as refused:
        incidents.create(street, replace(BREAK, components=("net:pipe:P1", "net:pipe:P99")))
    assert [f.field for f in refused.value.fields] == ["components"]
    assert "P99" in refused.value.message
    assert incidents.list_incidents(street).incidents == ()
    assert outbox.count_pending(street, INCIDENT_INDEX) == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "earthquake"}, "kind"),
        ({"severity": "awful"}, "severity"),
        ({"occurred_at": NOON.replace(tzinfo=None)}, "occurred_at"),
        ({"available_at": NOON - timedelta(days=1)}, "available_at"),
        ({"id": "a b"}, "id"),
        ({"narrative": "half a smile: \ud83d"}, "narrative"),
        ({"source_id": "\ud83d"}, "source_id"),
        ({"source_id": "x" * 501}, "source_id"),
        ({"location": Location(-84.5, 95.0)}, "location"),
    ],
)
def test_a_wrong_value_is_refused_by_field(
    street: Scope, incidents: IncidentRepository, change: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidValue) as refused:
        incidents.create(street, replace(BREAK, **change))  # type: ignore[arg-type]  # fields of several types
    assert [f.field for f in refused.value.fields] == [field]


def test_a_second_incident_of_the_same_record_is_a_conflict(street: Scope, incidents: IncidentRepository) -> None:
    incidents.create(street, BREAK)
    with pytest.raises(Conflict):
        incidents.create(street, BREAK)


def test_importing_the_same_records_again_changes_nothing(
    street: Scope, incidents: IncidentRepository, outbox: OutboxRepository
) -> None:
    drafts = [replace(BREAK, source_id=f"WO {n}", components=(f"P{n % 5 + 1}",)) for n in range(20)]
    first = incidents.upsert_many(street, drafts)
    written = outbox.count_pending(street, INCIDENT_INDEX)
    second = incidents.upsert_many(street, drafts)
    assert [i.outcome for i in first.items] == [Outcome.CREATED] * 20
    assert [i.outcome for i in second.items] == [Outcome.UNCHANGED] * 20
    assert [i.id for i in first.items] == [i.id for i in second.items]
    assert (written, outbox.count_pending(street, INCIDENT_INDEX)) == (20, 20)


def test_an_import_reports_each_item_and_writes_the_good_ones(street: Scope, incidents: IncidentRepository) -> None:
    incidents.upsert_many(street, [BREAK])
    report = incidents.upsert_many(
        street,
        [
            replace(BREAK, narrative="It was a longitudinal split"),
            replace(BREAK, source_id="WO 18", components=("nowhere",)),
            replace(BREAK, source_id="WO 19", kind="earthquake"),
            replace(BREAK, source_id="WO 20"),
            replace(BREAK, source_id="WO 20", narrative="twice in the file"),
        ],
    )
    assert [i.outcome for i in report.items] == [
        Outcome.UPDATED,
        Outcome.REJECTED,
        Outcome.REJECTED,
        Outcome.CREATED,
        Outcome.REJECTED,
    ]
    assert [(i.row, i.problems[0].field) for i in report.rejected] == [(1, "components"), (2, "kind"), (4, "source_id")]
    assert incidents.get(street, report.items[0].id or "").narrative == "It was a longitudinal split"


def test_an_update_replaces_the_components_and_keeps_what_it_leaves_out(
    street: Scope, incidents: IncidentRepository
) -> None:
    incidents.upsert_many(street, [BREAK])
    report = incidents.upsert_many(
        street, [IncidentDraft("break", NOON + timedelta(days=1), ("P2", "P3"), source_id="WO 17/3")]
    )
    read = incidents.get(street, report.items[0].id or "")
    assert [c.name for c in read.components] == ["P2", "P3"]
    assert (read.narrative, read.severity) == (BREAK.narrative, "high")
    assert read.available_at == NOON + timedelta(days=1)


def test_history_is_closed_unless_it_says_otherwise(street: Scope, incidents: IncidentRepository) -> None:
    report = incidents.upsert_many(street, [BREAK, replace(BREAK, source_id="WO 9", status="open")])
    assert [incidents.get(street, i.id or "").status for i in report.items] == ["closed", "open"]


def test_a_component_is_found_by_id_register_key_or_name(street: Scope, incidents: IncidentRepository) -> None:
    made = incidents.create(street, replace(BREAK, components=("net:pipe:P1", "GIS-2", "P3")))
    assert [c.id for c in made.components] == ["net:pipe:P1", "net:pipe:P2", "net:pipe:P3"]


def test_a_name_of_two_components_is_refused(
    street: Scope, incidents: IncidentRepository, driver: neo4j.Driver
) -> None:
    driver.execute_query(
        "MATCH (c:Component {utility: $utility, id: 'net:pipe:P2'}) SET c.name = 'P1'", {"utility": street.utility}
    )
    with pytest.raises(InvalidValue, match="means 2 components"):
        incidents.create(street, replace(BREAK, components=("P1",)))


def test_pages_hold_every_incident_once_newest_first(street: Scope, incidents: IncidentRepository) -> None:
    incidents.upsert_many(
        street,
        [replace(BREAK, source_id=f"WO {n}", occurred_at=NOON - timedelta(days=n // 4)) for n in range(23)],
    )
    seen, cursor = [], None
    while True:
        page = incidents.list_incidents(street, limit=5, cursor=cursor)
        seen += page.incidents
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len({i.id for i in seen}) == 23
    assert seen == sorted(seen, key=lambda i: (-i.occurred_at.timestamp(), i.id))


def test_a_foreign_cursor_is_refused(street: Scope, incidents: IncidentRepository) -> None:
    with pytest.raises(BadRequest):
        incidents.list_incidents(street, cursor="bm9uZXNlbnNl")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (IncidentFilter(kind="leak"), {"b"}),
        (IncidentFilter(status="open"), {"b"}),
        (IncidentFilter(since=NOON), {"a"}),
        (IncidentFilter(until=NOON), {"b"}),
        (IncidentFilter(component_id="net:pipe:P3"), {"b"}),
        (IncidentFilter(zone="north"), {"a"}),
        (IncidentFilter(words="CRACK main"), {"a"}),
        (IncidentFilter(words="crack valve"), set()),
        (IncidentFilter(zone="nowhere"), set()),
    ],
)
def test_a_filter_keeps_what_it_asks_for(
    street: Scope, incidents: IncidentRepository, wanted: IncidentFilter, found: set[str]
) -> None:
    incidents.create(street, replace(BREAK, id="a", status="closed"))
    incidents.create(
        street,
        IncidentDraft("leak", NOON - timedelta(days=1), ("net:pipe:P3",), id="b", narrative="dripping valve"),
    )
    assert {i.id for i in incidents.list_incidents(street, wanted).incidents} == found


def test_incidents_of_a_component_are_listed_newest_first(street: Scope, incidents: IncidentRepository) -> None:
    for n in range(3):
        incidents.create(street, replace(BREAK, source_id=None, id=f"i{n}", occurred_at=NOON + timedelta(days=n)))
    incidents.create(street, replace(BREAK, source_id=None, id="elsewhere", components=("net:pipe:P2",)))
    assert [i.id for i in incidents.of_component(street, "net:pipe:P1")] == ["i2", "i1", "i0"]


def test_a_deleted_incident_is_gone_and_the_index_is_told(
    street: Scope, incidents: IncidentRepository, outbox: OutboxRepository
) -> None:
    made = incidents.create(street, BREAK)
    incidents.delete(street, made.id)
    with pytest.raises(NotFound):
        incidents.get(street, made.id)
    assert [(e.subject_id, e.action) for e in outbox.pending(street, INCIDENT_INDEX)] == [
        (made.id, "upsert"),
        (made.id, "delete"),
    ]


def test_an_incident_behind_a_prediction_stays(
    street: Scope, incidents: IncidentRepository, driver: neo4j.Driver
) -> None:
    made = incidents.create(street, BREAK)
    driver.execute_query(
        "MATCH (i:Incident {utility: $utility, id: $id}) "
        "CREATE (i)-[:USED_IN]->(:Prediction {utility: $utility, id: 'p'})",
        {"utility": street.utility, "id": made.id},
    )
    with pytest.raises(Conflict):
        incidents.delete(street, made.id)
    assert incidents.get(street, made.id) == made
