"""Registers from files of GIS through the command and a live system, and what isolation answers from them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.contract.conftest import Client
from tests.contract.test_resources import finished
from tests.guide_blocks import ROOT, marked

MAPPINGS = ROOT / "config" / "mappings"
_WNIS = (sys.executable, "-c", "from wnis_ops.cli.main import main; main()")


def _environment(client: Client) -> dict[str, str]:
    assert client.person is not None
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "WNIS_URL": client.url,
        "WNIS_TOKEN": client.person.headers["Authorization"].split()[1],
        "COLUMNS": "200",
    }


def wnis(client: Client, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [*_WNIS, *map(str, words)]
    return subprocess.run(command, env=_environment(client), capture_output=True, text=True, check=False)


def imported(client: Client, file: Path, mapping: str, *more: str) -> dict[str, Any]:
    ran = wnis(client, "assets", "import", file, "--mapping", MAPPINGS / f"{mapping}.toml", "--network", "micropolis",
               "--json", *more)  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    document: dict[str, Any] = json.loads(ran.stdout)
    return document


def sections(inp: Path) -> dict[str, list[list[str]]]:
    """The words of an INP file's lines by section, without remarks."""
    found: dict[str, list[list[str]]] = defaultdict(list)
    section = ""
    for line in inp.read_text(encoding="latin-1").splitlines():
        words = line.split(";")[0].split()
        if words and words[0].startswith("["):
            section = words[0].strip("[]")
        elif words:
            found[section].append(words)
    return found


def walled(links: list[tuple[str, str, str]], walls: set[str], start: str) -> tuple[set[str], set[str]]:
    """Nodes within reach of link `start` when nobody passes `walls`, and the walls around them: a walk by hand."""
    at = defaultdict(list)
    for name, a, b in links:
        at[a].append((name, b))
        at[b].append((name, a))
    todo = [node for name, *ends in links if name == start for node in ends]
    nodes, around = set(todo), set()
    while todo:
        for name, other in at[todo.pop()]:
            if name in walls:
                around.add(name)
            elif other not in nodes:
                nodes.add(other)
                todo.append(other)
    return nodes, around


@pytest.mark.shared_data
@pytest.mark.slow
def test_micropolis_from_its_shapefiles_to_an_isolation_answer(admin: Client, shared_data: Path) -> None:
    folder = shared_data / "micropolis_gis"
    ran = wnis(admin, "network", "import", folder / "MICROPOLIS_v1.inp", "--id", "micropolis")
    assert ran.returncode == 0, ran.stderr

    dry = imported(admin, folder / "watermains_v0.shp", "micropolis-mains", "--dry-run")
    assert "updated" not in dry
    mains = imported(admin, folder / "watermains_v0.shp", "micropolis-mains")
    assert mains["matched"] == dry["matched"]
    assert (mains["read"], mains["rejected"], mains["unmatched"]) == (567, [], [])
    assert mains["updated"] == len(mains["matched"]) == len({one["id"] for one in mains["matched"]})
    assert mains["updated"] > 570
    assert max(one["distance_m"] for one in mains["matched"]) <= 1.5
    told = {one["row"] for one in (*mains["matched"], *mains["unplaced"])}
    told |= {c["row"] for one in mains["ambiguous"] for c in one["candidates"]}
    assert told == set(range(1, 568))
    again = imported(admin, folder / "watermains_v0.shp", "micropolis-mains")
    assert (again["updated"], again["unchanged"]) == (0, mains["updated"])

    valves = imported(admin, folder / "valves_v0.shp", "micropolis-valves")
    assert valves["updated"] > 190
    assert (
        valves["read"]
        == 203
        == len(valves["matched"])
        + len(valves["unplaced"])
        + sum(len(one["candidates"]) if "component" in one else 1 for one in valves["ambiguous"])
    )
    hydrants = imported(admin, folder / "hydrants_v1.shp", "micropolis-hydrants")
    assert (hydrants["created"], hydrants["rejected"], hydrants["unplaced"]) == (52, [], [])
    assert imported(admin, folder / "hydrants_v1.shp", "micropolis-hydrants")["unchanged"] == 52
    assert admin("GET", "/components/hydrant:HY46").json()["location"]["x"] == pytest.approx(2388.4688, abs=1e-3)

    connections = imported(admin, folder / "waterservcon_v0.shp", "micropolis-service-connections")
    assert connections["created"] > 400
    assert connections["created"] + len(connections["unplaced"]) == 461
    served: dict[str, int] = defaultdict(int)
    for one in connections["matched"]:
        served[one["id"].rsplit(":", 1)[1]] += 1

    inp = sections(folder / "MICROPOLIS_v1.inp")
    links = [(name, a, b) for section in ("PIPES", "PUMPS", "VALVES") for name, a, b, *_ in inp[section]]
    marked_valves = {one["id"].rsplit(":", 1)[1] for one in valves["matched"]}
    assert marked_valves <= {name for name, *_ in inp["VALVES"]}
    customers = []
    for pipe in ("MA600", "MA700", "MA461"):
        nodes, around = walled(links, marked_valves, pipe)
        body = {"component_id": f"micropolis:pipe:{pipe}"}
        answer = admin("POST", "/networks/micropolis/isolation", json=body).json()
        assert {i.rsplit(":", 1)[1] for i in answer["valves"]} == around
        inside = {i.rsplit(":", 1)[1] for i in answer["segment"]["components"] if re.search(r":(junction|tank):", i)}
        assert inside == nodes
        assert answer["unintended"] == []
        assert answer["customers"] == sum(served[node] for node in nodes)
        customers.append(answer["customers"])
    assert max(customers) > 5


