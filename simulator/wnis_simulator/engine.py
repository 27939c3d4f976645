"""The EPANET 2.2 engine that WNTR carries, through ctypes: one project, in this process.

Always used in a contained child: a file that the engine cannot stomach aborts or hangs the whole process. The shared
library is found without importing wntr, which takes seconds.
"""

from __future__ import annotations

import ctypes
import importlib.util
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from enum import IntEnum
from pathlib import Path

from wnis_core.errors import Failure, InvalidModel

ENGINE, ENGINE_VERSION = "EPANET", "2.2.0"

_FOLDERS = {
    ("Linux", "x86_64"): ("linux-x64", "libepanet22.so"),
    ("Darwin", "x86_64"): ("darwin-x64", "libepanet22.dylib"),
    ("Darwin", "arm64"): ("darwin-arm", "libepanet2.dylib"),
    ("Windows", "AMD64"): ("windows-x64", "epanet22.dll"),
}
_SAVE_HYDRAULICS = 1
_SERIES = 0
_MESSAGE_BYTES = 256
_NAME_BYTES = 64
_CONTROLS = 5
_WARNINGS = range(1, 100)
UNBALANCED = 1


class NodeValue(IntEnum):
    """Properties of nodes, by their number in the toolkit."""

    ELEVATION = 0
    TANK_LEVEL = 8
    TANK_DIAMETER = 17
    MIN_VOLUME = 18
    VOLUME_CURVE = 19
    MIN_LEVEL = 20
    MAX_LEVEL = 21


class LinkValue(IntEnum):
    """Properties of links, by their number in the toolkit."""

    DIAMETER = 0
    LENGTH = 1
    ROUGHNESS = 2
    MINOR_LOSS = 3
    INITIAL_STATUS = 4
    INITIAL_SETTING = 5
    PUMP_POWER = 18


class LinkKind(IntEnum):
    """Types of links, by their number in the toolkit."""

    CHECK_VALVE_PIPE = 0
    PIPE = 1
    PUMP = 2
    PRV = 3
    PSV = 4
    PBV = 5
    FCV = 6
    TCV = 7
    GPV = 8


class TimeParameter(IntEnum):
    DURATION = 0
    HYDRAULIC_STEP = 1
    REPORT_STEP = 5
    REPORT_START = 6
    STATISTIC = 8


@dataclass(frozen=True)
class DemandModel:
    """EPANET's demand model; pressures in the file's unit. `kind` is ``DDA`` or ``PDA``."""

    kind: str
    minimum_pressure: float
    required_pressure: float
    exponent: float


@dataclass(frozen=True)
class Tank:
    """A tank in the file's units; levels above `elevation`."""

    elevation: float
    init_level: float
    min_level: float
    max_level: float
    diameter: float
    min_volume: float


@dataclass(frozen=True)
class _Control:
    number: int
    kind: int
    link: int
    setting: float
    node: int
    level: float


@dataclass(frozen=True)
class Moment:
    """One hydraulic solution: its time, and the engine's warning number (0 = none)."""

    time_s: int
    warning: int


class EngineError(InvalidModel):
    """The engine refused or gave up; `number` is its error code."""

    def __init__(self, number: int, message: str, time_s: int | None = None) -> None:
        at = "" if time_s is None else f" at {clock(time_s)}"
        super().__init__(f"EPANET{at}: {message}", details={"epanet_error": number, "time_s": time_s})
        self.number = number


