"""Parameters of utility, user, job and feedback queries, for the twin utility's test.

User ids are unique on the whole platform; ``{utility}`` stands for the utility that asks.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

_AT = datetime(2024, 5, 1, tzinfo=UTC)
_JOB = {
    "kind": "import", "service": "simulator", "state": "succeeded", "progress": 1.0, "message": "",
    "requested_by": "me", "created_at": _AT, "finished_at": _AT,
}  # fmt: skip
_FEEDBACK = {
    "source": "web", "category": "bug", "content": "it leaks", "status": "new", "submitted_at": _AT, "updated_at": _AT,
}  # fmt: skip

EXAMPLES: dict[str, dict[str, Any]] = {
    "utilities.ensure": {"name": "A"},
    "utilities.get": {},
    "users.create": {"properties": {"id": "user-x", "username": "x", "active": True}, "role": "engineer"},
    "users.list_members": {},
    "users.get_member": {"id": "user-of-{utility}"},
    "users.set_active": {"id": "user-of-{utility}", "active": False},
    "users.set_role": {"id": "user-of-{utility}", "role": "admin"},
    "users.add_member": {"id": "user-of-{utility}", "role": "admin"},
    "jobs.record": {"id": "job-1", "properties": _JOB},
    "jobs.get": {"id": "job-1"},
    "jobs.list": {"kind": None, "state": None, "after_key": None, "after_id": None, "limit": 1000},
    "feedback.create": {
        "id": "feedback-new", "properties": _FEEDBACK, "component_id": "net:pipe:P1", "prediction_id": "prediction-1",
        "user_id": "nobody",
    },
    "feedback.get": {"id": "feedback-1"},
    "feedback.list": {
        "category": None, "status": None, "component_id": "net:pipe:P1", "after_key": None, "after_id": None,
        "limit": 1000,
    },
    "feedback.update": {"id": "feedback-1", "status": "closed", "resolution": "mended", "at": _AT},
}  # fmt: skip