def test_the_commands_of_the_guide_say_what_its_page_says(admin: Client, tmp_path: Path) -> None:
    for name in ("mains", "valves"):
        (drawn,) = marked(f"geojson {name}", "registers.md")
        (tmp_path / f"{name}.geojson").write_text(drawn.text, encoding="utf-8")
        (mapping,) = marked(f"toml mapping {name}", "registers.md")
        (tmp_path / f"{name}.toml").write_text(mapping.text, encoding="utf-8")
    said = ""
    for block in marked("sh testable registers", "registers.md"):
        done = subprocess.run(
            ["bash", "-euc", block.text], cwd=tmp_path, env=_environment(admin), capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{block.text}\n{done.stdout}\n{done.stderr}"
        said += done.stdout + done.stderr
    (printed,) = marked("text", "registers.md")
    assert printed.text in said
    attached = {
        name: admin("GET", f"/components/Net1:pipe:{name}").json()["properties"].get("source_id")
        for name in ("21", "22", "121", "113")
    }
    assert attached == {"21": "M-1", "22": "M-1", "121": "M-2", "113": None}
    seats = {v: admin("GET", f"/components/valve:{v}").json()["properties"]["located_on"] for v in ("G1", "G2")}
    # a mile of pipe on a line of 20 units
    assert seats["G1"] == "Net1:pipe:21, 80.467 m from Net1:junction:21"
    assert seats["G2"] == "Net1:pipe:21, 40.234 m from Net1:junction:22"
    assert re.search(r"row 3: ambiguous, left out: Net1:pipe:112 .*Net1:pipe:122 .*Net1:pipe:21 .*Net1:pipe:22 ", said)


def test_what_a_file_or_mapping_lacks_is_said_in_a_sentence(admin: Client, tmp_path: Path) -> None:
    (mapping,) = marked("toml mapping valves", "registers.md")
    (tmp_path / "valves.toml").write_text(
        mapping.text.replace('crs = "network"', 'crs = "EPSG:3089"'), encoding="utf-8"
    )
    (tmp_path / "valves.geojson").write_text('{"type": "FeatureCollection", "features": [', encoding="utf-8")
    words = (
        "assets",
        "import",
        tmp_path / "valves.geojson",
        "--mapping",
        tmp_path / "valves.toml",
        "--network",
        "Net1",
    )
    broken = wnis(admin, *words)
    assert (broken.returncode, "cannot be read" in broken.stderr) == (2, True)
    (drawn,) = marked("geojson valves", "registers.md")
    (tmp_path / "valves.geojson").write_text(drawn.text, encoding="utf-8")
    elsewhere = wnis(admin, *words)
    assert elsewhere.returncode == 2
    assert "the network has no coordinate reference system" in elsewhere.stderr
    assert "Traceback" not in broken.stderr + elsewhere.stderr


def test_devices_over_http_are_judged_row_by_row(admin: Client) -> None:
    rows = [{"id": "H-1", "type": "hydrant", "x": 30, "y": 40, "name": "Mill"}, {"id": "H-2", "type": "Pipe"},
            {"type": "Sensor"}]  # fmt: skip
    accepted = admin("POST", "/networks/samples", json={"name": "Net1", "network_id": "plant"})
    assert accepted.status_code == 202
    assert finished(admin, accepted.json()["job_id"])["state"] == "succeeded"
    answer = admin("POST", "/assets/import", json={"network": "plant", "devices": rows}).json()
    assert (answer["created"], [r["row"] for r in answer["rejected"]]) == (1, [1, 2])
    drawn = admin("GET", "/networks/plant/geometry").json()
    assert drawn["on_plane_of_source"] is True
    by_id = {f["id"]: f for f in drawn["features"]}
    assert by_id["H-1"]["geometry"] == {"type": "Point", "coordinates": [30.0, 40.0]}
    pipe = by_id["plant:pipe:21"]
    assert pipe["geometry"]["coordinates"] == [[30.0, 40.0], [50.0, 40.0]]
    assert (pipe["properties"]["start"], pipe["properties"]["end"]) == ("plant:junction:21", "plant:junction:22")
    assert admin("GET", "/networks/nowhere/geometry").status_code == 404
