"""What the simulator's image runs: the command line and the service, without the libraries of maps."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
_HIDDEN = ("pyogrio", "shapely")


@pytest.mark.parametrize("module", ["wnis_ops.cli.main", "wnis_ops.demo.load", "wnis_simulator.app"])
def test_it_starts_without_what_its_image_lacks(module: str) -> None:
    wanted = (ROOT / "simulator" / "requirements.in").read_text(encoding="utf-8").split()
    assert not set(_HIDDEN) & set(wanted)
    hide = "".join(f"sys.modules[{name!r}] = None; " for name in _HIDDEN)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {hide}import {module}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
