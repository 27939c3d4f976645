"""Valve layers and segments as WNTR makes them, to measure ours against."""

from __future__ import annotations

import time
from dataclasses import dataclass

import wntr

from wnis_simulator.engine import wntr_folder


@dataclass(frozen=True)
class WntrSegments:
    """A generated valve layer and WNTR's partition of the network by it.

    Parameters
    ----------
    links : (name, type, length in m, start node, end node) of every link
    nodes : (name, type) of every node
    valves : (link, node) of every valve: on the link, at the node
    partition : names of the nodes (``node:``) and links (``link:``) of every segment
    seconds : that `wntr.metrics.topographic.valve_segments` took
    """

    links: tuple[tuple[str, str, float, str, str], ...]
    nodes: tuple[tuple[str, str], ...]
    valves: tuple[tuple[str, str], ...]
    partition: frozenset[frozenset[str]]
    seconds: float


def wntr_segments(name: str, placement: str, n: int, seed: int) -> WntrSegments:
    """WNTR's segments of one of its library's networks.

    Parameters
    ----------
    placement : ``strategic`` (`n` is that of N-n) or ``random`` (`n` valves)
    """
    network = wntr.network.WaterNetworkModel(str(wntr_folder() / "library" / "networks" / f"{name}.inp"))
    layer = wntr.network.generate_valve_layer(network, placement, n, seed=seed)
    graph = network.to_graph()
    begun = time.perf_counter()
    nodes, links, _ = wntr.metrics.topographic.valve_segments(graph, layer)
    seconds = time.perf_counter() - begun
    members: dict[int, set[str]] = {}
    for prefix, numbers in (("node", nodes), ("link", links)):
        for component, number in numbers.items():
            members.setdefault(int(number), set()).add(f"{prefix}:{component}")
    return WntrSegments(
        links=tuple(
            (name, link.link_type, getattr(link, "length", 0.0), link.start_node_name, link.end_node_name)
            for name, link in network.links()
        ),
        nodes=tuple((node, kind.node_type) for node, kind in network.nodes()),
        valves=tuple((str(link), str(node)) for link, node in layer[["link", "node"]].itertuples(index=False)),
        partition=frozenset(frozenset(one) for one in members.values()),
        seconds=seconds,
    )  # fmt: skip
