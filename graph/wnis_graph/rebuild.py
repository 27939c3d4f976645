"""A network model read back from the graph: what is simulated and exported is what the graph says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from wnis_graph.network_model import (
    JunctionModel,
    LinkStatus,
    NetworkModel,
    PipeModel,
    PumpModel,
    ReservoirModel,
    TankModel,
    ValveKind,
    ValveModel,
    ZoneModel,
)
from wnis_graph.queries.isolation import Seat
from wnis_graph.queries.networks import Network, StoredComponent, Zone

_NODES = frozenset({"Junction", "Reservoir", "Tank"})
_LINKS = frozenset({"Pipe", "Pump", "Valve"})


_CONTROLLING = frozenset({ValveKind.PRV, ValveKind.PSV, ValveKind.PBV, ValveKind.FCV, ValveKind.TCV, ValveKind.GPV})


def rebuild_model(
    network: Network,
    stored: Sequence[StoredComponent],
    joints: Sequence[tuple[str, str]],
    zones: Sequence[Zone],
    seats: Sequence[Seat] = (),
) -> NetworkModel:
    """The model of everything in `stored` that is not retired and belongs to the hydraulics.

    Valves that sit on a pipe (`seats`) and hydrants and sensors, which no joint reaches, are left out; a closed valve
    closes its pipe. A node that is out of service takes no water and lets none through: its links are closed.
    """
    present = [s.properties for s in stored if s.properties.get("retired_at") is None]
    by_id = {p["id"]: p for p in present if p["type"] in _NODES | _LINKS}
    starts: dict[str, str] = {}
    ends: dict[str, str] = {}
    link_to_link: list[tuple[str, str]] = []
    for a, b in joints:
        if a not in by_id or b not in by_id:
            continue
        if by_id[a]["type"] in _NODES:
            starts[b] = by_id[a]["name"]
        elif by_id[b]["type"] in _NODES:
            ends[a] = by_id[b]["name"]
        else:
            link_to_link.append((by_id[a]["name"], by_id[b]["name"]))
    jointed = {identifier for pair in joints for identifier in pair}
    shut = {s.pipe for s in seats if by_id.get(s.valve, {}).get("status") == "closed"}
    out = {p["name"] for p in by_id.values() if p["type"] in _NODES and p["status"] == "out_of_service"}

    def of(label: str) -> list[Mapping[str, Any]]:
        return [p for p in by_id.values() if p["type"] == label and (label in _NODES or p["id"] in jointed)]

    def link(p: Mapping[str, Any]) -> dict[str, Any]:
        flat = p.get("vertices") or []
        status = p["status"] if p["status"] in set(LinkStatus) else _status_of(p)
        if p["id"] in shut or out & {starts.get(p["id"]), ends.get(p["id"])}:
            status = LinkStatus.CLOSED
        return {
            "name": p["name"],
            "start": starts.get(p["id"], ""),
            "end": ends.get(p["id"], ""),
            "status": LinkStatus(status),
            "vertices": tuple(zip(flat[::2], flat[1::2], strict=True)),
            "tag": p.get("tag"),
            "description": p.get("description"),
        }

    return NetworkModel(
        title=network.title,
        flow_unit=network.flow_unit or "",
        headloss_formula=network.headloss_formula or "",
        duration_s=network.duration_s or 0.0,
        junctions=tuple(
            JunctionModel(
                **_node(p),
                elevation_m=p["elevation_m"],
                base_demand_m3s=0.0 if p["name"] in out else p.get("base_demand_m3s") or 0.0,
            )
            for p in of("Junction")
        ),
        reservoirs=tuple(ReservoirModel(**_node(p), head_m=p["head_m"]) for p in of("Reservoir")),
        tanks=tuple(
            TankModel(
                **_node(p),
                **_given(p, "elevation_m", "init_level_m", "min_level_m", "max_level_m", "diameter_m",
                         "min_volume_m3", "capacity_m3", "level_fraction", "install_date"),
            )
            for p in of("Tank")
        ),
        pipes=tuple(
            PipeModel(
                **link(p),
                **_given(p, "length_m", "diameter_m", "roughness", "material", "install_date"),
                minor_loss=p.get("minor_loss") or 0.0,
                # a check valve cannot be closed, and what is closed needs none
                check_valve=bool(p.get("check_valve")) and not out & {starts.get(p["id"]), ends.get(p["id"])},
            )
            for p in of("Pipe")
        ),
        pumps=tuple(
            PumpModel(**link(p), **_given(p, "power_w", "head_curve"), speed=p.get("speed", 1.0)) for p in of("Pump")
        ),
        valves=tuple(
            ValveModel(
                **link(p),
                **_given(p, "diameter_m", "setting", "install_date"),
                kind=ValveKind(p["valve_kind"]),
                minor_loss=p.get("minor_loss") or 0.0,
            )
            for p in of("Valve")
        ),
        zones=_zones(stored, zones),
        link_to_link=tuple(link_to_link),
    )  # fmt: skip


def _status_of(p: Mapping[str, Any]) -> str:
    """The hydraulic status of a link whose status is one of a register: out of service is closed.

    In service is open, and of a valve that controls something: active. Open, it would control nothing.
    """
    if p["status"] == "out_of_service":
        return LinkStatus.CLOSED
    return LinkStatus.ACTIVE if p.get("valve_kind") in _CONTROLLING else LinkStatus.OPEN


def _node(p: Mapping[str, Any]) -> dict[str, Any]:
    return _given(p, "name", "x", "y", "tag", "description")


def _given(p: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: p.get(name) for name in names}


def _zones(stored: Sequence[StoredComponent], zones: Sequence[Zone]) -> tuple[ZoneModel, ...]:
    members: dict[str, list[str]] = defaultdict(list)
    for component in stored:
        if component.properties["type"] in _NODES and component.properties.get("retired_at") is None:
            for zone in component.zones:
                members[zone].append(component.properties["name"])
    return tuple(ZoneModel(z.name, z.kind, tuple(members[z.id]), z.id) for z in zones)
