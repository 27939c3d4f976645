"""What an import would change: the network as the graph holds it against the one that a model states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wnis_graph.desired import DesiredComponent, DesiredNetwork
from wnis_graph.queries.networks import StoredComponent
from wnis_graph.revisions import ENDS, difference, revision_row
from wnis_graph.scope import Scope

_DERIVED = frozenset({"location", "shape", "type", "origin", "retired_at"})
"""Properties that follow from others and say nothing of their own in a difference."""

Joints = Iterable[tuple[str, str]]


@dataclass(frozen=True)
class ComponentDifference:
    """One component that an import adds, changes, removes (retires) or brings back (restores).

    `old` and `new` hold the properties that differ, of links also the ids of the nodes they join (start, end).
    """

    action: str
    id: str
    type: str
    name: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]


@dataclass(frozen=True)
class ImportDifference:
    """Everything that an import does to components.

    Parameters
    ----------
    created : components to be made
    updated : new properties of nodes by id
    revisions : Revision nodes' properties
    components : the same for people, by action and id
    retired, unchanged : how many
    """

    created: list[DesiredComponent]
    updated: list[tuple[str, dict[str, Any]]]
    revisions: list[dict[str, Any]]
    components: tuple[ComponentDifference, ...]
    retired: int
    unchanged: int

    @property
    def empty(self) -> bool:
        return not (self.created or self.updated)


def compared(
    scope: Scope,
    desired: DesiredNetwork,
    stored: Mapping[str, StoredComponent],
    joints: Joints,
    at: datetime,
) -> ImportDifference:
    """The difference, with the Revisions that record it.

    What people added by hand stays; components that the file had and the model has no more are retired. The first
    import of a network records no Revision of what it makes, a later one does.
    """
    created: list[DesiredComponent] = []
    updated: list[tuple[str, dict[str, Any]]] = []
    revisions: list[dict[str, Any]] = []
    shown: list[ComponentDifference] = []
    unchanged = retired = 0
    ends_now = _ends(desired, desired.joints)
    ends_before = _ends(desired, (pair for pair in joints if {*pair} <= desired.components.keys()))

    def change(identifier: str, action: str, before: Mapping[str, Any], old: Mapping[str, Any],
               new: Mapping[str, Any]) -> None:  # fmt: skip
        revisions.append(revision_row(scope, identifier, action, old, new, at))
        written = {k: v for k, v in new.items() if k not in ENDS}
        updated.append((identifier, written | {"revision": before["revision"] + 1, "updated_at": at}))
        what = {"retire": "remove", "restore": "restore"}.get(action, "change")
        shown.append(ComponentDifference(what, identifier, before["type"], before["name"], _own(old), _own(new)))

    for identifier, component in desired.components.items():
        if identifier not in stored:
            created.append(component)
            facts = {k: v for k, v in {**component.stated, **ends_now.get(identifier, {})}.items() if v is not None}
            shown.append(
                ComponentDifference("add", identifier, component.label, component.stated["name"], {}, _own(facts))
            )
            if stored:
                revisions.append(revision_row(scope, identifier, "create", dict.fromkeys(facts), facts, at))
            continue
        before = stored[identifier].properties
        after = dict(component.stated)
        action = "import"
        if before.get("retired_at") is not None:
            action, after = "restore", {"status": component.initial.get("status")} | after | {"retired_at": None}
        old, new = difference(before, after)
        moved_old, moved_new = difference(ends_before.get(identifier, {}), ends_now.get(identifier, {}))
        if new or moved_new:
            change(identifier, action, before, old | moved_old, new | moved_new)
        else:
            unchanged += 1
    for identifier, node in stored.items():
        before = node.properties
        if identifier in desired.components or before.get("retired_at") is not None or before["origin"] != "file":
            continue
        change(identifier, "retire", before, *difference(before, {"status": "retired", "retired_at": at}))
        retired += 1
    shown.sort(key=lambda one: (one.action, one.id))
    return ImportDifference(created, updated, revisions, tuple(shown), retired, unchanged)


def _ends(desired: DesiredNetwork, joints: Joints) -> dict[str, dict[str, str]]:
    """Ids of the nodes at which links start and end."""
    ends: dict[str, dict[str, str]] = {}
    for first, second in joints:
        one, other = desired.components[first].stated, desired.components[second].stated
        if one["type"] in _NODES and other["type"] not in _NODES:
            ends.setdefault(second, {})["start"] = first
        elif other["type"] in _NODES and one["type"] not in _NODES:
            ends.setdefault(first, {})["end"] = second
    return ends


def _own(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in properties.items() if k not in _DERIVED}


_NODES = frozenset({"Junction", "Reservoir", "Tank"})
