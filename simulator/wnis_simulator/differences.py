"""What people changed in the graph since the source file was imported, as far as the hydraulics notice."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from wnis_core.errors import InvalidModel
from wnis_graph.network_model import (
    JunctionModel,
    NetworkModel,
    PipeModel,
    PumpModel,
    ReservoirModel,
    TankModel,
    ValveModel,
)

_TOLERANCE = 1e-9
_SHOWN = 20
Node = JunctionModel | ReservoirModel | TankModel
Link = PipeModel | PumpModel | ValveModel

_COMPARED: dict[type, tuple[str, ...]] = {
    JunctionModel: ("elevation_m", "base_demand_m3s"),
    ReservoirModel: ("head_m",),
    TankModel: ("elevation_m", "init_level_m", "min_level_m", "max_level_m", "diameter_m", "min_volume_m3"),
    PipeModel: ("length_m", "diameter_m", "roughness", "minor_loss", "status"),
    PumpModel: ("power_w", "head_curve", "speed", "status"),
    ValveModel: ("diameter_m", "setting", "minor_loss", "status"),
}


@dataclass(frozen=True)
class Change:
    """One thing to do to the file's model; SI values.

    `action` is ``set``, ``remove`` or ``add``; `kind` the component's own label in lower case; `added` the values of
    what is added, and of a valve or pump its setting and status as they are now, each of which may undo the other.
    """

    action: str
    kind: str
    name: str
    field: str | None = None
    old: float | str | None = None
    new: float | str | None = None
    start: str | None = None
    end: str | None = None
    added: Mapping[str, Any] | None = None

    def in_words(self) -> str:
        """The change as a person reads it."""
        if self.action == "set":
            return f"{self.kind} {self.name}: {self.field} is {_shown(self.new)}, {_shown(self.old)} in the source file"
        done = "was taken out" if self.action == "remove" else "was added"
        return f"{self.kind} {self.name} {done} since the source file was imported"


def require_nodes_between(model: NetworkModel) -> None:
    """Refuse a model that EPANET cannot express: links that meet without a node, or end nowhere.

    Raises
    ------
    InvalidModel
        naming the two components between which a node is missing
    """
    if model.link_to_link:
        first, second = model.link_to_link[0]
        more = len(model.link_to_link) - 1
        others = f" (and at {more} more places)" if more else ""
        raise InvalidModel(
            f"Between {first} and {second} a node is missing{others}: EPANET joins links at nodes only.",
            mend=f"Add a junction between {first} and {second}.",
            details={"id": first, "next_id": second},
        )
    for link in links_of(model).values():
        if not link.start or not link.end:
            raise InvalidModel(
                f"Link {link.name} has no {'start' if not link.start else 'end'} node.",
                mend="Connect it to a junction, reservoir or tank.",
                details={"id": link.name},
            )


def nodes_of(model: NetworkModel) -> dict[str, Node]:
    """Nodes of `model` by name."""
    nodes: tuple[Node, ...] = (*model.junctions, *model.reservoirs, *model.tanks)
    return {node.name: node for node in nodes}


def links_of(model: NetworkModel) -> dict[str, Link]:
    """Links of `model` by name."""
    links: tuple[Link, ...] = (*model.pipes, *model.pumps, *model.valves)
    return {link.name: link for link in links}


def differences(source: NetworkModel, present: NetworkModel) -> list[Change]:
    """What turns the model of the source file into the one that the graph holds now.

    Raises
    ------
    InvalidModel
        a change that cannot be made to the source's model
    """
    old_nodes, new_nodes = nodes_of(source), nodes_of(present)
    old_links, new_links = links_of(source), links_of(present)
    changes: list[Change] = []
    gone = [name for name in old_nodes if name not in new_nodes]
    # the engine takes a node out with its links, so links go first
    changes += [Change("remove", _kind(old_links[name]), name) for name in old_links if name not in new_links]
    changes += [Change("remove", _kind(old_nodes[name]), name) for name in gone]
    for name, node in new_nodes.items():
        if name not in old_nodes:
            if not isinstance(node, JunctionModel):
                raise _cannot(f"{_kind(node)} {name} was added by hand; only junctions can be added to a source file.")
            changes.append(Change("add", "junction", name, added=_values(node)))
        else:
            changes += _compared(old_nodes[name], node)
    for name, link in new_links.items():
        if name not in old_links:
            if isinstance(link, PumpModel):
                raise _cannot(f"pump {name} was added by hand; only pipes and valves can be added to a source file.")
            changes.append(Change("add", _kind(link), name, start=link.start, end=link.end, added=_values(link)))
            continue
        before = old_links[name]
        if (before.start, before.end) != (link.start, link.end):
            raise _cannot(f"{_kind(link)} {name} was joined to other nodes than in the source file.")
        changes += _compared(before, link)
    return changes


def words_of(changes: Iterable[Change]) -> list[str]:
    """The changes as warnings of a run, at most a screenful."""
    words = [change.in_words() for change in changes]
    shown = [f"Changed since the import: {text}." for text in words[:_SHOWN]]
    if len(words) > _SHOWN:
        shown.append(f"Changed since the import: {len(words) - _SHOWN} more.")
    return shown


def _compared(old: Node | Link, new: Node | Link) -> list[Change]:
    if type(old) is not type(new):
        raise _cannot(f"{new.name} is a {_kind(new)} now and a {_kind(old)} in the source file.")
    if isinstance(old, PipeModel) and isinstance(new, PipeModel) and old.check_valve != new.check_valve:
        raise _cannot(f"pipe {new.name} has a check valve in only one of the graph and the source file.")
    if isinstance(old, ValveModel) and isinstance(new, ValveModel) and old.kind is not new.kind:
        raise _cannot(f"valve {new.name} is of kind {new.kind} now and {old.kind} in the source file.")
    changes = []
    for name in _COMPARED[type(new)]:
        before, after = getattr(old, name), getattr(new, name)
        if _same(before, after) or _other_drive(name, new):
            continue
        if after is None:
            raise _cannot(f"{_kind(new)} {new.name} has no {name} any more, {_shown(before)} in the source file.")
        changes.append(Change("set", _kind(new), new.name, name, before, after, added=_kept(name, new)))
    return changes


def _kept(changed: str, link: Node | Link) -> dict[str, Any] | None:
    if isinstance(link, ValveModel) and changed in ("setting", "status"):
        return {"setting": link.setting, "status": link.status}
    if isinstance(link, PumpModel) and changed in ("speed", "status"):
        return {"setting": link.speed, "status": link.status}
    return None


def _other_drive(name: str, item: Node | Link) -> bool:
    """Whether a pump runs on the other of power and head curve, so that it need not state this one."""
    if not isinstance(item, PumpModel) or getattr(item, name) is not None:
        return False
    return (name, item.head_curve is None) in (("power_w", False), ("head_curve", item.power_w is None))


def _same(old: float | str | None, new: float | str | None) -> bool:
    if isinstance(old, (int, float)) and isinstance(new, (int, float)):
        return math.isclose(old, new, rel_tol=_TOLERANCE, abs_tol=1e-12)
    return old == new


def _values(item: Node | Link) -> dict[str, Any]:
    values = {name: getattr(item, name) for name in _COMPARED[type(item)]}
    if isinstance(item, ValveModel):
        values["valve_kind"] = item.kind.value
    if isinstance(item, PipeModel) and item.check_valve:
        values["check_valve"] = True
    return {name: value for name, value in values.items() if value is not None}


def _kind(item: Node | Link) -> str:
    return type(item).__name__.removesuffix("Model").lower()


def _shown(value: float | str | None) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _cannot(message: str) -> InvalidModel:
    return InvalidModel(
        message[0].upper() + message[1:],
        mend="Export the network, make the change in the file and import it again.",
    )
