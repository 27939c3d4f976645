"""The units say what systemd knows, and start commands that are ours."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from wnis_core.settings import SETTINGS
from wnis_ops.cli.main import app
from wnis_ops.local import fleet

ROOT = Path(__file__).resolve().parents[3]
UNITS = sorted((ROOT / "config" / "systemd").iterdir())
_NAMES = [unit.name for unit in UNITS]
_INSTALLED = "/opt/wnis/current"


def _directives(unit: Path) -> list[tuple[str, str, str]]:
    """(section, name, value) of every line, in order; names may come again."""
    found, section = [], ""
    for line in unit.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.append((section, name, value))
    return found


def _values(unit: Path, name: str) -> list[str]:
    return [value for _, known, value in _directives(unit) if known == name]


def _unit(name: str) -> Path:
    return ROOT / "config" / "systemd" / name


def _environment(unit: Path) -> dict[str, str]:
    return dict(value.split("=", 1) for value in _values(unit, "Environment"))


@pytest.mark.parametrize("unit", UNITS, ids=_NAMES)
def test_sections_are_those_of_its_kind(unit: Path) -> None:
    sections = {section for section, _, _ in _directives(unit)}
    kind = "Timer" if unit.suffix == ".timer" else "Service"
    assert {"Unit", kind} <= sections <= {"Unit", kind, "Install"}


@pytest.mark.parametrize("name", ["wnis.service", "wnis-backup.service"])
def test_a_service_runs_hardened_and_not_as_root(name: str) -> None:
    said = {known: value for _, known, value in _directives(_unit(name))}
    assert said["User"] == "wnis"
    assert said["ProtectSystem"] == "strict"
    assert said["NoNewPrivileges"] == said["PrivateTmp"] == said["ProtectHome"] == "yes"
    assert said["CapabilityBoundingSet"] == ""
    # what it writes is its own: strict makes everything else read-only
    assert _environment(_unit(name))["WNIS_HOME"] == f"/var/lib/{said['StateDirectory']}"


@pytest.mark.parametrize("name", ["wnis.service", "wnis-backup.service"])
def test_what_it_starts_is_a_command_of_ours_with_these_options(name: str) -> None:
    program, word, *rest = shlex.split(_values(_unit(name), "ExecStart")[0])
    assert program == f"{_INSTALLED}/.venv/bin/wnis"
    command = get_command(app).commands[word]  # type: ignore[attr-defined]  # it is a group
    known = {option for parameter in command.params for option in parameter.opts}
    assert {option for option in rest if option.startswith("--")} <= known


@pytest.mark.parametrize("name", ["wnis.service", "wnis-backup.service"])
def test_every_variable_is_a_setting(name: str) -> None:
    settings = {variable.name for variable in SETTINGS}
    used = set(re.findall(r"\$\{(\w+)\}", _values(_unit(name), "ExecStart")[0]))
    assert set(_environment(_unit(name))) <= settings | used
    assert used <= set(_environment(_unit(name)))


def test_there_is_time_to_stop_before_it_is_killed() -> None:
    assert _values(_unit("wnis.service"), "TimeoutStopSec") == ["60"]
    neo4j_s = 20
    assert fleet.STOP_GRACE_S + neo4j_s < 60
    # the program alone gets the signal, and stops its parts in order
    assert _values(_unit("wnis.service"), "KillMode") == ["mixed"]


def test_pages_that_the_units_name_exist() -> None:
    for unit in UNITS:
        for page in _values(unit, "Documentation"):
            assert (ROOT / page.removeprefix(f"file:{_INSTALLED}/")).is_file(), page


@pytest.mark.system
def test_systemd_finds_no_fault(tmp_path: Path) -> None:
    for unit in UNITS:
        # verify wants the programs to be there
        text = unit.read_text(encoding="utf-8").replace(f"{_INSTALLED}/.venv", sys.prefix)
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    files = [str(tmp_path / unit.name) for unit in UNITS]
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *files], check=False, capture_output=True, text=True
    )
    ours = [line for line in said.stderr.splitlines() if "wnis" in line]
    assert (said.returncode, ours) == (0, [])


@pytest.mark.system
@pytest.mark.parametrize("name", ["wnis.service", "wnis-backup.service"])
def test_systemd_calls_it_well_protected(name: str) -> None:
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=25", str(_unit(name))],
        check=False,
        capture_output=True,
        text=True,
    )
    # 2.5 of 10; the network is what is left
    assert said.returncode == 0, said.stdout[-400:]
