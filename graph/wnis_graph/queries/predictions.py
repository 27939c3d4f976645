"""Cypher of predictions: what a model believed, from what, and what it was believed from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from wnis_graph.prediction_inputs import FailableComponent, Failure
from wnis_graph.queries.models import ModelVersion, version_of
from wnis_graph.query import Access, Query, RawRow, nothing
from wnis_graph.survival import SurvivalKnots
from wnis_graph.values import native


@dataclass(frozen=True)
class Prediction:
    """What one model version believed about one component at one time; the JSON texts are as the model wrote them."""

    id: str
    component_id: str
    model_name: str
    model_version: str
    created_at: datetime
    as_of: datetime
    knots: SurvivalKnots
    factors_json: str
    base_value: float
    input_sha256: str
    inputs_json: str


@dataclass(frozen=True)
class LatestPrediction:
    """The prediction of a component that nothing supersedes, and the state of its model version."""

    prediction: Prediction
    model_state: str


@dataclass(frozen=True)
class LatestKey:
    """What tells whether a component needs a new prediction."""

    component_id: str
    prediction_id: str
    model_version: str
    input_sha256: str
    as_of: datetime


@dataclass(frozen=True)
class UsedIncident:
    """An incident that a prediction knew, and its weight: change of log-odds when it is taken away."""

    id: str
    kind: str
    occurred_at: datetime
    available_at: datetime
    narrative: str | None
    source_id: str | None
    influence_weight: float
    retrieval_rank: int


@dataclass(frozen=True)
class InformingRun:
    """A simulation run whose results went into a prediction."""

    id: str
    kind: str
    engine: str
    engine_version: str
    finished_at: datetime | None


@dataclass(frozen=True)
class Superseded:
    """An earlier prediction that was replaced as belief."""

    id: str
    created_at: datetime
    as_of: datetime
    model_version: str


@dataclass(frozen=True)
class Provenance:
    """Everything a prediction can be followed to."""

    prediction: Prediction
    component_name: str
    component_type: str
    model: ModelVersion
    incidents: tuple[UsedIncident, ...]
    runs: tuple[InformingRun, ...]
    supersedes: tuple[Superseded, ...]
    superseded_by: str | None


@dataclass(frozen=True)
class Served:
    """Who loses water when a component fails: customers on it or on the nodes at its ends."""

    component_id: str
    customers: int
    critical_connections: int


def _served(row: RawRow) -> Served:
    return Served(row["component_id"], row["customers"], row["critical"])


def _component(row: RawRow) -> FailableComponent:
    return FailableComponent(
        id=row["id"],
        name=row["name"],
        type=row["type"],
        network=row["network"],
        material=row["material"],
        diameter_m=row["diameter_m"],
        length_m=row["length_m"],
        install_date=native(row["install_date"]),
        lined_date=native(row["lined_date"]),
    )


def _prediction(row: RawRow) -> Prediction:
    p = row["prediction"]
    return Prediction(
        id=p["id"],
        component_id=p["component_id"],
        model_name=p["model_name"],
        model_version=p["model_version"],
        created_at=native(p["created_at"]),
        as_of=native(p["as_of"]),
        knots=SurvivalKnots(
            tuple(p["knot_days"]), tuple(p["knot_probability"]), tuple(p["knot_low"]), tuple(p["knot_high"])
        ),
        factors_json=p["factors_json"],
        base_value=p["base_value"],
        input_sha256=p["input_sha256"],
        inputs_json=p["inputs_json"],
    )


def _provenance(row: RawRow) -> Provenance:
    return Provenance(
        prediction=_prediction(row),
        component_name=row["component"]["name"],
        component_type=row["component"]["type"],
        model=version_of(row["version"]),
        incidents=tuple(
            UsedIncident(**{k: native(u.get(k)) for k in UsedIncident.__dataclass_fields__}) for u in row["incidents"]
        ),
        runs=tuple(
            InformingRun(**{k: native(r.get(k)) for k in InformingRun.__dataclass_fields__}) for r in row["runs"]
        ),
        supersedes=tuple(Superseded(**{k: native(s.get(k)) for k in s}) for s in row["supersedes"]),
        superseded_by=row["superseded_by"],
    )


# Each of the next is there twice, for some components and for all: one text with "$ids IS NULL OR c.id IN $ids" is
# planned once and for all of them, and the answer about one pipe reads the whole utility.
_SOME = "c.utility = $utility AND c.id IN $ids"
_ALL = "c.utility = $utility AND c.located_on IS NULL"
"""Isolation valves on pipes are scored when somebody asks for one, not with all mains."""


def _failable(name: str, which: str) -> Query[FailableComponent]:
    return Query(
        name,
        Access.READ,
        f"""
        MATCH (c:Component) WHERE {which} AND c.retired_at IS NULL AND c.type IN ['Pipe', 'Valve', 'Pump']
          AND ($network IS NULL OR c.network = $network)
        RETURN c.id AS id, c.name AS name, c.type AS type, c.network AS network, c.material AS material,
          c.diameter_m AS diameter_m, c.length_m AS length_m, c.install_date AS install_date,
          c.lined_date AS lined_date
        ORDER BY id
        """,
        _component,
        timeout_s=60,
    )


FAILABLE = _failable("predictions.failable", _ALL)
FAILABLE_OF = _failable("predictions.failable_of", _SOME)


def _failures(name: str, which: str) -> Query[Failure]:
    return Query(
        name,
        Access.READ,
        f"""
        MATCH (c:Component) WHERE {which} AND c.retired_at IS NULL AND c.type IN ['Pipe', 'Valve', 'Pump']
        MATCH (i:Incident {{utility: $utility}})-[:AFFECTED]->(c) WHERE i.kind IN $kinds AND i.available_at <= $as_of
        RETURN c.id AS component_id, i.id AS id, i.occurred_at AS occurred_at, i.available_at AS available_at
        ORDER BY occurred_at, id, component_id
        """,
        lambda row: Failure(row["component_id"], row["id"], native(row["occurred_at"]), native(row["available_at"])),
        timeout_s=60,
    )


FAILURES = _failures("predictions.failures", _ALL)
FAILURES_OF = _failures("predictions.failures_of", _SOME)

# a run as of an earlier day adds to the record, but is not what is believed now
_LATEST = """
    CALL (c) {
      MATCH (c)<-[:ABOUT]-(p:Prediction {utility: $utility})
      RETURN p ORDER BY p.as_of DESC, p.created_at DESC, p.id LIMIT 1
    }
