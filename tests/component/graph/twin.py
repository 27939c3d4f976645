"""Two utilities with the same ids everywhere; all text and numbers of the twin carry a mark.

The data comes from the schema declaration, so a new label or relationship is part of the test by being declared.
"""

from __future__ import annotations

import importlib
import pkgutil
from datetime import UTC, date, datetime
from typing import Any

import neo4j
from wnis_graph.schema.declaration import Kind, Label, Property
from wnis_graph.schema.model import SCHEMA

import tests.component.graph

MARK = "belongs-to-the-twin"
MARK_NUMBER = 777_777

IDS: dict[str, tuple[str, ...]] = {
    "Network": ("net",),
    "Zone": ("zone-1",),
    "Junction": ("net:junction:J1", "net:junction:J2"),
    "Reservoir": ("net:reservoir:R1",),
    "Tank": ("net:tank:T1",),
    "Pipe": ("net:pipe:P1", "net:pipe:P2"),
    "Pump": ("net:pump:PU1",),
    "Valve": ("net:valve:V1",),
    "Hydrant": ("net:hydrant:H1",),
    "Sensor": ("net:sensor:S1",),
    "ServiceConnection": ("connection-1",),
    "SimulationRun": ("run-1", "trace-1"),
    "SimulationResult": ("result-1", "result-2"),
    "ModelVersion": ("version-1",),
    "Incident": ("incident-1", "incident-2"),
}
"""Ids of the labels that have none called ``<label>-1``."""

_KEYS = {
    "network": "net",
    "component_id": "net:pipe:P1",
    "subject_id": "net:pipe:P1",
    "run_id": "run-1",
    "job_id": "job-1",
    "model_name": "model-1",
    "version": "1",
    "model_version": "1",
    "store": "incident_index",
    "result_json": "{}",
    "error_json": "{}",
    "state": "",
    "material": "pvc",
}
_STATES = {"SimulationRun": "succeeded", "ModelVersion": "current", "Job": "running"}
_OF_THE_SOURCE_TRACE = {"trace-1": {"kind": "source-trace"}, "result-2": {"run_id": "trace-1"}}
_MOMENT = datetime(2024, 1, 1, tzinfo=UTC)


def examples() -> dict[str, dict[str, Any]]:
    """Parameters by query name, from every ``twin_examples_*`` module of this folder."""
    found: dict[str, dict[str, Any]] = {}
    for module in pkgutil.iter_modules(tests.component.graph.__path__):
        if module.name.startswith("twin_examples_"):
            found |= importlib.import_module(f"{tests.component.graph.__name__}.{module.name}").EXAMPLES
    return found


def ids_of(label: str) -> tuple[str, ...]:
    """The ids that nodes of this label have in both utilities."""
    return IDS.get(label, (f"{label.lower()}-1",))


def load(driver: neo4j.Driver, utility: str, twin: bool) -> None:
    """One node or two of every tenant's label, and every declared relationship between them."""
    labels = [label for label in SCHEMA.labels if label.tenant and label.name != "Component"]
    with driver.session() as session, session.begin_transaction() as tx:
        tx.run("CREATE (:Utility {id: $id, name: $name})", id=utility, name=MARK if twin else "first").consume()
        user = f"user-of-{utility}"
        tx.run("CREATE (:User {id: $user, username: $user, active: true})", user=user).consume()
        for label in labels:
            names = f"{label.base}:{label.name}" if label.base else label.name
            for identifier in ids_of(label.name):
                properties = _properties(label, identifier, utility, twin)
                tx.run(f"CREATE (n:{names}) SET n = $properties", properties=properties).consume()
        for relationship in SCHEMA.relationships:
            properties = {p.name: _value(p, twin, "") for p in relationship.properties}
            for source in relationship.sources:
                for target in relationship.targets:
                    pairs = [
                        {"a": a, "b": b}
                        for a in _ends(source, utility)
                        for b in _ends(target, utility)
                        if (source, a) != (target, b)
                    ]
                    tx.run(
                        f"UNWIND $pairs AS pair MATCH {_node('a', source)}, {_node('b', target)} WHERE a <> b "
                        f"MERGE (a)-[r:{relationship.name}]->(b) SET r += $properties",
                        utility=utility,
                        pairs=pairs,
                        properties=properties,
                    ).consume()
        tx.commit()


