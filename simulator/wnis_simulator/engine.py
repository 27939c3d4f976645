"""The EPANET 2.2 engine that WNTR carries, through ctypes: one project, in this process.

Always used in a contained child: a file that the engine cannot stomach aborts or hangs the whole process. The shared
library is found without importing wntr, which takes seconds.
"""

from __future__ import annotations

import ctypes
import importlib.util
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
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
_WARNINGS = range(1, 100)
UNBALANCED = 1


class TimeParameter(IntEnum):
    DURATION = 0
    HYDRAULIC_STEP = 1
    QUALITY_STEP = 2
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
            # closing writes the report, which says what is wrong with the file
            self.close()
            raise EngineError(code, self.message(code))
        # whatever the file asks to report, we want every reported step and the words of every warning
        self.call("EN_settimeparam", TimeParameter.STATISTIC, _SERIES)
        for line in ("MESSAGES YES", "STATUS NO", "SUMMARY NO"):
            self.call("EN_setreport", line.encode())

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
        return self.integer("EN_getflowunits")

    def time_parameter(self, which: TimeParameter) -> int:
        seconds = ctypes.c_long()
        self.call("EN_gettimeparam", which, ctypes.byref(seconds))
        return seconds.value

    def set_time_parameter(self, which: TimeParameter, seconds: int) -> None:
        self.call("EN_settimeparam", which, ctypes.c_long(seconds))

    def demand_model(self) -> DemandModel:
        kind, values = ctypes.c_int(), [ctypes.c_double() for _ in range(3)]
        self.call("EN_getdemandmodel", ctypes.byref(kind), *(ctypes.byref(v) for v in values))
        return DemandModel("PDA" if kind.value else "DDA", *(v.value for v in values))

    def set_demand_model(self, model: DemandModel) -> None:
        self.call(
            "EN_setdemandmodel",
            1 if model.kind == "PDA" else 0,
            ctypes.c_double(model.minimum_pressure),
            ctypes.c_double(model.required_pressure),
            ctypes.c_double(model.exponent),
        )

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
        self.call("EN_saveH")

    @contextmanager
    def _hydraulics(self) -> Iterator[None]:
        self.call("EN_openH")
        try:
            self.call("EN_initH", _SAVE_HYDRAULICS)
            yield
        finally:
            self._library.EN_closeH(self._project)

    def call(self, function: str, *arguments: object) -> None:
        """A function of the engine's library on this project; raises `EngineError`."""
        self._check(getattr(self._library, function)(self._project, *arguments))

    def function(self, name: str) -> Callable[..., int]:
        """The same without the look up and the check, for what is called a million times."""
        return partial(getattr(self._library, name), self._project)

    def integer(self, function: str, *arguments: object) -> int:
        """What a function gives as its one integer."""
        number = ctypes.c_int()
        self.call(function, *arguments, ctypes.byref(number))
        return number.value

    def count(self, what: int) -> int:
        """How many of a kind of object the project has (EN_getcount)."""
        return self.integer("EN_getcount", what)

    def close_quality(self) -> None:
        """End an analysis of quality; without one nothing happens."""
        self._library.EN_closeQ(self._project)

    def _check(self, code: int) -> None:
        if code != 0 and code not in _WARNINGS:
            raise EngineError(code, self.message(code))
