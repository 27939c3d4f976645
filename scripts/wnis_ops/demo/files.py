"""The demonstration's files, as a utility would export them from its own systems."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from wnis_ops.demo.history import Event, make_history
from wnis_ops.demo.network import Ground, read_ground
from wnis_ops.demo.register import (
    Asset,
    Connection,
    IsolationValve,
    make_connections,
    make_register,
    make_valves,
)

SEED = 4

_TIME = "%m/%d/%Y %H:%M"


@dataclass(frozen=True)
class Demonstration:
    """Everything that was drawn."""

    ground: Ground
    register: tuple[Asset, ...]
    connections: tuple[Connection, ...]
    valves: tuple[IsolationValve, ...]
    events: tuple[Event, ...]
    until: date
    seed: int


@dataclass(frozen=True)
class DemonstrationFiles:
    """Where its files are."""

    assets: Path
    connections: Path
    valves: Path
    incidents: Path


def draw(until: date, seed: int = SEED) -> Demonstration:
    """The demonstration of this seed with a history up to `until` (itself outside)."""
    ground = read_ground()
    register = make_register(ground, seed)
    connections = make_connections(ground, seed)
    valves = make_valves(ground, register, seed)
    events = make_history(ground, register, connections, until, seed)
    return Demonstration(ground, register, connections, valves, events, until, seed)


def write(demonstration: Demonstration, folder: Path) -> DemonstrationFiles:
    """Write the CSV files into `folder`.

    Keys of another seed than the demonstration's carry it: two histories in one utility must not share records.
    """
    prefix = "" if demonstration.seed == SEED else f"{demonstration.seed}-"
    folder.mkdir(parents=True, exist_ok=True)
    written = DemonstrationFiles(
        folder / "water_mains.csv",
        folder / "service_connections.csv",
        folder / "isolation_valves.csv",
        folder / "work_orders.csv",
    )
    _write(
        written.assets,
        ("ASSET_NO", "PIPE_NAME", "INSTALLED", "MATERIAL", "SIZE_IN", "LENGTH_FT"),
        (
            (
                prefix + a.asset_no, a.pipe, a.installed.strftime("%m/%d/%Y"), a.material.value,
                round(a.diameter_m / 0.0254, 2), round(a.length_m / 0.3048, 2),
            )
            for a in demonstration.register
        ),
    )  # fmt: skip
    _write(
        written.connections,
        ("METER_NO", "NAME", "CUSTOMERS", "CRITICAL", "NODE"),
        (
            (prefix + c.meter_no, c.name, c.customers, "Y" if c.critical else "N", c.node)
            for c in demonstration.connections
        ),
    )
    _write(
        written.valves,
        ("VALVE_NO", "PIPE_NAME", "NODE", "FROM_NODE_FT", "KIND", "INSTALLED", "CONDITION"),
        (
            (
                prefix + v.valve_no, v.pipe, v.node, round(v.offset_m / 0.3048, 2), v.kind,
                v.installed.strftime("%m/%d/%Y"), "SEIZED" if v.seized else "OK",
            )
            for v in demonstration.valves
        ),
    )  # fmt: skip
    _write(
        written.incidents,
        ("WORK_ORDER", "TYPE", "OCCURRED", "REPORTED", "ASSETS", "REMARKS", "PRIORITY", "CAUSE", "REPAIR", "STATE"),
        (
            (
                prefix + e.work_order, e.kind, e.occurred.strftime(_TIME), e.reported.strftime(_TIME),
                ";".join(e.assets), e.remarks, e.priority, e.cause, e.repair, e.state,
            )
            for e in demonstration.events
        ),
    )  # fmt: skip
    return written


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(header)
        out.writerows(rows)
