"""Zones of a network that names none.

A network whose nodes carry tags has its districts from them. Otherwise zones are the parts that stay connected when
links that separate pressures are taken away: closed links, valves and pumps.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from wnis_graph.desired import nodes_of
from wnis_graph.network_model import LinkStatus, NetworkModel, ZoneModel

DISTRICT = "district"
PRESSURE = "pressure"


def derive_zones(model: NetworkModel) -> tuple[ZoneModel, ...]:
    """Zones of `model`: districts from node tags when there are any, else pressure zones.

    Names depend on the model alone. A district bears its tag. Pressure zones are numbered from the one with the most
    nodes; of two with as many, the one that holds the first name in order comes first.
    """
    districts: dict[str, list[str]] = defaultdict(list)
    for node in nodes_of(model):
        if node.tag:
            districts[node.tag].append(node.name)
    if districts:
        return tuple(ZoneModel(tag, DISTRICT, tuple(sorted(names))) for tag, names in sorted(districts.items()))
    return _pressure_zones(model)


def _pressure_zones(model: NetworkModel) -> tuple[ZoneModel, ...]:
    names = [node.name for node in nodes_of(model)]
    if not names:
        return ()
    index = {name: i for i, name in enumerate(names)}
    carrying = [
        (index[p.start], index[p.end])
        for p in model.pipes
        if p.status is not LinkStatus.CLOSED and p.start in index and p.end in index
    ]
    pairs = np.array(carrying, dtype=np.int64).reshape(-1, 2)
    joined = sparse.coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(names), len(names)))
    _, labels = csgraph.connected_components(joined, directed=False)
    parts: dict[int, list[str]] = defaultdict(list)
    for name, label in zip(names, labels.tolist(), strict=True):
        parts[label].append(name)
    ordered = sorted((sorted(part) for part in parts.values()), key=lambda part: (-len(part), part[0]))
    # a reservoir or a well alone behind its pump is no zone
    named = [part for part in ordered if len(part) > 1]
    return tuple(ZoneModel(f"Zone {n}", PRESSURE, tuple(part)) for n, part in enumerate(named, start=1))
