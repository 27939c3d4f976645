"""How a main of some material fails in the words of the trade: mode, cause, finding, repair."""

from __future__ import annotations

from dataclasses import dataclass

from wnis_ops.demo.hazard import Material

CI, AC, DI, PVC = Material.CAST_IRON, Material.ASBESTOS_CEMENT, Material.DUCTILE_IRON, Material.PVC

LARGE_M = 0.25
"""From 10 inches on, cast iron splits along its length more often than around."""

CLAMPED, CUT_IN, JOINT_WORK, RETAPPED = "repair clamp", "cut in new pipe", "joint repaired", "service re-tapped"


@dataclass(frozen=True)
class Mode:
    """One way to fail. Texts take {size} (inches), {pipe} (material in words), {clamp}, {feet}."""

    cause: str
    findings: tuple[str, ...]
    repairs: tuple[tuple[str, str], ...]


_CLAMPS = (
    (CLAMPED, "Put on a {size}x{clamp} full circle clamp"),
    (CLAMPED, "Set a {clamp} in. stainless full circle clamp, tightened the bolts in turn, dry"),
    (CLAMPED, "Cleaned the barrel and wrapped it with a {clamp} in. clamp"),
)
_CUTS = (
    (CUT_IN, "Cut out {feet} ft and put in {size} in. ductile with two couplings"),
    (CUT_IN, "Shut down, cut in {feet} ft of {size} in. PVC with two long solid sleeves"),
    (CUT_IN, "Took out the bad length, {feet} ft, new ductile spool with two transition couplings"),
)
_JOINTS = (
    (JOINT_WORK, "Put a bell joint clamp on it"),
    (JOINT_WORK, "Dug back both sides and re-caulked the lead"),
    (JOINT_WORK, "Pulled the joint, new gasket, restrained it"),
)
_TAPS = (
    (RETAPPED, "New stainless saddle and corp, service back on"),
    (RETAPPED, "Plugged the old tap with a clamp, re-tapped 2 ft over with a double strap saddle"),
)

