"""An INP file as a `NetworkModel`, read by WNTR; runs in a contained child."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wnis_core.errors import InvalidModel
from wnis_graph.network_model import (
    ImportRemark,
    JunctionModel,
    LinkStatus,
    NetworkModel,
    PipeModel,
    PumpModel,
    ReservoirModel,
    TankModel,
    ValveKind,
    ValveModel,
    to_document,
)

from wnis_simulator.inp_scan import Scan, scan_inp

Report = Callable[[float, str], None]

_WHOLE_HOUR = re.compile(r"(CLOCKTIME\s*[<>=]+\s*\d{1,2})\s+([AP]M)", re.IGNORECASE)
_NOT_NODES = (
    ("CONTROLS", "simple controls"),
    ("RULES", "lines of rules"),
    ("PATTERNS", "lines of patterns"),
    ("CURVES", "lines of curves"),
    ("EMITTERS", "emitters"),
    ("DEMANDS", "demand categories"),
    ("SOURCES", "quality sources"),
    ("ENERGY", "energy settings"),
    ("REACTIONS", "reaction settings"),
)


def parse_child(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """Entry of the contained child: ``{"path": ...}`` to the document of a `NetworkModel`."""
    report(0.1, "reading the file")
    scan = scan_inp(Path(arguments["path"]).read_bytes())
    report(0.3, "reading the model")
    model = _model(scan)
    report(1.0, "model read")
    return to_document(model)


def _model(scan: Scan) -> NetworkModel:
    network = _read_by_wntr(scan)
    junctions = []
    for name, junction in network.junctions():
        base = math.fsum(series.base_value for series in junction.demand_timeseries_list)
        junctions.append(
            JunctionModel(elevation_m=float(junction.elevation), base_demand_m3s=base, **_node(scan, name, junction))
        )
    return NetworkModel(
        title="\n".join(str(line) for line in network.title or ()).strip(),
        flow_unit=scan.flow_unit.value,
        headloss_formula=str(network.options.hydraulic.headloss),
        duration_s=float(network.options.time.duration),
        junctions=tuple(junctions),
        reservoirs=tuple(
            ReservoirModel(head_m=float(r.base_head), **_node(scan, name, r)) for name, r in network.reservoirs()
        ),
        tanks=tuple(_tank(scan, name, t) for name, t in network.tanks()),
        pipes=tuple(_pipe(scan, name, p) for name, p in network.pipes()),
        pumps=tuple(_pump(scan, name, p) for name, p in network.pumps()),
        valves=tuple(_valve(scan, name, v) for name, v in network.valves()),
        remarks=_remarks(scan),
    )


def _read_by_wntr(scan: Scan) -> Any:
    # takes seconds; a file that the scan refuses shall not wait for it
    import wntr
    from wntr.epanet.exceptions import EpanetException

    Path("decoded.inp").write_text(_text_for_wntr(scan), encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return wntr.network.WaterNetworkModel("decoded.inp")
        except (EpanetException, ValueError, KeyError, TypeError, AttributeError, IndexError, RuntimeError) as error:
            reasons = _reasons(error)
            raise InvalidModel(
                f"WNTR cannot read the model: {reasons}",
                mend="Correct the file, or open and save it in EPANET, and import it again; nothing was changed.",
                details={"section": None, "line": None, "id": None},
            ) from error


def _text_for_wntr(scan: Scan) -> str:
    """The text in UTF-8 and without the three things that EPANET reads and WNTR does not."""
    lines = scan.text.splitlines()
    if scan.hydraulics_line:
        lines[scan.hydraulics_line - 1] = ""
    # a default pattern that is not there means constant demand
    if scan.default_pattern_line and scan.default_pattern not in scan.patterns:
        lines[scan.default_pattern_line - 1] = ""
    # rules may say 6 AM for 6:00 AM
    return "\n".join(_WHOLE_HOUR.sub(r"\1:00 \2", line) for line in lines) + "\n"


def _reasons(error: BaseException) -> str:
    chain: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        words = " ".join(str(cause).split()).replace("decoded.inp", "the file")
        # EPANET's error 200 only says that there are others
        if words and not words.startswith("(Error 200)") and words not in chain:
            chain.append(words[:300])
        cause = cause.__cause__ or cause.__context__
    return "; ".join(chain) or type(error).__name__


def _node(scan: Scan, name: str, node: Any) -> dict[str, Any]:
    row = scan.nodes.get(name)
    x, y = node.coordinates if name in scan.located else (None, None)
    return {
        "name": name,
        "x": None if x is None else float(x),
        "y": None if y is None else float(y),
        "tag": node.tag or None,
        "description": (row.comment or None) if row else None,
    }


def _link(scan: Scan, name: str, link: Any) -> dict[str, Any]:
    row = scan.links.get(name)
    return {
        "name": name,
        "start": link.start_node_name,
        "end": link.end_node_name,
        "vertices": tuple((float(x), float(y)) for x, y in link.vertices),
        "tag": link.tag or None,
        "description": (row.comment or None) if row else None,
    }


def _tank(scan: Scan, name: str, tank: Any) -> TankModel:
    highest = float(tank.max_level)
    if tank.vol_curve_name:
        capacity = float(tank.get_volume(highest))
    else:
        lowest, area = float(tank.min_level), math.pi * float(tank.diameter) ** 2 / 4
        # the minimum volume stands for whatever shape lies below the lowest level
        below = float(tank.min_vol) if tank.min_vol else area * lowest
        capacity = below + area * (highest - lowest)
    return TankModel(
        elevation_m=float(tank.elevation),
        init_level_m=float(tank.init_level),
        min_level_m=float(tank.min_level),
        max_level_m=highest,
        diameter_m=float(tank.diameter),
        min_volume_m3=float(tank.min_vol),
        capacity_m3=capacity,
        **_node(scan, name, tank),
    )


def _status(link: Any) -> LinkStatus:
    return {"Closed": LinkStatus.CLOSED, "Active": LinkStatus.ACTIVE}.get(link.initial_status.name, LinkStatus.OPEN)


def _pipe(scan: Scan, name: str, pipe: Any) -> PipeModel:
    return PipeModel(
        length_m=float(pipe.length),
        diameter_m=float(pipe.diameter),
        roughness=float(pipe.roughness),
        minor_loss=float(pipe.minor_loss),
        status=_status(pipe),
        check_valve=bool(pipe.check_valve),
        **_link(scan, name, pipe),
    )


def _pump(scan: Scan, name: str, pump: Any) -> PumpModel:
    curve = pump.pump_type == "HEAD"
    speed = pump.initial_setting if pump.initial_setting is not None else pump.base_speed
    return PumpModel(
        power_w=None if curve else float(pump.power),
        head_curve=pump.pump_curve_name if curve else None,
        speed=float(speed),
        status=_status(pump),
        **_link(scan, name, pump),
    )


def _valve(scan: Scan, name: str, valve: Any) -> ValveModel:
    kind = ValveKind(valve.valve_type.lower())
    return ValveModel(
        kind=kind,
        diameter_m=float(valve.diameter),
        setting=None if kind is ValveKind.GPV or valve.initial_setting is None else float(valve.initial_setting),
        minor_loss=float(valve.minor_loss),
        status=_status(valve),
        **_link(scan, name, valve),
    )


def _remarks(scan: Scan) -> tuple[ImportRemark, ...]:
    remarks = [
        ImportRemark("info", f"{scan.counts[section]} {what} are kept in the source file.", section,
                     scan.first_line.get(section))
        for section, what in _NOT_NODES
        if scan.counts.get(section)
    ]  # fmt: skip
    if scan.encoding != "utf-8":
        remarks.append(ImportRemark("info", "The text is not UTF-8; it was read as Latin-1."))
    if not scan.ends:
        remarks.append(ImportRemark("warning", "There is no [END]; the file may have been cut off.", "END"))
    if scan.hydraulics_line:
        remarks.append(
            ImportRemark("warning", "HYDRAULICS names a file of hydraulics to read or write; it is ignored.",
                         "OPTIONS", scan.hydraulics_line)
        )  # fmt: skip
    lost = [name for name in scan.nodes if name not in scan.located]
    if lost and scan.located:
        remarks.append(
            ImportRemark("warning", f"{len(lost)} nodes have no coordinates, the first is {lost[0]}.", "COORDINATES")
        )
    elif lost:
        remarks.append(ImportRemark("warning", "No node has coordinates; the network has no map.", "COORDINATES"))
    return tuple(remarks)
