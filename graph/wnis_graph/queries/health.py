"""Cypher that gathers the evidence of health, and counts it for dashboards."""

from __future__ import annotations

from dataclasses import dataclass

from wnis_graph.query import Access, Query, RawRow, nothing
from wnis_graph.survival import SurvivalKnots


@dataclass(frozen=True)
class Known:
    """A component and the health it has now."""

    id: str
    type: str
    base_demand_m3s: float
    health: str
    health_reason: str | None


@dataclass(frozen=True)
class OpenIncident:
    """An open incident of a component."""

    component_id: str
    kind: str
    severity: str | None


@dataclass(frozen=True)
class Measured:
    """Summary of a component in the latest run."""

    component_id: str
    pressure_min_m: float | None
    pressure_mean_m: float | None
    flow_mean_m3s: float | None
    velocity_max_ms: float | None


@dataclass(frozen=True)
class Believed:
    """The latest prediction about a component."""

    component_id: str
    prediction_id: str
    knots: SurvivalKnots


@dataclass(frozen=True)
class HealthCount:
    """Components of one type in one state of health."""

    type: str
    health: str
    components: int


def _believed(row: RawRow) -> Believed:
    days, probability, low, high = (tuple(row[k]) for k in ("days", "probability", "low", "high"))
    return Believed(row["component_id"], row["id"], SurvivalKnots(days, probability, low, high))


COMPONENTS = Query(
    "health.components",
    Access.READ,
    """
    MATCH (c:Component) WHERE c.utility = $utility AND c.network = $id AND c.retired_at IS NULL
    RETURN c.id AS id, c.type AS type, coalesce(c.base_demand_m3s, 0.0) AS demand, c.health AS health,
      c.health_reason AS reason
    """,
    lambda row: Known(row["id"], row["type"], row["demand"], row["health"], row["reason"]),
)

OPEN_INCIDENTS = Query(
    "health.open_incidents",
    Access.READ,
    """
    MATCH (i:Incident {utility: $utility})-[:AFFECTED]->(c:Component)
    WHERE i.id IS NOT NULL AND i.status = 'open' AND c.network = $id
    RETURN c.id AS component_id, i.kind AS kind, i.severity AS severity
    """,
    lambda row: OpenIncident(row["component_id"], row["kind"], row["severity"]),
)

MEASURED = Query(
    "health.measured",
    Access.READ,
    """
    MATCH (s:SimulationResult) WHERE s.utility = $utility AND s.run_id = $run
    RETURN s.component_id AS component_id, s.pressure_min_m AS pressure_min, s.pressure_mean_m AS pressure_mean,
      s.flow_mean_m3s AS flow, s.velocity_max_ms AS velocity
    """,
    lambda row: Measured(
        row["component_id"], row["pressure_min"], row["pressure_mean"], row["flow"], row["velocity"]
    ),
)  # fmt: skip

BELIEVED = Query(
    "health.believed",
    Access.READ,
    """
    MATCH (c:Component) WHERE c.utility = $utility AND c.network = $id AND c.retired_at IS NULL
    CALL (c) {
      MATCH (c)<-[:ABOUT]-(p:Prediction)
      RETURN p ORDER BY p.created_at DESC, p.id DESC LIMIT 1
    }
    RETURN c.id AS component_id, p.id AS id, p.knot_days AS days, p.knot_probability AS probability,
      p.knot_low AS low, p.knot_high AS high
    """,
    _believed,
)

SET = Query(
    "health.set",
    Access.WRITE,
    """
    UNWIND $rows AS row
    MATCH (c:Component {utility: $utility, id: row[0]})
    SET c.health = row[1], c.health_reason = row[2]
    """,
    nothing,
    timeout_s=60,
)

COUNTS = Query(
    "health.counts",
    Access.READ,
    """
    MATCH (c:Component) WHERE c.utility = $utility AND c.id IS NOT NULL AND c.retired_at IS NULL
      AND ($network IS NULL OR c.network = $network)
    RETURN c.type AS type, c.health AS health, count(*) AS components ORDER BY type, health
    """,
    lambda row: HealthCount(row["type"], row["health"], row["components"]),
)
