"""EPANET's units and their SI values.

An INP file states one flow unit; it decides whether every other quantity is in US customary or SI metric units
(EPANET 2.2 user manual, appendix A). Constants are the engine's own (EPANET 2.2, ``types.h``), so that a round trip
through a file agrees with what the engine computes.
"""

from __future__ import annotations

from enum import StrEnum

FOOT_M = 0.3048
INCH_M = 0.0254
PSI_PER_FOOT = 0.4333
"""psi of a foot of water, as the engine has it."""
PSI_M = FOOT_M / PSI_PER_FOOT
KPA_M = PSI_M / 6.895
"""m of water in a kPa; the engine has 6.895 kPa in a psi."""
HORSEPOWER_W = 745.699872

_CUBIC_FOOT_M3 = FOOT_M**3
_GALLON_M3 = 231 * INCH_M**3
_IMPERIAL_GALLON_M3 = 4.54609e-3
_ACRE_FOOT_M3 = 43_560 * _CUBIC_FOOT_M3
_DAY_S = 86_400


class FlowUnit(StrEnum):
    """Flow units of EPANET; CMS is known from engine 2.3 on."""

    CFS = "CFS"
    GPM = "GPM"
    MGD = "MGD"
    IMGD = "IMGD"
    AFD = "AFD"
    LPS = "LPS"
    LPM = "LPM"
    MLD = "MLD"
    CMH = "CMH"
    CMD = "CMD"
    CMS = "CMS"

    @property
    def m3s(self) -> float:
        """m3/s of one unit."""
        return _M3S[self]

    @property
    def us_customary(self) -> bool:
        """Whether a file in this unit is in ft, inches, psi and hp; otherwise in m, mm, m and kW."""
        return self in _US

    @property
    def length_m(self) -> float:
        """m of one unit of length, elevation, head and tank diameter."""
        return FOOT_M if self.us_customary else 1.0

    @property
    def diameter_m(self) -> float:
        """m of one unit of pipe and valve diameter."""
        return INCH_M if self.us_customary else 1e-3

    @property
    def pressure_m(self) -> float:
        """m of head of one default unit of pressure (psi, or m)."""
        return PSI_M if self.us_customary else 1.0

    @property
    def velocity_ms(self) -> float:
        """m/s of one unit of velocity."""
        return FOOT_M if self.us_customary else 1.0

    @property
    def volume_m3(self) -> float:
        """m3 of one unit of volume."""
        return _CUBIC_FOOT_M3 if self.us_customary else 1.0

    @property
    def power_w(self) -> float:
        """W of one unit of power."""
        return HORSEPOWER_W if self.us_customary else 1000.0

    @property
    def darcy_roughness_m(self) -> float:
        """m of one unit of Darcy-Weisbach roughness (1/1000 ft, or mm); other formulas have none."""
        return 1e-3 * FOOT_M if self.us_customary else 1e-3


_M3S = {
    FlowUnit.CFS: _CUBIC_FOOT_M3,
    FlowUnit.GPM: _GALLON_M3 / 60,
    FlowUnit.MGD: 1e6 * _GALLON_M3 / _DAY_S,
    FlowUnit.IMGD: 1e6 * _IMPERIAL_GALLON_M3 / _DAY_S,
    FlowUnit.AFD: _ACRE_FOOT_M3 / _DAY_S,
    FlowUnit.LPS: 1e-3,
    FlowUnit.LPM: 1e-3 / 60,
    FlowUnit.MLD: 1e3 / _DAY_S,
    FlowUnit.CMH: 1 / 3600,
    FlowUnit.CMD: 1 / _DAY_S,
    FlowUnit.CMS: 1.0,
}
_US = frozenset({FlowUnit.CFS, FlowUnit.GPM, FlowUnit.MGD, FlowUnit.IMGD, FlowUnit.AFD})

ENGINE_ORDER: tuple[FlowUnit, ...] = (
    FlowUnit.CFS, FlowUnit.GPM, FlowUnit.MGD, FlowUnit.IMGD, FlowUnit.AFD,
    FlowUnit.LPS, FlowUnit.LPM, FlowUnit.MLD, FlowUnit.CMH, FlowUnit.CMD,
)  # fmt: skip
"""Flow units by their number in the toolkit and binary file of engine 2.2."""
