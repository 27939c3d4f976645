"""An analyst's rows as JSON values, within a number of rows and a size, and as a graph to draw."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import neo4j
from neo4j import graph as neo4j_graph
from neo4j import spatial
from neo4j import time as neo4j_time

LONGEST_STRING = 10_000
LONGEST_LIST = 1_000
DEEPEST = 8
LARGEST_ANSWER = 8_000_000
"""Bytes, roughly, of one answer; rows beyond are left out as those beyond the row limit are."""

_WGS84 = 4326


def collect_rows(result: neo4j.Result, row_limit: int) -> dict[str, Any]:
    """``columns``, ``rows``, ``nodes``, ``relationships`` and by which limits they were cut (``truncated_by``)."""
    bounded = Bounded()
    rows: list[list[Any]] = []
    columns = list(result.keys())
    cut: list[str] = []
    for record in result:
        if len(rows) == row_limit:
            cut.append("rows")
            break
        if bounded.size > LARGEST_ANSWER:
            cut.append("bytes")
            break
        rows.append([bounded.json_value(value) for value in record.values()])
    if bounded.shortened:
        cut.append("values")
    return {
        "columns": columns,
        "rows": rows,
        "truncated_by": cut,
        "nodes": list(bounded.nodes.values()),
        "relationships": list(bounded.relationships.values()),
    }


class Bounded:
    """Makes JSON of the driver's values, notes when it had to shorten one, and which nodes and relationships it met."""

    def __init__(self) -> None:
        self.shortened = False
        self.size = 0
        self.nodes: dict[str, dict[str, Any]] = {}
        self.relationships: dict[str, dict[str, Any]] = {}

    def json_value(self, value: Any, depth: int = 0) -> Any:
        self.size += 8
        if value is None or isinstance(value, (bool, int)):
            return value
        if isinstance(value, float):
            return value if abs(value) < float("inf") else str(value)  # JSON knows neither NaN nor infinity
        if isinstance(value, str):
            return self._text(value)
        if depth >= DEEPEST:
            self.shortened = True
            return "..."
        return self._composite(value, depth + 1)

    def _composite(self, value: Any, depth: int) -> Any:
        if isinstance(value, neo4j_graph.Node):
            return self._node(value, depth)
        if isinstance(value, neo4j_graph.Relationship):
            return self._relationship(value, depth)
        if isinstance(value, neo4j_graph.Path):
            return {
                "nodes": self._list(value.nodes, depth),
                "relationships": self._list(value.relationships, depth),
            }
        if isinstance(value, spatial.Point):
            names = ("longitude", "latitude", "height") if value.srid == _WGS84 else ("x", "y", "z")
            return {"srid": value.srid, **dict(zip(names, value, strict=False))}
        if isinstance(value, (neo4j_time.Date, neo4j_time.DateTime, neo4j_time.Time, neo4j_time.Duration)):
            return value.iso_format()
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, (bytes, bytearray)):
            self.size += min(len(value) * 2, LONGEST_STRING)
            return self._text(value[:LONGEST_STRING].hex())
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, (list, tuple)):
            return self._list(value, depth)
        return self._text(str(value))

    def _node(self, node: neo4j_graph.Node, depth: int) -> dict[str, Any]:
        shown = {"labels": sorted(node.labels), "properties": self._mapping(node, depth)}
        if node.element_id not in self.nodes:
            self.nodes[node.element_id] = {"key": node.element_id, **shown}
        return shown

    def _relationship(self, one: neo4j_graph.Relationship, depth: int) -> dict[str, Any]:
        ends = [None if n is None else n.get("id") for n in (one.start_node, one.end_node)]
        properties = self._mapping(one, depth)
        keys = [None if n is None else n.element_id for n in (one.start_node, one.end_node)]
        drawn = {"type": one.type, "start": keys[0], "end": keys[1], "properties": properties}
        self.relationships.setdefault(one.element_id, {"key": one.element_id, **drawn})
        return {"type": one.type, "start": ends[0], "end": ends[1], "properties": properties}

    def _mapping(self, value: Any, depth: int) -> dict[str, Any]:
        return {str(k): self.json_value(v, depth) for k, v in sorted(value.items())}

    def _list(self, values: Any, depth: int) -> list[Any]:
        if len(values) > LONGEST_LIST:
            self.shortened = True
        return [self.json_value(v, depth) for v in values[:LONGEST_LIST]]

    def _text(self, value: str) -> str:
        if len(value) > LONGEST_STRING:
            self.shortened = True
            value = value[:LONGEST_STRING] + "..."
        self.size += len(value)
        return value
