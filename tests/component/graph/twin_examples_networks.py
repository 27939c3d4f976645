"""Parameters of network, map, topology and health queries, for the twin utility's test."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

_AT = datetime(2024, 5, 1, tzinfo=UTC)

EXAMPLES: dict[str, dict[str, Any]] = {
    "networks.get": {"id": "net"},
    "networks.list": {},
    "networks.heads": {"id": None},
    "networks.lock": {"id": "net"},
    "networks.set": {"id": "net", "properties": {"title": "new"}},
    "networks.bump": {"id": "net", "at": _AT},
    "networks.record_revision": {
        "id": "net",
        "row": {"id": "revision-new", "utility": "", "subject_id": "net", "action": "import", "recorded_by": "me",
                "recorded_at": _AT},
    },
    "networks.recorded": {"id": "net"},
    "networks.counts_at": {"id": "net", "at": _AT},
    "networks.writes_since": {"id": "net", "at": _AT},
    "networks.stored_components": {"id": "net"},
    "networks.joints": {"id": "net"},
    "networks.foreign_ids": {"ids": ["net:pipe:P1"], "network": "other"},
    "networks.zones": {"id": None},
    "networks.put_zones": {"id": "net", "rows": [{"id": "zone-1", "name": "new", "kind": "pressure"}]},
    "networks.drop_zones": {"id": "net", "rows": ["zone-1"]},
    "maps.components": {"id": "net"},
    "maps.drawn": {"id": "net"},
    "components.lock_many": {"ids": ["net:hydrant:H1", "net:sensor:S1"]},
    "topology.place": {"id": "net:pipe:P1"},
    "topology.vertices": {"id": "net"},
    "topology.latest_run": {"id": "net"},
    "topology.latest_source_trace": {
        "id": "net", "component_id": "net:pipe:P1", "sources": ["net:reservoir:R1", "net:tank:T1"],
    },
    "topology.healths": {"id": "net"},
    "topology.flow_ranges": {"run": "run-1"},
    "topology.served": {"id": "net"},
    "health.components": {"id": "net"},
    "health.open_incidents": {"id": "net"},
    "health.measured": {"run": "run-1"},
    "health.believed": {"id": "net"},
    "health.set": {"rows": [["net:pipe:P1", "critical", "because"]]},
    "health.counts": {"network": None},
}  # fmt: skip
EXAMPLES |= {
    "networks.bump_connections": {"id": "net"},
    "isolation.parts": {"id": "net"},
    "isolation.seats": {"id": "net"},
    "isolation.connections": {"id": "net"},
    "isolation.mean_demands": {"run": "run-1"},
    "isolation.kept": {"id": "net"},
    "isolation.put": {
        "rows": [
            {
                "properties": {"id": "segment-1", "components": 1},
                "components": ["net:pipe:P1"],
                "valves": ["net:valve:V1"],
            }
        ]
    },
    "isolation.set_figures": {"rows": [{"id": "segment-1", "customers": 5}]},
    "isolation.drop": {"rows": ["segment-1"]},
    "isolation.place_valves": {
        "rows": [{"valve": "net:valve:V1", "link": "net:pipe:P2", "near": "net:junction:J1", "offset_m": 1.0}]
    },
    "isolation.link_ends": {"ids": ["net:pipe:P1"]},
    "isolation.seat_of": {"ids": ["net:valve:V1"]},
}
