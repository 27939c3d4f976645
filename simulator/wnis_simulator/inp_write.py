"""An INP file of a `NetworkModel` that has no source file: networks made by hand in the graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wnis_core.errors import InvalidModel
from wnis_core.units import FlowUnit
from wnis_graph.network_model import (
    JunctionModel,
    LinkStatus,
    NetworkModel,
    PipeModel,
    ReservoirModel,
    TankModel,
    ValveKind,
    ValveModel,
)

_CONTROL_VALVES = frozenset({ValveKind.PRV, ValveKind.PSV, ValveKind.PBV, ValveKind.FCV, ValveKind.TCV})
_ROUGHNESS = {"H-W": 100.0, "D-W": 0.0001, "C-M": 0.013}
_UNIT = FlowUnit.LPS
_MIN_LEVEL_M = 0.0


def write_inp(model: NetworkModel) -> bytes:
    """The file's bytes, in L/s, m and mm. The same model makes the same bytes.

    Raises
    ------
    InvalidModel
        something that the engine needs is not known
    """
    formula = model.headloss_formula or "H-W"
    titles = [line.replace("[", "(") for line in model.title.splitlines()[:3]]
    nodes: tuple[JunctionModel | ReservoirModel | TankModel, ...] = (
        *model.junctions, *model.reservoirs, *model.tanks,
    )  # fmt: skip
    sections: dict[str, Iterable[str]] = {
        "TITLE": titles,
        "JUNCTIONS": (f"{j.name} {j.elevation_m:.9g} {j.base_demand_m3s / _UNIT.m3s:.9g}" for j in model.junctions),
        "RESERVOIRS": (f"{r.name} {r.head_m:.9g}" for r in model.reservoirs),
        "TANKS": (_tank(t) for t in model.tanks),
        "PIPES": (_pipe(p, formula) for p in model.pipes),
        "PUMPS": (_pump(p.name, p.start, p.end, p.power_w, p.head_curve, p.speed) for p in model.pumps),
        "VALVES": (_valve(v) for v in model.valves),
        "STATUS": _statuses(model),
        "TIMES": (f"DURATION {int(model.duration_s)} SEC", "HYDRAULIC TIMESTEP 1:00", "REPORT TIMESTEP 1:00"),
        "OPTIONS": (f"UNITS {_UNIT.value}", f"HEADLOSS {formula}"),
        "COORDINATES": (f"{n.name} {n.x!r} {n.y!r}" for n in nodes if n.x is not None and n.y is not None),
    }
    text = "".join(f"[{name}]\n" + "".join(f"{line}\n" for line in lines) + "\n" for name, lines in sections.items())
    return (text + "[END]\n").encode()


def _statuses(model: NetworkModel) -> Iterator[str]:
    for pump in model.pumps:
        if pump.status is LinkStatus.CLOSED:
            yield f"{pump.name} CLOSED"
    for valve in model.valves:
        if valve.status is not LinkStatus.ACTIVE:
            yield f"{valve.name} {valve.status.value.upper()}"


def _tank(tank: TankModel) -> str:
    if tank.diameter_m is None or tank.max_level_m is None or tank.init_level_m is None:
        raise _unknown("tank", tank.name, "its diameter, initial and maximum level")
    lowest = _MIN_LEVEL_M if tank.min_level_m is None else tank.min_level_m
    volume = tank.min_volume_m3 or 0.0
    return (
        f"{tank.name} {tank.elevation_m:.9g} {tank.init_level_m:.9g} {lowest:.9g} {tank.max_level_m:.9g} "
        f"{tank.diameter_m:.9g} {volume:.9g}"
    )


def _pipe(pipe: PipeModel, formula: str) -> str:
    roughness = _ROUGHNESS[formula] if pipe.roughness is None else pipe.roughness
    if formula == "D-W":
        roughness /= _UNIT.darcy_roughness_m
    status = "CV" if pipe.check_valve else "CLOSED" if pipe.status is LinkStatus.CLOSED else "OPEN"
    return (
        f"{pipe.name} {pipe.start} {pipe.end} {pipe.length_m:.9g} {pipe.diameter_m / _UNIT.diameter_m:.9g} "
        f"{roughness:.9g} {pipe.minor_loss:.9g} {status}"
    )


def _pump(name: str, start: str, end: str, power_w: float | None, curve: str | None, speed: float) -> str:
    if power_w is None:
        known = f"only the name of its head curve ({curve})" if curve else "neither its power nor a head curve"
        raise _unknown("pump", name, f"its power; the graph has {known}")
    return f"{name} {start} {end} POWER {power_w / _UNIT.power_w:.9g} SPEED {speed:.9g}"


def _valve(valve: ValveModel) -> str:
    if valve.kind is ValveKind.GPV:
        raise _unknown("valve", valve.name, "its head-loss curve")
    # an isolation valve is a throttle valve that stands open or closed
    kind = valve.kind if valve.kind in _CONTROL_VALVES else ValveKind.TCV
    setting = 0.0 if valve.setting is None else valve.setting
    if valve.kind is ValveKind.FCV:
        setting /= _UNIT.m3s
    return (
        f"{valve.name} {valve.start} {valve.end} {valve.diameter_m / _UNIT.diameter_m:.9g} {kind.value.upper()} "
        f"{setting:.9g} {valve.minor_loss:.9g}"
    )


def _unknown(kind: str, name: str, what: str) -> InvalidModel:
    return InvalidModel(
        f"The engine needs to know of {kind} {name} {what}.",
        mend="State it, or import the network from an INP file.",
        details={"id": name},
    )
