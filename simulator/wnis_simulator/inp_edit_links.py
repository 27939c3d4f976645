"""Changed properties of links, written into their lines and those of ``[STATUS]``.

What the engine makes of a status: of several lines in ``[STATUS]`` the last one counts; a pump that is OPEN there runs
at speed 1, whatever its own line says; a valve with a status there forgets its setting (``changestatus``).
"""

from __future__ import annotations

from wnis_core.errors import InvalidModel
from wnis_graph.network_model import LinkStatus, PipeModel, PumpModel, ValveKind, ValveModel

from wnis_simulator.inp_lines import Lines
from wnis_simulator.inp_read import FileUnits, InitialStatus, keywords_of
from wnis_simulator.inp_rows import CONTROL_VALVES, checked_name, figure
from wnis_simulator.inp_text import Row

_MOST_FIELDS = 8


def set_pipe(
    lines: Lines, units: FileUnits, row: Row, now: PipeModel, changed: frozenset[str], stated: InitialStatus
) -> None:
    """Length, diameter, roughness, minor loss, status and check valve."""
    for name, column, unit in (
        ("length_m", 3, units.flow.length_m),
        ("diameter_m", 4, units.flow.diameter_m),
        ("roughness", 5, units.roughness),
    ):
        if name in changed:
            lines.put(row, column, figure(getattr(now, name), unit))
    word = "CV" if now.check_valve else "CLOSED" if now.status is LinkStatus.CLOSED else "OPEN"
    by_status = "status" in changed and bool(stated.rows or stated.in_range) and not now.check_valve
    if by_status:
        _set_status(lines, now.name, stated, word)
    if "check_valve" in changed and now.check_valve:
        # the engine refuses a status of a check valve
        for one in stated.rows:
            lines.drop(one)
    restated = "check_valve" in changed or ("status" in changed and not by_status)
    if not restated and "minor_loss" not in changed:
        return
    count, loss = len(row.tokens), figure(now.minor_loss, 1.0)
    if count > _MOST_FIELDS:
        raise InvalidModel(
            f"The line of pipe {row.tokens[0]} has {count} fields, and EPANET reads minor loss and status from lines "
            f"of at most {_MOST_FIELDS}.",
            mend="Correct the line in the source file and import it again.",
            details={"section": row.section, "line": row.line, "id": row.tokens[0]},
        )
    alone = row.tokens[6] if count == _MOST_FIELDS - 1 else ""
    if alone and not _is_number(alone):
        # the status stands where the minor loss belongs
        last = word if restated else alone
        lines.put(row, 6, f"{loss} {last}" if "minor_loss" in changed else last)
        return
    if "minor_loss" in changed:
        lines.put(row, 6, loss)
    if restated:
        lines.put(row, 7, word)


def set_pump(
    lines: Lines, units: FileUnits, row: Row, now: PumpModel, changed: frozenset[str], stated: InitialStatus
) -> None:
    """Power or head curve, speed and status."""
    columns = keywords_of(row)
    old_format = not columns and len(row.tokens) > 3
    if {"power_w", "head_curve"} & changed:
        _set_drive(lines, units, row, now, columns, old_format)
    if not {"speed", "status"} & changed:
        return
    speed = figure(now.speed, 1.0)
    if "speed" in changed and "SPEED" in columns:
        lines.put(row, columns["SPEED"], speed)
    elif "speed" in changed and not old_format:
        lines.append(row, "SPEED", speed)
    if now.status is LinkStatus.CLOSED:
        if "status" in changed or _is_number(stated.word or ""):
            _set_status(lines, now.name, stated, "CLOSED")
    elif stated.word or (old_format and "speed" in changed):
        _set_status(lines, now.name, stated, "OPEN" if now.speed == 1 else speed)


def set_valve(
    lines: Lines, units: FileUnits, row: Row, now: ValveModel, changed: frozenset[str], stated: InitialStatus
) -> None:
    """Diameter, kind, setting, minor loss and status."""
    kind = ValveKind(row.tokens[4][:3].lower())
    present = now.kind if now.kind in CONTROL_VALVES else ValveKind.TCV
    if present is not kind:
        if ValveKind.GPV in (kind, present):
            raise InvalidModel(
                f"Valve {now.name} is of kind {now.kind} now and {kind} in the source file; one of the two has a "
                "head-loss curve instead of a setting.",
                mend="Export the network, make the change in the file and import it again.",
                details={"id": now.name},
            )
        lines.put(row, 4, present.value.upper())
    setting = figure(now.setting or 0.0, units.setting(present))
    if "diameter_m" in changed:
        lines.put(row, 3, figure(now.diameter_m, units.flow.diameter_m))
    if "minor_loss" in changed:
        lines.put(row, 6, figure(now.minor_loss, 1.0))
    if present is not ValveKind.GPV and ("setting" in changed or present is not kind):
        lines.put(row, 5, setting)
    active = now.status is LinkStatus.ACTIVE and now.kind in CONTROL_VALVES
    if active and present is not ValveKind.GPV:
        if stated.in_range:
            _set_status(lines, now.name, stated, setting)
        elif stated.word and {"status", "setting"} & changed:
            for one in stated.rows:
                lines.drop(one)
    elif {"status", "kind"} & changed:
        _set_status(lines, now.name, stated, "CLOSED" if now.status is LinkStatus.CLOSED else "OPEN")


def _set_drive(
    lines: Lines, units: FileUnits, row: Row, now: PumpModel, columns: dict[str, int], old_format: bool
) -> None:
    if now.power_w is None and not now.head_curve:
        raise InvalidModel(
            f"Pump {now.name} has neither a power nor a head curve any more.",
            mend="State one of the two.",
            details={"id": now.name},
        )
    keyword, value = ("HEAD", str(now.head_curve)) if now.power_w is None else (
        "POWER", figure(now.power_w, units.flow.power_w)
    )  # fmt: skip
    other = "POWER" if keyword == "HEAD" else "HEAD"
    if old_format:
        if keyword == "POWER" and len(row.tokens) == 4:
            lines.put(row, 3, value)
            return
        raise InvalidModel(
            f"The line of pump {row.tokens[0]} states its curve in the format of EPANET 1.",
            mend="Export the network, make the change in the file and import it again.",
            details={"section": row.section, "line": row.line, "id": row.tokens[0]},
        )
    if keyword == "HEAD":
        checked_name(value)
    if keyword in columns:
        lines.put(row, columns[keyword], value)
        if other in columns:
            lines.put(row, columns[other] - 1, "")
            lines.put(row, columns[other], "")
    elif other in columns:
        lines.put(row, columns[other] - 1, keyword)
        lines.put(row, columns[other], value)
    else:
        lines.append(row, keyword, value)


def _set_status(lines: Lines, name: str, stated: InitialStatus, word: str) -> None:
    if stated.rows and not stated.in_range:
        lines.put(stated.rows[-1], 1, word)
    else:
        lines.insert("STATUS", f" {checked_name(name)} {word}")


def _is_number(word: str) -> bool:
    return bool(word) and word[0] in "+-.0123456789"