def portrait(tx: neo4j.Transaction, utility: str) -> list[str]:
    """Every node of a utility with its labels and properties, and every relationship at one of them."""
    nodes = tx.run(
        f"{_EVERY_NODE} RETURN labels(n) AS labels, properties(n) AS properties",
        utility=utility,
    )
    lines = [f"{sorted(r['labels'])} {sorted(r['properties'].items())}" for r in nodes]
    joints = tx.run(
        f"{_EVERY_NODE} MATCH (n)-[r]-() WITH DISTINCT r "
        "RETURN startNode(r).id AS a, type(r) AS type, properties(r) AS properties, endNode(r).id AS b",
        utility=utility,
    )
    lines += [f"{r['a']} {r['type']} {sorted(r['properties'].items())} {r['b']}" for r in joints]
    return sorted(lines)


# by the index of each label, since a scan of all nodes takes as long as the rest of the server's data is large
_EVERY_NODE = (
    "CALL () { MATCH (n:Utility {id: $utility}) RETURN n "
    "UNION MATCH (n:User {id: 'user-of-' + $utility}) RETURN n UNION "
    + " UNION ".join(
        f"MATCH (n:{label.name}) WHERE n.utility = $utility AND n.id IS NOT NULL RETURN n"
        for label in SCHEMA.labels
        if label.tenant and label.base is None
    )
    + " }"
)


def _ends(label: str, utility: str) -> tuple[str, ...]:
    if label in ("Utility", "User"):
        return (utility if label == "Utility" else f"user-of-{utility}",)
    if label == "Component":
        return tuple(i for x in SCHEMA.labels if x.base == "Component" for i in ids_of(x.name))
    return ids_of(label)


def _node(variable: str, label: str) -> str:
    if label in ("Utility", "User"):
        return f"({variable}:{label} {{id: pair.{variable}}})"
    keyed = SCHEMA.label(label).base or label
    return f"({variable}:{keyed} {{utility: $utility, id: pair.{variable}}})"


def _properties(label: Label, identifier: str, utility: str, twin: bool) -> dict[str, Any]:
    declared = SCHEMA.properties_of(label.name)
    properties = {name: _value(p, twin, label.name) for name, p in declared.items()}
    properties |= {"id": identifier, "utility": utility}
    if "name" in declared:
        properties["name"] = identifier.rsplit(":", 1)[-1]
    if "type" in declared:
        properties["type"] = label.name
    properties.pop("retired_at", None)
    return properties | _OF_THE_SOURCE_TRACE.get(identifier, {})


def _value(declared: Property, twin: bool, label: str) -> Any:
    if declared.name == "state":
        return _STATES.get(label, "running")
    if declared.name in _KEYS:
        return _KEYS[declared.name]
    if declared.values:
        return declared.values[0]
    number = MARK_NUMBER if twin else 1
    by_kind: dict[Kind, Any] = {
        Kind.STRING: f"{declared.name} {MARK}" if twin else f"{declared.name} crack leak",
        Kind.INTEGER: number,
        Kind.FLOAT: float(number),
        Kind.BOOLEAN: True,
        Kind.DATE: date(2001, 1, 1),
        Kind.DATETIME: _MOMENT,
        Kind.POINT: neo4j.spatial.WGS84Point((1.0, 2.0)),
        Kind.STRINGS: [MARK if twin else "remark"],
        Kind.FLOATS: [float(number), float(number) + 1],
        Kind.BYTES: b"1",
    }
    return by_kind[declared.kind]
