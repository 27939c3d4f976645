"""Parameters of every incident query, for the test that no query reaches a twin utility's rows."""

from __future__ import annotations

from datetime import UTC, datetime

_ROW = {
    "id": "incident-1",
    "components": ["net:pipe:P1"],
    "properties": {
        "kind": "leak",
        "status": "open",
        "occurred_at": datetime(2024, 5, 1, tzinfo=UTC),
        "available_at": datetime(2024, 5, 1, tzinfo=UTC),
        "narrative": "found a crack",
    },
}

EXAMPLES: dict[str, dict[str, object]] = {
    "incidents.get": {"id": "incident-1"},
    "incidents.get_many": {"ids": ["incident-1"]},
    "incidents.list": {
        "kind": None, "status": None, "since": None, "until": None, "component_id": None, "zone": None,
        "words": None, "after_occurred_at": None, "after_id": None, "limit": 1000,
    },
    "incidents.of_component": {"component_id": "net:pipe:P1"},
    "incidents.ids": {},
    "incidents.references": {"references": ["net:pipe:P1", "P1"], "network": None},
    "incidents.create": {"rows": [{**_ROW, "id": "incident-new"}]},
    "incidents.upsert": {"rows": [_ROW]},
    "incidents.unlink": {"rows": [{**_ROW, "components": []}]},
    "incidents.link": {"rows": [_ROW]},
    "incidents.uses": {"id": "incident-1"},
    "incidents.find_words": {
        "index": "incident_text", "lucene": "crack OR leak OR break", "kind": None, "since": None,
        "components": None, "limit": 1000,
    },
    "incidents.components_of_zone": {"zone": "zone-1"},
    "incidents.delete": {"id": "incident-1"},
}  # fmt: skip
