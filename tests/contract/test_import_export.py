"""A file in, changed, compared and out again, over the live system and by the commands of the guide."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.contract.conftest import Client
from tests.contract.test_resources import finished
from tests.guide_blocks import marked

LIBRARY = Path(find_spec("wntr").origin).parent / "library" / "networks"  # type: ignore[union-attr,arg-type]
NET1 = (LIBRARY / "Net1.inp").read_bytes()


@pytest.fixture(scope="module")
def village(admin: Client) -> str:
    files = {"file": ("village.inp", NET1)}
    accepted = admin("POST", "/networks", files=files, data={"id": "village"})
    assert finished(admin, accepted.json()["job_id"])["state"] == "succeeded"
    return "village"


def test_an_unchanged_network_is_its_file_and_a_changed_one_differs_in_one_token(admin: Client, village: str) -> None:
    path = f"/networks/{village}/inp"
    first = admin("GET", path)
    assert (first.content, first.headers["X-Changed-Components"]) == (NET1, "0")
    before = quote(datetime.now(UTC).isoformat())
    assert admin("PATCH", "/components/village:pipe:21", json={"diameter_m": 0.3048}).status_code == 200
    second = admin("GET", path)
    old, new = NET1.split(b"\n"), second.content.split(b"\n")
    changed = [(a.split(), b.split()) for a, b in zip(old, new, strict=True) if a != b]
    assert [[i for i, words in enumerate(zip(a, b, strict=True)) if len(set(words)) > 1] for a, b in changed] == [[4]]
    assert changed[0][1][4] == b"12"
    assert second.headers["ETag"] != first.headers["ETag"]
    assert admin("GET", path, headers={"If-None-Match": second.headers["ETag"]}).status_code == 304
    assert admin("GET", f"{path}?version=imported").content == NET1
    past = admin("GET", f"/networks/{village}?as_of={before}").json()
    assert past["revision"] == admin("GET", f"/networks/{village}").json()["revision"] - 1
    assert admin("GET", f"/networks/{village}?as_of=2001-01-01T00:00:00Z").status_code == 404
    assert admin("PATCH", "/components/village:pipe:21", json={"diameter_m": 0.254}).status_code == 200
    assert admin("GET", path).content == NET1


def test_controls_of_a_retired_pump_stop_an_export_until_they_are_dropped(admin: Client, village: str) -> None:
    path = f"/networks/{village}/inp"
    assert admin("DELETE", "/components/village:pump:9").status_code in (200, 204)
    refused = admin("GET", path)
    assert refused.status_code == 409
    assert [problem["field"].split()[0] for problem in refused.json()["errors"]] == ["CONTROLS", "CONTROLS"]
    dropped = admin("GET", f"{path}?orphans=drop")
    assert (dropped.status_code, dropped.headers["X-Dropped-Orphans"]) == (200, "2")
    assert b"LINK 9" not in dropped.content
    assert admin("GET", f"{path}?orphans=keep").status_code in (400, 422)
    assert admin("PATCH", "/components/village:pump:9", json={"status": "open"}).status_code == 200


def test_the_commands_of_the_guide_work(admin: Client, tmp_path: Path) -> None:
    assert admin.person is not None
    (tmp_path / "town.inp").write_bytes(NET1)
    newer = NET1.replace(
        b" 21              	21              	22              	5280        	10 ", b" 21 21 22 5280 12 "
    )
    assert newer != NET1
    (tmp_path / "town-newer.inp").write_bytes(newer)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "WNIS_URL": admin.url,
        "WNIS_TOKEN": admin.person.headers["Authorization"].split()[1],
        "COLUMNS": "200",
    }
    said = ""
    for block in marked("sh testable import", "import.md"):
        text = block.text.replace("--id town", "--id guided").replace(" town town", " guided town")
        done = subprocess.run(
            ["bash", "-euc", text], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        said += done.stdout + done.stderr
    assert "info: [CONTROLS] line" in said
    assert "~ Pipe 21  diameter_m: 0.254 -> 0.3048\n0 added, 1 changed, 0 removed, 23 unchanged." in said
    assert (tmp_path / "town-out.inp").read_bytes() == (tmp_path / "town-as-imported.inp").read_bytes() == newer
