"""A network leaves in every form over HTTP and on the command line, and is opened again."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pyogrio
import pytest

from tests.contract.conftest import Client
from tests.live import LiveStack

_COUNTS = {"junction": 9, "reservoir": 1, "tank": 1, "pipe": 12, "pump": 1}


@pytest.fixture(scope="module")
def network(admin: Client) -> str:
    """WNTR's Net1, with a name that a spreadsheet would reckon."""
    accepted = admin("POST", "/networks/samples", json={"name": "Net1", "network_id": "exported"}).json()
    until = time.monotonic() + 60
    while admin("GET", f"/jobs/{accepted['job_id']}").json()["state"] != "succeeded":
        assert time.monotonic() < until
        time.sleep(0.2)
    body = {"description": "=HYPERLINK(1)"}
    assert admin("PATCH", "/components/exported:pipe:10", json=body).status_code == 200
    return "exported"


def _export(live: LiveStack, admin: Client, network: str, file: Path) -> subprocess.CompletedProcess[str]:
    assert admin.person is not None
    environment = {**live.environment, "WNIS_URL": live.url, "WNIS_TOKEN": admin.person.token}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    words = ["wnis", "network", "export", network, str(file)]
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)


def test_each_suffix_is_a_file_that_opens(live: LiveStack, admin: Client, network: str, tmp_path: Path) -> None:
    files = {suffix: tmp_path / f"town.{suffix}" for suffix in ("inp", "csv", "geojson", "gpkg", "jsonl")}
    for file in files.values():
        done = _export(live, admin, network, file)
        assert done.returncode == 0, done.stderr
        assert f"{file.stat().st_size:,} bytes" in done.stdout.replace("\n", "")
    assert sorted(tmp_path.iterdir()) == sorted(files.values()), "something was left behind"

    assert b"[PIPES]" in files["inp"].read_bytes()
    table = pd.read_csv(files["csv"])
    assert table["type"].str.lower().value_counts().to_dict() == _COUNTS
    assert {"length_m", "diameter_m", "elevation_m"} <= set(table.columns)
    assert next(r for r in csv.DictReader(files["csv"].open()) if r["id"] == "exported:pipe:10")["description"] == (
        "'=HYPERLINK(1)"
    )
    assert len(json.loads(files["geojson"].read_text())["features"]) == sum(_COUNTS.values())
    layers = {str(name): pyogrio.read_info(files["gpkg"], layer=name) for name, _ in pyogrio.list_layers(files["gpkg"])}
    assert {name: info["features"] for name, info in layers.items()} == _COUNTS
    assert {"length_m", "diameter_m", "roughness"} <= set(layers["pipe"]["fields"])
    lines = [json.loads(line) for line in files["jsonl"].open()]
    assert (lines[0]["line"], lines[0]["network"]) == ("header", network)
    assert lines[-1]["lines"]["component"] == sum(_COUNTS.values())
    assert sum(lines[-1]["lines"].values()) == len(lines) - 1


def test_what_cannot_be_exported_is_told_and_leaves_no_file(
    live: LiveStack, admin: Client, network: str, tmp_path: Path
) -> None:
    for name, file in ((network, "town.xlsx"), *((f"no-{network}", f"town.{s}") for s in ("csv", "gpkg", "jsonl"))):
        done = _export(live, admin, name, tmp_path / file)
        assert done.returncode == 2, (file, done.stderr)
    assert list(tmp_path.iterdir()) == []
    for path in ("gpkg", "bundle"):
        answer = admin("GET", f"/networks/no-{network}/{path}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
