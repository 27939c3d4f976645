"""What the graph should hold for a network model: rows of nodes, joints and zones, before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from wnis_core.errors import InvalidModel
from wnis_core.ids import given_id, imported_id

from wnis_graph.network_model import (
    JunctionModel,
    NetworkModel,
    PipeModel,
    PumpModel,
    ReservoirModel,
    TankModel,
    ValveModel,
)
from wnis_graph.placement import Placement, Point, middle
from wnis_graph.schema.model import SCHEMA
from wnis_graph.values import Location

NodeModel = JunctionModel | ReservoirModel | TankModel
LinkModel = PipeModel | PumpModel | ValveModel
IdOf = Callable[[str, str, str], str]
"""The graph id of (network, label, name)."""

REGISTERED = frozenset({"material", "install_date", "manufacturer", "source_id", "lined_date", "capacity_m3",
                        "level_fraction"})  # fmt: skip
"""Properties that an asset register may know better: a model that is silent about them leaves them alone."""

_OWN: dict[type, tuple[str, tuple[str, ...]]] = {
    JunctionModel: ("Junction", ("elevation_m", "base_demand_m3s")),
    ReservoirModel: ("Reservoir", ("head_m",)),
    TankModel: ("Tank", ("elevation_m", "init_level_m", "min_level_m", "max_level_m", "diameter_m", "min_volume_m3",
                         "capacity_m3", "level_fraction", "install_date")),
    PipeModel: ("Pipe", ("length_m", "diameter_m", "roughness", "minor_loss", "check_valve", "material",
                         "install_date")),
    PumpModel: ("Pump", ("power_w", "head_curve", "speed")),
    ValveModel: ("Valve", ("diameter_m", "setting", "minor_loss", "install_date")),
}  # fmt: skip


@dataclass(frozen=True)
class DesiredComponent:
    """A component as a model states it.

    Parameters
    ----------
    stated : properties that the model decides, None included
    initial : further properties of a new node
    """

    id: str
    label: str
    stated: Mapping[str, Any]
    initial: Mapping[str, Any]


@dataclass(frozen=True)
class DesiredZone:
    """A zone with the ids of its members."""

    id: str
    name: str
    kind: str
    members: frozenset[str]


@dataclass(frozen=True)
class DesiredNetwork:
    """Everything a model puts into the graph."""

    components: Mapping[str, DesiredComponent]
    joints: frozenset[tuple[str, str]]
    zones: Mapping[str, DesiredZone]
    placement: Placement


def imported_ids(network: str, label: str, name: str) -> str:
    """Ids of imports: ``<network>:<kind>:<name>``."""
    return imported_id(network, label.lower(), name)


def own_names(network: str, label: str, name: str) -> str:
    """Names that are ids already."""
    return given_id(name)


def label_of(item: NodeModel | LinkModel) -> str:
    """The label of a component of a model."""
    return _OWN[type(item)][0]


def nodes_of(model: NetworkModel) -> tuple[NodeModel, ...]:
    """Junctions, reservoirs and tanks."""
    return (*model.junctions, *model.reservoirs, *model.tanks)


def links_of(model: NetworkModel) -> tuple[LinkModel, ...]:
    """Pipes, pumps and valves."""
    return (*model.pipes, *model.pumps, *model.valves)


def desired_network(network: str, model: NetworkModel, crs: str | None, id_of: IdOf = imported_ids) -> DesiredNetwork:
    """The graph's rows for `model`.

    Raises
    ------
    InvalidModel
        a name is used twice, or a link or zone names something that is not there
    InvalidValue
        the coordinate reference system or a property is wrong
    """
    nodes = _by_name(nodes_of(model), "node")
    links = _by_name(links_of(model), "link")
    lines = {link.name: _line(link, nodes) for link in links.values()}
    own = [(n.x, n.y) for n in nodes.values() if n.x is not None and n.y is not None]
    placement = Placement(crs, [*own, *(p for line in lines.values() for p in line)])

    components: dict[str, DesiredComponent] = {}
    ids: dict[str, str] = {}
    for node in nodes.values():
        stated = _stated(node)
        stated |= {"x": node.x, "y": node.y, "location": None}
        if node.x is not None and node.y is not None:
            stated["location"] = placement.point((node.x, node.y))
        ids[node.name] = _add(components, network, node, stated, {"status": "active"}, id_of)
    joints: set[tuple[str, str]] = set()
    link_ids: dict[str, str] = {}
    for link in links.values():
        stated = _stated(link) | _shape(link, lines[link.name], placement)
        identifier = _add(components, network, link, stated, {}, id_of)
        link_ids[link.name] = identifier
        if link.start:
            joints.add((ids[link.start], identifier))
        if link.end:
            joints.add((identifier, ids[link.end]))
    for start, end in model.link_to_link:
        for name in (start, end):
            if name not in link_ids:
                raise _broken(f"A joint names the link {name!r}, which is not there.", name)
        joints.add((link_ids[start], link_ids[end]))
    return DesiredNetwork(components, frozenset(joints), _zones(network, model, nodes, ids, link_ids, id_of), placement)


def _add(
    components: dict[str, DesiredComponent],
    network: str,
    item: NodeModel | LinkModel,
    stated: dict[str, Any],
    initial: dict[str, Any],
    id_of: IdOf,
) -> str:
    label = label_of(item)
    identifier = id_of(network, label, item.name)
    if identifier in components:
        raise _broken(f"The id {identifier!r} is used twice.", item.name)
    # what the register may know better is decided by the model only where it says something
    silent = {k for k in REGISTERED & stated.keys() if stated[k] is None}
    stated = {k: v for k, v in stated.items() if k not in silent} | {"name": item.name, "type": label, "origin": "file"}
    initial = {"id": identifier, "health": "unknown", "revision": 1, **initial}
    present = {k: v for k, v in (initial | stated).items() if v is not None}
    SCHEMA.require(label, present | {"utility": "-", "network": network})
    components[identifier] = DesiredComponent(identifier, label, stated, initial)
    return identifier


def _stated(item: NodeModel | LinkModel) -> dict[str, Any]:
    stated = {name: getattr(item, name) for name in _OWN[type(item)][1]}
    stated |= {"tag": item.tag, "description": item.description}
    if isinstance(item, PipeModel | PumpModel | ValveModel):
        stated["status"] = str(item.status)
    if isinstance(item, ValveModel):
        stated["valve_kind"] = str(item.kind)
    return {k: float(v) if isinstance(v, int) and not isinstance(v, bool) else v for k, v in stated.items()}


def _line(link: LinkModel, nodes: Mapping[str, NodeModel]) -> list[Point]:
    line: list[Point] = []
    for name in (link.start, link.end):
        if name and name not in nodes:
            raise _broken(f"{label_of(link)} {link.name!r} ends at the node {name!r}, which is not there.", link.name)
    start, end = nodes.get(link.start), nodes.get(link.end)
    if start is not None and start.x is not None and start.y is not None:
        line.append((start.x, start.y))
    line += [(float(x), float(y)) for x, y in link.vertices]
    if end is not None and end.x is not None and end.y is not None:
        line.append((end.x, end.y))
    return line


def _shape(link: LinkModel, line: list[Point], placement: Placement) -> dict[str, Any]:
    if not line:
        return {"shape": None, "vertices": None, "location": None}
    shape = placement.line(line)
    x, y = middle(shape)
    bends = [float(v) for point in link.vertices for v in point]
    return {"shape": shape, "vertices": bends or None, "location": Location(x, y, placement.srid)}


def _zones(
    network: str,
    model: NetworkModel,
    nodes: Mapping[str, NodeModel],
    ids: Mapping[str, str],
    link_ids: Mapping[str, str],
    id_of: IdOf,
) -> dict[str, DesiredZone]:
    zones: dict[str, DesiredZone] = {}
    zone_of: dict[str, str] = {}
    members: dict[str, set[str]] = {}
    for zone in model.zones:
        identifier = zone.id or id_of(network, "Zone", zone.name)
        if identifier in zones:
            raise _broken(f"The zone {zone.name!r} is there twice.", zone.name)
        for name in zone.members:
            if name not in nodes:
                raise _broken(f"The zone {zone.name!r} holds the node {name!r}, which is not there.", name)
            zone_of[name] = identifier
        members[identifier] = {ids[name] for name in zone.members}
        zones[identifier] = DesiredZone(identifier, zone.name, zone.kind, frozenset())
    for link in links_of(model):
        # a link belongs to the zone that holds both its ends; one between two zones belongs to neither
        home = zone_of.get(link.start)
        if home is not None and home == zone_of.get(link.end):
            members[home].add(link_ids[link.name])
    return {i: DesiredZone(i, z.name, z.kind, frozenset(members[i])) for i, z in zones.items()}


def _by_name(items: tuple[Any, ...], what: str) -> dict[str, Any]:
    by_name: dict[str, Any] = {}
    for item in items:
        if item.name in by_name:
            raise _broken(f"The {what} {item.name!r} is there twice.", item.name)
        by_name[item.name] = item
    return by_name


def _broken(message: str, component: str) -> InvalidModel:
    return InvalidModel(message, mend="Correct the model.", details={"id": component})
