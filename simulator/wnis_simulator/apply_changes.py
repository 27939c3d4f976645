"""Changes made in the graph, applied to the model that the engine has opened."""

from __future__ import annotations

import math
from typing import Any

from wnis_core.units import ENGINE_ORDER, FlowUnit

from wnis_simulator.engine import Engine, LinkKind, LinkValue, NodeValue

_OPEN, _CLOSED = 1.0, 0.0
_DEFAULT_ROUGHNESS = 100.0
_PRESSURE_VALVES = frozenset({LinkKind.PRV, LinkKind.PSV, LinkKind.PBV})
_CONTROL_VALVES = {kind.name.lower(): kind for kind in LinkKind if kind >= LinkKind.PRV}


def apply_changes(engine: Engine, changes: list[dict[str, Any]], headloss_formula: str) -> None:
    """Make `changes` (documents of `differences.Change`, in SI) to the model in `engine`."""
    unit = ENGINE_ORDER[engine.flow_unit_number()]
    for change in changes:
        action, kind, name = change["action"], change["kind"], change["name"]
        node = kind in ("junction", "reservoir", "tank")
        if action == "remove":
            (engine.delete_node if node else engine.delete_link)(name)
        elif action == "add" and node:
            index = engine.add_junction(name)
            for field, value in change["added"].items():
                _set_node(engine, unit, index, field, value)
        elif action == "add":
            _add_link(engine, unit, headloss_formula, change)
        elif node:
            _set_node(engine, unit, engine.node_index(name), change["field"], change["new"])
        else:
            index = engine.link_index(name)
            _set_link(engine, unit, headloss_formula, index, change["field"], change["new"])


def _set_node(engine: Engine, unit: FlowUnit, index: int, field: str, value: float) -> None:
    if field == "base_demand_m3s":
        _set_demand(engine, index, value / unit.m3s)
        return
    which = {
        "elevation_m": NodeValue.ELEVATION,
        "head_m": NodeValue.ELEVATION,
        "init_level_m": NodeValue.TANK_LEVEL,
        "min_level_m": NodeValue.MIN_LEVEL,
        "max_level_m": NodeValue.MAX_LEVEL,
        "diameter_m": NodeValue.TANK_DIAMETER,
    }[field]
    engine.set_node_value(index, which, value / unit.length_m)


def _set_demand(engine: Engine, index: int, total: float) -> None:
    """Scale the categories to a new total, so that each keeps its pattern and its share."""
    parts = engine.base_demands(index)
    before = math.fsum(parts)
    for category, part in enumerate(parts, start=1):
        share = part / before if before else float(category == 1)
        engine.set_base_demand(index, category, total * share)


def _set_link(engine: Engine, unit: FlowUnit, formula: str, index: int, field: str, value: float | str) -> None:
    if field == "status":
        # an active valve is one whose status is not fixed: setting its value again frees it
        if value == "active":
            engine.set_link_value(index, LinkValue.INITIAL_SETTING, engine.link_value(index, LinkValue.INITIAL_SETTING))
        else:
            engine.set_link_value(index, LinkValue.INITIAL_STATUS, _CLOSED if value == "closed" else _OPEN)
        return
    number = float(value)
    if field == "setting":
        kind = engine.link_kind(index)
        factor = unit.pressure_m if kind in _PRESSURE_VALVES else unit.m3s if kind is LinkKind.FCV else 1.0
        engine.set_link_value(index, LinkValue.INITIAL_SETTING, number / factor)
        return
    which, factor = {
        "length_m": (LinkValue.LENGTH, unit.length_m),
        "diameter_m": (LinkValue.DIAMETER, unit.diameter_m),
        "roughness": (LinkValue.ROUGHNESS, unit.darcy_roughness_m if formula == "D-W" else 1.0),
        "minor_loss": (LinkValue.MINOR_LOSS, 1.0),
        "speed": (LinkValue.INITIAL_SETTING, 1.0),
        "power_w": (LinkValue.PUMP_POWER, unit.power_w),
    }[field]
    engine.set_link_value(index, which, number / factor)


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
    index = engine.add_link(change["name"], kind, change["start"], change["end"])
    for field in sorted(added, key=lambda name: name == "status"):
        _set_link(engine, unit, formula, index, field, added[field])
