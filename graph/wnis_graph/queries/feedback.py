"""Cypher about feedback, and its row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from wnis_graph.query import Access, Query, RawRow
from wnis_graph.values import native


@dataclass(frozen=True)
class Feedback:
    """What a user said about the system, a component or a prediction."""

    id: str
    user_id: str | None
    source: str
    category: str
    content: str
    rating: int | None
    component_id: str | None
    component_type: str | None
    prediction_id: str | None
    submitted_at: datetime
    updated_at: datetime
    status: str
    resolution: str | None
    synthetic: bool


def _feedback(row: RawRow) -> Feedback:
    p = row["feedback"]
    return Feedback(
        id=p["id"],
        user_id=row["user_id"],
        source=p["source"],
        category=p["category"],
        content=p["content"],
        rating=p.get("rating"),
        component_id=row["component_id"],
        component_type=p.get("component_type"),
        prediction_id=row["prediction_id"],
        submitted_at=native(p["submitted_at"]),
        updated_at=native(p["updated_at"]),
        status=p["status"],
        resolution=p.get("resolution"),
        synthetic=bool(p.get("synthetic")),
    )


_ROW = """
    RETURN properties(f) AS feedback, head([(f)-[:SUBMITTED_BY]->(u:User) | u.id]) AS user_id,
      head([(f)-[:ABOUT]->(c:Component) | c.id]) AS component_id,
      head([(f)-[:ABOUT]->(p:Prediction) | p.id]) AS prediction_id
"""

CREATE = Query(
    "feedback.create",
    Access.WRITE,
    """
    OPTIONAL MATCH (c:Component {utility: $utility, id: $component_id})
    OPTIONAL MATCH (p:Prediction {utility: $utility, id: $prediction_id})
    OPTIONAL MATCH (u:User {id: $user_id})-[:MEMBER_OF]->(:Utility {id: $utility})
    WITH c, p, u
    WHERE ($component_id IS NULL OR c IS NOT NULL) AND ($prediction_id IS NULL OR p IS NOT NULL)
    MERGE (f:Feedback {utility: $utility, id: $id})
    ON CREATE SET f += $properties
    FOREACH (_ IN CASE WHEN c IS NULL THEN [] ELSE [1] END | MERGE (f)-[:ABOUT]->(c))
    FOREACH (_ IN CASE WHEN p IS NULL THEN [] ELSE [1] END | MERGE (f)-[:ABOUT]->(p))
    FOREACH (_ IN CASE WHEN u IS NULL THEN [] ELSE [1] END | MERGE (f)-[:SUBMITTED_BY]->(u))
    WITH f
    """
    + _ROW,
    _feedback,
)

GET = Query("feedback.get", Access.READ, "MATCH (f:Feedback {utility: $utility, id: $id})" + _ROW, _feedback)

LIST = Query(
    "feedback.list",
    Access.READ,
    """
    MATCH (f:Feedback) WHERE f.utility = $utility AND f.submitted_at IS NOT NULL
      AND ($category IS NULL OR f.category = $category) AND ($status IS NULL OR f.status = $status)
      AND ($component_id IS NULL OR EXISTS { (f)-[:ABOUT]->(:Component {utility: $utility, id: $component_id}) })
      AND ($after_id IS NULL OR f.submitted_at < $after_key OR (f.submitted_at = $after_key AND f.id < $after_id))
    WITH f ORDER BY f.submitted_at DESC, f.id DESC LIMIT $limit
    """
    + _ROW
    + " ORDER BY f.submitted_at DESC, f.id DESC",
    _feedback,
)

UPDATE = Query(
    "feedback.update",
    Access.WRITE,
    """
    MATCH (f:Feedback {utility: $utility, id: $id})
    SET f.status = $status, f.resolution = coalesce($resolution, f.resolution), f.updated_at = $at
    WITH f
    """
    + _ROW,
    _feedback,
)