AROUND = Mode(
    "ground movement",
    (
        "Found a round crack on the {size} in. {pipe}",
        "{size} in. {pipe} had snapped clean around",
        "Circumferential break on the {size} in. {pipe}, about an eighth of an inch open",
        "Beam break on {size} in. {pipe}, main had dropped on one side",
        "Full circle crack, {size} in. {pipe}, water coming up both sides of the pavement",
    ),
    _CLAMPS,
)
FROST = Mode(
    "frost load",
    (
        "Round crack on the {size} in. {pipe}, frost down past the top of pipe",
        "{size} in. {pipe} broke around under frozen ground, had to use the breaker to get through",
        "Another cold weather break, {size} in. {pipe} cracked all the way around",
        "Circumferential break, {size} in. {pipe}; water in the mains was down to 36 F",
        "{size} in. {pipe} let go after the hard freeze, clean ring crack",
    ),
    _CLAMPS,
)
ALONG = Mode(
    "pressure surge",
    (
        "{size} in. {pipe} split lengthwise, {feet} ft of it laid open",
        "Longitudinal split on the {size} in. {pipe}, blew a hole in the street",
        "Main ruptured along the barrel, {feet} ft, street undermined",
        "Long crack running into the bell on the {size} in. {pipe}, came right after the pumps cycled",
    ),
    _CUTS,
)
PITTED = Mode(
    "corrosion",
    (
        "Rust hole the size of a quarter in the bottom of the {size} in. {pipe}",
        "Pinholes along {feet} ft of {size} in. {pipe}, wall is graphitized and soft under the knife",
        "Corrosion hole at five o'clock on the {size} in. {pipe}, hot clay around it",
        "{size} in. {pipe} pitted through; wrap was torn where the hole is",
        "Found a blow hole in the {size} in. {pipe}, pits all around it",
    ),
    (*_CLAMPS, _CUTS[0]),
)
BELL = Mode(
    "joint failure",
    (
        "Bell was split at the joint on the {size} in. {pipe}",
        "Lead joint weeping on the {size} in. {pipe}, half of it pushed out",
        "Joint pulled apart on the {size} in. {pipe}, ground has settled there",
        "Leadite joint let go on the {size} in. {pipe}",
    ),
    _JOINTS[:2],
)
GASKET = Mode(
    "joint failure",
    (
        "Gasket rolled at the bell of the {size} in. {pipe}",
        "Push-on joint of the {size} in. {pipe} leaking, spigot was homed past the line",
        "Joint on the {size} in. {pipe} deflected too far, gasket out on the low side",
    ),
    (_JOINTS[0], _JOINTS[2]),
)
SADDLE = Mode(
    "failed tap",
    (
        "Bolts of the service saddle rusted off on the {size} in. {pipe}",
        "Corp stop blew out of the {size} in. {pipe}",
        "Tap pulled loose at the saddle, {size} in. {pipe}, washed out under the curb",
    ),
    _TAPS,
)
SOFT = Mode(
    "wall softened",
    (
        "{size} in. {pipe} soft all the way through, came apart in the hand",
        "Transite wall is mush on the outside, {size} in., split under its own cover",
        "{size} in. {pipe} has gone soft, cannot get a clamp to seal on it",
    ),
    _CUTS,
)
DRY_GROUND = Mode(
    "shrinking clay",
    (
        "Clay has pulled away in the dry spell, {size} in. {pipe} broke around over the gap",
        "Ground cracked open along the shoulder, {size} in. {pipe} snapped like a beam",
        "{size} in. {pipe} sheared at the coupling, no rain for weeks and the fill has shrunk",
    ),
    (*_CLAMPS, _CUTS[1]),
)
SPLIT = Mode(
    "material weakness",
    (
        "{size} in. {pipe} split end to end of the stick, {feet} ft",
        "Crack ran from the bell down the {size} in. {pipe}, sharp edges, no warning",
        "Whole joint of {size} in. {pipe} opened up along the print line",
    ),
    _CUTS,
)
TAPPED = Mode(
    "workmanship at tap",
    (
        "{size} in. {pipe} cracked out from the tap, tapped too close to the bell",
        "Direct tap in the {size} in. {pipe} split the wall both ways",
        "Saddle was over-tightened, {size} in. {pipe} broke under it",
    ),
    (_CUTS[1], _TAPS[1]),
)
ROCK = Mode(
    "poor bedding",
    (
        "Rock against the bottom of the {size} in. {pipe}, wore through",
        "{size} in. {pipe} was laid on ledge with no bedding, point load broke it",
        "Shot rock in the trench, hole punched in the {size} in. {pipe}",
    ),
    (*_CLAMPS[:2], _CUTS[1]),
)
HIT = Mode(
    "third party damage",
    (
        "Contractor hit the {size} in. {pipe} with the trackhoe, no locate ticket",
        "Fiber crew bored through the {size} in. {pipe}",
        "Backhoe tooth went in the top of the {size} in. {pipe} at the new culvert",
        "Fence post auger hit the {size} in. {pipe}, marks were four feet off",
    ),
    (*_CLAMPS, _CUTS[1]),
)


def modes_of(material: Material, diameter_m: float, month: int) -> dict[Mode, float]:
    """The ways a main may fail, with their chances."""
    cold = month in (12, 1, 2, 3)
    dry = month in (7, 8, 9)
    match material:
        case Material.CAST_IRON if diameter_m >= LARGE_M:
            return {ALONG: 0.38, BELL: 0.28, PITTED: 0.18, FROST if cold else AROUND: 0.13, HIT: 0.03}
        case Material.CAST_IRON if cold:
            return {FROST: 0.52, AROUND: 0.12, PITTED: 0.15, BELL: 0.13, ALONG: 0.05, SADDLE: 0.03}
        case Material.CAST_IRON:
            return {AROUND: 0.36, PITTED: 0.28, BELL: 0.18, ALONG: 0.07, SADDLE: 0.06, HIT: 0.05}
        case Material.ASBESTOS_CEMENT:
            return {DRY_GROUND if dry else AROUND: 0.48, SOFT: 0.28, ALONG: 0.10, SADDLE: 0.06, HIT: 0.08}
        case Material.DUCTILE_IRON:
            return {PITTED: 0.48, GASKET: 0.16, SADDLE: 0.18, ROCK: 0.07, HIT: 0.11}
        case Material.PVC:
            return {SPLIT: 0.26, TAPPED: 0.20, GASKET: 0.20, ROCK: 0.13, HIT: 0.21}
