"""What the contained children of these tests do."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wnis_core.errors import FieldProblem, InvalidModel

Report = Callable[[float, str], None]


def add(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    report(0.5, "half way")
    print("a word on standard output")
    return {"sum": arguments["a"] + arguments["b"], "folder": os.getcwd(), "variables": sorted(os.environ)}


def refuse(arguments: dict[str, Any], report: Report) -> None:
    raise InvalidModel(
        "Line 3 is odd.", mend="Mend it.", fields=[FieldProblem("file", "odd")], details={"section": "PIPES", "line": 3}
    )


def stumble(arguments: dict[str, Any], report: Report) -> None:
    raise KeyError("J1")


def abort(arguments: dict[str, Any], report: Report) -> None:
    print("about to abort", flush=True)
    os.abort()


def hang(arguments: dict[str, Any], report: Report) -> None:
    grandchild = subprocess.Popen(["sleep", "600"])
    Path("pids").write_text(f"{os.getpid()} {grandchild.pid}")
    while True:
        time.sleep(1)


def burn(arguments: dict[str, Any], report: Report) -> None:
    while True:
        pass


def swallow(arguments: dict[str, Any], report: Report) -> int:
    return len(bytearray(int(arguments["bytes"])))


def large(arguments: dict[str, Any], report: Report) -> list[int]:
    return list(range(int(arguments["n"])))
