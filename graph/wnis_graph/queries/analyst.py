"""Cypher about the queries of the console that run at this moment."""

from __future__ import annotations

from wnis_graph.query import Access, Query

RUNNING = Query(
    "analyst.running",
    Access.READ,
    "SHOW TRANSACTIONS YIELD transactionId, metaData WHERE metaData.wnis_query = $query_id RETURN transactionId AS id",
    lambda row: str(row["id"]),
    platform=True,
)
END = Query(
    "analyst.end",
    Access.READ,
    "TERMINATE TRANSACTIONS $id",
    lambda row: str(row["message"]),
    platform=True,
)
