"""Feedback of users, and what became of it."""

from __future__ import annotations

from wnis_graph.repositories.feedback import NewFeedback as Sent

from wnis_api.http.route import EVERYBODY, Call, Nothing, Reply, Role, Route, roles
from wnis_api.http.schemas.feedback import (
    FeedbackAnswer,
    FeedbackChange,
    FeedbackList,
    FeedbackQuery,
    FeedbackReceipt,
    NewFeedback,
)
from wnis_api.parts import Parts


def list_feedback(parts: Parts, call: Call[FeedbackQuery, None]) -> FeedbackList:
    asked = call.query
    page = parts.feedback.list(
        call.scope, category=asked.category, status=asked.status, component_id=asked.component_id, limit=asked.limit,
        cursor=asked.cursor,
    )  # fmt: skip
    return FeedbackList(feedback=[FeedbackAnswer.model_validate(f) for f in page.rows], next_cursor=page.next_cursor)


def send_feedback(parts: Parts, call: Call[Nothing, NewFeedback]) -> Reply:
    asked = call.body
    kept = parts.feedback.create(
        call.scope,
        Sent(
            source=asked.source,
            category=asked.category,
            content=asked.content,
            rating=asked.rating,
            component_id=asked.component_id,
            component_type=asked.component_type,
            prediction_id=asked.prediction_id,
            id=call.new_id("feedback"),
            synthetic=asked.synthetic,
        ),
    )
    return Reply(FeedbackReceipt(id=kept.id), status=201, subject=kept.id)


def change_feedback(parts: Parts, call: Call[Nothing, FeedbackChange]) -> FeedbackAnswer:
    kept = parts.feedback.update(call.scope, call.id(), call.body.status, call.body.resolution)
    return FeedbackAnswer.model_validate(kept)


_TAG = "feedback"

ROUTES: tuple[Route, ...] = (
    Route("GET", "/feedback", list_feedback, "List feedback", _TAG, query=FeedbackQuery, answer=FeedbackList),
    Route("POST", "/feedback", send_feedback, "Send feedback", _TAG, EVERYBODY, body=NewFeedback,
          answer=FeedbackReceipt, status=201, action="feedback.send", repeatable=True),
    Route("PUT", "/feedback/{id}", change_feedback, "Say what became of it", _TAG,
          roles(Role.ENGINEER, Role.MANAGER), body=FeedbackChange, answer=FeedbackAnswer, action="feedback.change"),
)  # fmt: skip
