"""Cypher of the figures that monitoring reads: counts about all utilities together, and the server's own beans.

All are about the platform: they return counts, never anything of an asset.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wnis_graph.query import Access, Query, RawRow
from wnis_graph.schema.model import SCHEMA
from wnis_graph.values import native


@dataclass(frozen=True)
class Count:
    """How many there are of what has this name: a label or a relationship type."""

    name: str
    number: int


@dataclass(frozen=True)
class Bean:
    """A managed object of the server's Java runtime."""

    name: str
    values: dict[str, Any]


@dataclass(frozen=True)
class HealthInZone:
    """Components of a zone in one state of health; `zone` is empty for those in none."""

    utility: str
    network: str
    zone: str
    health: str
    components: int


@dataclass(frozen=True)
class IncidentCount:
    """Open incidents of a kind and severity."""

    utility: str
    kind: str
    severity: str
    open: int


@dataclass(frozen=True)
class FollowerState:
    """How far a derived store is behind."""

    store: str
    pending: int
    oldest: datetime | None


@dataclass(frozen=True)
class CurrentModel:
    """The model version that scores now, and how old what it believes is."""

    utility: str
    model_name: str
    created_at: datetime
    train_to: datetime
    metrics_json: str
    predictions: int
    newest_prediction: datetime | None
    expected_failures_30d: float
    """Sum of the latest probabilities of failure within 30 days."""
    outdated: int
    """Components whose latest prediction another version made, or that have none."""
    observed_failures_30d: int
    """Components that failed in the last 30 days."""


def _count(row: RawRow) -> Count:
    return Count(row["name"], int(row["number"]))


# each branch is answered from the count store: no node is read however large the graph is
LABELS = Query(
    "figures.labels",
    Access.READ,
    " UNION ALL ".join(f"MATCH (n:{label.name}) RETURN '{label.name}' AS name, count(n) AS number" for label in
                       SCHEMA.labels),
    _count,
    platform=True,
)  # fmt: skip

RELATIONSHIPS = Query(
    "figures.relationships",
    Access.READ,
    " UNION ALL ".join(f"MATCH ()-[r:{one.name}]->() RETURN '{one.name}' AS name, count(r) AS number" for one in
                       SCHEMA.relationships),
    _count,
    platform=True,
)  # fmt: skip

BEANS = Query(
    "figures.beans",
    Access.READ,
    # the class path, in two of the attributes, is longer than all the rest
    """
    UNWIND ['java.lang:type=Memory', 'java.lang:type=GarbageCollector,*', 'java.lang:type=Threading',
            'java.lang:type=OperatingSystem'] AS pattern
    CALL dbms.queryJmx(pattern) YIELD name, attributes
    RETURN name, {heap: attributes.HeapMemoryUsage.value.properties,
      other: attributes.NonHeapMemoryUsage.value.properties,
      collections: attributes.CollectionCount.value, collecting_ms: attributes.CollectionTime.value,
      threads: attributes.ThreadCount.value, cpu_ns: attributes.ProcessCpuTime.value,
      files: attributes.OpenFileDescriptorCount.value} AS values ORDER BY name
    """,
    lambda row: Bean(row["name"], {k: v for k, v in row["values"].items() if v is not None}),
    platform=True,
)

SERVER = Query(
    "figures.server",
    Access.READ,
    """
    CALL dbms.listConfig('server.') YIELD name, value
    WHERE name IN ['server.memory.pagecache.size', 'server.directories.data']
    RETURN name, value ORDER BY name
    """,
    lambda row: (str(row["name"]), str(row["value"])),
    platform=True,
)

HEALTH = Query(
    "figures.health",
    Access.READ,
    """
    MATCH (c:Component) WHERE c.retired_at IS NULL
    OPTIONAL MATCH (c)-[:PART_OF]->(z:Zone)
    RETURN c.utility AS utility, coalesce(c.network, '') AS network, coalesce(z.id, '') AS zone,
      coalesce(c.health, 'unknown') AS health, count(*) AS components
    ORDER BY utility, network, zone, health
    """,
    lambda row: HealthInZone(row["utility"], row["network"], row["zone"], row["health"], int(row["components"])),
    timeout_s=60,
    platform=True,
)

PAGES = Query(
    "figures.pages",
    Access.READ,
    """
    SHOW TRANSACTIONS YIELD metaData, pageHits, pageFaults WHERE metaData.wnis = $mark RETURN pageHits, pageFaults
    """,
    lambda row: (int(row["pageHits"]), int(row["pageFaults"])),
    platform=True,
)

INCIDENTS = Query(
    "figures.incidents",
    Access.READ,
    """
    MATCH (i:Incident)
    RETURN i.utility AS utility, i.kind AS kind, coalesce(i.severity, 'not stated') AS severity,
      count(CASE WHEN i.status = 'open' THEN 1 END) AS open ORDER BY utility, kind, severity
    """,
    lambda row: IncidentCount(row["utility"], row["kind"], row["severity"], int(row["open"])),
    platform=True,
)

FOLLOWERS = Query(
    "figures.followers",
    Access.READ,
    """
    UNWIND $stores AS store
    OPTIONAL MATCH (o:Outbox {store: store})
    RETURN store, count(o) AS pending, min(o.recorded_at) AS oldest ORDER BY store
    """,
    lambda row: FollowerState(row["store"], int(row["pending"]), native(row["oldest"])),
    platform=True,
)

MODELS = Query(
    "figures.models",
    Access.READ,
    """
    MATCH (m:Model)<-[:VERSION_OF]-(v:ModelVersion {state: 'current'})
    CALL (v) {
      MATCH (c:Component {utility: v.utility})
      WHERE c.id IS NOT NULL AND c.retired_at IS NULL AND c.type IN ['Pipe', 'Valve', 'Pump']
        AND c.located_on IS NULL
      OPTIONAL MATCH (c)<-[:ABOUT]-(p:Prediction) WHERE NOT EXISTS { (p)<-[:SUPERSEDES]-(:Prediction) }
      WITH v, c, p ORDER BY p.as_of DESC, p.created_at DESC
      WITH v, c, head(collect(p)) AS p
      WITH v.version AS version, c, p, p.knot_days AS days, p.knot_probability AS probability
      WITH version, c, p, probability,
        head([i IN range(0, size(coalesce(days, [])) - 1) WHERE days[i] = 30.0]) AS knot
      RETURN max(p.created_at) AS newest,
        coalesce(sum(probability[knot]), 0.0) AS expected,
        sum(CASE WHEN p IS NULL OR p.model_version <> version THEN 1 ELSE 0 END) AS outdated,
        sum(CASE WHEN EXISTS {
          (c)<-[:AFFECTED]-(i:Incident)
          WHERE i.kind IN $kinds AND i.occurred_at > $since } THEN 1 ELSE 0 END) AS observed
    }
    RETURN v {.utility, .model_name, .created_at, .train_to, .metrics_json} AS version,
      COUNT { (v)-[:MADE]->(:Prediction) } AS predictions, newest, expected, outdated, observed
    ORDER BY v.utility, v.model_name
    """,
    lambda row: CurrentModel(
        utility=row["version"]["utility"],
        model_name=row["version"]["model_name"],
        created_at=native(row["version"]["created_at"]),
        train_to=native(row["version"]["train_to"]),
        metrics_json=row["version"]["metrics_json"],
        predictions=int(row["predictions"]),
        newest_prediction=native(row["newest"]),
        expected_failures_30d=float(row["expected"]),
        outdated=int(row["outdated"]),
        observed_failures_30d=int(row["observed"]),
    ),
    timeout_s=60,
    platform=True,
)
