"""Synthetic network models of any size."""

from __future__ import annotations

from datetime import date

from wnis_graph.network_model import (
    JunctionModel,
    LinkStatus,
    NetworkModel,
    PipeModel,
    PumpModel,
    ReservoirModel,
    TankModel,
    ValveKind,
    ValveModel,
)
from wnis_graph.persist import SourceFile
from wnis_graph.zones import derive_zones

SOURCE = SourceFile(name="sample.inp", sha256="0" * 64, key="networks/sample.inp")


def grid_network(side: int) -> NetworkModel:
    """A reservoir, a pump, a grid of side x side junctions (2 side (side - 1) pipes), a valve and a tank."""
    names = [[f"J{row}-{column}" for column in range(side)] for row in range(side)]
    junctions = [
        JunctionModel(names[r][c], elevation_m=100.0 + r, base_demand_m3s=0.001, x=100.0 * c, y=100.0 * r)
        for r in range(side)
        for c in range(side)
    ]
    ends = [(names[r][c], names[r][c + 1]) for r in range(side) for c in range(side - 1)]
    ends += [(names[r][c], names[r + 1][c]) for r in range(side - 1) for c in range(side)]
    pipes = [
        PipeModel(f"P{n}", start, end, length_m=100.0, diameter_m=0.15, roughness=120.0, install_date=date(1970, 1, 1))
        for n, (start, end) in enumerate(ends)
    ]
    model = NetworkModel(
        title=f"grid of {side} by {side}",
        flow_unit="LPS",
        headloss_formula="H-W",
        duration_s=86_400.0,
        junctions=tuple(junctions),
        reservoirs=(ReservoirModel("R", head_m=150.0, x=-100.0, y=0.0),),
        tanks=(TankModel("T", elevation_m=140.0, init_level_m=3.0, max_level_m=6.0, diameter_m=10.0, x=-50.0, y=50.0),),
        pipes=tuple(pipes),
        pumps=(PumpModel("PU", "R", names[0][0], power_w=5_000.0),),
        valves=(ValveModel("V", names[0][0], "T", ValveKind.PRV, diameter_m=0.2, setting=40.0),),
    )
    return NetworkModel(**{**model.__dict__, "zones": derive_zones(model)})


def line_network(*, closed: str = "") -> NetworkModel:
    """R -> A -> B -> C -> D, pipes named by their ends; `closed` names one that is shut."""
    ends = [("R", "A"), ("A", "B"), ("B", "C"), ("C", "D")]
    return NetworkModel(
        title="line",
        flow_unit="LPS",
        headloss_formula="H-W",
        duration_s=3_600.0,
        reservoirs=(ReservoirModel("R", head_m=50.0, x=0.0, y=0.0),),
        junctions=tuple(JunctionModel(n, elevation_m=1.0, x=float(i), y=0.0) for i, n in enumerate("ABCD", start=1)),
        pipes=tuple(
            PipeModel(
                a + b,
                a,
                b,
                length_m=10.0,
                diameter_m=0.1,
                status=LinkStatus.CLOSED if a + b == closed else LinkStatus.OPEN,
            )
            for a, b in ends
        ),
    )
