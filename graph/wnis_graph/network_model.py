"""The neutral network model: what the simulator reads from a file and the graph persists.

Canonical SI (m, m3/s, s, m of head); names are the source's own, graph ids come later. Terms follow WNTR.
All classes are plain frozen dataclasses that survive JSON (`to_document`, `from_document`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any


class LinkStatus(StrEnum):
    """Initial status of a link; ``active`` is a valve under its own control."""

    OPEN = "open"
    CLOSED = "closed"
    ACTIVE = "active"


class ValveKind(StrEnum):
    """EPANET's control valves and the isolation valves of asset registers."""

    PRV = "prv"
    PSV = "psv"
    PBV = "pbv"
    FCV = "fcv"
    TCV = "tcv"
    GPV = "gpv"
    GATE = "gate"
    BUTTERFLY = "butterfly"
    BALL = "ball"
    PLUG = "plug"
    CHECK = "check"


@dataclass(frozen=True)
class JunctionModel:
    """A junction. `base_demand_m3s` is the sum over its demand categories before patterns and multiplier."""

    name: str
    elevation_m: float
    base_demand_m3s: float = 0.0
    x: float | None = None
    y: float | None = None
    tag: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class ReservoirModel:
    name: str
    head_m: float
    x: float | None = None
    y: float | None = None
    tag: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class TankModel:
    """A tank; levels in m above `elevation_m`. A tank from a register may state its volume only."""

    name: str
    elevation_m: float
    init_level_m: float | None = None
    min_level_m: float | None = None
    max_level_m: float | None = None
    diameter_m: float | None = None
    min_volume_m3: float | None = None
    capacity_m3: float | None = None
    level_fraction: float | None = None
    install_date: date | None = None
    x: float | None = None
    y: float | None = None
    tag: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class PipeModel:
    """A pipe. `vertices` are the bends between its end nodes, in the file's coordinates."""

    name: str
    start: str
    end: str
    length_m: float
    diameter_m: float
    roughness: float | None = None
    minor_loss: float = 0.0
    status: LinkStatus = LinkStatus.OPEN
    check_valve: bool = False
    material: str | None = None
    install_date: date | None = None
    vertices: tuple[tuple[float, float], ...] = ()
    tag: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class PumpModel:
    """A pump: either constant power or a head curve (name), with its relative speed."""

    name: str
    start: str
    end: str
    power_w: float | None = None
    head_curve: str | None = None
    speed: float = 1.0
    status: LinkStatus = LinkStatus.OPEN
    vertices: tuple[tuple[float, float], ...] = ()
    tag: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class ValveModel:
    """A valve. `setting` is in SI: m of pressure (PRV, PSV, PBV), m3/s (FCV), loss coefficient (TCV)."""

    name: str
    start: str
    end: str
    kind: ValveKind
    diameter_m: float
    setting: float | None = None
    minor_loss: float = 0.0
    status: LinkStatus = LinkStatus.ACTIVE
    install_date: date | None = None
    vertices: tuple[tuple[float, float], ...] = ()
    tag: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class ZoneModel:
    """A zone by name; `members` are node names. `kind` is ``district`` (from tags) or ``pressure`` (derived)."""

    name: str
    kind: str
    members: tuple[str, ...]
    id: str | None = None


@dataclass(frozen=True)
class ImportRemark:
    """Something in the source that was kept, reinterpreted or not modelled as nodes."""

    severity: str
    message: str
    section: str | None = None
    line: int | None = None
    component: str | None = None


@dataclass(frozen=True)
class NetworkModel:
    """A whole network. Link ends name nodes of this model.

    `link_to_link` lists joints without a node between (start link, end link): asset registers have them, EPANET
    does not, and such a network cannot be simulated or exported. At such a joint the link's end is empty (``""``).
    """

    title: str
    flow_unit: str
    headloss_formula: str
    duration_s: float
    junctions: tuple[JunctionModel, ...] = ()
    reservoirs: tuple[ReservoirModel, ...] = ()
    tanks: tuple[TankModel, ...] = ()
    pipes: tuple[PipeModel, ...] = ()
    pumps: tuple[PumpModel, ...] = ()
    valves: tuple[ValveModel, ...] = ()
    zones: tuple[ZoneModel, ...] = ()
    remarks: tuple[ImportRemark, ...] = ()
    link_to_link: tuple[tuple[str, str], ...] = field(default=())


def to_document(model: NetworkModel) -> dict[str, Any]:
    """`model` as JSON types."""
    document = asdict(model)
    for kind in ("tanks", "pipes", "valves"):
        for item in document[kind]:
            if item.get("install_date") is not None:
                item["install_date"] = item["install_date"].isoformat()
    return document


def from_document(document: dict[str, Any]) -> NetworkModel:
    """The model that `to_document` wrote."""

    def dated(item: dict[str, Any]) -> dict[str, Any]:
        given = item.get("install_date")
        return {**item, "install_date": date.fromisoformat(given) if given else None}

    def link(item: dict[str, Any]) -> dict[str, Any]:
        bends = tuple((float(x), float(y)) for x, y in item.get("vertices", ()))
        return {**item, "vertices": bends, "status": LinkStatus(item["status"])}

    return NetworkModel(
        title=document["title"],
        flow_unit=document["flow_unit"],
        headloss_formula=document["headloss_formula"],
        duration_s=document["duration_s"],
        junctions=tuple(JunctionModel(**j) for j in document["junctions"]),
        reservoirs=tuple(ReservoirModel(**r) for r in document["reservoirs"]),
        tanks=tuple(TankModel(**dated(t)) for t in document["tanks"]),
        pipes=tuple(PipeModel(**dated(link(p))) for p in document["pipes"]),
        pumps=tuple(PumpModel(**link(p)) for p in document["pumps"]),
        valves=tuple(ValveModel(**{**dated(link(v)), "kind": ValveKind(v["kind"])}) for v in document["valves"]),
        zones=tuple(ZoneModel(**{**z, "members": tuple(z["members"])}) for z in document["zones"]),
        remarks=tuple(ImportRemark(**r) for r in document["remarks"]),
        link_to_link=tuple((a, b) for a, b in document["link_to_link"]),
    )
