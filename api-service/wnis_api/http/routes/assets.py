"""Asset registers."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError
from wnis_core.errors import FieldProblem, InvalidValue
from wnis_graph.repositories.assets import AssetAttributes, AssetReport, NewConnection
from wnis_graph.repositories.device_register import NewDevice
from wnis_graph.repositories.valve_register import NewIsolationValve

from wnis_api.http.component_input import component_type, stated_properties
from wnis_api.http.route import Call, Nothing, Role, Route, roles
from wnis_api.http.routes.incidents import row_faults
from wnis_api.http.schemas.assets import AssetImport, AssetImported, ServiceConnectionRow
from wnis_api.http.schemas.components import ComponentChange, Seat
from wnis_api.http.schemas.incidents import RowErrors, RowFault
from wnis_api.parts import Parts
from wnis_api.request_limits import Rate

_KEYS = ("id", "name", "source_id")
"""A row that states several is found by the first; a `source_id` beside it is kept as the component's."""


def import_assets(parts: Parts, call: Call[Nothing, AssetImport]) -> AssetImported:
    asked = call.body
    network = parts.networks.head(call.scope, asked.network)
    attributes = _Rows()
    for row, stated in enumerate(asked.assets):
        attributes.take(row, stated, _attributes)
    connections = _Rows()
    for row, stated in enumerate(asked.service_connections):
        connections.take(row, stated, _connection)
    valves = _Rows()
    for row, stated in enumerate(asked.isolation_valves):
        valves.take(row, stated, _isolation_valve)
    devices = _Rows()
    for row, stated in enumerate(asked.devices):
        devices.take(row, stated, _device)
    reports = [
        (attributes, parts.assets.update_attributes(call.scope, network.id, attributes.good)),
        (valves, parts.valves.put(call.scope, network.id, valves.good)),
        (devices, parts.devices.put(call.scope, network.id, devices.good)),
        (connections, parts.assets.put_connections(call.scope, network.id, connections.good)),
    ]
    parts.segments.edited(call.scope, network.id)
    return AssetImported(
        updated=sum(report.updated for _, report in reports),
        created=sum(report.created for _, report in reports),
        unchanged=sum(report.unchanged for _, report in reports),
        unmatched=[key for _, report in reports for key in report.unmatched],
        rejected=[fault for rows, report in reports for fault in rows.rejected(report)],
    )


class _Rows:
    """The rows of one list that could be read, where they stood, and the faults of the others."""

    def __init__(self) -> None:
        self.good: list[Any] = []
        self._places: list[int] = []
        self._faults: list[RowErrors] = []

    def take(self, row: int, stated: dict[str, Any], read: Any) -> None:
        try:
            self.good.append(read(stated))
            self._places.append(row)
        except ValidationError as error:
            self._faults.append(RowErrors(row=row, errors=row_faults(error)))
        except InvalidValue as error:
            faults = [RowFault(field=f.field, message=f.message) for f in error.fields]
            self._faults.append(RowErrors(row=row, errors=faults))

    def rejected(self, report: AssetReport) -> list[RowErrors]:
        """All faults by the place of the row in the request (from 0)."""
        refused = [
            RowErrors(
                row=self._places[one.row - 1],
                errors=[RowFault(field=f.field, message=f.message) for f in one.errors],
            )
            for one in report.rejected
        ]
        return sorted([*self._faults, *refused], key=lambda fault: fault.row)


def _attributes(stated: dict[str, Any]) -> AssetAttributes:
    named = next((key for key in _KEYS if isinstance(stated.get(key), str)), None)
    if named is None:
        raise InvalidValue(
            "The row names no component.", fields=[FieldProblem("id", "id, source_id or name is needed")]
        )
    rest = {name: value for name, value in stated.items() if name != named and name not in ("name", "network", "type")}
    generated = {"synthetic": True} if rest.pop("synthetic", None) is True else {}
    body = ComponentChange.model_validate_json(json.dumps(rest))
    return AssetAttributes(stated[named], stated_properties(body) | generated)


def _connection(stated: dict[str, Any]) -> NewConnection:
    row = ServiceConnectionRow.model_validate(stated)
    return NewConnection(
        row.id, row.name, row.customers, row.served_by, row.critical, row.synthetic, row.offset_m
    )  # fmt: skip


def _isolation_valve(stated: dict[str, Any]) -> NewIsolationValve:
    seat = Seat.model_validate({k: stated[k] for k in Seat.model_fields if k in stated})
    rest = {k: v for k, v in stated.items() if k not in Seat.model_fields and k not in ("id", "network", "type")}
    generated = {"synthetic": True} if rest.pop("synthetic", None) is True else {}
    if not isinstance(stated.get("id"), str):
        raise InvalidValue("The row has no id.", fields=[FieldProblem("id", "is needed")])
    body = ComponentChange.model_validate_json(json.dumps(rest))
    properties = stated_properties(body) | generated
    return NewIsolationValve(stated["id"], seat.pipe, seat.near, seat.offset_m, body.name, properties)


def _device(stated: dict[str, Any]) -> NewDevice:
    for key in ("id", "type"):
        if not isinstance(stated.get(key), str):
            raise InvalidValue(f"The row has no {key}.", fields=[FieldProblem(key, "is needed")])
    rest = {k: v for k, v in stated.items() if k not in ("id", "type", "network")}
    generated = {"synthetic": True} if rest.pop("synthetic", None) is True else {}
    body = ComponentChange.model_validate_json(json.dumps(rest))
    return NewDevice(stated["id"], component_type(stated["type"]), body.name, stated_properties(body) | generated)


ROUTES: tuple[Route, ...] = (
    Route("POST", "/assets/import", import_assets, "Import an asset register", "networks", roles(Role.ENGINEER),
          body=AssetImport, answer=AssetImported, errors=(404,), action="assets.import", rate=Rate.COSTLY,
          repeatable=True, large=True,
          description="Attributes by id, register key or name, service connections, isolation valves on pipes, and "
          "hydrants and sensors (`devices`). A row that is wrong is reported and the others are taken; rows of a "
          "network that does not exist are 404."),
)  # fmt: skip
