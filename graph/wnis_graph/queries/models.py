"""Cypher of models and their versions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from wnis_graph.query import Access, Query, RawRow, nothing
from wnis_graph.values import native


@dataclass(frozen=True)
class ModelVersion:
    """One trained model with the judgement that it is shown with; `metrics_json` is that judgement.

    `judged_from` to `judged_to` is later than anything the judged fit had seen; None when it could not be judged.
    """

    id: str
    model_name: str
    version: str
    sha256: str
    file_key: str
    signer: str
    train_from: date
    train_to: date
    judged_from: date | None
    judged_to: date | None
    data_sha256: str
    metrics_json: str
    seed: int
    state: str
    created_at: datetime | None


@dataclass(frozen=True)
class Model:
    """A prediction task and its versions, the latest first."""

    id: str
    name: str
    task: str
    created_at: datetime | None
    versions: tuple[ModelVersion, ...]


def version_of(node: dict[str, Any]) -> ModelVersion:
    """The model version whose node has these properties."""
    return ModelVersion(**{name: native(node.get(name)) for name in ModelVersion.__dataclass_fields__})


def _model(row: RawRow) -> Model:
    node = row["model"]
    versions = sorted((version_of(v) for v in row["versions"]), key=lambda v: v.version, reverse=True)
    versions.sort(key=lambda v: v.created_at.timestamp() if v.created_at else 0.0, reverse=True)
    return Model(node["id"], node["name"], node["task"], native(node.get("created_at")), tuple(versions))


_VERSIONS = """
    COLLECT { MATCH (v:ModelVersion {utility: $utility})-[:VERSION_OF]->(m) RETURN v {.*} } AS versions
"""

LIST = Query(
    "models.list",
    Access.READ,
    f"MATCH (m:Model {{utility: $utility}}) RETURN m {{.*}} AS model, {_VERSIONS} ORDER BY m.name, m.id",
    _model,
)

VERSION = Query(
    "models.version",
    Access.READ,
    """
    MATCH (v:ModelVersion {utility: $utility, id: $id}) RETURN v {.*} AS version
    """,
    lambda row: version_of(row["version"]),
)

CURRENT = Query(
    "models.current",
    Access.READ,
    """
    MATCH (m:Model {utility: $utility, id: $name})<-[:VERSION_OF]-(v:ModelVersion {state: 'current'})
    RETURN v {.*} AS version ORDER BY v.created_at DESC, v.id LIMIT 1
    """,
    lambda row: version_of(row["version"]),
)

REGISTER = Query(
    "models.register",
    Access.WRITE,
    """
    MERGE (m:Model {utility: $utility, id: $name})
    ON CREATE SET m += $model
    MERGE (v:ModelVersion {utility: $utility, id: $id})
    ON CREATE SET v += $properties
    SET v.state = 'current'
    MERGE (v)-[:VERSION_OF]->(m)
    WITH m, v
    OPTIONAL MATCH (m)<-[:VERSION_OF]-(old:ModelVersion {state: 'current'}) WHERE old.id <> v.id
    FOREACH (o IN CASE WHEN old IS NULL THEN [] ELSE [old] END |
      SET o.state = 'superseded' MERGE (v)-[:SUPERSEDES]->(o))
    """,
    nothing,
)

CREDIT_JOB = Query(
    "models.credit_job",
    Access.WRITE,
    """
    MATCH (j:Job {utility: $utility, id: $job}), (v:ModelVersion {utility: $utility, id: $id})
    MERGE (j)-[:PRODUCED]->(v)
    """,
    nothing,
)
