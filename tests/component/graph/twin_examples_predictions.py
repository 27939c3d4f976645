"""Parameters with which the twin test runs the queries about models and predictions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

_AT = datetime(2026, 1, 1, tzinfo=UTC)
_PREDICTION = {
    "component_id": "net:pipe:P1", "model_name": "model-1", "model_version": "1", "created_at": _AT, "as_of": _AT,
    "knot_days": [365.0], "knot_probability": [0.1], "knot_low": [0.05], "knot_high": [0.2], "factors_json": "[]",
    "base_value": -5.0, "input_sha256": "ab", "inputs_json": "{}",
}  # fmt: skip
_VERSION = {
    "model_name": "model-1", "version": "2", "sha256": "ab", "file_key": "models/ab", "signer": "cd",
    "train_from": date(2000, 1, 1), "train_to": date(2025, 1, 1), "data_sha256": "ef", "metrics_json": "{}", "seed": 0,
    "created_at": _AT,
}  # fmt: skip

EXAMPLES: dict[str, dict[str, Any]] = {
    "models.list": {},
    "models.version": {"id": "version-1"},
    "models.current": {"name": "model-1"},
    "models.register": {
        "name": "model-1",
        "id": "version-2",
        "model": {"name": "model-1", "task": "failure", "created_at": _AT},
        "properties": _VERSION,
    },
    "models.credit_job": {"job": "job-1", "id": "version-1"},
    "predictions.failable": {"network": None},
    "predictions.failable_of": {"ids": ["net:pipe:P1"], "network": None},
    "predictions.failures": {"kinds": ["break", "leak"], "as_of": _AT},
    "predictions.failures_of": {"ids": ["net:pipe:P1"], "kinds": ["break", "leak"], "as_of": _AT},
    "predictions.latest": {"network": None},
    "predictions.latest_of": {"ids": ["net:pipe:P1"], "network": None},
    "predictions.latest_keys": {"ids": ["net:pipe:P1", "net:junction:J1"]},
    "predictions.get": {"id": "prediction-1"},
    "predictions.why": {"id": "prediction-1"},
    "predictions.write": {
        "rows": [
            {
                "id": "prediction-2",
                "component_id": "net:pipe:P1",
                "version_id": "version-1",
                "properties": _PREDICTION,
            }
        ]
    },
    "predictions.write_used": {"rows": [{"id": "prediction-1", "incident_id": "incident-1", "weight": 0.1, "rank": 1}]},
    "predictions.write_supersedes": {"rows": [{"id": "prediction-1", "old_id": "prediction-1"}]},
    "predictions.credit_job": {"job": "job-1", "rows": [{"id": "prediction-1"}]},
    "predictions.served": {},
    "predictions.served_of": {"ids": ["net:pipe:P1"]},
    "predictions.foremost": {"days": 365.0, "by": "risk", "losers": {"net:pipe:P1": 7}, "network": None, "top": 10},
}
