"""The mini network of the contract: two junctions, a gate valve, two pipes and a tank in a line.

The valve and the first pipe meet without a node between, as asset registers have it; such a network is shown and
traced, but not simulated. Its coordinates are metres on a plane of its own.
"""

from __future__ import annotations

from datetime import date

from wnis_graph.network_model import (
    JunctionModel,
    LinkStatus,
    NetworkModel,
    PipeModel,
    TankModel,
    ValveKind,
    ValveModel,
    ZoneModel,
)

MINI_ID = "mini"
MINI_NAME = "Mini network"

MINI = NetworkModel(
    title="Mini network: a valve, two pipes and a tank in a line",
    flow_unit="CMH",
    headloss_formula="H-W",
    duration_s=86_400.0,
    junctions=(
        JunctionModel("JCT001", elevation_m=245.0, x=0.0, y=0.0),
        JunctionModel("JCT002", elevation_m=220.0, x=505.0, y=0.0),
    ),
    tanks=(
        TankModel(
            "TNK001",
            elevation_m=240.0,
            capacity_m3=500.0,
            level_fraction=0.8,
            install_date=date(2015, 3, 20),
            x=1705.0,
            y=0.0,
        ),
    ),
    pipes=(
        PipeModel(
            "PIP001",
            start="",
            end="JCT002",
            length_m=500.0,
            diameter_m=0.3,
            material="ductile_iron",
            install_date=date(2015, 3, 12),
            vertices=((5.0, 0.0),),
        ),
        PipeModel(
            "PIP002",
            start="JCT002",
            end="TNK001",
            length_m=1_200.0,
            diameter_m=0.3,
            material="ductile_iron",
            install_date=date(2015, 3, 18),
        ),
    ),
    valves=(
        ValveModel(
            "VLV001",
            start="JCT001",
            end="",
            kind=ValveKind.GATE,
            diameter_m=0.3,
            status=LinkStatus.OPEN,
            install_date=date(2015, 3, 15),
            vertices=((5.0, 0.0),),
        ),
    ),
    zones=(ZoneModel("High Pressure Zone", "pressure", ("JCT001", "JCT002"), id="ZON001"),),
    link_to_link=(("VLV001", "PIP001"),),
)
