"""Parameters with which the twin test runs the queries about simulations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

_AT = datetime(2026, 1, 1, tzinfo=UTC)
_RUN = {
    "kind": "hydraulic", "state": "queued", "engine": "EPANET", "engine_version": "2.2.0", "job_id": "job-1",
    "requested_by": "ada", "created_at": _AT,
}  # fmt: skip

EXAMPLES: dict[str, dict[str, Any]] = {
    "simulations.request": {"id": "run-1", "network": "net", "properties": _RUN},
    "simulations.start": {"id": "run-1", "at": _AT},
    "simulations.end_of_job": {"job_id": "job-1", "state": "failed", "error": "unbalanced", "at": _AT},
    "simulations.imported_by": {"job_id": "job-1", "network": "net"},
    "simulations.open_to_finish": {"id": "run-1"},
    "simulations.write_results": {
        "id": "run-1",
        "rows": [{"id": "run-1:twin", "component_id": "net:pipe:P1", "properties": {"flow_mean_m3s": 0.1}}],
    },
    "simulations.write_shares": {
        "rows": [
            {
                "id": "run-0:P1",
                "source": "net:reservoir:R1",
                "properties": {"share": 0.5, "share_min": 0.0, "share_max": 1.0},
            },
        ],
    },
    "simulations.finish": {"id": "run-1", "properties": {"steps": 25}},
    "simulations.get": {"id": "run-1"},
    "simulations.list": {"network": None, "state": None, "after_key": None, "after_id": None, "limit": 10},
    "simulations.results": {"id": "run-1"},
    "simulations.result": {"id": "run-1", "component_id": "net:pipe:P1"},
    "simulations.component_keys": {"network": "net"},
    "simulations.component_key": {"component_id": "net:pipe:P1"},
}
