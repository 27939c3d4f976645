"""Parameters of every component and asset query, for the test that no query reaches a twin utility's rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from wnis_graph.queries.components import LAST_TEXT, LISTS
from wnis_graph.schema.model import COMPONENT_LABELS

_AT = datetime(2024, 5, 1, tzinfo=UTC)
_FILTERS: dict[str, Any] = {
    "type": "Pipe", "network": "net", "status": None, "health": None, "material": "pvc", "retired": False,
    "zone": "zone-1", "boxes": {"net": [0.0, 0.0, 10.0, 10.0]}, "limit": 1000,
}  # fmt: skip


def _list(sort: str, descending: bool, search: bool) -> dict[str, Any]:
    edge = LAST_TEXT if descending else ""
    parameters = {**_FILTERS, "after_id": edge}
    if sort != "id":
        parameters["after_key"] = edge if sort == "name" else None
    if search:
        parameters |= {"text": "crack* OR pvc*", "prefix": "P"}
    return parameters


EXAMPLES: dict[str, dict[str, Any]] = {
    "components.get": {"id": "net:pipe:P1"},
    "components.by_ids": {"ids": ["net:pipe:P1", "net:junction:J1"]},
    "components.ids_by_name": {"name": "P1", "network": None},
    "components.set": {"rows": [{"id": "net:pipe:P1", "properties": {"material": "steel"}}]},
    "components.lock": {"id": "net:pipe:P1"},
    "components.connect": {"rows": [["net:junction:J1", "net:hydrant:H1"]]},
    "components.disconnect": {"rows": [["net:junction:J1", "net:pipe:P1"]]},
    "components.place_in_zone": {"rows": [["net:pipe:P1", "zone-1"]]},
    "components.take_from_zone": {"rows": [["net:pipe:P1", "zone-1"]]},
    "components.record_revisions": {
        "rows": [{"id": "revision-new", "utility": "", "subject_id": "net:pipe:P1", "action": "update",
                  "recorded_by": "me", "recorded_at": _AT}],
    },
    "components.history": {"id": "net:pipe:P1"},
    "components.service_connections": {"id": "net:pipe:P1"},
    "assets.lock_components": {"network": "net", "names": ["P1", "net:pipe:P2"]},
    "assets.put_connections": {
        "rows": [{"id": "connection-1", "served_by": "net:pipe:P1",
                  "properties": {"name": "school", "customers": 3, "critical": True}}],
    },
}  # fmt: skip
EXAMPLES |= {
    f"components.create_{label.lower()}": {"network": "net", "rows": [{"id": f"new-{label}"}], "at": _AT}
    for label in COMPONENT_LABELS
}
EXAMPLES |= {query.name: _list(sort, descending, search) for (sort, descending, search), query in LISTS.items()}
