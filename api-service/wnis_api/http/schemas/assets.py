"""Asset registers: attributes of many components, who is connected where, valves, hydrants and sensors."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from wnis_api.http.schemas.common import Id, Input, Output, Text
from wnis_api.http.schemas.incidents import RowErrors


class ServiceConnectionRow(Input):
    """Where customers take their water; `served_by` is an id, register key or name of a component."""

    id: Id
    name: Text
    customers: Annotated[int, Field(ge=0, le=10_000_000)]
    served_by: Text
    critical: bool = False
    synthetic: bool = Field(default=False, description="made by a generator, not observed")
    offset_m: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="place on a pipe, from its start node"
    )


class AssetImport(Input):
    """Rows of a register; each is judged on its own."""

    network: Id
    assets: Annotated[
        list[dict[str, Any]],
        Field(
            default_factory=list,
            max_length=200_000,
            description="`id`, `source_id` or `name` of the component, and its properties",
        ),
    ]
    service_connections: Annotated[
        list[dict[str, Any]],
        Field(
            default_factory=list,
            max_length=200_000,
            description="id, name, customers, served_by, critical, offset_m",
        ),
    ]
    isolation_valves: Annotated[
        list[dict[str, Any]],
        Field(
            default_factory=list,
            max_length=200_000,
            description="id, pipe, near, offset_m, name, and properties of the valve",
        ),
    ]
    devices: Annotated[
        list[dict[str, Any]],
        Field(
            default_factory=list,
            max_length=200_000,
            description="hydrants and sensors, joined to nothing: id, type (Hydrant or Sensor), x and y in the "
            "coordinates of the network's source, name, and properties",
        ),
    ]


class AssetImported(Output):
    """What became of the rows; `unmatched` keys name nothing, or several components."""

    updated: int
    created: int
    unchanged: int
    unmatched: list[str]
    rejected: list[RowErrors]
