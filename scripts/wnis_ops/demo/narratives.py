"""What crews, dispatchers and callers write: sentences put together from the facts of an incident."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wnis_ops.demo.failures import Mode
from wnis_ops.demo.hazard import Material

WORDS: dict[Material, tuple[str, ...]] = {
    Material.CAST_IRON: ("cast iron", "CI", "cast iron main"),
    Material.ASBESTOS_CEMENT: ("AC", "transite", "asbestos cement"),
    Material.DUCTILE_IRON: ("ductile", "ductile iron", "DI"),
    Material.PVC: ("PVC", "C900", "plastic main"),
}

_ARRIVALS = (
    "Called out for water in the road.",
    "Arrived {hour}, water running down the gutter.",
    "Sounded the main and pinpointed the leak with the correlator.",
    "Dispatch sent us for a wet spot that would not dry.",
    "Set up cones and flagger, utilities marked.",
    "Customer reported water bubbling up by the driveway.",
    "Tank was dropping overnight, walked the line and found it.",
    "Sheriff called it in, lane closed.",
    "Gate man valved it down to a trickle before we dug.",
    "",
)
_ENDS = (
    "Flushed from the hydrant and checked the chlorine, back in service {hour}.",
    "Backfilled with stone, cold patch on top.",
    "Turned the main back on slowly, no more leaks seen.",
    "Left steel plate, paving to follow.",
    "{customers} customers out for about {out} hours.",
    "Took bacti samples, boil water advisory until they clear.",
    "Mud all over, street crew to clean up.",
    "Kept positive pressure all through, no advisory needed.",
    "Compacted in lifts and seeded the yard.",
    "Valve {valve} would not seat, had to go one further out.",
    "",
)
_LEAKS = (
    ("Small weep at a joint of the {size} in. {pipe}, found by the leak survey.", "joint repaired"),
    ("Slow leak on the {size} in. {pipe}, green grass over it all summer. One clamp.", "repair clamp"),
    ("Correlator hit on the {size} in. {pipe}; dug and found a drip at an old clamp, changed it.", "repair clamp"),
    ("Packing of the line valve leaking by the {size} in. {pipe}, tightened it.", "tightened"),
    ("Service line leak at the main, {size} in. {pipe}, curb stop was wet. Ran new copper.", "service renewed"),
    ("Leak noise at night on the {size} in. {pipe}, about {gpm} gpm, bolts on the coupling gone thin.", "new bolts"),
    ("Old repair clamp on the {size} in. {pipe} had loosened, seeping into the storm drain.", "tightened"),
    ("Hydrant lead off the {size} in. {pipe} leaking underground, drain was plugged.", "joint repaired"),
    (
        "Night flow in the zone up by {gpm} gpm; step test led to the {size} in. {pipe}, joint sweating.",
        "joint repaired",
    ),
    ("Pin hole spray in the valve vault, {size} in. {pipe}, wrapped it until we can shut down.", "repair clamp"),
)
_LEAK_ENDS = (
    "Dry at {hour}.", "Listened again the next night, quiet.", "Leave it on the list for the next shut-down.",
    "Locates were open {out} days before we dug.", "Yard put back.", "",
)  # fmt: skip
_CALL_ENDS = (
    "Called back at {hour}.", "Left a door hanger.", "Crew checked {hour}, fine now.", "Second call from this block.",
    "Sample taken.", "Will watch it.", "Flushed {feet} minutes.", "",
)  # fmt: skip
_COMPLAINTS: dict[str, tuple[str, ...]] = {
    "low pressure": (
        "Customer on the hill says the shower drops to nothing in the morning. Gauge read {psi} psi at the spigot.",
        "Low pressure upstairs when the neighbours water their lawns, {psi} psi static at the meter.",
        "Pressure has been weak since the weekend, checked the street valve and found it half shut. {psi} psi before.",
        "Sprinklers will not pop up. Hydrant residual was {psi} psi.",
        "Caller has hardly any water after five o'clock. Their own regulator was set too low.",
    ),
    "discoloured water": (
        "Brown water at the tap after the main was shut, told the customer to run it.",
        "Laundry came out with rust stains. Flushed the dead end for 40 minutes until clear.",
        "Yellow water first thing in the morning, old iron line in that block.",
        "Water looks like tea, three houses in a row called.",
    ),
    "milky water": (
        "White cloudy water in the glass that clears from the bottom up: air after the repair.",
        "Milky water, air in the lines, bled at the hydrant.",
    ),
    "noise": (
        "Pipes bang when the pump starts, heard all down the street.",
        "Humming in the wall at night, regulator chatter.",
    ),
    "no water": (
        "No water at the house, meter had been left off after work in the street.",
        "Woke up to no water; service froze at the meter box.",
    ),
}
_QUALITY: dict[str, tuple[str, ...]] = {
    "low chlorine residual": (
        "Free chlorine {cl} mg/L at the dead end, flushed until it came up.",
        "Residual down to {cl} mg/L in the warm spell, opened the blow-off for an hour.",
    ),
    "taste and odour": (
        "Musty taste reported by several callers, reservoir turned over last week.",
        "Earthy smell, geosmin season; carbon feed raised at the plant.",
        "Smells like a swimming pool, residual was 2.9 mg/L near the booster.",
    ),
    "total coliform": (
        "Routine sample positive for total coliform, E. coli absent. Repeat samples taken up and down stream.",
        "Total coliform positive at the sample tap, aerator was dirty; repeats were clean.",
    ),
    "turbidity": (
        "Turbidity {ntu} NTU after the velocity in the main was reversed, sediment stirred up.",
        "Hydrant opened too fast by the contractor, {ntu} NTU for two hours.",
    ),
}
_OUTAGES = (
    "{customers} customers without water while the {size} in. main was repaired, {out} hours.",
    "Shut {valves} valves to isolate the {size} in. break, {customers} customers out from {hour}.",
    "Emergency shut down for the {size} in. main, bottled water handed out at the fire station.",
)
_POWER = (
    "Storm took out the power at the pump station, on generator for {out} hours, tank dropped {feet} ft.",
    "Pump tripped on phase loss in the thunderstorm, restarted by hand.",
    "Drive fault on the pump, high service pressure lost for {out} hours.",
)


@dataclass(frozen=True)
class Facts:
    """What a text may mention."""

    inches: int = 0
    material: Material = Material.CAST_IRON
    customers: int = 0
    hour: int = 8


def break_text(rng: np.random.Generator, mode: Mode, facts: Facts) -> tuple[str, str]:
    """The crew's remarks on a break, and the coded repair."""
    repair, how = mode.repairs[int(rng.integers(len(mode.repairs)))]
    finding = _one(rng, mode.findings)
    sentences = [_one(rng, _ARRIVALS), f"{finding}.", f"{how}.", _one(rng, _ENDS)]
    if rng.random() < 0.25:
        sentences.append(_one(rng, _ENDS[:-1]))
    return _styled(rng, _filled(rng, " ".join(dict.fromkeys(s for s in sentences if s)), facts)), repair


