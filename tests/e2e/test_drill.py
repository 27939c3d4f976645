"""``wnis drill``: the newest set of a running instance comes to life in a home of its own, and answers as it did."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from wnis_neo4j.local import free_port

pytestmark = pytest.mark.timeout(600)

PROGRAM = str(Path(sys.executable).with_name("wnis"))


def test_a_drill_restores_the_newest_set_and_says_how_long_it_took(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WNIS_", "NEO4J_"))}
    environ = {**kept, "WNIS_HOME": str(tmp_path / "home")}

    def wnis(*words: str) -> Any:
        done = subprocess.run([PROGRAM, *words], env=environ, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout) if "--json" in words else None

    wnis("up", "--detach", "--port", str(free_port()), "--json")
    try:
        wnis("network", "sample", "Net1")
        made = wnis("backup", "--json")
        report = wnis("drill", "--json")
        print(json.dumps(report))
        assert report["ok"]
        assert made["set"] in json.dumps(report)
        # the instance that works was not touched, and nothing of the other one is left
        assert wnis("status", "--json")["state"] == "ready"
        assert json.loads((tmp_path / "home" / "backup" / "last-drill.json").read_text())["ok"]
    finally:
        wnis("down")
