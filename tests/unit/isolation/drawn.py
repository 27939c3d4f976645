"""Networks written as text: ``pipe("A", "B")`` is a pipe AB of 100 m from node A to node B."""

from __future__ import annotations

from dataclasses import dataclass, field

from wnis_graph.isolation.answer import Isolation, IsolationAnalysis
from wnis_graph.isolation.load import Load
from wnis_graph.isolation.pieces import Pieces
from wnis_graph.queries.isolation import Connection, Part, Seat


@dataclass
class Drawn:
    """A network being drawn. Nodes called R... are reservoirs, T... tanks of 360 m3, all others junctions that take
    1 L/s and serve ten people."""

    parts: dict[str, Part] = field(default_factory=dict)
    joints: list[tuple[str, str]] = field(default_factory=list)
    seats: list[Seat] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)

    def node(self, name: str) -> None:
        if name in self.parts:
            return
        if name.startswith("R"):
            self.parts[name] = Part(name, "Reservoir", name, "active", 0.0)
        elif name.startswith("T"):
            self.parts[name] = Part(name, "Tank", name, "active", 0.0, volume_m3=360.0)
        else:
            self.parts[name] = Part(name, "Junction", name, "active", 0.0, demand_m3s=0.001)
            self.connections.append(Connection(f"at {name}", f"customers at {name}", 10, False, name))

    def link(self, name: str, kind: str, start: str, end: str, **facts: object) -> str:
        self.node(start)
        self.node(end)
        given = {"status": "open", "length_m": 100.0 if kind == "Pipe" else 0.0, **facts}
        self.parts[name] = Part(id=name, type=kind, name=name, **given)  # type: ignore[arg-type]
        self.joints += [(start, name), (name, end)]
        return name

    def pipe(self, start: str, end: str, *, name: str = "", **facts: object) -> str:
        return self.link(name or start + end, "Pipe", start, end, **facts)

    def valve(self, name: str, pipe: str, near: str, offset_m: float = 0.0, status: str = "open") -> None:
        """An isolation valve on a pipe."""
        self.parts[name] = Part(name, "Valve", name, status, 0.0, isolates=True)
        self.seats.append(Seat(name, pipe, near, offset_m))

    def analysis(self) -> IsolationAnalysis:
        return IsolationAnalysis(Pieces("net", list(self.parts.values()), self.joints, self.seats))

    def isolate(self, component: str, offset_m: float | None = None, *inoperable: str) -> Isolation:
        analysis = self.analysis()
        return analysis.isolate(Load(analysis.pieces, self.connections), component, offset_m, inoperable)


def closed(answer: Isolation) -> list[str]:
    """Ids of the valves to close, in their order."""
    return [valve.id for valve in answer.valves]