"""


def _latest(name: str, which: str) -> Query[LatestPrediction]:
    return Query(
        name,
        Access.READ,
        f"""
        MATCH (c:Component) WHERE {which} AND c.retired_at IS NULL AND ($network IS NULL OR c.network = $network)
        {_LATEST}
        MATCH (v:ModelVersion)-[:MADE]->(p)
        RETURN p {{.*}} AS prediction, v.state AS state ORDER BY c.id
        """,
        lambda row: LatestPrediction(_prediction(row), row["state"]),
        timeout_s=60,
    )


LATEST = _latest("predictions.latest", _ALL)
LATEST_OF = _latest("predictions.latest_of", _SOME)

# the arithmetic of wnis_graph.survival, as far as it takes to order by it
FOREMOST = Query(
    "predictions.foremost",
    Access.READ,
    f"""
    MATCH (c:Component) WHERE c.utility = $utility AND c.retired_at IS NULL AND c.type IN ['Pipe', 'Valve', 'Pump']
      AND c.located_on IS NULL AND ($network IS NULL OR c.network = $network)
      AND ($by <> 'per_km' OR c.length_m IS NOT NULL)
    {_LATEST}
    WITH c, p, size([d IN p.knot_days WHERE d < $days]) AS passed, size(p.knot_days) - 1 AS last
    WITH c, p, CASE WHEN passed > last THEN last ELSE passed END AS k
    WITH c, p.knot_days[k] AS t1, CASE k WHEN 0 THEN 0.0 ELSE p.knot_days[k - 1] END AS t0,
      p.knot_probability[k] AS p1, CASE k WHEN 0 THEN 0.0 ELSE p.knot_probability[k - 1] END AS p0
    WITH c, t0, t1, -log(CASE WHEN p0 > 1 - 1e-12 THEN 1e-12 ELSE 1 - p0 END) AS h0,
      -log(CASE WHEN p1 > 1 - 1e-12 THEN 1e-12 ELSE 1 - p1 END) AS h1
    WITH c, h0 + (h1 - h0) / (t1 - t0) * ($days - t0) AS hazard
    WITH c, CASE $by
        WHEN 'per_km' THEN hazard / (CASE WHEN c.length_m < 1 THEN 1 ELSE c.length_m END)
        WHEN 'risk' THEN (1 - exp(-hazard)) * coalesce($losers[c.id], 1)
        ELSE 1 - exp(-hazard) END AS worth
    RETURN c.id AS id ORDER BY worth DESC, id LIMIT $top
    """,
    lambda row: str(row["id"]),
    timeout_s=60,
)

LATEST_KEYS = Query(
    "predictions.latest_keys",
    Access.READ,
    f"""
    MATCH (c:Component) WHERE c.utility = $utility AND c.id IN $ids
    {_LATEST}
    RETURN c.id AS component_id, p.id AS id, p.model_version AS version, p.input_sha256 AS input, p.as_of AS as_of
    """,
    lambda row: LatestKey(row["component_id"], row["id"], row["version"], row["input"], native(row["as_of"])),
    timeout_s=60,
)

GET = Query(
    "predictions.get",
    Access.READ,
    "MATCH (p:Prediction {utility: $utility, id: $id}) RETURN p {.*} AS prediction",
    _prediction,
)

WHY = Query(
    "predictions.why",
    Access.READ,
    """
    MATCH (v:ModelVersion)-[:MADE]->(p:Prediction {utility: $utility, id: $id})-[:ABOUT]->(c:Component)
    RETURN p {.*} AS prediction, v {.*} AS version, c {.name, .type} AS component,
      COLLECT {
        MATCH (i:Incident)-[u:USED_IN]->(p)
        RETURN i {.id, .kind, .occurred_at, .available_at, .narrative, .source_id,
                  influence_weight: u.influence_weight, retrieval_rank: u.retrieval_rank}
        ORDER BY u.retrieval_rank, i.id
      } AS incidents,
      COLLECT {
        MATCH (r:SimulationRun)-[:INFORMED]->(p)
        RETURN r {.id, .kind, .engine, .engine_version, .finished_at} ORDER BY r.id
      } AS runs,
      COLLECT {
        MATCH (p)-[:SUPERSEDES]->(old:Prediction)
        RETURN old {.id, .created_at, .as_of, .model_version} ORDER BY old.created_at DESC, old.id
      } AS supersedes,
      head(COLLECT { MATCH (p)<-[:SUPERSEDES]-(new:Prediction) RETURN new.id ORDER BY new.created_at DESC, new.id })
        AS superseded_by
    """,
    _provenance,
)

WRITE = Query(
    "predictions.write",
    Access.WRITE,
    """
    UNWIND $rows AS row
    MATCH (c:Component {utility: $utility, id: row.component_id})
    MATCH (v:ModelVersion {utility: $utility, id: row.version_id})
    MERGE (p:Prediction {utility: $utility, id: row.id})
    ON CREATE SET p += row.properties
    MERGE (v)-[:MADE]->(p)
    MERGE (p)-[:ABOUT]->(c)
    """,
    nothing,
    timeout_s=60,
)

WRITE_USED = Query(
    "predictions.write_used",
    Access.WRITE,
    """
    UNWIND $rows AS row
    MATCH (i:Incident {utility: $utility, id: row.incident_id})
    MATCH (p:Prediction {utility: $utility, id: row.id})
    MERGE (i)-[u:USED_IN]->(p)
    ON CREATE SET u.influence_weight = row.weight, u.retrieval_rank = row.rank
    """,
    nothing,
    timeout_s=60,
)

WRITE_SUPERSEDES = Query(
    "predictions.write_supersedes",
    Access.WRITE,
    """
    UNWIND $rows AS row
    MATCH (p:Prediction {utility: $utility, id: row.id})
    MATCH (old:Prediction {utility: $utility, id: row.old_id})
    MERGE (p)-[:SUPERSEDES]->(old)
    """,
    nothing,
    timeout_s=60,
)

CREDIT_JOB = Query(
    "predictions.credit_job",
    Access.WRITE,
    """
    UNWIND $rows AS row
    MATCH (j:Job {utility: $utility, id: $job})
    MATCH (p:Prediction {utility: $utility, id: row.id})
    MERGE (j)-[:PRODUCED]->(p)
    """,
    nothing,
    timeout_s=60,
)

SERVED = Query(
    "predictions.served",
    Access.READ,
    """
    MATCH (s:ServiceConnection {utility: $utility})-[:SERVED_BY]->(t:Component {utility: $utility})
    WITH t, sum(s.customers) AS customers, count(CASE WHEN s.critical THEN 1 END) AS critical
    CALL (t) { RETURN t AS c UNION MATCH (t)-[:CONNECTED_TO]-(c:Component) RETURN c }
    WITH c, customers, critical WHERE c.type IN ['Pipe', 'Valve', 'Pump']
    RETURN c.id AS component_id, sum(customers) AS customers, sum(critical) AS critical ORDER BY component_id
    """,
    _served,
)

SERVED_OF = Query(
    "predictions.served_of",
    Access.READ,
    f"""
    MATCH (c:Component) WHERE {_SOME} AND c.type IN ['Pipe', 'Valve', 'Pump']
    CALL (c) {{ RETURN c AS t UNION MATCH (c)-[:CONNECTED_TO]-(t:Component) RETURN t }}
    MATCH (s:ServiceConnection {{utility: $utility}})-[:SERVED_BY]->(t)
    RETURN c.id AS component_id, sum(s.customers) AS customers,
      count(CASE WHEN s.critical THEN 1 END) AS critical ORDER BY component_id
    """,
    _served,
)