def clock(seconds: float) -> str:
    """Hours, minutes and seconds of a simulated time."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02} h"


def wntr_folder() -> Path:
    """Where wntr is installed, found without importing it, which takes seconds."""
    found = importlib.util.find_spec("wntr")
    if found is None or found.origin is None:
        raise Failure("The Python package wntr is not installed.", mend="Run make setup.")
    return Path(found.origin).parent


def library_path() -> Path:
    """The shared library of the pinned engine."""
    place = _FOLDERS.get((platform.system(), platform.machine()))
    if place is None:
        raise Failure(
            f"There is no EPANET library for {platform.system()} on {platform.machine()}.",
            mend="Use Linux x86_64, macOS or Windows.",
        )
    return wntr_folder() / "epanet" / "libepanet" / place[0] / place[1]


class Engine:
    """One project of the engine, opened on an input file of the current folder."""

    def __init__(self, input_file: str, report_file: str, output_file: str) -> None:
        self._library = ctypes.CDLL(str(library_path()))
        self._project = ctypes.c_void_p()
        self._check(self._library.EN_createproject(ctypes.byref(self._project)))
        code = self._library.EN_open(self._project, input_file.encode(), report_file.encode(), output_file.encode())
        if code not in _WARNINGS and code != 0:
            self._library.EN_deleteproject(self._project)
            raise EngineError(code, self.message(code))
        # whatever the file asks to report, we want every reported step and the words of every warning
        self._call("EN_settimeparam", TimeParameter.STATISTIC, _SERIES)
        for line in ("MESSAGES YES", "STATUS NO", "SUMMARY NO"):
            self._call("EN_setreport", line.encode())

    def close(self) -> None:
        """Flush and give back everything."""
        self._library.EN_close(self._project)
        self._library.EN_deleteproject(self._project)

    def version(self) -> str:
        """Version of the engine, such as ``2.2.0``."""
        number = ctypes.c_int()
        self._check(self._library.EN_getversion(ctypes.byref(number)))
        return f"{number.value // 10000}.{number.value // 100 % 100}.{number.value % 100}"

    def message(self, code: int) -> str:
        """The engine's words for an error or warning number."""
        words = ctypes.create_string_buffer(_MESSAGE_BYTES)
        self._library.EN_geterror(code, words, _MESSAGE_BYTES - 1)
        return words.value.decode("utf-8", "replace").strip() or f"error {code}"

    def flow_unit_number(self) -> int:
        number = ctypes.c_int()
        self._call("EN_getflowunits", ctypes.byref(number))
        return number.value

    def time_parameter(self, which: TimeParameter) -> int:
        seconds = ctypes.c_long()
        self._call("EN_gettimeparam", which, ctypes.byref(seconds))
        return seconds.value

    def demand_model(self) -> DemandModel:
        kind, values = ctypes.c_int(), [ctypes.c_double() for _ in range(3)]
        self._call("EN_getdemandmodel", ctypes.byref(kind), *(ctypes.byref(v) for v in values))
        return DemandModel("PDA" if kind.value else "DDA", *(v.value for v in values))

    def set_demand_model(self, model: DemandModel) -> None:
        self._call(
            "EN_setdemandmodel",
            1 if model.kind == "PDA" else 0,
            ctypes.c_double(model.minimum_pressure),
            ctypes.c_double(model.required_pressure),
            ctypes.c_double(model.exponent),
        )

    def node_index(self, name: str) -> int:
        return self._index("EN_getnodeindex", name)

    def link_index(self, name: str) -> int:
        return self._index("EN_getlinkindex", name)

    def node_value(self, index: int, which: NodeValue) -> float:
        value = ctypes.c_double()
        self._call("EN_getnodevalue", index, which, ctypes.byref(value))
        return value.value

    def set_node_value(self, index: int, which: NodeValue, value: float) -> None:
        self._call("EN_setnodevalue", index, which, ctypes.c_double(value))

    def tank(self, index: int) -> Tank:
        """The tank as it stands."""
        return Tank(
            elevation=self.node_value(index, NodeValue.ELEVATION),
            init_level=self.node_value(index, NodeValue.TANK_LEVEL),
            min_level=self.node_value(index, NodeValue.MIN_LEVEL),
            max_level=self.node_value(index, NodeValue.MAX_LEVEL),
            diameter=self.node_value(index, NodeValue.TANK_DIAMETER),
            min_volume=self.node_value(index, NodeValue.MIN_VOLUME),
        )

    def set_tank(self, index: int, tank: Tank) -> None:
        """Make the tank so, with its volume curve; raises `EngineError` when its levels contradict each other."""
        number = int(self.node_value(index, NodeValue.VOLUME_CURVE))
        curve = ctypes.create_string_buffer(_NAME_BYTES)
        if number:
            self._call("EN_getcurveid", number, curve)
        self._call("EN_settankdata", index, *(ctypes.c_double(value) for value in astuple(tank)), curve)

    @contextmanager
    def controls_kept(self, node: int) -> Iterator[None]:
        """Keep the levels at which controls act on what `node` does, while its elevation changes.

        The engine remembers heads, not levels, and does not move them with the node.

        Raises
        ------
        InvalidModel
            a valve is controlled by the node: the engine does not tell whether to a setting or to a status
        """
        controls = [c for c in map(self._control, range(1, self._control_count() + 1)) if c.node == node]
        for control in controls:
            if self.link_kind(control.link) >= LinkKind.PRV:
                raise InvalidModel(
                    "A valve is controlled by a node whose elevation or levels were changed.",
                    mend="Export the network, make the change in the file and import it again.",
                )
        yield
        for c in controls:
            level, setting = ctypes.c_double(c.level), ctypes.c_double(c.setting)
            self._call("EN_setcontrol", c.number, c.kind, c.link, setting, node, level)

    def _control_count(self) -> int:
        count = ctypes.c_int()
        self._call("EN_getcount", _CONTROLS, ctypes.byref(count))
        return count.value

    def _control(self, number: int) -> _Control:
        kind, link, node = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
        setting, level = ctypes.c_double(), ctypes.c_double()
        places = (ctypes.byref(one) for one in (kind, link, setting, node, level))
        self._call("EN_getcontrol", number, *places)
        return _Control(number, kind.value, link.value, setting.value, node.value, level.value)

    def link_value(self, index: int, which: LinkValue) -> float:
        value = ctypes.c_double()
        self._call("EN_getlinkvalue", index, which, ctypes.byref(value))
        return value.value

    def set_link_value(self, index: int, which: LinkValue, value: float) -> None:
        self._call("EN_setlinkvalue", index, which, ctypes.c_double(value))

    def link_kind(self, index: int) -> LinkKind:
        number = ctypes.c_int()
        self._call("EN_getlinktype", index, ctypes.byref(number))
        return LinkKind(number.value)

    def base_demands(self, node: int) -> list[float]:
        """Base demand of each category of a junction, in the file's flow unit."""
        count = ctypes.c_int()
        self._call("EN_getnumdemands", node, ctypes.byref(count))
        demands = []
        for category in range(1, count.value + 1):
            value = ctypes.c_double()
            self._call("EN_getbasedemand", node, category, ctypes.byref(value))
            demands.append(value.value)
        return demands

    def set_base_demand(self, node: int, category: int, value: float) -> None:
        self._call("EN_setbasedemand", node, category, ctypes.c_double(value))

    def set_demand_pattern(self, node: int, category: int, pattern: str) -> None:
        """Have a demand follow a pattern of the file; one that is not there is no pattern."""
        index = ctypes.c_int()
        if self._library.EN_getpatternindex(self._project, pattern.encode(), ctypes.byref(index)) == 0:
            self._call("EN_setdemandpattern", node, category, index.value)

    def set_head_curve(self, pump: int, curve: str) -> None:
        """Have a pump run on a head curve of the file."""
        self._call("EN_setheadcurveindex", pump, self._index("EN_getcurveindex", curve))

    def delete_node(self, name: str) -> None:
        """Take a node out with its links and every control that names them."""
        self._call("EN_deletenode", self.node_index(name), 0)

    def delete_link(self, name: str) -> None:
        """Take a link out with every control that names it."""
        self._call("EN_deletelink", self.link_index(name), 0)

    def add_junction(self, name: str) -> int:
        index = ctypes.c_int()
        self._call("EN_addnode", name.encode(), 0, ctypes.byref(index))
        return index.value

    def add_link(self, name: str, kind: LinkKind, start: str, end: str) -> int:
        index = ctypes.c_int()
        self._call("EN_addlink", name.encode(), kind, start.encode(), end.encode(), ctypes.byref(index))
        return index.value

    def save_input(self, path: str) -> None:
        """Write the model as it stands to an input file."""
        self._call("EN_saveinpfile", path.encode())

    def solve(self) -> Iterator[Moment]:
        """Solve the hydraulics moment by moment; afterwards the output file holds every reported step.

        Raises
        ------
        EngineError
            the engine gave up, or a solution is not balanced
        """
        with self._hydraulics():
            time_s, step_s = ctypes.c_long(), ctypes.c_long(1)
            while step_s.value > 0:
                code = self._library.EN_runH(self._project, ctypes.byref(time_s))
                if code not in _WARNINGS and code != 0:
                    raise EngineError(code, self.message(code), time_s.value)
                if code == UNBALANCED:
                    raise EngineError(
                        code, "the system is hydraulically unbalanced; there is no solution.", time_s.value
                    )
                yield Moment(time_s.value, code)
                code = self._library.EN_nextH(self._project, ctypes.byref(step_s))
                if code not in _WARNINGS and code != 0:
                    raise EngineError(code, self.message(code), time_s.value)
        self._call("EN_saveH")

    @contextmanager
    def _hydraulics(self) -> Iterator[None]:
        self._call("EN_openH")
        try:
            self._call("EN_initH", _SAVE_HYDRAULICS)
            yield
        finally:
            self._library.EN_closeH(self._project)

    def _index(self, function: str, name: str) -> int:
        index = ctypes.c_int()
        self._call(function, name.encode(), ctypes.byref(index))
        return index.value

    def _call(self, function: str, *arguments: object) -> None:
        self._check(getattr(self._library, function)(self._project, *arguments))

    def _check(self, code: int) -> None:
        if code != 0 and code not in _WARNINGS:
            raise EngineError(code, self.message(code))


def refused_input(error: EngineError, report: Path) -> InvalidModel:
    """Why the engine refused to open its input: the first complaint of its report, with the line that it names."""
    complaint, line = "", ""
    if report.exists():
        lines = report.read_text("utf-8", "replace").splitlines()
        for number, text in enumerate(lines):
            words = text.strip()
            if words.startswith("Error ") and not words.startswith("Error 200"):
                complaint = words.rstrip(":")
                line = lines[number + 1].strip() if number + 1 < len(lines) else ""
                break
    where = f" (line: {line[:120]})" if line else ""
    return InvalidModel(
        f"EPANET refuses the model: {complaint or error.message}{where}",
        mend="Correct the model, for example in EPANET's own editor, and try again.",
        details={"epanet_error": error.number},
    )
