"""The Outbox: changes that a derived store still has to follow, written in the transaction of the change.

Delivery is at least once. A reader takes `pending` entries, brings its own store to the state that the graph has
*now*, and only then acknowledges; when it dies in between, the entries are still there and are followed again.
Followers must therefore be idempotent, and must read the subject's present state rather than trust the entry: two
entries of one subject may then arrive in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from wnis_core.clock import now
from wnis_core.ids import new_id

from wnis_graph.queries import outbox as queries
from wnis_graph.queries.outbox import OutboxEntry
from wnis_graph.runner import Runner, Transaction
from wnis_graph.scope import Scope

__all__ = ["INCIDENT_INDEX", "OutboxEntry", "OutboxRepository", "append", "outbox_rows"]

INCIDENT_INDEX: Final = "incident_index"
"""The derived store that answers words about incidents."""

OutboxRow = dict[str, object]


def outbox_rows(store: str, action: str, subject_ids: Iterable[str]) -> list[OutboxRow]:
    """Rows for `append`; make them before the transaction, so that running it again adds nothing."""
    moment = now()
    return [
        {"id": new_id("outbox"), "store": store, "subject_id": subject, "action": action, "recorded_at": moment}
        for subject in subject_ids
    ]


def append(transaction: Transaction, rows: Sequence[OutboxRow]) -> None:
    """Record `rows` together with the change that `transaction` makes."""
    transaction.run_batches(queries.APPEND, rows)


class OutboxRepository:
    """What followers of the graph read and acknowledge."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def pending(self, scope: Scope, store: str, limit: int = 500) -> list[OutboxEntry]:
        """The oldest `limit` entries of `store`, oldest first."""
        return self._runner.run(scope, queries.PENDING, store=store, limit=limit)

    def count_pending(self, scope: Scope, store: str) -> int:
        """How many entries `store` has not acknowledged."""
        return self._runner.run_one(scope, queries.COUNT, store=store) or 0

    def acknowledge(self, scope: Scope, ids: Sequence[str]) -> int:
        """Forget the entries `ids`; unknown ones (acknowledged before) are no fault. Returns how many were there."""
        return self._runner.run_one(scope, queries.ACKNOWLEDGE, ids=list(ids)) or 0

    def enqueue(self, scope: Scope, store: str, subject_ids: Iterable[str]) -> int:
        """Ask `store` to read `subject_ids` again, as after it was lost. Returns how many entries were added."""
        rows = outbox_rows(store, "upsert", subject_ids)
        self._runner.write(scope, lambda transaction: append(transaction, rows))
        return len(rows)

    def utilities_with_pending(self, scope: Scope, store: str) -> list[str]:
        """Utilities that have entries for `store`; about the platform, hence for the follower's own use only."""
        return self._runner.run(scope, queries.UTILITIES, store=store)
