"""Reads a whole graph as lines, in bounded memory."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, LiteralString

import neo4j
from wnis_core.errors import InvalidValue

from wnis_graph.bundle.values import to_json
from wnis_graph.runner import translated_errors

FORMAT = "wnis-graph/1"
ROW_LABEL = "_BundleRow"
LOAD_LABEL = "_BundleLoad"
LEFT_OUT = frozenset({"Lease", "WritePause", LOAD_LABEL})
"""Labels of nodes that are about the running server, not about the network."""

_MODULUS = 1 << 256
_FETCH = 1_000

_NODES = "MATCH (n) RETURN elementId(n) AS row, labels(n) AS labels, properties(n) AS properties"
_RELATIONSHIPS = """
MATCH (a)-[r]->(b)
RETURN elementId(a) AS start, elementId(b) AS end, type(r) AS type, properties(r) AS properties,
       [a.utility, a.id] AS start_key, [b.utility, b.id] AS end_key
"""
_CONSTRAINTS = "SHOW CONSTRAINTS YIELD name, createStatement RETURN createStatement AS statement ORDER BY name"
_INDEXES = """
SHOW INDEXES YIELD name, type, owningConstraint, createStatement
WHERE owningConstraint IS NULL AND type <> 'LOOKUP' RETURN createStatement AS statement ORDER BY name
"""
_MIGRATIONS = "MATCH (m:Migration) RETURN m.id AS id ORDER BY id"


@dataclass
class GraphCensus:
    """What is in a graph: numbers, and checksums that depend neither on order nor on internal ids.

    A checksum is the sum (modulo 2**256) of the SHA-256 of every line without its row numbers; a relationship's line
    names its ends by ``utility`` and ``id``.
    """

    nodes: int = 0
    relationships: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    _node_sum: int = 0
    _relationship_sum: int = 0

    def add_node(self, labels: list[str], properties: dict[str, Any]) -> None:
        """Count one node; properties as JSON values."""
        self.nodes += 1
        self.labels.update(labels)
        self._node_sum = (self._node_sum + _number([sorted(labels), properties])) % _MODULUS

    def add_relationship(self, kind: str, properties: dict[str, Any], ends: list[Any]) -> None:
        """Count one relationship; `ends` are the keys of its nodes."""
        self.relationships += 1
        self.types[kind] += 1
        self._relationship_sum = (self._relationship_sum + _number([kind, properties, ends])) % _MODULUS

    def document(self) -> dict[str, Any]:
        """The census as JSON."""
        return {
            "nodes": self.nodes,
            "relationships": self.relationships,
            "labels": dict(sorted(self.labels.items())),
            "types": dict(sorted(self.types.items())),
            "node_checksum": f"{self._node_sum:064x}",
            "relationship_checksum": f"{self._relationship_sum:064x}",
        }


@dataclass(frozen=True)
class Header:
    """The first line of a bundle."""

    format: str
    schema: tuple[str, ...]
    migrations: tuple[str, ...]


def export_lines(driver: neo4j.Driver) -> Iterator[bytes]:
    """The lines of the graph behind `driver`; the caller sees to it that nobody writes meanwhile.

    Raises
    ------
    Unavailable
        the server is away
    """
    census = GraphCensus()
    yield _line({"header": asdict(read_header(driver))})
    for node in _nodes(driver):
        properties = {name: to_json(value) for name, value in node["properties"].items()}
        labels = sorted(node["labels"])
        census.add_node(labels, properties)
        yield _line({"n": _row(node["row"]), "l": labels, "p": properties})
    for found in _stream(driver, _RELATIONSHIPS):
        properties = {name: to_json(value) for name, value in found["properties"].items()}
        ends = _ends(found)
        census.add_relationship(found["type"], properties, ends)
        yield _line({"r": found["type"], "s": _row(found["start"]), "e": _row(found["end"]), "p": properties,
                     "k": ends})  # fmt: skip
    yield _line({"end": census.document()})


def rehearse(driver: neo4j.Driver) -> None:
    """Have the server plan every statement of an export now: a fresh server takes longer for that than for the rows."""
    read_header(driver)
    for rows in (_stream(driver, _NODES), _stream(driver, _RELATIONSHIPS)):
        next(rows, None)
        rows.close()


def take_census(driver: neo4j.Driver) -> GraphCensus:
    """Count and sum up the graph behind `driver`."""
    census = GraphCensus()
    for node in _nodes(driver):
        census.add_node(node["labels"], {name: to_json(value) for name, value in node["properties"].items()})
    for found in _stream(driver, _RELATIONSHIPS):
        properties = {name: to_json(value) for name, value in found["properties"].items()}
        census.add_relationship(found["type"], properties, _ends(found))
    return census


def read_header(driver: neo4j.Driver) -> Header:
    """Schema and migrations of the graph behind `driver`."""
    statements = [r["statement"] for query in (_CONSTRAINTS, _INDEXES) for r in _stream(driver, query)]
    ours = tuple(s for s in statements if ROW_LABEL not in s)
    return Header(FORMAT, ours, tuple(r["id"] for r in _stream(driver, _MIGRATIONS)))


def _nodes(driver: neo4j.Driver) -> Iterator[dict[str, Any]]:
    return (node for node in _stream(driver, _NODES) if not LEFT_OUT & set(node["labels"]))


def _stream(driver: neo4j.Driver, cypher: LiteralString) -> Generator[dict[str, Any], None, None]:
    # a timeout of 0: a large graph takes longer than the server's limit for a transaction
    with (
        translated_errors(),
        driver.session(default_access_mode=neo4j.READ_ACCESS, fetch_size=_FETCH) as session,
    ):
        for record in session.run(neo4j.Query(cypher, timeout=0)):
            yield dict(record)


def _row(element_id: str) -> int:
    number = element_id.rsplit(":", 1)[-1]
    if not number.isdigit():
        raise InvalidValue(f"The server's element id {element_id!r} does not end in a number.")
    return int(number)


def _ends(found: dict[str, Any]) -> list[Any]:
    return [to_json(found["start_key"]), to_json(found["end_key"])]


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def _number(document: Any) -> int:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
