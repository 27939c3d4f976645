"""Parameters of every Outbox query, for the test that no query reaches a twin utility's rows."""

from __future__ import annotations

from datetime import UTC, datetime

_ROW = {
    "id": "outbox-new",
    "store": "incident_index",
    "subject_id": "incident-1",
    "action": "upsert",
    "recorded_at": datetime(2024, 5, 1, tzinfo=UTC),
}

EXAMPLES: dict[str, dict[str, object]] = {
    "outbox.append": {"rows": [_ROW]},
    "outbox.pending": {"store": "incident_index", "limit": 1000},
    "outbox.count": {"store": "incident_index"},
    "outbox.acknowledge": {"ids": ["outbox-1", "outbox-new"]},
}
