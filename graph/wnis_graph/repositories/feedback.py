"""Feedback of users."""

from __future__ import annotations

from dataclasses import dataclass

from wnis_core.clock import now
from wnis_core.errors import FieldProblem, InvalidValue, NotFound
from wnis_core.ids import new_id

from wnis_graph.paging import Page, checked_limit, page_of, start_after
from wnis_graph.queries import feedback
from wnis_graph.queries.feedback import Feedback
from wnis_graph.runner import Runner
from wnis_graph.schema.model import SCHEMA
from wnis_graph.scope import Scope

__all__ = ["Feedback", "FeedbackRepository", "NewFeedback"]

_ORDER = "feedback"


@dataclass(frozen=True)
class NewFeedback:
    """Feedback as it is sent."""

    source: str
    category: str
    content: str
    rating: int | None = None
    component_id: str | None = None
    component_type: str | None = None
    prediction_id: str | None = None
    id: str | None = None
    synthetic: bool = False


class FeedbackRepository:
    """What users say, and what became of it."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def create(self, scope: Scope, new: NewFeedback) -> Feedback:
        """Record feedback of the scope's user; a given id that is there already returns what it is.

        Raises
        ------
        InvalidValue
            a value the schema refuses, or a component or prediction that does not exist
        """
        if new.rating is not None and not 1 <= new.rating <= 5:
            raise InvalidValue("A rating is 1 to 5.", fields=[FieldProblem("rating", "must be 1 to 5")])
        at = now()
        identifier = new.id or new_id("feedback")
        properties = {
            "source": new.source,
            "category": new.category,
            "content": new.content,
            "rating": new.rating,
            "component_type": new.component_type,
            "status": "new",
            "submitted_at": at,
            "updated_at": at,
            "synthetic": True if new.synthetic else None,
        }
        SCHEMA.require("Feedback", properties | {"id": identifier, "utility": scope.utility})
        found = self._runner.run_one(
            scope,
            feedback.CREATE,
            id=identifier,
            properties=properties,
            component_id=new.component_id,
            prediction_id=new.prediction_id,
            user_id=scope.user,
        )
        if found is None:
            name = "component_id" if new.component_id else "prediction_id"
            raise InvalidValue(
                "The feedback is about something that does not exist.", fields=[FieldProblem(name, "does not exist")]
            )
        return found

    def get(self, scope: Scope, feedback_id: str) -> Feedback:
        """The feedback, or NotFound."""
        found = self._runner.run_one(scope, feedback.GET, id=feedback_id)
        if found is None:
            raise _missing(feedback_id)
        return found

    def update(self, scope: Scope, feedback_id: str, status: str, resolution: str | None = None) -> Feedback:
        """Change its state; a resolution that is not given stays."""
        SCHEMA.require("Feedback", {"status": status, "resolution": resolution}, partial=True)
        found = self._runner.run_one(
            scope, feedback.UPDATE, id=feedback_id, status=status, resolution=resolution, at=now()
        )
        if found is None:
            raise _missing(feedback_id)
        return found

    def list(
        self,
        scope: Scope,
        *,
        category: str | None = None,
        status: str | None = None,
        component_id: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Feedback]:
        """Feedback, the latest first."""
        limit = checked_limit(limit)
        rows = self._runner.run(
            scope,
            feedback.LIST,
            category=category,
            status=status,
            component_id=component_id,
            limit=limit + 1,
            **start_after(cursor, _ORDER),
        )
        return page_of(rows, limit, _ORDER, lambda f: (f.submitted_at, f.id))


def _missing(feedback_id: str) -> NotFound:
    return NotFound(f"There is no feedback {feedback_id!r}.")
