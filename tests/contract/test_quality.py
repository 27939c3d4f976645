"""What is doubtful in a network, over the live system and by the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.contract.conftest import Client
from tests.contract.test_resources import finished

_WNIS = (sys.executable, "-c", "from wnis_ops.cli.main import main; main()")


@pytest.fixture(scope="module")
def doubtful(admin: Client) -> str:
    accepted = admin("POST", "/networks/samples", json={"name": "Net1", "network_id": "doubtful"})
    assert finished(admin, accepted.json()["job_id"])["state"] == "succeeded"
    assert admin("PATCH", "/components/doubtful:pipe:21", json={"diameter_m": 300}).status_code == 200
    body = {"material": "pvc", "install_date": "1910-01-01"}
    assert admin("PATCH", "/components/doubtful:pipe:31", json=body).status_code == 200
    return "doubtful"


def test_what_is_doubtful_is_named_with_its_mend(admin: Client, doubtful: str) -> None:
    answer = admin("GET", f"/networks/{doubtful}/quality").json()

    found = {(f["check"], f["severity"], tuple(f["components"])) for f in answer["findings"]}
    assert ("odd-units", "error", ("doubtful:pipe:21",)) in found
    assert ("material-before-its-time", "warning", ("doubtful:pipe:31",)) in found
    assert [f["severity"] for f in answer["findings"]] == sorted(f["severity"] for f in answer["findings"])
    scores = {c["name"]: c["score"] for c in answer["categories"]}
    assert set(scores) == {"topology", "geometry", "hydraulics", "register"}
    assert answer["score"] == min(scores.values()) < 100
    assert {c["id"] for c in answer["checks"]} >= {"unconnected-parts", "crs-in-sea"}
    # nothing was corrected
    assert admin("GET", "/components/doubtful:pipe:21").json()["properties"]["diameter_m"] == 300
    # and what is mended is seen
    assert admin("PATCH", "/components/doubtful:pipe:21", json={"diameter_m": 0.3}).status_code == 200
    after = admin("GET", f"/networks/{doubtful}/quality").json()
    assert "odd-units" not in {f["check"] for f in after["findings"]}
    assert admin("GET", "/networks/nowhere/quality").status_code == 404


def test_the_command_ends_with_1_on_an_error(admin: Client, doubtful: str) -> None:
    assert admin.person is not None
    environment = {**os.environ, "WNIS_URL": admin.url, "WNIS_TOKEN": admin.person.headers["Authorization"].split()[1]}

    def wnis(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*_WNIS, *words], env=environment, capture_output=True, text=True, check=False)

    fine = wnis("verify", "network", doubtful)
    assert "material-before-its-time" in fine.stdout
    assert fine.returncode == 0, fine.stdout
    assert admin("PATCH", "/components/doubtful:tank:2", json={"init_level_m": 99}).status_code == 200
    wrong = wnis("verify", "network", doubtful, "--json")
    assert wrong.returncode == 1
    assert "tank-levels" in {f["check"] for f in json.loads(wrong.stdout)["findings"]}
    everything = wnis("verify", "--json")
    assert everything.returncode == 1
    assert doubtful in {one["network_id"] for one in json.loads(everything.stdout)["networks"]}
