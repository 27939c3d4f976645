"""Parameters of every question, for the test that none reaches a twin utility's rows."""

from __future__ import annotations

from datetime import date
from typing import Any

_DAY = date(2026, 1, 1)

EXAMPLES: dict[str, dict[str, Any]] = {
    "questions.old_pipes_feeding_critical_customers": {"years": 20, "as_of": _DAY},
    "questions.components_with_repeated_incidents": {"incidents": 1, "days": 3000, "as_of": _DAY},
    "questions.predictions_contradicted_by_feedback": {"rating": 5},
    "questions.pipes_without_install_date_by_zone": {},
    "questions.critical_customers_on_one_feed": {"at_most": 100},
    "questions.mains_broken_again": {"days": 365},
    "questions.likely_failures_with_many_customers": {"probability": 0.5, "customers": 1, "horizon": 1},
    "questions.valves_of_unknown_position": {"kinds": ["prv"], "known": ["closed"]},
    "questions.runs_older_than_the_network": {"behind": 0},
    "questions.incidents_near_a_component": {"component": "net:pipe:P1"},
    "questions.sensors_without_measurements": {"at_most": 100},
    "questions.pipes_by_material_and_age": {"band_years": 20, "as_of": _DAY},
    "questions.repeat_complaints_by_zone": {"kind": "break", "at_least": 1, "days": 3000, "as_of": _DAY},
    "questions.pumps_with_warnings_in_the_last_run": {},
    "questions.open_feedback_by_component": {},
}
EXAMPLES = {name: {**parameters, "most": 1000} for name, parameters in EXAMPLES.items()}
