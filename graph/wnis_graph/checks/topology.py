"""Checks of what is joined to what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from wnis_graph.checks.findings import Category, Check, Finding, Severity
from wnis_graph.checks.survey import LINKS, NODES, SOURCES, Survey


def parts_without_source(survey: Survey) -> Iterator[Finding]:
    """Parts that nothing joins to a reservoir or tank, whatever is open or closed."""
    ids = sorted(survey.joined)
    index = {identifier: i for i, identifier in enumerate(ids)}
    pairs = np.array([(index[a], index[b]) for a, b in survey.joints], dtype=np.int64).reshape(-1, 2)
    matrix = sparse.csr_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(ids), len(ids)))
    _, labels = csgraph.connected_components(matrix, directed=False)
    parts: dict[int, list[str]] = defaultdict(list)
    for identifier, label in zip(ids, labels.tolist(), strict=True):
        parts[label].append(identifier)
    for members in parts.values():
        if not any(survey.components[i]["type"] in SOURCES for i in members):
            yield Finding(f"{len(members)} components are joined to no reservoir and no tank.", tuple(members))


def loose_components(survey: Survey) -> Iterator[Finding]:
    """Nodes without links, and links without a node at an end."""
    seated = {seat.valve for seat in survey.seats}
    for c in survey.of(*NODES):
        if c["id"] not in survey.joined:
            yield Finding(f"{c['type']} {c['name']} is joined to nothing.", (c["id"],))
    for identifier, (start, stop) in survey.ends.items():
        c = survey.components[identifier]
        if identifier in seated and start is None and stop is None:
            continue
        missing = [word for word, node in (("start", start), ("end", stop)) if node is None]
        if missing:
            yield Finding(f"{c['type']} {c['name']} has nothing at its {' and its '.join(missing)}.", (identifier,))


def loops_of_one_link(survey: Survey) -> Iterator[Finding]:
    """Links that begin and end at the same node."""
    for identifier, (start, stop) in survey.ends.items():
        if start is not None and start == stop:
            name = survey.components[identifier]["name"]
            yield Finding(f"{name} begins and ends at {survey.components[start]['name']}.", (identifier,))


def duplicate_pipes(survey: Survey) -> Iterator[Finding]:
    """Pipes between the same two nodes: with the same length and diameter most likely the same pipe twice."""
    between: dict[tuple[str, str], list[str]] = defaultdict(list)
    for c in survey.of("Pipe"):
        start, stop = survey.ends[c["id"]]
        if start is not None and stop is not None and start != stop:
            between[min(start, stop), max(start, stop)].append(c["id"])
    for (a, b), pipes in sorted(between.items()):
        alike: dict[tuple[float, float], list[str]] = defaultdict(list)
        for pipe in pipes:
            c = survey.components[pipe]
            alike[round(c["length_m"], 2), round(c["diameter_m"], 4)].append(pipe)
        for (length, diameter), twins in sorted(alike.items()):
            if len(twins) > 1:
                ends = f"{survey.components[a]['name']} and {survey.components[b]['name']}"
                yield Finding(
                    f"{len(twins)} pipes of {length:g} m and {diameter * 1000:g} mm lie between {ends}.", tuple(twins)
                )


def closed_links_that_isolate(survey: Survey) -> Iterator[Finding]:
    """Demand and customers that have no source because of what is closed, though something joins them to one."""
    analysis = survey.analysis
    pieces = analysis.pieces
    dry = analysis.dry_now
    hopeless = {i for finding in parts_without_source(survey) for i in finding.components}
    waiting = np.array([pieces.parts[o].id not in hopeless for o in pieces.owner.tolist()], dtype=bool) & dry
    if not waiting.any():
        return
    # dry pieces that touch one another, whatever is closed between them, are one finding
    edges = np.concatenate([pieces.plain, pieces.guarded])
    both = edges[waiting[edges[:, 0]] & waiting[edges[:, 1]]]
    size = pieces.size
    _, labels = csgraph.connected_components(
        sparse.csr_array((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(size, size)), directed=False
    )
    for label in np.unique(labels[waiting]).tolist():
        part = waiting & (labels == label)
        without = survey.load.without(part)
        if without.customers == 0 and without.demand_m3s == 0:
            continue
        around = edges[part[edges[:, 0]] != part[edges[:, 1]]]
        closed = {
            pieces.parts[owner].id
            for owner in {*pieces.owner[around.ravel()].tolist(), *pieces.owner[part].tolist()}
            if pieces.parts[owner].blocked and not pieces.parts[owner].isolates
        }
        closed |= {
            pieces.parts[valve].id
            for (a, b), valve in zip(pieces.guarded.tolist(), pieces.guard.tolist(), strict=True)
            if part[a] != part[b] and analysis.reach.shut[valve]
        }
        names = ", ".join(sorted(survey.components[i]["name"] for i in closed)) or "pumps and check valves"
        yield Finding(
            f"{without.customers} customers and {without.demand_m3s * 1000:.2f} L/s have no source while these are "
            f"closed or the wrong way round: {names}.",
            tuple(sorted(closed)) + tuple(i for i in pieces.components(part) if i not in closed),
        )


def valves_beyond_their_pipe(survey: Survey) -> Iterator[Finding]:
    """Isolation valves whose place is not on their pipe, or that count from a node that is no end of it."""
    for seat in survey.seats:
        pipe, valve = survey.components.get(seat.pipe), survey.components.get(seat.valve)
        if pipe is None or valve is None:
            continue
        length = pipe.get("length_m") or 0.0
        if not 0 <= seat.offset_m <= length:
            message = f"{valve['name']} stands {seat.offset_m:g} m along {pipe['name']}, which is {length:g} m long."
            yield Finding(message, (seat.valve, seat.pipe))
        elif seat.near not in survey.ends.get(seat.pipe, ()):
            message = f"The place of {valve['name']} counts from {seat.near}, which is no end of {pipe['name']}."
            yield Finding(message, (seat.valve, seat.pipe))


def dead_pumps(survey: Survey) -> Iterator[Finding]:
    """Pumps that can move nothing: no curve and no power, speed 0, out of service, or no source before them."""
    analysis = survey.analysis
    pieces = analysis.pieces
    for c in survey.of("Pump"):
        why = ""
        if not c.get("head_curve") and not c.get("power_w"):
            why = "has neither a head curve nor a power"
        elif c.get("speed") == 0:
            why = "has speed 0"
        elif c["status"] == "out_of_service":
            why = "is out of service"
        else:
            start = survey.ends[c["id"]][0]
            part = pieces.index.get(start) if start is not None else None
            if part is not None and pieces.first[part] >= 0 and analysis.dry_now[pieces.last[part]]:
                why = "has no source on its suction side"
        if why:
            yield Finding(f"Pump {c['name']} {why}.", (c["id"],))


CHECKS = (
    Check("unconnected-parts", "Parts joined to no source", Severity.ERROR, Category.TOPOLOGY,
          "Add the missing link, or retire what is not in the ground.", NODES | LINKS, parts_without_source),
    Check("loose-components", "Components joined to nothing", Severity.ERROR, Category.TOPOLOGY,
          "Give the link its node (PATCH cannot join: import the corrected model), or retire it.", NODES | LINKS,
          loose_components),
    Check("self-loops", "Links that end where they begin", Severity.ERROR, Category.TOPOLOGY,
          "Correct one end in the model and import it again.", LINKS, loops_of_one_link),
    Check("duplicate-pipes", "Pipes that are there twice", Severity.WARNING, Category.TOPOLOGY,
          "Retire one of them unless there really are two mains.", frozenset({"Pipe"}), duplicate_pipes),
    Check("closed-isolates-demand", "Closed links that cut off demand", Severity.WARNING, Category.TOPOLOGY,
          "Open the link, or correct its status: it may be closed in the model and open in the ground.",
          NODES | LINKS, closed_links_that_isolate),
    Check("valves-off-pipe", "Isolation valves beyond their pipe", Severity.ERROR, Category.TOPOLOGY,
          "Import the valve again with a place on the pipe.", frozenset({"Valve"}), valves_beyond_their_pipe),
    Check("dead-pumps", "Pumps that move nothing", Severity.WARNING, Category.HYDRAULICS,
          "Give the pump its curve, its speed or its supply.", frozenset({"Pump"}), dead_pumps),
)  # fmt: skip
