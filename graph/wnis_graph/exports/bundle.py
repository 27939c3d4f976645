"""A network as lines of JSON that depend on no database.

The first line is a ``header``, the last an ``end`` with the number of lines of each kind, so a file that was cut off
is known by its missing end. Every kind is a model of this module; docs/reference/bundle.schema.json is made of them.
Names carry their units (``length_m``); moments are ISO 8601 in UTC; coordinates are as the header says.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from wnis_core.cells import plain
from wnis_core.clock import iso, now

from wnis_graph.queries import exports
from wnis_graph.queries.components import Component
from wnis_graph.queries.networks import Network
from wnis_graph.repositories.components import ComponentFilter, ComponentRepository
from wnis_graph.repositories.networks import NetworkRepository
from wnis_graph.runner import Runner
from wnis_graph.schema.model import SCHEMA
from wnis_graph.scope import Scope

FORMAT = "wnis-network/1"
MEDIA_TYPE = "application/x-ndjson"


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HeaderLine(_Line):
    """What the file is."""

    line: Literal["header"] = "header"
    format: Literal["wnis-network/1"] = "wnis-network/1"
    network: str
    name: str
    title: str
    revision: int
    coordinates: Literal["EPSG:4326", "source"] = Field(
        description="longitude and latitude in degrees, or the coordinates of the source, which has no known system"
    )
    crs_of_source: str | None
    flow_unit_of_source: str | None
    headloss_formula: str | None
    synthetic: bool
    exported_at: datetime


class ZoneLine(_Line):
    """A zone of the network."""

    line: Literal["zone"] = "zone"
    id: str
    name: str
    kind: str


class ComponentLine(_Line):
    """A component with all its properties; `location` is [x, y], `shape` a list of them."""

    line: Literal["component"] = "component"
    id: str
    type: str
    name: str
    status: str
    health: str
    zone: str | None
    location: tuple[float, float] | None
    shape: list[tuple[float, float]] | None
    properties: dict[str, Any]


class ConnectionLine(_Line):
    """Two components meet, in link direction: start node to link, link to end node."""

    line: Literal["connection"] = "connection"
    start: str
    end: str


class SeatLine(_Line):
    """A valve sits on a link, `offset_m` from the end node `near`."""

    line: Literal["seat"] = "seat"
    valve: str
    link: str
    near: str | None
    offset_m: float | None


class MeasurementLine(_Line):
    """A sensor observes a component."""

    line: Literal["measurement"] = "measurement"
    sensor: str
    component: str
    quantity: str | None


class ServiceConnectionLine(_Line):
    """Customers and where they take their water."""

    line: Literal["service_connection"] = "service_connection"
    id: str
    name: str
    customers: int
    critical: bool
    served_by: list[str]


class IncidentLine(_Line):
    """Something that happened to components."""

    line: Literal["incident"] = "incident"
    id: str
    kind: str
    occurred_at: datetime
    available_at: datetime | None
    severity: str | None
    status: str | None
    cause: str | None
    repair: str | None
    narrative: str | None
    synthetic: bool
    components: list[str]


class EndLine(_Line):
    """How many lines of each kind came before; another `revision` than the header's: the network changed meanwhile."""

    line: Literal["end"] = "end"
    lines: dict[str, int]
    revision: int


Line = Annotated[
    HeaderLine
    | ZoneLine
    | ComponentLine
    | ConnectionLine
    | SeatLine
    | MeasurementLine
    | ServiceConnectionLine
    | IncidentLine
    | EndLine,
    Field(discriminator="line"),
]


def schema_text() -> str:
    """docs/reference/bundle.schema.json: the JSON schema of a line."""
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of a network bundle",
    }
    schema |= TypeAdapter(Line).json_schema()
    schema["$defs"]["ComponentLine"]["properties"]["properties"]["properties"] = {
        name: {"description": f"{p.description}{f' ({p.unit})' if p.unit not in (None, '1') else ''}"}
        for label in SCHEMA.labels
        if label.base == "Component"
        for name, p in sorted(SCHEMA.properties_of(label.name).items())
        if name not in _NOT_PROPERTIES
    }
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


_NOT_PROPERTIES = frozenset({"id", "utility", "type", "name", "status", "health", "network", "location", "shape"})


class BundleExporter:
    """Writes bundles; a network larger than memory is no matter."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._components = ComponentRepository(runner)
        self._networks = NetworkRepository(runner)

    def lines(self, scope: Scope, network_id: str) -> Iterator[bytes]:
        """The lines of a network; NotFound for an unknown one, before the first line."""
        network = self._networks.head(scope, network_id)
        return self._lines(scope, network)

    def _lines(self, scope: Scope, network: Network) -> Iterator[bytes]:
        counted: Counter[str] = Counter()
        for line in self._documents(scope, network):
            counted[line["line"]] += 1
            yield _text(line)
        revision = self._networks.head(scope, network.id).revision
        yield _text({"line": "end", "lines": dict(sorted(counted.items())), "revision": revision})

    def _documents(self, scope: Scope, network: Network) -> Iterator[dict[str, Any]]:
        yield {
            "line": "header",
            "format": FORMAT,
            "network": network.id,
            "name": network.name,
            "title": network.title,
            "revision": network.revision,
            "coordinates": "EPSG:4326" if network.crs else "source",
            "crs_of_source": network.crs,
            "flow_unit_of_source": network.flow_unit,
            "headloss_formula": network.headloss_formula,
            "synthetic": network.synthetic,
            "exported_at": iso(now()),
        }
        for zone in self._networks.zones(scope, network.id):
            yield {"line": "zone", "id": zone.id, "name": zone.name, "kind": zone.kind}
        for component in self._components.stream(scope, ComponentFilter(network=network.id)):
            yield _component(component)
        for kind, query in (
            ("connection", exports.CONNECTIONS),
            ("seat", exports.SEATS),
            ("measurement", exports.MEASUREMENTS),
            ("service_connection", exports.SERVICE_CONNECTIONS),
            ("incident", exports.INCIDENTS),
        ):
            for row in self._runner.run(scope, query, id=network.id):
                yield {"line": kind, **row}


def _component(c: Component) -> dict[str, Any]:
    return {
        "line": "component",
        "id": c.id,
        "type": c.type,
        "name": c.name,
        "status": c.status,
        "health": c.health,
        "zone": c.zone.id if c.zone else None,
        "location": [c.location.x, c.location.y] if c.location else None,
        "shape": [list(point) for point in c.shape] or None,
        "properties": {name: value for name, value in sorted(c.properties.items()) if value is not None},
    }


def _text(line: dict[str, Any]) -> bytes:
    return json.dumps(line, default=plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"
