"""Brings the lines of a bundle into an empty server; killed at any moment, it goes on where it was."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import neo4j
from neo4j.exceptions import ClientError
from wnis_core.errors import Conflict, Failure, InvalidValue

from wnis_graph.bundle.export import FORMAT, LEFT_OUT, LOAD_LABEL, ROW_LABEL, GraphCensus, Header
from wnis_graph.bundle.values import properties_from_json
from wnis_graph.migrations import MIGRATIONS, Migration
from wnis_graph.runner import translated_errors

_BATCH_ROWS = 2_000
_BATCH_BYTES = 2_000_000
_CLEAN_ROWS = 10_000

_THERE_ALREADY = ("EquivalentSchemaRuleAlreadyExists", "ConstraintAlreadyExists", "IndexAlreadyExists")
_USUAL_OPTIONS = re.compile(r" OPTIONS \{indexConfig: \{\}, indexProvider: 'range-1\.0'\}$")

_OTHERS = "MATCH (n) WHERE none(l IN labels(n) WHERE l IN $left_out) RETURN count(n) AS nodes"
_MARKS = f"MATCH (m:{LOAD_LABEL}) RETURN m.id AS id"
_MARK = f"MERGE (m:{LOAD_LABEL} {{id: $id}}) ON CREATE SET m.nodes = 0, m.relationships = 0, m.cleaning = false"
_PROGRESS = f"MATCH (m:{LOAD_LABEL} {{id: $id}}) RETURN m.nodes AS nodes, m.relationships AS relationships, m.cleaning AS cleaning"  # noqa: E501
_ADVANCE = f"MATCH (m:{LOAD_LABEL} {{id: $id}}) SET m.nodes = $nodes, m.relationships = $relationships"
_CONSTRAINT = f"CREATE CONSTRAINT bundle_row IF NOT EXISTS FOR (n:{ROW_LABEL}) REQUIRE n._bundle_row IS UNIQUE"
_CLEANING = f"MATCH (m:{LOAD_LABEL} {{id: $id}}) SET m.cleaning = true"
_CLEAN = (
    f"MATCH (n:{ROW_LABEL}) WITH n LIMIT {_CLEAN_ROWS} REMOVE n:{ROW_LABEL}, n._bundle_row RETURN count(n) AS cleaned"
)
_UNMARK = f"MATCH (m:{LOAD_LABEL}) DELETE m"

Progress = Callable[[int, int], None]


def read_census(lines: Iterable[bytes], known: Iterable[Migration] = MIGRATIONS) -> tuple[Header, dict[str, Any]]:
    """Header and census of a bundle, checked line by line, before anything is done with it.

    Raises
    ------
    InvalidValue
        it is no bundle, it is cut short, its lines do not add up to its end, or a newer program wrote it
    """
    census, header, stated = GraphCensus(), None, None
    for line in lines:
        if stated is not None:
            raise InvalidValue("The bundle goes on after its end.", mend="Take another bundle.")
        entry = _entry(line)
        if header is None:
            header = _header(entry, known)
        elif "n" in entry:
            census.add_node(entry["l"], entry["p"])
        elif "r" in entry:
            census.add_relationship(entry["r"], entry["p"], entry["k"])
        else:
            stated = entry.get("end")
    if header is None or stated is None:
        raise InvalidValue("The bundle is cut short.", mend="Take another bundle.")
    if census.document() != stated:
        raise InvalidValue("The bundle's lines do not add up to its checksums.", mend="Take another bundle.")
    return header, stated


class GraphLoader:
    """Loads one bundle into one server.

    Parameters
    ----------
    bundle_id : names the bundle, so that a later attempt with the same one goes on
    """

    def __init__(self, driver: neo4j.Driver, bundle_id: str) -> None:
        self._driver = driver
        self._id = bundle_id

    def refuse_unless_empty(self) -> None:
        """Raise `Conflict` when the server has a graph that an earlier attempt of ours did not begin."""
        with translated_errors():
            begun = [record["id"] for record in self._read(_MARKS)]
            if begun == [self._id]:
                return
            if begun:
                raise Conflict(
                    f"Another bundle ({begun[0]}) was being loaded into this server.",
                    mend="Repeat that command to finish it, or take an empty server.",
                )
            nodes = self._read(_OTHERS, left_out=sorted(LEFT_OUT))[0]["nodes"]
        if nodes:
            raise Conflict(
                f"The graph is not empty: it has {nodes} nodes.",
                mend="Restore into an empty home or server (a new WNIS_HOME, another NEO4J_URI).",
            )

    def load(self, lines: Iterable[bytes], on_progress: Progress | None = None) -> None:
        """Bring everything in; returns when data and schema are there and the indexes are built.

        Raises
        ------
        Conflict
            the server is not empty
        Failure
            the lines contradict themselves
        """
        self.refuse_unless_empty()
        with translated_errors():
            self._write(_MARK, id=self._id)
            header, rest = self._begin(lines)
            if not self._progress()["cleaning"]:
                self._schema(_CONSTRAINT)
                self._batches(rest, on_progress)
                self._write(_CLEANING, id=self._id)
            while self._write(_CLEAN)[0]["cleaned"]:
                pass
            self._schema("DROP CONSTRAINT bundle_row IF EXISTS")
            for statement in header.schema:
                self._schema(_USUAL_OPTIONS.sub("", statement))
            self._schema("CALL db.awaitIndexes(3600)")

    def finish(self) -> None:
        """Forget that anything was loaded; from now on the server counts as not empty."""
        with translated_errors():
            self._write(_UNMARK)

    def _begin(self, lines: Iterable[bytes]) -> tuple[Header, Iterator[dict[str, Any]]]:
        entries = (_entry(line) for line in lines)
        return _header(next(entries, {}), MIGRATIONS), entries

    def _batches(self, entries: Iterator[dict[str, Any]], on_progress: Progress | None) -> None:
        done = self._progress()
        seen_nodes = seen_relationships = size = 0
        nodes: list[dict[str, Any]] = []
        relationships: list[dict[str, Any]] = []

        def flush() -> None:
            nonlocal size
            if nodes or relationships:
                self._store(nodes, relationships, seen_nodes, seen_relationships)
                nodes.clear()
                relationships.clear()
                size = 0
                if on_progress:
                    on_progress(seen_nodes, seen_relationships)

        for entry in entries:
            if "n" in entry:
                seen_nodes += 1
                if seen_nodes > done["nodes"]:
                    nodes.append(entry)
            elif "r" in entry:
                if nodes:
                    flush()
                seen_relationships += 1
                if seen_relationships > done["relationships"]:
                    relationships.append(entry)
            size += entry.get("bytes", 0)
            if len(nodes) + len(relationships) >= _BATCH_ROWS or size > _BATCH_BYTES:
                flush()
        flush()

    def _store(
        self, nodes: list[dict[str, Any]], relationships: list[dict[str, Any]], seen_nodes: int, seen_relationships: int
    ) -> None:
        by_labels: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
        for node in nodes:
            by_labels[tuple(node["l"])].append({"row": node["n"], "p": properties_from_json(node["p"])})
        by_type: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for one in relationships:
            by_type[one["r"]].append({"s": one["s"], "e": one["e"], "p": properties_from_json(one["p"])})

        def work(tx: neo4j.ManagedTransaction) -> None:
            at = tx.run(_PROGRESS, id=self._id).single()
            if at is None or (at["nodes"], at["relationships"]) == (seen_nodes, seen_relationships):
                return  # an attempt whose answer got lost had been stored
            for labels, rows in by_labels.items():
                names = "".join(f":{_quoted(label)}" for label in (ROW_LABEL, *labels))
                _run(tx, f"UNWIND $rows AS row CREATE (n{names}) SET n = row.p SET n._bundle_row = row.row", rows)
            for kind, rows in by_type.items():
                made = _run(
                    tx,
                    f"UNWIND $rows AS row MATCH (a:{ROW_LABEL} {{_bundle_row: row.s}}) "
                    f"MATCH (b:{ROW_LABEL} {{_bundle_row: row.e}}) CREATE (a)-[r:{_quoted(kind)}]->(b) SET r = row.p",
                    rows,
                )
                if made.relationships_created != len(rows):
                    raise Failure("The bundle has a relationship without its nodes.", mend="Take another bundle.")
            tx.run(_ADVANCE, id=self._id, nodes=seen_nodes, relationships=seen_relationships).consume()

        with self._driver.session() as session:
            session.execute_write(neo4j.unit_of_work(timeout=300)(work))

    def _progress(self) -> dict[str, Any]:
        return self._read(_PROGRESS, id=self._id)[0]

    def _read(self, cypher: str, **parameters: Any) -> list[dict[str, Any]]:
        with self._driver.session(default_access_mode=neo4j.READ_ACCESS) as session:
            return session.execute_read(lambda tx: _rows(tx, cypher, parameters))

    def _write(self, cypher: str, **parameters: Any) -> list[dict[str, Any]]:
        with self._driver.session() as session:
            return session.execute_write(lambda tx: _rows(tx, cypher, parameters))

    def _schema(self, statement: str) -> None:
        try:
            with self._driver.session() as session:
                session.run(neo4j.Query(statement, timeout=0)).consume()
        except ClientError as error:
            if not (error.code or "").endswith(_THERE_ALREADY):
                raise


def _header(entry: dict[str, Any], known: Iterable[Migration]) -> Header:
    found = entry.get("header")
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise InvalidValue(f"This is no {FORMAT} bundle.", mend="Give a file that `wnis graph export` wrote.")
    header = Header(FORMAT, tuple(found["schema"]), tuple(found["migrations"]))
    newer = sorted(set(header.migrations) - {migration.id for migration in known})
    if newer:
        raise InvalidValue(
            f"The bundle comes from a newer program (its graph has {', '.join(newer)}).",
            mend="Use that version of the program.",
        )
    return header


def _entry(line: bytes) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError as error:
        raise InvalidValue("A line of the bundle is no JSON.", mend="Take another bundle.") from error
    if not isinstance(entry, dict):
        raise InvalidValue("A line of the bundle is no object.", mend="Take another bundle.")
    entry["bytes"] = len(line)
    return entry


def _rows(tx: neo4j.ManagedTransaction, cypher: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(record) for record in tx.run(cypher, parameters)]


def _run(tx: neo4j.ManagedTransaction, cypher: str, rows: list[dict[str, Any]]) -> neo4j.SummaryCounters:
    return tx.run(cypher, rows=rows).consume().counters


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
