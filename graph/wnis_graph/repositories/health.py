"""Health of components, refreshed after runs, predictions and incidents."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from wnis_graph.health import YEAR_DAYS, Evidence, judge
from wnis_graph.queries import health as queries
from wnis_graph.queries import topology
from wnis_graph.queries.health import Believed, HealthCount, Measured, OpenIncident
from wnis_graph.runner import Runner, Transaction
from wnis_graph.scope import Scope
from wnis_graph.survival import probability_at

__all__ = ["HealthCount", "HealthRepository", "HealthSummary"]


@dataclass(frozen=True)
class HealthSummary:
    """Components by health after a refresh, and how many changed."""

    changed: int
    normal: int
    warning: int
    critical: int
    unknown: int


class HealthRepository:
    """Judges components by the rule in `wnis_graph.health`."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def refresh(self, scope: Scope, network_id: str) -> HealthSummary:
        """Judge every component of a network anew, all on the same state of the graph; write what changed."""

        def work(tx: Transaction) -> HealthSummary:
            incidents: dict[str, list[OpenIncident]] = defaultdict(list)
            for incident in tx.run(queries.OPEN_INCIDENTS, id=network_id):
                incidents[incident.component_id].append(incident)
            run = tx.run_one(topology.LATEST_RUN, id=network_id)
            rows = tx.run(queries.MEASURED, run=run.id) if run else []
            measured: dict[str, Measured] = {m.component_id: m for m in rows}
            believed: dict[str, Believed] = {b.component_id: b for b in tx.run(queries.BELIEVED, id=network_id)}
            changes, totals = [], Counter[str]()
            for known in tx.run(queries.COMPONENTS, id=network_id):
                result, belief = measured.get(known.id), believed.get(known.id)
                verdict = judge(
                    Evidence(
                        incidents=incidents.get(known.id, ()),
                        pressure_min_m=result.pressure_min_m if result else None,
                        serves_demand=known.type == "Junction" and known.base_demand_m3s > 0,
                        in_run=result is not None,
                        probability=probability_at(belief.knots, YEAR_DAYS).probability if belief else None,
                    )
                )
                totals[verdict.health] += 1
                if (known.health, known.health_reason) != (verdict.health, verdict.reason):
                    changes.append([known.id, str(verdict.health), verdict.reason])
            tx.run_batches(queries.SET, changes)
            return HealthSummary(
                changed=len(changes),
                normal=totals["normal"],
                warning=totals["warning"],
                critical=totals["critical"],
                unknown=totals["unknown"],
            )

        return self._runner.write(scope, work)

    def counts(self, scope: Scope, network_id: str | None = None) -> list[HealthCount]:
        """Components by type and health, of one network or of all."""
        return self._runner.run(scope, queries.COUNTS, network=network_id)
