"""What a mapping may fill: the properties of assets, connections, valves, devices and incidents, as data.

Names, types and units are those of the graph model (a test holds the two together); ``docs/reference/mapping.md``
is generated from these tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CellKind(StrEnum):
    """Type of a mapped value; all but LIST are single values."""

    TEXT = "text"
    NUMBER = "number"
    COUNT = "whole number"
    FLAG = "yes or no"
    DAY = "date"
    MOMENT = "date and time"
    LIST = "list of texts"


@dataclass(frozen=True)
class TargetProperty:
    """One property that a file can fill.

    Parameters
    ----------
    unit : SI unit that the value ends in; a mapping states the unit of the file
    positive : zero and negative values are refused
    values : closed set, empty when open
    placed : found from the geometry when the mapping has a ``[geometry]`` table
    """

    name: str
    kind: CellKind
    description: str
    unit: str | None = None
    positive: bool = False
    required: bool = False
    values: tuple[str, ...] = ()
    placed: bool = False


@dataclass(frozen=True)
class Target:
    """One kind of row: its properties and the keys by which a row can be told from another.

    Parameters
    ----------
    keys : at least one of them has to be filled in every row
    unique : keys that no two rows of a file may share
    """

    name: str
    description: str
    properties: tuple[TargetProperty, ...]
    keys: tuple[str, ...]
    unique: tuple[str, ...]

    def property(self, name: str) -> TargetProperty:
        """The property called `name`; KeyError when there is none."""
        return {p.name: p for p in self.properties}[name]


T, N, C, F, D, M, L = (  # a table reads better with short names
    CellKind.TEXT,
    CellKind.NUMBER,
    CellKind.COUNT,
    CellKind.FLAG,
    CellKind.DAY,
    CellKind.MOMENT,
    CellKind.LIST,
)
P = TargetProperty

_SYNTHETIC = P("synthetic", F, "made by a generator, not observed; shown wherever a person sees it")

ASSETS = Target(
    "assets",
    "attributes of components that are in the network already, found by id, by key of the register or by name",
    (
        P("id", T, "identifier of the component in the graph", placed=True),
        P("name", T, "name of the component in the network file"),
        P("source_id", T, "key of the record in the register; kept on the component"),
        P(
            "type",
            T,
            "label of the component, where a name alone is ambiguous",
            values=("Junction", "Reservoir", "Tank", "Pipe", "Pump", "Valve", "Hydrant", "Sensor"),
        ),
        P("install_date", D, "when it was laid or built"),
        P("material", T, "material code, such as cast_iron, ductile_iron, pvc"),
        P("diameter_m", N, "inner diameter", unit="m", positive=True),
        P("length_m", N, "length", unit="m", positive=True),
        P("roughness", N, "Hazen-Williams or Manning coefficient; m under Darcy-Weisbach", unit="1", positive=True),
        P("lined_date", D, "when it was lined"),
        P(
            "zone",
            T,
            "zone of the register, for predictions on files; a network has zones of its own",
        ),
        P("isolation", F, "a control valve of the model that stands for an isolation valve"),
        P("manufacturer", T, "who made it"),
        P("description", T, "free text"),
        _SYNTHETIC,
    ),
    keys=("id", "name", "source_id"),
    unique=("id", "source_id"),
)

SERVICE_CONNECTIONS = Target(
    "service_connections",
    "where customers take water from the network",
    (
        P("id", T, "identifier; made from source_id when left out"),
        P("source_id", T, "key of the record in the register"),
        P("name", T, "name of the connection or customer", required=True),
        P("customers", C, "people or households served", unit="person", required=True),
        P("critical", F, "a hospital, school or the like"),
        P(
            "served_by",
            T,
            "component that it takes its water from: id, key of the register or name",
            required=True,
            placed=True,
        ),
        P("offset_m", N, "its place on a pipe, from the pipe's start node", unit="m", placed=True),
        _SYNTHETIC,
    ),
    keys=("id", "source_id"),
    unique=("id", "source_id"),
)

ISOLATION_VALVES = Target(
    "isolation_valves",
    "isolation valves, each on a pipe (or at a pump or control valve) near one of its ends",
    (
        P("id", T, "identifier; made from source_id when left out"),
        P("source_id", T, "key of the record in the register; kept on the valve"),
        P("name", T, "name of the valve"),
        P("pipe", T, "pipe that it sits on: id, key of the register or name", required=True, placed=True),
        P("near", T, "end node that the offset counts from: id or name; the pipe's start when left out", placed=True),
        P("offset_m", N, "distance from that node; 0, at the node, when left out", unit="m", placed=True),
        P("valve_kind", T, "kind; gate when left out", values=("gate", "butterfly", "ball", "plug")),
        P("status", T, "open when left out; out_of_service is a valve that cannot be moved",
          values=("open", "closed", "out_of_service")),
        P("diameter_m", N, "diameter; the pipe's when left out", unit="m", positive=True),
        P("install_date", D, "when it was built in"),
        P("manufacturer", T, "who made it"),
        P("description", T, "free text"),
        _SYNTHETIC,
    ),
    keys=("id", "source_id"),
    unique=("id", "source_id"),
)  # fmt: skip

DEVICES = Target(
    "devices",
    "hydrants and sensors, which stand at a place and are joined to nothing",
    (
        P("id", T, "identifier; made from type and source_id when left out"),
        P("source_id", T, "key of the record in the register; kept on the component"),
        P("type", T, "what it is", required=True, values=("Hydrant", "Sensor")),
        P("name", T, "name"),
        P("x", N, "place, in the coordinates of the network's source", unit="1", placed=True),
        P("y", N, "place, in the coordinates of the network's source", unit="1", placed=True),
        P("quantity", T, "what a sensor measures"),
        P("status", T, "active when left out", values=("active", "out_of_service")),
        P("install_date", D, "when it was built in"),
        P("manufacturer", T, "who made it"),
        P("description", T, "free text"),
        _SYNTHETIC,
    ),
    keys=("id", "source_id"),
    unique=("id", "source_id"),
)  # fmt: skip

INCIDENTS = Target(
    "incidents",
    "what happened: breaks, leaks, complaints, quality problems and outages",
    (
        P("id", T, "identifier; made from source_id when left out"),
        P("source_id", T, "key of the record in the list"),
        P(
            "kind",
            T,
            "kind of incident",
            required=True,
            values=("break", "leak", "complaint", "quality", "outage"),
        ),
        P("occurred_at", M, "when it happened", required=True),
        P("available_at", M, "when it was known; occurred_at when left out"),
        P("components", L, "what it happened to: ids, keys of the register or names"),
        P("narrative", T, "what people wrote about it"),
        P("severity", T, "how bad", values=("low", "medium", "high", "critical")),
        P("status", T, "whether it still needs work; closed when left out", values=("open", "closed")),
        P("cause", T, "coded or written cause"),
        P("repair", T, "how it was mended"),
        P("longitude", N, "where it happened, WGS 84; together with latitude", unit="degree"),
        P("latitude", N, "where it happened, WGS 84; together with longitude", unit="degree"),
        _SYNTHETIC,
    ),
    keys=("id", "source_id"),
    unique=("id", "source_id"),
)

TARGETS: dict[str, Target] = {
    target.name: target for target in (ASSETS, SERVICE_CONNECTIONS, ISOLATION_VALVES, DEVICES, INCIDENTS)
}

FILE_UNITS: dict[str, dict[str, float]] = {
    "m": {"m": 1.0, "mm": 0.001, "cm": 0.01, "km": 1000.0, "in": 0.0254, "ft": 0.3048, "us_survey_ft": 1200 / 3937},
    "degree": {"degree": 1.0},
    "1": {"1": 1.0},
    "person": {"person": 1.0},
}
"""Units a file may be in, by the unit that the property ends in, with the factor to it."""
