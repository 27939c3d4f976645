"""Components as lines of an INP file."""

from __future__ import annotations

import math

from wnis_core.errors import InvalidModel
from wnis_graph.network_model import (
    JunctionModel,
    LinkStatus,
    PipeModel,
    PumpModel,
    ReservoirModel,
    TankModel,
    ValveKind,
    ValveModel,
)

from wnis_simulator.differences import Link, Node, kind_of
from wnis_simulator.inp_read import FileUnits
from wnis_simulator.inp_scan import MAX_ID

CONTROL_VALVES = frozenset({ValveKind.PRV, ValveKind.PSV, ValveKind.PBV, ValveKind.FCV, ValveKind.TCV, ValveKind.GPV})
_ROUGHNESS = {"H-W": 100.0, "D-W": 1e-4, "C-M": 0.013}
"""For pipes whose roughness nobody stated; of D-W in m."""
_MIN_LEVEL_M = 0.0
_ROUNDING = 1e-15


def figure(value: float, unit: float) -> str:
    """`value` in `unit`, in as few digits as read back the same but for a rounding of the division."""
    wanted = value / unit
    for digits in range(6, 17):
        text = f"{wanted:.{digits}g}"
        if math.isclose(float(text), wanted, rel_tol=_ROUNDING):
            return text
    return repr(wanted)


def checked_name(name: str) -> str:
    """`name` if EPANET can read it; raises `InvalidModel`."""
    if not name or len(name.encode()) > MAX_ID or any(c in ' \t\r\n;"' for c in name) or name.startswith("["):
        raise InvalidModel(
            f"EPANET cannot read the name {name[:60]!r}: at most {MAX_ID} characters, no blanks, quotes or semicolons.",
            mend="Give the component another name.",
            details={"id": name},
        )
    return name


def described(item: Node | Link) -> str:
    """The component's description as a comment of one line."""
    return " ".join((item.description or "").split())


def section_of(item: Node | Link) -> str:
    """The section that a component's line stands in."""
    return f"{kind_of(item).upper()}S"


def tag_row(item: Node | Link) -> str:
    """The line of a component's tag."""
    return f" {'NODE' if isinstance(item, Node) else 'LINK'} {checked_name(item.name)} {item.tag}"


def place_row(item: Node) -> list[str]:
    """The line of a node's coordinates, if it has some."""
    return [] if item.x is None or item.y is None else [f" {checked_name(item.name)} {item.x!r} {item.y!r}"]


def vertex_rows(item: Link) -> list[str]:
    """The lines of a link's bends."""
    return [f" {checked_name(item.name)} {x!r} {y!r}" for x, y in item.vertices]


def whole_row(item: Node | Link, units: FileUnits, formula: str) -> tuple[str, str]:
    """A component's own line, and that of its status when it needs one (else empty).

    Raises
    ------
    InvalidModel
        something that the engine needs is not known
    """
    tokens, status = _tokens(item, units, formula)
    name = checked_name(item.name)
    words = described(item)
    if not isinstance(item, Node):
        tokens = [checked_name(item.start), checked_name(item.end), *tokens]
    return f" {' '.join([name, *tokens])}" + (f" ;{words}" if words else ""), f" {name} {status}" if status else ""


def _tokens(item: Node | Link, units: FileUnits, formula: str) -> tuple[list[str], str]:
    unit = units.flow
    match item:
        case JunctionModel():
            return [figure(item.elevation_m, unit.length_m), figure(item.base_demand_m3s, unit.m3s)], ""
        case ReservoirModel():
            return [figure(item.head_m, unit.length_m)], ""
        case TankModel():
            return _tank(item, units), ""
        case PipeModel():
            return _pipe(item, units, formula), ""
        case PumpModel():
            return _pump(item, units)
        case ValveModel():
            return _valve(item, units)


def _tank(tank: TankModel, units: FileUnits) -> list[str]:
    if tank.diameter_m is None or tank.max_level_m is None or tank.init_level_m is None:
        raise unknown("tank", tank.name, "its diameter, initial and maximum level")
    lowest = _MIN_LEVEL_M if tank.min_level_m is None else tank.min_level_m
    lengths = (tank.elevation_m, tank.init_level_m, lowest, tank.max_level_m, tank.diameter_m)
    volume = figure(tank.min_volume_m3 or 0.0, units.flow.volume_m3)
    return [*(figure(value, units.flow.length_m) for value in lengths), volume]


def _pipe(pipe: PipeModel, units: FileUnits, formula: str) -> list[str]:
    roughness = _ROUGHNESS[formula] if pipe.roughness is None else pipe.roughness
    return [
        figure(pipe.length_m, units.flow.length_m),
        figure(pipe.diameter_m, units.flow.diameter_m),
        figure(roughness, units.roughness),
        figure(pipe.minor_loss, 1.0),
        "CV" if pipe.check_valve else "CLOSED" if pipe.status is LinkStatus.CLOSED else "OPEN",
    ]


def _pump(pump: PumpModel, units: FileUnits) -> tuple[list[str], str]:
    if pump.power_w is not None:
        drive = ["POWER", figure(pump.power_w, units.flow.power_w)]
    elif pump.head_curve:
        drive = ["HEAD", pump.head_curve]
    else:
        raise unknown("pump", pump.name, "its power or the name of its head curve")
    return [*drive, "SPEED", figure(pump.speed, 1.0)], "CLOSED" if pump.status is LinkStatus.CLOSED else ""


def _valve(valve: ValveModel, units: FileUnits) -> tuple[list[str], str]:
    if valve.kind is ValveKind.GPV:
        raise unknown("valve", valve.name, "its head-loss curve")
    # an isolation valve is a throttle valve that stands open or closed
    kind = valve.kind if valve.kind in CONTROL_VALVES else ValveKind.TCV
    status = valve.status
    if valve.kind not in CONTROL_VALVES and status is LinkStatus.ACTIVE:
        status = LinkStatus.OPEN
    tokens = [
        figure(valve.diameter_m, units.flow.diameter_m),
        kind.value.upper(),
        figure(valve.setting or 0.0, units.setting(kind)),
        figure(valve.minor_loss, 1.0),
    ]
    return tokens, "" if status is LinkStatus.ACTIVE else status.value.upper()


def unknown(kind: str, name: str, what: str) -> InvalidModel:
    """Something that the engine needs is not in the graph."""
    return InvalidModel(
        f"The engine needs to know of {kind} {name} {what}.",
        mend="State it, or import the network from an INP file.",
        details={"id": name},
    )
