"""Changes made in the graph, applied to the model that the engine has opened."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wnis_core.units import ENGINE_ORDER, FlowUnit

from wnis_simulator.engine import Engine, LinkKind, LinkValue, NodeValue

_OPEN, _CLOSED = 1.0, 0.0
_DEFAULT_ROUGHNESS = 100.0
_DEFAULT_PATTERN = "1"
_VOLUME = "min_volume_m3"
_NO_LOSS = 1e-12
"""The engine takes no minor loss of zero from a program; this one is lost in its rounding."""
_PRESSURE_VALVES = frozenset({LinkKind.PRV, LinkKind.PSV, LinkKind.PBV})
_CONTROL_VALVES = {kind.name.lower(): kind for kind in LinkKind if kind >= LinkKind.PRV}


def apply_changes(engine: Engine, changes: list[dict[str, Any]], options: Mapping[str, str]) -> None:
    """Make `changes` (documents of `differences.Change`, in SI) to the model in `engine`, a file with `options`."""
    unit = ENGINE_ORDER[engine.flow_unit_number()]
    formula = options.get("HEADLOSS", "H-W")
    tanks: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for change in changes:
        action, kind, name = change["action"], change["kind"], change["name"]
        node = kind in ("junction", "reservoir", "tank")
        if action == "remove":
            (engine.delete_node if node else engine.delete_link)(name)
        elif action == "add" and node:
            index = engine.add_junction(name)
            # what the engine does for junctions of a file, but not for one that a program adds
            engine.set_demand_pattern(index, 1, options.get("PATTERN", _DEFAULT_PATTERN))
            for field, value in change["added"].items():
                _set_node(engine, unit, index, field, value)
        elif action == "add":
            _add_link(engine, unit, formula, change)
        elif kind == "tank":
            tanks[name][change["field"]] = change["new"]
        elif node:
            _set_node(engine, unit, engine.node_index(name), change["field"], change["new"])
        elif change["added"] is not None:
            _set_control(engine, unit, engine.link_index(name), **change["added"])
        else:
            _set_link(engine, unit, formula, engine.link_index(name), change["field"], change["new"])
    for name, fields in tanks.items():
        _set_tank(engine, unit, name, fields)


def _set_node(engine: Engine, unit: FlowUnit, index: int, field: str, value: float) -> None:
    if field == "base_demand_m3s":
        _set_demand(engine, index, value / unit.m3s)
    else:
        # the engine has a reservoir's head where it has a junction's elevation
        with engine.controls_kept(index):
            engine.set_node_value(index, NodeValue.ELEVATION, value / unit.length_m)


def _set_tank(engine: Engine, unit: FlowUnit, name: str, fields: Mapping[str, float]) -> None:
    """Everything of a tank at once: one by one the engine refuses levels in between, and keeps old volumes."""
    index = engine.node_index(name)
    shape = engine.tank(index)
    lengths = {field.removesuffix("_m"): value / unit.length_m for field, value in fields.items() if field != _VOLUME}
    if _VOLUME in fields:
        lengths["min_volume"] = fields[_VOLUME] / unit.length_m**3
    with engine.controls_kept(index):
        engine.set_tank(index, replace(shape, **lengths))


def _set_demand(engine: Engine, index: int, total: float) -> None:
    """Scale the categories to a new total, so that each keeps its pattern and its share."""
    parts = engine.base_demands(index)
    before = math.fsum(parts)
    for category, part in enumerate(parts, start=1):
        share = part / before if before else float(category == 1)
        engine.set_base_demand(index, category, total * share)


def _set_link(engine: Engine, unit: FlowUnit, formula: str, index: int, field: str, value: float | str) -> None:
    if field == "status":
        engine.set_link_value(index, LinkValue.INITIAL_STATUS, _CLOSED if value == "closed" else _OPEN)
        return
    if field == "head_curve":
        engine.set_head_curve(index, str(value))
        return
    number = float(value)
    which, factor = {
        "length_m": (LinkValue.LENGTH, unit.length_m),
        "diameter_m": (LinkValue.DIAMETER, unit.diameter_m),
        "roughness": (LinkValue.ROUGHNESS, unit.darcy_roughness_m if formula == "D-W" else 1.0),
        "minor_loss": (LinkValue.MINOR_LOSS, 1.0),
        "power_w": (LinkValue.PUMP_POWER, unit.power_w),
    }[field]
    engine.set_link_value(index, which, max(number, _NO_LOSS) / factor if field == "minor_loss" else number / factor)


def _set_control(engine: Engine, unit: FlowUnit, index: int, setting: float | None, status: str) -> None:
    """Setting and status of a valve or pump: a setting opens a closed one, a status has a valve forget its setting."""
    kind = engine.link_kind(index)
    if setting is not None:
        factor = unit.pressure_m if kind in _PRESSURE_VALVES else unit.m3s if kind is LinkKind.FCV else 1.0
        engine.set_link_value(index, LinkValue.INITIAL_SETTING, setting / factor)
    # an active valve is one whose status is not fixed; a pump is open by its speed, and opening it would undo that
    if status == "closed":
        engine.set_link_value(index, LinkValue.INITIAL_STATUS, _CLOSED)
    elif status == "open" and kind is not LinkKind.PUMP:
        engine.set_link_value(index, LinkValue.INITIAL_STATUS, _OPEN)


def _add_link(engine: Engine, unit: FlowUnit, formula: str, change: dict[str, Any]) -> None:
    added = dict(change["added"])
    valve = added.pop("valve_kind", None)
    kind = LinkKind.PIPE
    if valve is not None:
        # an isolation valve of a register is a throttle valve that stands open or closed
        kind = _CONTROL_VALVES.get(valve, LinkKind.TCV)
        if valve not in _CONTROL_VALVES and added.get("status") == "active":
            added["status"] = "open"
    elif formula == "H-W":
        added.setdefault("roughness", _DEFAULT_ROUGHNESS)
    if change["added"].get("check_valve"):
        kind = LinkKind.CHECK_VALVE_PIPE
    index = engine.add_link(change["name"], kind, change["start"], change["end"])
    if valve is not None:
        _set_control(engine, unit, index, added.pop("setting", None), added.pop("status"))
    if kind is LinkKind.CHECK_VALVE_PIPE:
        added.pop("status")
    for field, value in added.items():
        if field != "check_valve":
            _set_link(engine, unit, formula, index, field, value)
