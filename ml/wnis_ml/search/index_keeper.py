"""Keeps the vectors equal to the graph's incidents: follows the Outbox, and starts over when the store was lost.

Every step brings the store to the state that the graph has *now* and acknowledges only afterwards, so a keeper that is
killed anywhere in between repeats a step and loses none. All writing to the store happens under one lock: of two
followers of the same incident the later one must not be overtaken.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from wnis_core.errors import WnisError
from wnis_graph.repositories.incidents import Incident, IncidentRepository
from wnis_graph.repositories.outbox import INCIDENT_INDEX, OutboxRepository
from wnis_graph.scope import Scope

from wnis_ml.search.meaning import Meaning
from wnis_ml.search.vectors import IncidentVector, VectorStore

log = logging.getLogger(__name__)

_BATCH = 128
_LONGEST_PAUSE_S = 30.0
_KEEPER = "index-keeper"


@dataclass(frozen=True)
class IndexState:
    """How many incidents of a utility are indexed, and how many changes wait to be."""

    indexed: int
    pending: int


class IndexKeeper:
    """Follows the Outbox in a thread of its own.

    Parameters
    ----------
    utilities : whose incidents to keep; all utilities of the graph unless stated. Two keepers with stores of their
        own must not share a utility, as each acknowledges what only it has learnt
    poll_s : seconds between two looks at the Outbox
    """

    def __init__(
        self,
        incidents: IncidentRepository,
        outbox: OutboxRepository,
        store: VectorStore,
        meaning: Meaning,
        *,
        utilities: Callable[[], Iterable[str]] | None = None,
        poll_s: float = 1.0,
    ) -> None:
        self._incidents = incidents
        self._outbox = outbox
        self._store = store
        self._meaning = meaning
        self._utilities = utilities
        self._poll_s = poll_s
        self._writing = threading.Lock()
        self._stopping = threading.Event()
        self._following = False
        self._thread = threading.Thread(target=self._follow, name="index-keeper", daemon=True)

    def start(self) -> None:
        """Compare the store with the graph, then follow; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the batch at hand and end the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=30)

    def follows(self) -> bool:
        """Whether the last look at the Outbox succeeded."""
        return self._following and self._thread.is_alive()

    def state(self, scope: Scope) -> IndexState:
        """How far the index of the utility is."""
        pending = self._outbox.count_pending(scope, INCIDENT_INDEX)
        return IndexState(self._store.count(scope.utility), pending)

    def sync(self, scope: Scope) -> IndexState:
        """Follow everything that is pending for the utility now."""
        while entries := self._outbox.pending(scope, INCIDENT_INDEX, _BATCH):
            self._bring_up_to_date(scope, list(dict.fromkeys(entry.subject_id for entry in entries)))
            self._outbox.acknowledge(scope, [entry.id for entry in entries])
            if self._stopping.is_set():
                break
        return self.state(scope)

    def verify(self, scope: Scope) -> int:
        """Have what the store lacks indexed again, and forget what the graph does not know.

        Returns
        -------
        int
            how many incidents differed
        """
        stored, known = self._store.ids(scope.utility), set(self._incidents.list_ids(scope))
        lost, surplus = sorted(known - stored), sorted(stored - known)
        if lost:
            log.warning("The index of %s lacks %d of %d incidents; they are read again.", scope.utility, len(lost),
                        len(known))  # fmt: skip
            self._outbox.enqueue(scope, INCIDENT_INDEX, lost)
        for start in range(0, len(surplus), _BATCH):
            self._bring_up_to_date(scope, surplus[start : start + _BATCH])
        return len(lost) + len(surplus)

    def rebuild(
        self, scope: Scope, progress: Callable[[float, str], None], raise_if_cancelled: Callable[[], None]
    ) -> IndexState:
        """Compute every vector of the utility anew, in place: searches go on meanwhile, and running it twice is safe.

        Raises
        ------
        Cancelled
            by `raise_if_cancelled`; what was done until then stays
        """
        ids = sorted(self._store.ids(scope.utility) | set(self._incidents.list_ids(scope)))
        for start in range(0, len(ids), _BATCH):
            raise_if_cancelled()
            self._bring_up_to_date(scope, ids[start : start + _BATCH])
            done = min(start + _BATCH, len(ids))
            progress(done / len(ids), f"{done} of {len(ids)} incidents")
        return self.sync(scope)

    def _bring_up_to_date(self, scope: Scope, ids: Sequence[str]) -> None:
        with self._writing:
            found = self._incidents.get_many(scope, ids)
            self._store.upsert(scope.utility, self._vectors_of(list(found.values())))
            self._store.delete(scope.utility, [incident for incident in ids if incident not in found])

    def _vectors_of(self, incidents: Sequence[Incident]) -> list[IncidentVector]:
        vectors = self._meaning.of_narratives([incident.text or incident.kind for incident in incidents])
        return [
            IncidentVector(i.id, vector, i.kind, i.occurred_at, tuple(c.id for c in i.components))
            for i, vector in zip(incidents, vectors, strict=True)
        ]

    def _follow(self) -> None:
        compared = False
        pause = self._poll_s
        while not self._stopping.is_set():
            try:
                for utility in self._to_follow(everything=not compared):
                    scope = Scope(utility, _KEEPER)
                    self.sync(scope)
                    # what waits in the Outbox is no loss, hence the comparison comes after it
                    if not compared and self.verify(scope):
                        self.sync(scope)
                    if self._stopping.is_set():
                        return
                self._following, compared, pause = True, True, self._poll_s
            except WnisError as error:
                # the graph or the store is away; everything waits in the Outbox until it is back
                self._following, pause = False, min(pause * 2, _LONGEST_PAUSE_S)
                log.warning("The incident index cannot follow: %s", error)
            except Exception:
                self._following, pause = False, min(pause * 2, _LONGEST_PAUSE_S)
                log.exception("The incident index cannot follow.")
            self._stopping.wait(pause)

    def _to_follow(self, *, everything: bool) -> list[str]:
        """The utilities to look at: those for which something is pending, or all that have incidents too."""
        if self._utilities is not None:
            return list(self._utilities())
        platform = Scope("", _KEEPER)
        pending = self._outbox.utilities_with_pending(platform, INCIDENT_INDEX)
        return sorted({*pending, *self._incidents.utilities_with_incidents(platform)}) if everything else pending
