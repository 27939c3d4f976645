"""Our conversions against WNTR's, unit by unit."""

from __future__ import annotations

import pytest
from wnis_core.units import ENGINE_ORDER, FlowUnit
from wntr.epanet.util import FlowUnits, HydParam, to_si


@pytest.mark.parametrize("unit", ENGINE_ORDER)
def test_each_flow_unit_converts_as_in_wntr(unit: FlowUnit) -> None:
    theirs = FlowUnits[unit.name]
    assert unit.us_customary == theirs.is_traditional
    ours = {
        HydParam.Flow: unit.m3s,
        HydParam.Demand: unit.m3s,
        HydParam.Length: unit.length_m,
        HydParam.HydraulicHead: unit.length_m,
        HydParam.PipeDiameter: unit.diameter_m,
        HydParam.TankDiameter: unit.length_m,
        HydParam.Pressure: unit.pressure_m,
        HydParam.Velocity: unit.velocity_ms,
        HydParam.Volume: unit.volume_m3,
        HydParam.Power: unit.power_w,
    }
    for quantity, factor in ours.items():
        assert factor == pytest.approx(to_si(theirs, 1.0, quantity), rel=2e-6), quantity
    assert unit.darcy_roughness_m == pytest.approx(
        to_si(theirs, 1.0, HydParam.RoughnessCoeff, darcy_weisbach=True), rel=2e-6
    )


def test_units_are_in_the_order_of_the_engine() -> None:
    assert [unit.name for unit in ENGINE_ORDER] == [FlowUnits(number).name for number in range(10)]


def test_a_cubic_metre_a_second_is_itself() -> None:
    assert (FlowUnit.CMS.m3s, FlowUnit.CMS.us_customary, FlowUnit.CMS.diameter_m) == (1.0, False, 1e-3)