def leak_text(rng: np.random.Generator, facts: Facts) -> tuple[str, str]:
    """Remarks on a leak, and the coded repair."""
    text, repair = _LEAKS[int(rng.integers(len(_LEAKS)))]
    return _styled(rng, _filled(rng, f"{text} {_one(rng, _LEAK_ENDS)}".strip(), facts)), repair


def complaint_text(rng: np.random.Generator, about: str) -> str:
    """What was noted of a call."""
    return _call_text(rng, _COMPLAINTS[about])


def quality_text(rng: np.random.Generator, about: str) -> str:
    """What was noted of a quality problem."""
    return _call_text(rng, _QUALITY[about])


def _call_text(rng: np.random.Generator, texts: tuple[str, ...]) -> str:
    facts = Facts(hour=int(rng.integers(8, 18)))
    return _styled(rng, _filled(rng, f"{_one(rng, texts)} {_one(rng, _CALL_ENDS)}".strip(), facts))


def outage_text(rng: np.random.Generator, facts: Facts, *, power: bool = False) -> str:
    """What was noted of an outage."""
    return _styled(rng, _filled(rng, _one(rng, _POWER if power else _OUTAGES), facts))


def _one(rng: np.random.Generator, choices: tuple[str, ...]) -> str:
    return choices[int(rng.integers(len(choices)))]


def _filled(rng: np.random.Generator, text: str, facts: Facts) -> str:
    return text.format(
        size=facts.inches,
        pipe=_one(rng, WORDS[facts.material]),
        clamp=int(rng.choice([8, 12, 15, 20, 24])),
        feet=int(rng.integers(2, 14)),
        hour=f"{facts.hour:02d}{int(rng.choice([0, 15, 30, 45])):02d}",
        customers=max(1, facts.customers),
        out=int(rng.integers(2, 13)),
        valve=int(rng.integers(101, 980)),
        valves=int(rng.integers(2, 7)),
        gpm=int(rng.integers(1, 9)),
        psi=int(rng.integers(14, 34)),
        cl=f"{rng.uniform(0.05, 0.19):.2f}",
        ntu=f"{rng.uniform(1.5, 9):.1f}",
    )


_SHORT = (
    ("Found a ", "FND "), ("customers", "CUST"), ("customer", "CUST"), ("Circumferential break", "RND CRACK"),
    ("round crack", "rnd crack"), ("service", "svc"), ("with", "w/"), (" in. ", "\" "), ("Backfilled", "BKFL"),
    ("pressure", "press"), (" and ", " & "), ("hydrant", "hyd"), ("couplings", "cplgs"), ("coupling", "cplg"),
)  # fmt: skip


def _styled(rng: np.random.Generator, text: str) -> str:
    """Some write in capitals and short forms, most in sentences."""
    if rng.random() < 0.3:
        for long, short in _SHORT:
            text = text.replace(long, short)
        return text.upper()
    return text
