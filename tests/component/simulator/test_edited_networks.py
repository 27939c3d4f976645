"""What people change in the graph reaches the engine as if it stood in the file; EPANET runs both."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest
from wnis_core.errors import InvalidModel
from wnis_core.objects import FolderStore
from wnis_graph.repositories.components import ComponentRepository, NewComponent
from wnis_graph.repositories.networks import NetworkRepository, SourceFile
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope
from wnis_simulator import contained_runs
from wnis_simulator.inp_read import read_model
from wnis_simulator.inp_scan import scan_inp
from wnis_simulator.network_file import NetworkFiles

Heads = dict[str, npt.NDArray[np.float32]]
FILE = Path(__file__).with_name("edited.inp").read_bytes()
FT, INCH, GPM, PSI = 0.3048, 0.0254, 6.30901964e-5, 0.3048 / 0.4333
TOLERANCE_M = 2e-4
"""Heads are stored with single precision: 3e-5 m at 270 m, and a step of the solver more."""


@dataclass(frozen=True)
class Edit:
    """The same change twice: in the graph, and by hand in the file (regular expression, replacement)."""

    by_hand: tuple[tuple[str, str], ...]
    set: dict[str, dict[str, Any]] = field(default_factory=dict)
    retire: tuple[str, ...] = ()
    add: tuple[NewComponent, ...] = ()


def _id(kind_and_name: str) -> str:
    return f"town:{kind_and_name.replace(' ', ':')}"


def _new(kind: str, name: str, start: str = "", end: str = "", **properties: Any) -> NewComponent:
    ends = [_id(f"junction {end}") if end and end[0] == "J" else end or None for end in (start, end)]
    return NewComponent(name, kind, network="town", start=ends[0], end=ends[1], properties=properties)


NO_STATUS = (r"^PU2  CLOSED\n", "")


def _status(line: str) -> tuple[str, str]:
    return (r"^(PU2  CLOSED)\n", rf"\1\n{line}\n")


EDITS = {
    "a pipe is retired": Edit(((r"^P10 .*\n", ""),), retire=("pipe P10",)),
    "a pipe with controls is retired": Edit(((r"^P8 .*\n", ""), (r"^LINK P8.*\n", "")), retire=("pipe P8",)),
    "a pipe with a rule is retired": Edit(((r"^P7 .*\n", ""), (r"^RULE relief\n(.*\n){3}", "")), retire=("pipe P7",)),
    "a pump is retired, another started": Edit(
        ((r"^PU1 .*\n", ""), (r"^LINK PU1.*\n", ""), NO_STATUS),
        set={"pump PU2": {"status": "open"}}, retire=("pump PU1",),
    ),
    "a valve is retired": Edit(((r"^V2 .*\n", ""),), retire=("valve V2",)),
    "a junction is retired with its links": Edit(
        ((r"^J1   .*\n", ""), (r"^P1 .*\n", ""), (r"^PU1 .*\n", ""), (r"^LINK PU1.*\n", ""), (r"^J1 0 0\n", "")),
        retire=("pipe P1", "pump PU1", "junction J1"),
    ),
    "a pipe is relaid": Edit(
        ((r"^P2 .*", "P2 J2 J3 1000 6 80 3 OPEN"),),
        set={"pipe P2": {"length_m": 1000 * FT, "diameter_m": 6 * INCH, "roughness": 80.0, "minor_loss": 3.0}},
    ),
    "a fitting is taken out of a pipe": Edit(((r"0\.5  OPEN", "0 OPEN"),), set={"pipe P2": {"minor_loss": 0.0}}),
    "a pipe is closed, another opened": Edit(
        (("0.5  OPEN", "0.5 CLOSED"), (r"^(P7.*) CLOSED", r"\1 OPEN")),
        set={"pipe P2": {"status": "closed"}, "pipe P7": {"status": "open"}},
    ),
    "base demands change, each category in its share": Edit(
        (("J3   70", "J3 140"), ("J3   30", "J3 60"), (r"^J2 .*", "J2 705 60"), (r"^J1   700", "J1 700 50")),
        set={
            "junction J3": {"base_demand_m3s": 200 * GPM},
            "junction J2": {"base_demand_m3s": 60 * GPM},
            "junction J1": {"base_demand_m3s": 50 * GPM},
        },
    ),
    "a junction is lower than thought": Edit(
        ((r"^J5   650", "J5 600"),), set={"junction J5": {"elevation_m": 600 * FT}}
    ),
    "a source has another head": Edit(((r"^R2   850", "R2 870"),), set={"reservoir R2": {"head_m": 870 * FT}}),
    "a tank starts at another level": Edit(
        ((r"^T1 .*", "T1 820 25 5 30 40 0"),), set={"tank T1": {"init_level_m": 25 * FT}}
    ),
    "every level of a tank is above the old ones": Edit(
        ((r"^T1 .*", "T1 820 45 40 60 40 0"),),
        set={"tank T1": {"init_level_m": 45 * FT, "min_level_m": 40 * FT, "max_level_m": 60 * FT}},
    ),
    "every level of a tank is below the old ones": Edit(
        ((r"^T1 .*", "T1 820 3 1 4 40 0"),),
        set={"tank T1": {"init_level_m": 3 * FT, "min_level_m": 1 * FT, "max_level_m": 4 * FT}},
    ),
    "a tank stands elsewhere and is another, its control stays": Edit(
        ((r"^T1 .*", "T1 800 15 5 30 25 0"),), set={"tank T1": {"elevation_m": 800 * FT, "diameter_m": 25 * FT}}
    ),
    "a reducing valve lets more through": Edit((("PRV  82", "PRV 95"),), set={"valve V1": {"setting": 95 * PSI}}),
    "a reducing valve is closed": Edit((_status("V1 CLOSED"),), set={"valve V1": {"status": "closed"}}),
    "a reducing valve is in service, as a register says it": Edit((), set={"valve V1": {"status": "in_service"}}),
    "a reducing valve is out of service": Edit(
        (_status("V1 CLOSED"),), set={"valve V1": {"status": "out_of_service"}}
    ),
    "a tank is out of service": Edit(
        ((r"^P4 (.*) OPEN", r"P4 \1 CLOSED"),), set={"tank T1": {"status": "out_of_service"}}
    ),
    "a junction is out of service": Edit(
        ((r"^J8 .*", "J8 655 0"), (r"^P8 (.*) OPEN", r"P8 \1 CLOSED"), (r"^P10 (.*) OPEN", r"P10 \1 CLOSED"),
         _status("V2 CLOSED")),
        set={"junction J8": {"status": "out_of_service"}},
    ),
    "a source behind a check valve is out of service": Edit(
        ((r"^(P9 .*) CV", r"\1 CLOSED"),), set={"reservoir R2": {"status": "out_of_service"}}
    ),
    "a pipe is retired by its status": Edit(((r"^P10 .*\n", ""),), set={"pipe P10": {"status": "retired"}}),
    "a reducing valve stands open": Edit((_status("V1 OPEN"),), set={"valve V1": {"status": "open"}}),
    "a flow control valve is set": Edit((("FCV  30", "FCV 45"),), set={"valve V2": {"setting": 45 * GPM}}),
    "a throttle valve is set": Edit((("TCV  25", "TCV 60"),), set={"valve V3": {"setting": 60.0}}),
    "a valve is set and closed": Edit(
        (("TCV  25", "TCV 60"), _status("V3 CLOSED")), set={"valve V3": {"setting": 60.0, "status": "closed"}}
    ),
    "a pump turns slower": Edit((("SPEED 1.0", "SPEED 0.9"),), set={"pump PU1": {"speed": 0.9}}),
    "a pump is started at another speed": Edit(
        (("SPEED 1.0", "SPEED 0.8"), NO_STATUS), set={"pump PU1": {"speed": 0.8}, "pump PU2": {"status": "open"}}
    ),
    "a pump that stands stays standing at another speed": Edit(
        (("POWER 15", "POWER 15 SPEED 0.9"),), set={"pump PU2": {"speed": 0.9}}
    ),
    "a pump is stopped": Edit((_status("PU1 CLOSED"),), set={"pump PU1": {"status": "closed"}}),
    "a pump has another curve and speed": Edit(
        (("HEAD LIFT", "HEAD WEAK"), ("SPEED 1.0", "SPEED 0.9")),
        set={"pump PU1": {"head_curve": "WEAK", "speed": 0.9}},
    ),
    "a pump has another power": Edit(
        (("POWER 15", "POWER 20"), NO_STATUS), set={"pump PU2": {"power_w": 20 * 745.699872, "status": "open"}}
    ),
    "a street is added": Edit(
        ((r"^J8 .*", r"\g<0>\nN1 640 25"), (r"^P10 .*", r"\g<0>\nNP1 J8 N1 700 6 95 0 OPEN")),
        add=(
            _new("Junction", "N1", elevation_m=640 * FT, base_demand_m3s=25 * GPM),
            _new("Pipe", "NP1", "J8", "N1", length_m=700 * FT, diameter_m=6 * INCH, roughness=95.0),
        ),
    ),
    "a pipe is added whose check valve lets nothing through": Edit(
        ((r"^P10 .*", r"\g<0>\nNP1 J5 J7 700 6 100 2 CV"),),
        add=(_new("Pipe", "NP1", "J5", "J7", length_m=700 * FT, diameter_m=6 * INCH, minor_loss=2.0,
                  check_valve=True),),
    ),
    "a gate valve is added, open": Edit(
        ((r"^V3 .*", r"\g<0>\nNV J5 J7 6 TCV 0 3"), _status("NV OPEN")),
        add=(_new("Valve", "NV", "J5", "J7", valve_kind="gate", diameter_m=6 * INCH, minor_loss=3.0),),
    ),
    "a check valve is put into a pipe, and one taken out": Edit(
        (("8   100  0    CV", "8 100 0 OPEN"), (r"^(P2 .*) OPEN", r"\1 CV")),
        set={"pipe P9": {"check_valve": False}, "pipe P2": {"check_valve": True}},
    ),
    "a reducing valve becomes a sustaining one": Edit(
        (("PRV  82", "PSV 60"),), set={"valve V1": {"valve_kind": "psv", "setting": 60 * PSI}}
    ),
    "a pump is added": Edit(
        ((r"^PU2  R1.*", r"\g<0>\nNPU J5 J7 POWER 3 SPEED 1"),),
        add=(_new("Pump", "NPU", "J5", "J7", power_w=3 * 745.699872),),
    ),
    "a tank is added": Edit(
        ((r"^T1   820 .*", r"\g<0>\nNT 800 10 5 20 30 0"), (r"^P10 .*", r"\g<0>\nNP J8 NT 700 6 95 0 OPEN")),
        add=(
            _new("Tank", "NT", elevation_m=800 * FT, init_level_m=10 * FT, min_level_m=5 * FT, max_level_m=20 * FT,
                 diameter_m=30 * FT),
            NewComponent("NP", "Pipe", network="town", start="town:junction:J8", end="NT",
                         properties={"length_m": 700 * FT, "diameter_m": 6 * INCH, "roughness": 95.0}),
        ),
    ),
    "a pipe with controls has another name": Edit(
        ((r"^P8 ", "MAIN "), (r"^LINK P8", "LINK MAIN")), set={"pipe P8": {"name": "MAIN"}}
    ),
    "a tank and a junction have other names, a pipe at them is relaid": Edit(
        ((r"^T1 ", "HILL "), ("J4  T1  2500", "LOW  HILL  2600"), ("NODE T1", "NODE HILL"), ("TANK T1", "TANK HILL"),
         (r"^J4 ", "LOW "), ("J3  J4", "J3  LOW"), ("V1   J4", "V1   LOW")),
        set={"tank T1": {"name": "HILL"}, "junction J4": {"name": "LOW"}, "pipe P4": {"length_m": 2600 * FT}},
    ),
    "a throttle valve is added": Edit(
        ((r"^V3 .*", r"\g<0>\nNV J5 J7 6 TCV 12 0"),),
        add=(_new("Valve", "NV", "J5", "J7", valve_kind="tcv", diameter_m=6 * INCH, setting=12.0, status="active"),),
    ),
}  # fmt: skip

WITHOUT_EFFECT = {
    "a reducing valve is in service, as a register says it",
    "a pump that stands stays standing at another speed",
    "a pipe is added whose check valve lets nothing through",
    "a pipe with controls has another name",
}


@pytest.fixture(scope="module")
def unedited() -> Heads:
    """Heads of the file as it is."""
    return _heads_of(FILE)


@pytest.mark.parametrize("what", EDITS)
def test_an_edited_network_runs_like_a_file_edited_by_hand(
    what: str, runner: Runner, scope: Scope, tmp_path: Path, unedited: Heads
) -> None:
    edit = EDITS[what]
    by_hand = _heads_of(_edited(FILE, edit))
    assert _apart(_heads_of_graph(edit, FILE, runner, scope, tmp_path), by_hand) == {}
    assert (_apart(by_hand, unedited, 1e-3) == {}) == (what in WITHOUT_EFFECT), "an edit that moves no head says little"


FIXED = FILE.replace(b"PU2  CLOSED\n", b"PU2  CLOSED\nV1 CLOSED\nV3 OPEN\n")
FIXED_EDITS = {
    "a valve that stands open is set": Edit((("TCV  25", "TCV 70"),), set={"valve V3": {"setting": 70.0}}),
    "a valve that stood open regulates again": Edit(((r"^V3 OPEN\n", ""),), set={"valve V3": {"status": "active"}}),
    "a closed valve regulates again": Edit(((r"^V1 CLOSED\n", ""),), set={"valve V1": {"status": "active"}}),
    "a closed valve regulates at another setting": Edit(
        ((r"^V1 CLOSED\n", ""), ("PRV  82", "PRV 95")), set={"valve V1": {"status": "active", "setting": 95 * PSI}}
    ),
}


@pytest.mark.parametrize("what", FIXED_EDITS)
def test_a_valve_whose_status_the_file_fixes_keeps_or_loses_it_as_told(
    what: str, runner: Runner, scope: Scope, tmp_path: Path
) -> None:
    by_hand = _heads_of(_edited(FIXED, FIXED_EDITS[what]))
    assert _apart(_heads_of_graph(FIXED_EDITS[what], FIXED, runner, scope, tmp_path), by_hand) == {}


REFUSED = {
    "a curve that the file does not have": (Edit((), set={"pump PU1": {"head_curve": "NONE"}}), "undefined curve"),
    "a roughness that nobody knows any more": (
        Edit((), set={"pipe P1": {"roughness": None}}), "Pipe P1 has no roughness any more, 110 in the source file"),
    "a level above the highest": (
        Edit((), set={"tank T1": {"init_level_m": 31 * FT}}), "initial level 31 is not between 5 and 30"),
    "a name with a blank": (Edit((), set={"pipe P1": {"name": "P 1"}}), "cannot read the name 'P 1'"),
    "a name that another has": (Edit((), set={"pipe P1": {"name": "P2"}}), "2 links called P2"),
    "a pump that nobody says how strong": (
        Edit((), add=(_new("Pump", "NPU", "J5", "J7"),)), "needs to know of pump NPU its power"),
    "an added tank of which only the volume is known": (
        Edit((), add=(_new("Tank", "NT", elevation_m=250.0, capacity_m3=9.0),)), "needs to know of tank NT its diam"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_done_to_a_file_is_refused_in_words(
    what: str, runner: Runner, scope: Scope, tmp_path: Path
) -> None:
    edit, words = REFUSED[what]
    with pytest.raises(InvalidModel, match=words) as caught:
        _heads_of_graph(edit, FILE, runner, scope, tmp_path)
    assert caught.value.mend


def test_a_retired_junction_whose_pipes_stay_is_refused_naming_one(
    runner: Runner, scope: Scope, tmp_path: Path
) -> None:
    with pytest.raises(InvalidModel, match=r"Link (P|V)\d+ has no (start|end) node"):
        _heads_of_graph(Edit((), retire=("junction J6",)), FILE, runner, scope, tmp_path)


def _heads_of_graph(edit: Edit, content: bytes, runner: Runner, scope: Scope, folder: Path) -> Heads:
    """Heads of `content`, imported and edited in the graph, as a run job has the engine make them."""
    networks, components = NetworkRepository(runner), ComponentRepository(runner)
    objects = FolderStore(folder)
    objects.put("town.inp", content)
    networks.persist(scope, "town", read_model(scan_inp(content)), SourceFile("town.inp", "of-the-file", "town.inp"))
    for which in edit.retire:
        components.retire(scope, _id(which))
    for which, changes in edit.set.items():
        components.patch(scope, _id(which), changes)
    for new in edit.add:
        components.create(scope, new)
    return _heads_of(NetworkFiles(runner, objects).present(scope, "town").content)


def _heads_of(content: bytes) -> Heads:
    with contained_runs.scratch() as folder:
        contained_runs.run(content, folder, demand_model="as-file", on_progress=_in_silence)
        table = pq.read_table(folder / "nodes.parquet", columns=["name", "time_s", "head_m"])
    table = table.sort_by([("name", "ascending"), ("time_s", "ascending")])
    names, heads = np.array(table["name"].to_pylist()), table["head_m"].to_numpy()
    return {str(name): heads[names == name] for name in np.unique(names)}


def _apart(some: Heads, others: Heads, by_m: float = TOLERANCE_M) -> dict[str, float]:
    """By how much heads differ, of the nodes where they do; a node that only one knows differs without end."""
    found = dict.fromkeys(some.keys() ^ others.keys(), np.inf)
    found |= {name: float(np.abs(some[name] - others[name]).max()) for name in some.keys() & others.keys()}
    return {name: metres for name, metres in found.items() if metres > by_m}


def _edited(content: bytes, edit: Edit) -> bytes:
    text = content.decode()
    for pattern, replacement in edit.by_hand:
        text, number = re.subn(pattern, replacement, text, flags=re.MULTILINE)
        assert number, f"{pattern} is not in the file"
    return text.encode()


def _in_silence(_fraction: float, _message: str) -> None:
    pass
