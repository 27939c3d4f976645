"""Segments beside WNTR's `valve_segments` on valve layers that WNTR generates: the same partition."""

from __future__ import annotations

from pathlib import Path

import pytest
import wntr
from wnis_graph.isolation.pieces import Pieces
from wnis_graph.queries.isolation import Part, Seat

_NETWORKS = Path(wntr.__file__).parent / "library" / "networks"


def _converted(network: wntr.network.WaterNetworkModel, layer: object) -> Pieces:
    parts, joints, seats = [], [], []
    for name, node in network.nodes():
        parts.append(Part(f"node:{name}", node.node_type, name, "active", 0.0))
    for name, link in network.links():
        length = link.length if link.link_type == "Pipe" else 0.0
        parts.append(Part(f"link:{name}", link.link_type, name, "open", length))
        joints += [(f"node:{link.start_node_name}", f"link:{name}"), (f"link:{name}", f"node:{link.end_node_name}")]
    for number, (link, node) in layer.iterrows():  # type: ignore[attr-defined]
        parts.append(Part(f"valve:{number}", "Valve", str(number), "open", 0.0, isolates=True))
        seats.append(Seat(f"valve:{number}", f"link:{link}", f"node:{node}", 0.0))
    return Pieces("net", parts, joints, seats)


@pytest.mark.parametrize("layer", ["N-1", "N-2", "random"])
@pytest.mark.parametrize("name", ["Net3", "ky4", "Net6"])
def test_segments_are_those_of_wntr(name: str, layer: str) -> None:
    network = wntr.network.WaterNetworkModel(str(_NETWORKS / f"{name}.inp"))
    kind, n = ("random", network.num_links // 2) if layer == "random" else ("strategic", int(layer[-1]))
    valves = wntr.network.generate_valve_layer(network, kind, n, seed=7)
    nodes, links, _ = wntr.metrics.topographic.valve_segments(network.to_graph(), valves)
    theirs: dict[int, set[str]] = {}
    for prefix, numbers in (("node", nodes), ("link", links)):
        for component, number in numbers.items():
            theirs.setdefault(number, set()).add(f"{prefix}:{component}")

    pieces = _converted(network, valves)

    # WNTR does not count the valves themselves
    ours = {frozenset(i for i in s.components if not i.startswith("valve:")) for s in pieces.segments}
    assert ours == {frozenset(members) for members in theirs.values()}
    assert len(pieces.segments) == len(theirs)
