"""Keeps the Segment nodes of edited networks up to date, a moment after the edit and behind its answer."""

from __future__ import annotations

import logging
import threading
import time

from wnis_core.errors import WnisError
from wnis_graph.repositories.isolation import IsolationRepository
from wnis_graph.scope import Scope

log = logging.getLogger(__name__)

_PAUSE_S = 1.0
"""Edits that follow one another within this are one refresh."""


class SegmentKeeper:
    """One thread for all networks of this process, started with the first edit.

    Nothing is lost when the process ends in between: `Network.segments_revision` says that the nodes are old, and the
    next question about segments makes them anew.
    """

    def __init__(self, isolation: IsolationRepository) -> None:
        self._isolation = isolation
        self._edited: dict[tuple[str, str], Scope] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def edited(self, scope: Scope, network_id: str) -> None:
        """Note that the network's components, valves or customers have changed."""
        with self._lock:
            self._edited[scope.utility, network_id] = scope
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="segments", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            time.sleep(_PAUSE_S)
            with self._lock:
                if not self._edited:
                    self._thread = None
                    return
                todo, self._edited = self._edited, {}
            for (_, network_id), scope in todo.items():
                try:
                    self._isolation.refresh(scope, network_id)
                except WnisError as error:
                    log.warning("the segments of %s are old until somebody asks for them: %s", network_id, error)
