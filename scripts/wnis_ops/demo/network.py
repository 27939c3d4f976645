"""Network ky4 of the installed WNTR package: the pipes and junctions that the generator gives a history."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from wnis_core.errors import Failure

NETWORK_ID = "ky4"

TITLE = "ky4 of the Kentucky research data set as WNTR ships it, run for 24 hours instead of one moment"

CRS = "EPSG:3089"
"""Kentucky's single zone in US survey feet. Pipe lengths are 1.000 times (median) the length of their
lines under it, and it puts the network into north-central Kentucky (38.0 N, 85.6 W); the zones of north and
south Kentucky (EPSG:2246, 2247) would put it outside the state."""


@dataclass(frozen=True)
class Main:
    """A pipe: its length, inner diameter and middle (coordinates of the file, US survey feet)."""

    name: str
    start: str
    end: str
    length_m: float
    diameter_m: float
    x: float
    y: float


@dataclass(frozen=True)
class Node:
    """A junction with its demand and height."""

    name: str
    x: float
    y: float
    elevation_m: float
    demand_m3s: float


@dataclass(frozen=True)
class Ground:
    """What the generator knows of the network, in the order of the file."""

    mains: tuple[Main, ...]
    nodes: tuple[Node, ...]
    pumps: tuple[str, ...]
    tanks: tuple[str, ...]


def inp_file() -> Path:
    """ky4.inp of the installed WNTR package."""
    return Path(str(files("wntr"))) / "library" / "networks" / "ky4.inp"


def write_inp(folder: Path) -> Path:
    """ky4 over a day, as ``ky4.inp`` in `folder`.

    The package's file states a duration of 0, a single moment, although it has a daily demand pattern, tank levels and
    controls: the period is the one thing that is changed, and the title says so.
    """
    text = inp_file().read_text(encoding="utf-8")
    daily, periods = re.subn(r"(?m)^( Duration\s+)0\s*$", r"\g<1>24:00", text)
    titled, titles = re.subn(r"(?m)^\[TITLE\]$", f"[TITLE]\n{TITLE}", daily)
    if (periods, titles) != (1, 1):
        raise Failure("The ky4.inp of the installed WNTR package is not the one that the demonstration knows.")
    written = folder / "ky4.inp"
    written.write_text(titled, encoding="utf-8")
    return written


@lru_cache(maxsize=1)
def read_ground() -> Ground:
    """The network's pipes and junctions."""
    from wntr.network import WaterNetworkModel  # a second to import: only when the demonstration is made

    model = WaterNetworkModel(str(inp_file()))

    def middle(start: str, end: str) -> tuple[float, float]:
        (ax, ay), (bx, by) = (model.get_node(n).coordinates for n in (start, end))
        return ((ax + bx) / 2, (ay + by) / 2)

    return Ground(
        mains=tuple(
            Main(
                name,
                p.start_node_name,
                p.end_node_name,
                p.length,
                p.diameter,
                *middle(p.start_node_name, p.end_node_name),
            )
            for name, p in model.pipes()
        ),
        nodes=tuple(
            Node(name, j.coordinates[0], j.coordinates[1], j.elevation, j.base_demand) for name, j in model.junctions()
        ),
        pumps=tuple(model.pump_name_list),
        tanks=tuple(model.tank_name_list),
    )
