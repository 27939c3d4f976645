r"""How mains break in the demonstration: the documented hazard model.

Breaks of main :math:`i` are a Poisson process with the rate (breaks a year)

.. math:: \lambda_i(t) = \ell_i\, c_m\, e^{a_m\,\mathrm{age}_i(t)}\,(d_i/0.2)^{-b_m}\, z_i\, s_m(t)

with length :math:`\ell` (in 100 miles), material :math:`m`, diameter :math:`d` in m, ground :math:`z` (smooth in space,
mean 1) and season :math:`s` (mean 1 over a year); every break is followed by another on the same main with probability
`FOLLOWED` after an exponential wait. :math:`c_m` is set so that the expected rate of each material over
`REFERENCE_YEARS`, over all its length, is the published one.

Published numbers
    Rates by material: Folkman, S. (2018), Water Main Break Rates in the USA and Canada: A Comprehensive Study, Utah
    State University, MAE Faculty Publications, paper 174: breaks/(100 mi year) of cast iron 34.8, asbestos cement
    10.4, ductile iron 5.5, PVC 2.3. They are means over the utilities that answered a survey, whatever the age and
    diameter of their mains, not rates of this network.
Published forms and directions, of which no number is used
    Growth with time, as an exponential: Shamir, U., Howard, C. D. D. (1979), An analytic approach to scheduling pipe
    replacement, Journal AWWA 71(5), 248-258.
    Fewer breaks of larger mains: Kettler, A. J., Goulter, I. C. (1985), An analysis of pipe breakage in urban water
    distribution networks, Canadian Journal of Civil Engineering 12(2), 286-293. That it is a power is ours.
    Breaks cluster in place and time: Goulter, I. C., Kazemi, A. (1988), Spatial and temporal groupings of water main
    pipe breakage in Winnipeg, Canadian Journal of Civil Engineering 15(1), 91-97. That a break brings on another, and
    how the wait is distributed, is ours.
    Cold and frost: Rajani, B., Kleiner, Y. (2001), Comprehensive review of structural deterioration of water mains:
    physically based models, Urban Water 3(3), 151-164. The yearly wave is ours.
Ours
    The sizes of the effects of age, diameter, ground, season and following: plausible choices, not measurements.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

MILE_M = 1609.344
HUNDRED_MILES_M = 100 * MILE_M
REFERENCE_YEARS = (2001, 2025)
FOLLOWED = 0.12
FOLLOWING_WAIT_DAYS = 45.0
GROUND_SPREAD = 0.45


class Material(StrEnum):
    """Materials of the demonstration, by the register's code."""

    CAST_IRON = "CI"
    ASBESTOS_CEMENT = "AC"
    DUCTILE_IRON = "DI"
    PVC = "PVC"


@dataclass(frozen=True)
class Law:
    """How one material breaks.

    Parameters
    ----------
    breaks_per_100mi_year : published mean rate
    age_growth_per_year : exponent of age
    diameter_power : exponent of diameter
    winter : amplitude of the yearly wave, peak at the end of January; negative peaks at the end of July
    """

    breaks_per_100mi_year: float
    age_growth_per_year: float
    diameter_power: float
    winter: float


LAWS: dict[Material, Law] = {
    Material.CAST_IRON: Law(34.8, 0.025, 0.8, 0.65),
    Material.ASBESTOS_CEMENT: Law(10.4, 0.030, 1.0, -0.30),
    Material.DUCTILE_IRON: Law(5.5, 0.035, 0.6, 0.25),
    Material.PVC: Law(2.3, 0.010, 0.5, 0.05),
}

_PEAK_DAY = 28.0


def relative_rate(law: Law, age_years: Array, diameter_m: Array) -> Array:
    """Rate without length, level and season; zero before installation."""
    rate = np.exp(law.age_growth_per_year * np.maximum(age_years, 0.0)) * (diameter_m / 0.2) ** -law.diameter_power
    return np.where(age_years > 0, rate, 0.0)


def season(law: Law, day_of_year: Array) -> Array:
    """Factor of the season, mean 1 over a year."""
    return 1 + law.winter * np.cos(2 * np.pi * (day_of_year - _PEAK_DAY) / 365.25)


def level(law: Law, install_year: Array, diameter_m: Array, length_m: Array, ground: Array) -> float:
    """The constant c_m under which the expected rate over `REFERENCE_YEARS` and all length is the published one.

    A main counts from the year after it was laid; that a break may be followed by another is accounted for.
    """
    events = 0.0
    exposure = 0.0
    for year in range(REFERENCE_YEARS[0], REFERENCE_YEARS[1] + 1):
        age = year - install_year
        hundreds = np.where(age > 0, length_m, 0.0) / HUNDRED_MILES_M
        events += float(np.sum(hundreds * relative_rate(law, age, diameter_m) * ground))
        exposure += float(np.sum(hundreds))
    return law.breaks_per_100mi_year * (1 - FOLLOWED) * exposure / events


def smooth_field(rng: np.random.Generator, x: Array, y: Array, scale: float) -> Array:
    """A standard normal field, smooth over about `scale` (units of x and y), by random cosines."""
    waves = 64
    kx, ky = rng.normal(size=(2, waves)) / scale
    phase = rng.uniform(0, 2 * np.pi, waves)
    values = np.cos(np.outer(x, kx) + np.outer(y, ky) + phase).sum(axis=1)
    spread = values.std()
    return np.asarray((values - values.mean()) / (spread if spread > 0 else 1.0))
