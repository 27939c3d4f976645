"""The Outbox delivers at least once, oldest first."""

from __future__ import annotations

from datetime import UTC, datetime

import neo4j
from wnis_graph.repositories.incidents import IncidentDraft, IncidentRepository
from wnis_graph.repositories.outbox import INCIDENT_INDEX, OutboxRepository
from wnis_graph.scope import Scope

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def test_entries_come_oldest_first_and_stay_until_acknowledged(
    street: Scope, incidents: IncidentRepository, outbox: OutboxRepository
) -> None:
    for n in range(4):
        incidents.create(street, IncidentDraft("leak", NOON, id=f"i{n}"))
    first = outbox.pending(street, INCIDENT_INDEX, limit=2)
    again = outbox.pending(street, INCIDENT_INDEX, limit=2)
    assert [e.subject_id for e in first] == ["i0", "i1"]
    assert again == first
    assert outbox.acknowledge(street, [e.id for e in first]) == 2
    assert [e.subject_id for e in outbox.pending(street, INCIDENT_INDEX)] == ["i2", "i3"]


def test_acknowledging_twice_is_no_fault(
    street: Scope, incidents: IncidentRepository, outbox: OutboxRepository
) -> None:
    incidents.create(street, IncidentDraft("leak", NOON))
    ids = [e.id for e in outbox.pending(street, INCIDENT_INDEX)]
    assert [outbox.acknowledge(street, ids), outbox.acknowledge(street, ids)] == [1, 0]


def test_a_change_made_while_the_index_was_reading_stays_pending(
    street: Scope, incidents: IncidentRepository, outbox: OutboxRepository
) -> None:
    incidents.upsert_many(street, [IncidentDraft("leak", NOON, id="i", narrative="before")])
    reading = outbox.pending(street, INCIDENT_INDEX)
    incidents.upsert_many(street, [IncidentDraft("leak", NOON, id="i", narrative="after")])
    outbox.acknowledge(street, [e.id for e in reading])
    assert [e.subject_id for e in outbox.pending(street, INCIDENT_INDEX)] == ["i"]


def test_a_lost_store_is_told_to_read_again(street: Scope, outbox: OutboxRepository, driver: neo4j.Driver) -> None:
    driver.execute_query("CREATE (:Utility {id: $utility, name: 'Lost'})", {"utility": street.utility})
    outbox.enqueue(street, INCIDENT_INDEX, ["a", "b"])
    assert {e.subject_id for e in outbox.pending(street, INCIDENT_INDEX)} == {"a", "b"}
    assert street.utility in outbox.utilities_with_pending(street, INCIDENT_INDEX)
