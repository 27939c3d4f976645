"""Checks of single properties: sizes, heights, levels, materials and dates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from statistics import median

from wnis_graph.checks.findings import Category, Check, Finding, Severity
from wnis_graph.checks.survey import NODES, Survey

WIDEST_M, NARROWEST_M = 5.0, 0.01
"""Diameters beyond these are no mains: the widest steel and concrete water mains are 4 m wide."""

LONGEST_M = 100_000.0
HIGHEST_M, LOWEST_M = 6_000.0, -450.0
"""Elevations beyond these are on no inhabited land (La Rinconada 5,100 m, the Dead Sea shore -430 m)."""

MOST_M3S = 10.0
"""A single junction that takes more than a large river intake."""

STEP_M, STEP_DEVIATIONS = 30.0, 6.0
"""An elevation is far off when it differs from that of every neighbour by more than both: this many metres, and this
many robust standard deviations (1.4826 times the median) of the differences between all neighbours."""

FIRST_MADE: dict[str, int] = {
    "asbestos_cement": 1906,
    "pvc": 1934,
    "prestressed_concrete": 1942,
    "ductile_iron": 1948,
    "polyethylene": 1948,
    "glass_reinforced_plastic": 1948,
    "hdpe": 1953,
    "mdpe": 1970,
    "pvc_o": 1974,
    "polybutylene": 1970,
}
"""Year before which no pipe of the material can have been laid. Early on purpose: first made anywhere."""

_OTHER_NAMES = {
    "ac": "asbestos_cement", "asbestos": "asbestos_cement", "di": "ductile_iron", "ductile": "ductile_iron",
    "upvc": "pvc", "pvcu": "pvc", "pe": "polyethylene", "pehd": "hdpe", "pe100": "hdpe", "pe80": "mdpe",
    "pvco": "pvc_o", "mopvc": "pvc_o", "grp": "glass_reinforced_plastic", "pccp": "prestressed_concrete",
    "psc": "prestressed_concrete", "pb": "polybutylene",
}  # fmt: skip

_OLDEST = date(1650, 1, 1)


def impossible_sizes(survey: Survey) -> Iterator[Finding]:
    """Pipes without length, and pipes and valves without diameter."""
    for c in survey.of("Pipe"):
        if not c["length_m"] > 0:
            yield Finding(f"Pipe {c['name']} is {c['length_m']:g} m long.", (c["id"],))
    for c in survey.of("Pipe", "Valve"):
        if not c["diameter_m"] > 0:
            yield Finding(f"{c['type']} {c['name']} has a diameter of {c['diameter_m']:g} m.", (c["id"],))


def odd_units(survey: Survey) -> Iterator[Finding]:
    """Values that look as if they were in another unit: a "300 m" diameter."""
    for c in survey.of("Pipe", "Valve"):
        if c["diameter_m"] > WIDEST_M:
            guess = " (300 is a diameter in mm)" if 25 <= c["diameter_m"] <= 3000 else ""
            yield Finding(f"{c['type']} {c['name']} is {c['diameter_m']:g} m wide{guess}.", (c["id"],))
        elif 0 < c["diameter_m"] < NARROWEST_M:
            yield Finding(f"{c['type']} {c['name']} is {c['diameter_m'] * 1000:g} mm wide.", (c["id"],))
    for c in survey.of("Pipe"):
        if c["length_m"] > LONGEST_M:
            yield Finding(f"Pipe {c['name']} is {c['length_m'] / 1000:,.0f} km long.", (c["id"],))
    for c in survey.of("Junction"):
        if abs(c.get("base_demand_m3s") or 0.0) > MOST_M3S:
            yield Finding(f"Junction {c['name']} takes {c['base_demand_m3s']:g} m3/s.", (c["id"],))
        if not LOWEST_M <= c["elevation_m"] <= HIGHEST_M:
            yield Finding(f"Junction {c['name']} is {c['elevation_m']:g} m above datum.", (c["id"],))


def far_elevations(survey: Survey) -> Iterator[Finding]:
    """Junctions whose elevation is far from that of every neighbour."""
    heights = {c["id"]: c["elevation_m"] for c in survey.of("Junction", "Tank")}
    differences, nearest = [], {}
    for c in survey.of("Junction"):
        around = [c["elevation_m"] - heights[n] for n in survey.neighbours.get(c["id"], ()) if n in heights]
        if around:
            differences += [abs(step) for step in around]
            nearest[c["id"]] = min(around, key=abs)
    if not differences:
        return
    limit = max(STEP_M, STEP_DEVIATIONS * 1.4826 * median(differences))
    for identifier, step in sorted(nearest.items()):
        if abs(step) > limit:
            c = survey.components[identifier]
            where = "above" if step > 0 else "below"
            message = f"Junction {c['name']} at {c['elevation_m']:g} m is {abs(step):.0f} m {where} its neighbours."
            yield Finding(message, (identifier,))


def tank_levels(survey: Survey) -> Iterator[Finding]:
    """Tanks whose levels, diameter or volumes contradict one another."""
    for c in survey.of("Tank"):
        least, initial, most = (c.get(name) for name in ("min_level_m", "init_level_m", "max_level_m"))
        faults = []
        if least is not None and most is not None and least >= most:
            faults.append(f"its lowest level {least:g} m is not below its highest {most:g} m")
        if initial is not None and least is not None and initial < least:
            faults.append(f"its initial level {initial:g} m is below the lowest {least:g} m")
        if initial is not None and most is not None and initial > most:
            faults.append(f"its initial level {initial:g} m is above the highest {most:g} m")
        if c.get("diameter_m") is not None and c["diameter_m"] <= 0:
            faults.append(f"its diameter is {c['diameter_m']:g} m")
        if None not in (c.get("min_volume_m3"), c.get("capacity_m3")) and c["min_volume_m3"] > c["capacity_m3"]:
            faults.append(f"its least volume {c['min_volume_m3']:g} m3 is above its capacity {c['capacity_m3']:g} m3")
        if c.get("level_fraction") is not None and not 0 <= c["level_fraction"] <= 1:
            faults.append(f"it is {c['level_fraction']:.0%} full")
        if faults:
            yield Finding(f"Tank {c['name']}: {'; '.join(faults)}.", (c["id"],))


def materials_before_their_time(survey: Survey) -> Iterator[Finding]:
    """Pipes of a material that was not made yet in the year of their laying."""
    for c in survey.of("Pipe"):
        word = (c.get("material") or "").lower().replace("-", "_").replace(" ", "_")
        first = FIRST_MADE.get(_OTHER_NAMES.get(word, word))
        laid = c.get("install_date")
        if first is not None and laid is not None and laid.year < first:
            message = f"Pipe {c['name']} of {c['material']} is dated {laid.year}; the first was made in {first}."
            yield Finding(message, (c["id"],))


def impossible_dates(survey: Survey) -> Iterator[Finding]:
    """Install dates in the future or before there were mains, and lining before laying."""
    for c in survey.components.values():
        laid, lined = c.get("install_date"), c.get("lined_date")
        if laid is not None and (laid > survey.today or laid < _OLDEST):
            yield Finding(f"{c['type']} {c['name']} is dated {laid.isoformat()}.", (c["id"],))
        if laid is not None and lined is not None and lined < laid:
            message = f"Pipe {c['name']} was lined on {lined.isoformat()}, before it was laid on {laid.isoformat()}."
            yield Finding(message, (c["id"],))


_EVERYTHING = NODES | {"Pipe", "Pump", "Valve", "Hydrant", "Sensor"}

CHECKS = (
    Check("impossible-sizes", "Sizes of zero or less", Severity.ERROR, Category.HYDRAULICS,
          "Give the length or diameter; no engine runs without.", frozenset({"Pipe", "Valve"}), impossible_sizes),
    Check("odd-units", "Values that look like another unit", Severity.ERROR, Category.HYDRAULICS,
          "Correct the value, or the unit in the mapping it came by.", frozenset({"Pipe", "Valve", "Junction"}),
          odd_units),
    Check("far-elevations", "Elevations far from their neighbours'", Severity.WARNING, Category.HYDRAULICS,
          "Look the elevation up in a terrain model; a missing one is often 0.", frozenset({"Junction"}),
          far_elevations),
    Check("tank-levels", "Tanks whose levels contradict", Severity.ERROR, Category.HYDRAULICS,
          "Correct the levels: lowest below highest, the initial one between.", frozenset({"Tank"}), tank_levels),
    Check("material-before-its-time", "Materials not yet made in the install year", Severity.WARNING, Category.REGISTER,
          "Correct the material or the date; predictions use both.", frozenset({"Pipe"}), materials_before_their_time),
    Check("impossible-dates", "Install dates that cannot be", Severity.ERROR, Category.REGISTER,
          "Correct the date.", frozenset(_EVERYTHING), impossible_dates),
)  # fmt: skip
