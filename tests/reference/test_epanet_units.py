"""Ten flow units and three head-loss formulas: the same network written in each has the same heads and flows in SI.

The network is known to us in SI; EPANET converts the file's numbers with its own constants (EPANET 2.2, ``types.h``),
so that a wrong factor of ours, in reading or writing, moves a head or a flow.
"""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache
from itertools import product

import pytest
from wnis_core.units import ENGINE_ORDER, FlowUnit
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
from wnis_simulator.differences import links_of, nodes_of
from wnis_simulator.inp_read import read_model
from wnis_simulator.inp_scan import scan_inp
from wnis_simulator.inp_write import write_inp

from tests.reference.test_epanet_round_trip import Solution, apart, solved

ROUGHNESS = {"H-W": 110.0, "D-W": 3e-4, "C-M": 0.012}


def town(unit: FlowUnit, formula: str) -> NetworkModel:
    """Two sources, a tank and every kind of link whose property has a unit."""
    rough = ROUGHNESS[formula]

    def pipe(name: str, start: str, end: str, length_m: float, diameter_m: float) -> PipeModel:
        return PipeModel(name, start, end, length_m, diameter_m, rough, 0.5)

    return NetworkModel(
        title="Town",
        flow_unit=unit.value,
        headloss_formula=formula,
        duration_s=14_400.0,
        junctions=tuple(
            JunctionModel(name, elevation_m, demand_m3s)
            for name, elevation_m, demand_m3s in (
                ("J1", 210.0, 0.0), ("J2", 214.0, 0.012), ("J3", 208.0, 0.004), ("J4", 205.0, 0.006),
                ("J5", 190.0, 0.003), ("J6", 192.0, 0.005),
            )
        ),
        reservoirs=(ReservoirModel("R1", 220.0), ReservoirModel("R2", 262.5)),
        tanks=(TankModel("T", 245.0, 4.0, 1.5, 9.0, 12.0, 150.0),),
        pipes=(
            pipe("P1", "J1", "J2", 600, 0.3), pipe("P2", "J2", "J3", 900, 0.25), pipe("P3", "J3", "J4", 450, 0.2),
            pipe("P4", "J4", "T", 750, 0.25), pipe("P5", "J5", "J6", 540, 0.1), pipe("P6", "R2", "J3", 2700, 0.2),
        ),
        pumps=(PumpModel("PU", "R1", "J1", power_w=11_000.0, speed=1.0),),
        valves=(
            ValveModel("V1", "J4", "J5", ValveKind.PRV, 0.2, 45.0, 0.1, LinkStatus.ACTIVE),
            ValveModel("V2", "J3", "J6", ValveKind.FCV, 0.15, 0.0021, 0.1, LinkStatus.ACTIVE),
        ),
    )  # fmt: skip


@cache
def in_litres(formula: str) -> Solution:
    return solved(write_inp(town(FlowUnit.LPS, formula)))


@pytest.mark.parametrize(("unit", "formula"), list(product(ENGINE_ORDER, ROUGHNESS)))
def test_a_network_has_the_same_heads_and_flows_in_every_unit(unit: FlowUnit, formula: str) -> None:
    model = town(unit, formula)
    content = write_inp(model)
    again = read_model(scan_inp(content))
    for made, read in ((nodes_of(model), nodes_of(again)), (links_of(model), links_of(again))):
        for name, item in made.items():
            for one in fields(item):
                value = getattr(item, one.name)
                if isinstance(value, float):
                    assert getattr(read[name], one.name) == pytest.approx(value, rel=1e-12), (name, one.name)
    heads_m, flows_m3s = apart(solved(content), in_litres(formula))
    assert (heads_m < 1e-3, flows_m3s < 1e-5) == (True, True), (heads_m, flows_m3s)


@pytest.mark.parametrize(("pressure", "gravity"), [("KPA", 1.0), ("METERS", 1.0), ("KPA", 0.8), ("METERS", 1.2)])
def test_settings_of_pressure_valves_are_what_the_engine_makes_of_kilopascals_and_gravity(
    pressure: str, gravity: float
) -> None:
    text = write_inp(town(FlowUnit.LPS, "H-W")).decode()
    text = text.replace("[OPTIONS]", f"[OPTIONS]\n PRESSURE {pressure}\n SPECIFIC GRAVITY {gravity}")
    assert " V1 J4 J5 200 PRV 45 " in text
    content = text.replace("PRV 45 ", "PRV 250 " if pressure == "KPA" else "PRV 30 ").encode()
    valve = read_model(scan_inp(content)).valves[0]
    solution = solved(content)
    head_m = solution.head_m[solution.nodes.index("J5")]
    assert valve.setting == pytest.approx(float(head_m) - 190.0, abs=1e-3)
    assert replace(valve, setting=None).kind is ValveKind.PRV
