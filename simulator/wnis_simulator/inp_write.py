"""An INP file of a `NetworkModel` that has no source file: networks made by hand in the graph."""

from __future__ import annotations

from collections.abc import Iterable

from wnis_core.units import FlowUnit
from wnis_graph.network_model import NetworkModel

from wnis_simulator.differences import Link, Node, links_of, nodes_of
from wnis_simulator.inp_read import FileUnits
from wnis_simulator.inp_rows import place_row, section_of, tag_row, vertex_rows, whole_row

_OWN = ("JUNCTIONS", "RESERVOIRS", "TANKS", "PIPES", "PUMPS", "VALVES")


def write_inp(model: NetworkModel) -> bytes:
    """The file's bytes, in the model's flow unit, else L/s. The same model makes the same bytes.

    Raises
    ------
    InvalidModel
        something that the engine needs is not known, or a name that it cannot read
    """
    formula = model.headloss_formula or "H-W"
    unit = FlowUnit(model.flow_unit or FlowUnit.LPS)
    units = FileUnits(unit, unit.pressure_m, unit.darcy_roughness_m if formula == "D-W" else 1.0)
    nodes, links = nodes_of(model).values(), links_of(model).values()
    own: dict[str, list[str]] = {section: [] for section in _OWN}
    statuses: list[str] = []
    items: tuple[Node | Link, ...] = (*nodes, *links)
    for item in items:
        row, status = whole_row(item, units, formula)
        own[section_of(item)].append(row)
        if status:
            statuses.append(status)
    sections: dict[str, Iterable[str]] = {
        "TITLE": [line.replace("[", "(") for line in model.title.splitlines()[:3]],
        **own,
        "STATUS": statuses,
        "TIMES": (f" DURATION {int(model.duration_s)} SEC", " HYDRAULIC TIMESTEP 1:00", " REPORT TIMESTEP 1:00"),
        "OPTIONS": (f" UNITS {unit.value}", f" HEADLOSS {formula}"),
        "COORDINATES": [line for node in nodes for line in place_row(node)],
        "VERTICES": [line for link in links for line in vertex_rows(link)],
        "TAGS": [tag_row(item) for item in items if item.tag],
    }
    text = "".join(f"[{name}]\n" + "".join(f"{line}\n" for line in lines) + "\n" for name, lines in sections.items())
    return (text + "[END]\n").encode()
