"""What is doubtful in a network of the graph."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from wnis_core.clock import now
from wnis_core.errors import NotFound

from wnis_graph.checks.catalogue import Quality, judge
from wnis_graph.checks.survey import Survey
from wnis_graph.isolation.answer import IsolationAnalysis
from wnis_graph.isolation.load import Load
from wnis_graph.isolation.pieces import Pieces
from wnis_graph.queries import isolation, networks
from wnis_graph.revision_cache import RevisionCache
from wnis_graph.runner import Runner, Transaction
from wnis_graph.scope import Scope

__all__ = ["Judged", "QualityRepository"]


@dataclass(frozen=True)
class Judged:
    """A network's quality at a revision."""

    revision: int
    checked_on: date
    quality: Quality


class QualityRepository:
    """Consistency checks. Keep one instance: it holds the outcome of each revision."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._known: RevisionCache[Quality] = RevisionCache()

    def judge(self, scope: Scope, network_id: str) -> Judged:
        """Every check on the network as it is now; NotFound for an unknown one. Nothing is changed."""
        heads = self._runner.run(scope, networks.HEADS, id=network_id)
        if not heads:
            raise NotFound(f"There is no network {network_id!r}.", mend="See the list of networks.")
        head, today = heads[0], now().date()

        def make() -> Quality:
            return judge(self._runner.read(scope, lambda tx: _survey(tx, network_id, head.crs, today)))

        key = (scope.utility, network_id, head.revision, head.connections_revision, today.toordinal())
        return Judged(head.revision, today, self._known.get(key, make))


def _survey(tx: Transaction, network_id: str, crs: str | None, today: date) -> Survey:
    stored = tx.run(networks.STORED_COMPONENTS, id=network_id)
    components = {s.properties["id"]: s.properties for s in stored if s.properties.get("retired_at") is None}
    joints = [(a, b) for a, b in tx.run(networks.JOINTS, id=network_id) if a in components and b in components]
    seats = tx.run(isolation.SEATS, id=network_id)
    connections = tx.run(isolation.CONNECTIONS, id=network_id)
    pieces = Pieces(network_id, tx.run(isolation.PARTS, id=network_id), joints, seats)
    analysis = IsolationAnalysis(pieces)
    return Survey(crs, components, joints, seats, connections, analysis, Load(pieces, connections), today)
