"""Asks the questions that come with the system."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wnis_core.errors import NotFound

from wnis_graph.queries.questions import QUESTIONS
from wnis_graph.questions import MOST_ROWS, Question
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope


@dataclass(frozen=True)
class QuestionAnswer:
    """Rows of plain values; `truncated` when there are more than `MOST_ROWS`."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool
    elapsed_ms: float


class QuestionRepository:
    """The questions, each confined to the utility of the scope."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def list(self) -> list[Question]:
        """All questions by name."""
        return [QUESTIONS[name] for name in sorted(QUESTIONS)]

    def ask(self, scope: Scope, name: str, parameters: Mapping[str, Any]) -> QuestionAnswer:
        """The answer.

        Raises
        ------
        NotFound
            there is no such question
        BadRequest, InvalidValue
            of the parameters
        """
        if name not in QUESTIONS:
            raise NotFound(f"There is no saved query {name[:100]!r}.", mend="GET /saved lists them.")
        question = QUESTIONS[name]
        bound = question.bound(parameters)
        began = time.perf_counter()
        rows = self._runner.run(scope, question.query, **bound)
        took_ms = round((time.perf_counter() - began) * 1000, 1)
        return QuestionAnswer(question.columns, tuple(rows[:MOST_ROWS]), len(rows) > MOST_ROWS, took_ms)
