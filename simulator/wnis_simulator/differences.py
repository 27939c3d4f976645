"""What people changed in the graph since the source file was imported."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

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

_HYDRAULIC: dict[type, tuple[str, ...]] = {
    JunctionModel: ("elevation_m", "base_demand_m3s"),
    ReservoirModel: ("head_m",),
    TankModel: ("elevation_m", "init_level_m", "min_level_m", "max_level_m", "diameter_m", "min_volume_m3"),
    PipeModel: ("start", "end", "length_m", "diameter_m", "roughness", "minor_loss", "status", "check_valve"),
    PumpModel: ("start", "end", "power_w", "head_curve", "speed", "status"),
    ValveModel: ("start", "end", "kind", "diameter_m", "setting", "minor_loss", "status"),
}
_DRAWN = ("x", "y", "vertices", "tag", "description")
"""What a file also holds of a component and the engine does not look at."""


@dataclass(frozen=True)
class Change:
    """One component that the graph has otherwise than the file: added (`was` is None), removed, or both and `fields`.

    A component whose name differs between the two was renamed.
    """

    was: Node | Link | None
    now: Node | Link | None
    fields: tuple[str, ...] = ()

    @property
    def of_node(self) -> bool:
        """Whether it is about a node; names of nodes and links may coincide."""
        return isinstance(self.was or self.now, Node)

    def in_words(self) -> list[str]:
        """What a run should say of it, each property in a sentence of its own; nothing of how it is drawn."""
        if self.was is None or self.now is None:
            item = self.was or self.now
            assert item is not None
            done = "was added" if self.was is None else "was taken out"
            return [f"{kind_of(item)} {item.name} {done} since the source file was imported"]
        words = []
        if self.was.name != self.now.name:
            words.append(f"{kind_of(self.now)} {self.now.name} is called {self.was.name} in the source file")
        if type(self.was) is not type(self.now):
            words.append(f"{self.now.name} is a {kind_of(self.now)} now and a {kind_of(self.was)} in the source file")
        for name in self.fields:
            if name not in _DRAWN:
                old, new = shown(getattr(self.was, name)), shown(getattr(self.now, name))
                words.append(f"{kind_of(self.now)} {self.now.name}: {name} is {new}, {old} in the source file")
        return words


@dataclass(frozen=True)
class Renamed:
    """Present names of nodes and of links by those of the source file, of the ones that have another name now."""

    nodes: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)


def require_nodes_between(model: NetworkModel) -> None:
    """Refuse a model that EPANET cannot express: links that meet without a node or end nowhere, names used twice.

    Raises
    ------
    InvalidModel
        naming the two components between which a node is missing, or the name
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
    for link in _links(model):
        if not link.start or not link.end:
            raise InvalidModel(
                f"Link {link.name} has no {'start' if not link.start else 'end'} node.",
                mend="Connect it to a junction, reservoir or tank, or retire it too.",
                details={"id": link.name},
            )
    for what, items in (("nodes", _nodes(model)), ("links", _links(model))):
        name, number = Counter(item.name for item in items).most_common(1)[0] if items else ("", 0)
        if number > 1:
            raise InvalidModel(
                f"There are {number} {what} called {name}: EPANET tells them apart by their names.",
                mend="Give them different names.",
                details={"id": name},
            )


def nodes_of(model: NetworkModel) -> dict[str, Node]:
    """Nodes of `model` by name."""
    return {node.name: node for node in _nodes(model)}


def links_of(model: NetworkModel) -> dict[str, Link]:
    """Links of `model` by name."""
    return {link.name: link for link in _links(model)}


def differences(source: NetworkModel, present: NetworkModel, renamed: Renamed | None = None) -> list[Change]:
    """What turns the model of the source file into the one that the graph holds now.

    Raises
    ------
    InvalidModel
        a property that the engine needs is not known any more
    """
    renamed = renamed or Renamed()
    return [
        *_compared(nodes_of(source), nodes_of(present), renamed.nodes, renamed),
        *_compared(links_of(source), links_of(present), renamed.links, renamed),
    ]


def words_of(changes: Iterable[Change]) -> list[str]:
    """The changes as warnings of a run, at most a screenful."""
    words = [text for change in changes for text in change.in_words()]
    shown_words = [f"Changed since the import: {text}." for text in words[:_SHOWN]]
    if len(words) > _SHOWN:
        shown_words.append(f"Changed since the import: {len(words) - _SHOWN} more.")
    return shown_words


def kind_of(item: Node | Link) -> str:
    """The component's label in lower case."""
    return type(item).__name__.removesuffix("Model").lower()


def shown(value: object) -> str:
    """A value as a person reads it."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _compared(
    old: Mapping[str, Node] | Mapping[str, Link],
    new: Mapping[str, Node] | Mapping[str, Link],
    names: Mapping[str, str],
    renamed: Renamed,
) -> list[Change]:
    changes: list[Change] = []
    kept = set()
    for name, was in old.items():
        now = new.get(names.get(name, name))
        if now is None:
            changes.append(Change(was, None))
            continue
        kept.add(now.name)
        fields = _fields(was, now, renamed)
        if fields or name != now.name or type(was) is not type(now):
            changes.append(Change(was, now, fields))
    changes += [Change(None, now) for name, now in new.items() if name not in kept]
    return changes


def _fields(was: Node | Link, now: Node | Link, renamed: Renamed) -> tuple[str, ...]:
    if type(was) is not type(now):
        return ()
    found = []
    for name in (*_HYDRAULIC[type(now)], *_DRAWN):
        before, after = getattr(was, name, None), getattr(now, name, None)
        if name in ("start", "end"):
            before = renamed.nodes.get(str(before), before)
        if _same(before, after) or _other_drive(name, now):
            continue
        if after is None and name not in (*_DRAWN, "power_w", "head_curve"):
            raise InvalidModel(
                f"{kind_of(now).capitalize()} {now.name} has no {name} any more, {shown(before)} in the source file.",
                mend="State it, or export the network, make the change in the file and import it again.",
                details={"id": now.name},
            )
        found.append(name)
    return tuple(found)


def _other_drive(name: str, item: Node | Link) -> bool:
    """Whether a pump runs on the other of power and head curve, so that it need not state this one."""
    if not isinstance(item, PumpModel) or getattr(item, name) is not None:
        return False
    return (name, item.head_curve is None) in (("power_w", False), ("head_curve", item.power_w is None))


def _same(old: object, new: object) -> bool:
    if isinstance(old, (int, float)) and isinstance(new, (int, float)):
        return math.isclose(old, new, rel_tol=_TOLERANCE, abs_tol=1e-12)
    return old == new or (not old and not new)


def _nodes(model: NetworkModel) -> tuple[Node, ...]:
    return (*model.junctions, *model.reservoirs, *model.tanks)


def _links(model: NetworkModel) -> tuple[Link, ...]:
    return (*model.pipes, *model.pumps, *model.valves)
