"""Isolation, segments, traces and redundancy over the live system, and the commands that ask for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.contract.conftest import Client
from tests.contract.test_resources import finished
from tests.guide_blocks import ROOT, marked

_WNIS = (sys.executable, "-c", "from wnis_ops.cli.main import main; main()")


@pytest.fixture(scope="module")
def town(admin: Client) -> str:
    """Net1 with valves at both ends of pipe 21 and of pipe 122, and customers; not run yet."""
    accepted = admin("POST", "/networks/samples", json={"name": "Net1", "network_id": "town"})
    assert finished(admin, accepted.json()["job_id"])["state"] == "succeeded"
    valves: list[dict[str, Any]] = [
        {"id": "town-V1", "pipe": "town:pipe:21", "near": "21"},
        {"id": "town-V2", "pipe": "town:pipe:21", "near": "22", "offset_m": 10.5, "valve_kind": "butterfly"},
        {"id": "town-V3", "pipe": "town:pipe:122", "near": "22"},
        {"id": "town-V4", "pipe": "town:pipe:122", "near": "32"},
        {"id": "town-V5", "pipe": "town:pipe:22", "near": "22"},
        {"id": "town-V6", "pipe": "town:pipe:112", "near": "22"},
        {"id": "town-V7", "pipe": "town:pipe:9999"},
    ]
    body: dict[str, Any] = {
        "network": "town",
        "isolation_valves": valves,
        "service_connections": [
            {"id": "town-C1", "name": "School", "customers": 300, "served_by": "town:junction:22", "critical": True},
            {"id": "town-C2", "name": "Row", "customers": 12, "served_by": "town:junction:32"},
        ],
    }
    answer = admin("POST", "/assets/import", json=body).json()
    assert (answer["created"], answer["unmatched"], answer["rejected"]) == (8, ["town:pipe:9999"], [])
    return "town"


def _isolate(client: Client, **body: object) -> dict[str, Any]:
    answer = client("POST", "/networks/town/isolation", json=body)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_a_break_is_answered_in_the_words_of_the_contract(admin: Client, town: str) -> None:
    answer = _isolate(admin, component_id="town:junction:22")

    assert answer["valves"] == ["town-V3", "town-V5", "town-V6", "town-V2"]
    assert [step["id"] for step in answer["valve_details"]] == answer["valves"]
    assert answer["valve_details"][3]["distance_m"] == 10.5
    assert answer["segment"]["components"] == ["town:junction:22", "town:pipe:21"]
    assert answer["isolated"] == answer["segment"]["components"]
    assert answer["unintended"] == []
    assert (answer["customers"], answer["critical_customers"]) == (300, ["School"])
    assert answer["demand_m3s"] == pytest.approx(200 * 0.003785411784 / 60)
    assert answer["worst_valve"]["id"] in answer["valves"]
    assert answer["demands"] == {"run_id": None, "finished_at": None, "stale": False}
    assert answer["tanks"] == []
    more = _isolate(admin, component_id="town:junction:22", inoperable_valves=["town-V3"])
    assert set(more["segment"]["components"]) == {*answer["segment"]["components"], "town:pipe:122", "town-V3"}
    assert len(more["segment"]["ids"]) == 2
    assert _isolate(admin, component_id="town:pipe:21", offset_m=1.0)["valves"] == ["town-V1", "town-V2"]


def test_what_cannot_be_asked_is_refused_with_the_field(admin: Client, town: str) -> None:
    path = "/networks/town/isolation"
    assert admin("POST", path, json={"component_id": "nobody"}).status_code == 404
    assert admin("POST", "/networks/nowhere/isolation", json={"component_id": "town:pipe:21"}).status_code == 404
    assert admin("POST", path, json={}).status_code == 400
    far = admin("POST", path, json={"component_id": "town:pipe:21", "offset_m": 1e6})
    assert (far.status_code, far.json()["errors"][0]["field"]) == (422, "offset_m")
    odd = admin("POST", path, json={"component_id": "town:pipe:21", "inoperable_valves": ["town:pipe:21"]})
    assert (odd.status_code, odd.json()["errors"][0]["field"]) == (422, "inoperable_valves")


def test_segments_are_listed_and_follow_an_edit(admin: Client, town: str) -> None:
    first = admin("GET", "/networks/town/segments").json()["segments"]
    assert sum(s["customers"] for s in first) == 312
    one = next(s for s in first if "town-V4" in s["valves"] and "town-V3" in s["valves"])
    members = admin("GET", f"/networks/town/segments/{one['id']}").json()["members"]
    assert members == ["town:pipe:122"]
    body = {"id": "town-V8", "type": "Valve", "network": "town", "valveType": "gate", "diameter": 200,
            "located_on": {"pipe": "town:pipe:122", "near": "22", "offset_m": 5}}  # fmt: skip
    assert admin("POST", "/components", json=body).status_code == 201
    assert len(admin("GET", "/networks/town/segments").json()["segments"]) == len(first) + 1
    assert admin("DELETE", "/components/town-V8").status_code == 200
    again = admin("GET", "/networks/town/segments").json()["segments"]
    assert [s["id"] for s in again] == [s["id"] for s in first]
    rows = admin(
        "POST",
        "/graph/query",
        json={"cypher": "MATCH (v:Valve {id: 'town-V3'})-[:BOUNDS]->(s:Segment)<-[:IN_SEGMENT]-(p:Pipe) RETURN p.name",
              "parameters": {}},
    ).json()["rows"]  # fmt: skip
    assert ["122"] in rows


def test_valves_are_ranked_for_maintenance(admin: Client, town: str) -> None:
    answer = admin("GET", "/networks/town/valves/exercise?closure_h=4&top=3").json()
    assert (answer["total"], len(answer["valves"])) == (6, 3)
    values = [valve["customer_hours"] for valve in answer["valves"]]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0


def test_what_has_no_redundancy_is_listed(admin: Client, town: str) -> None:
    answer = admin("GET", "/networks/town/redundancy").json()
    # the tank is a second source, so of the loops nothing but the way to it and to the reservoir is a bridge
    assert {one["id"].split(":", 1)[1] for one in answer["components"]} <= {
        "reservoir:9", "pump:9", "junction:10", "pipe:10", "tank:2", "pipe:110", "junction:12", "junction:11",
    }  # fmt: skip


def test_a_trace_follows_the_run_at_a_time_or_over_the_day(admin: Client, town: str) -> None:
    path = "/components/town:tank:2/trace?direction=upstream"
    still = admin("GET", path).json()
    assert (still["method"], still["run"]) == ("topology", None)
    assert admin("GET", f"{path}&time_s=0").status_code == 409
    accepted = admin("POST", "/simulations", json={"network_id": "town", "kind": "hydraulic"}).json()
    assert finished(admin, accepted["job_id"])["state"] == "succeeded"

    day = admin("GET", path).json()
    assert (day["method"], day["run_id"], day["run"]["time_s"], day["run"]["stale"]) == (
        "run", accepted["run_id"], None, False,
    )  # fmt: skip
    filling = admin("GET", f"{path}&time_s=1800").json()
    assert filling["run"]["time_s"] == 0
    assert "town:reservoir:9" in {one["id"] for one in filling["trace"]}
    # at 13:00 the pump rests and the tank empties
    emptying = admin("GET", f"{path}&time_s={13 * 3600}").json()
    assert emptying["trace"] == []
    assert admin("GET", f"{path}&time_s={10**9}").status_code == 422
    sources = admin("GET", "/components/town:junction:32/sources").json()
    assert {one["id"] for one in sources["sources"]} == {"town:reservoir:9", "town:tank:2"}
    assert [sources["shares"], *(one["share"] for one in sources["sources"])] == [None, None, None]
    assert sources["route"]["components"][0] in ("town:reservoir:9", "town:tank:2")
    demands = _isolate(admin, component_id="town:junction:22")["demands"]
    assert (demands["run_id"], demands["stale"]) == (accepted["run_id"], False)


def test_shares_of_the_sources_come_from_a_source_trace(admin: Client, town: str) -> None:
    hydraulic = {"network_id": "town", "kind": "hydraulic", "duration_s": 864_000}
    refused = admin("POST", "/simulations", json=hydraulic)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "duration_s")
    tracing = {**hydraulic, "kind": "source-trace"}
    assert admin("POST", "/simulations", json={**tracing, "duration_s": 5}).status_code == 422
    before = admin("GET", "/components/town:tank:2").json()
    accepted = admin("POST", "/simulations", json=tracing).json()
    assert finished(admin, accepted["job_id"])["state"] == "succeeded"
    assert admin("GET", f"/simulations/{accepted['run_id']}").json()["kind"] == "source-trace"

    feed = admin("GET", "/components/town:junction:32/sources").json()
    run = feed["shares"]["run"]
    assert (run["id"], run["stale"], feed["shares"]["duration_s"]) == (accepted["run_id"], False, 864_000)
    by_id = {one["id"]: one for one in feed["sources"]}
    reservoir, tank = by_id["town:reservoir:9"], by_id["town:tank:2"]
    assert reservoir["share"] + feed["shares"]["initial"] == pytest.approx(1, abs=1e-3)
    # what left the tank came from the reservoir before
    assert 0 <= tank["share_min"] < tank["share"] < tank["share_max"] <= 1
    assert tank["share"] <= reservoir["share"]
    at_reservoir = admin("GET", "/components/town:pump:9/sources").json()["sources"]
    assert [(one["id"], one["share"]) for one in at_reservoir] == [("town:reservoir:9", pytest.approx(1, abs=0.01))]
    # it has no flows and no pressures, and takes the place of no hydraulic run
    assert admin("GET", "/components/town:tank:2").json()["latest_simulation"] == before["latest_simulation"]
    quantity = f"/simulations/{accepted['run_id']}/results?component_id=town:tank:2&quantity=head"
    assert admin("GET", quantity).status_code == 409
    changed = admin("PATCH", "/components/town:junction:32", json={"elevation_m": 220.0})
    assert changed.status_code == 200
    assert admin("GET", "/components/town:junction:32/sources").json()["shares"]["run"]["stale"]


def test_the_commands_ask_the_same(admin: Client, town: str) -> None:
    assert admin.person is not None
    environment = {**os.environ, "WNIS_URL": admin.url, "WNIS_TOKEN": admin.person.headers["Authorization"].split()[1]}

    def wnis(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*_WNIS, *words], env=environment, capture_output=True, text=True, check=False)

    asked = wnis("isolate", "town", "town:junction:22", "--inoperable", "town-V3", "--json")
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["valves"] == ["town-V5", "town-V6", "town-V2", "town-V4"]
    words = wnis("isolate", "town", "town:junction:22").stdout
    assert "1. town-V3" in words
    assert "Without water: 300 customers" in words
    assert "Critical customers without water: School" in words
    ambiguous = wnis("isolate", "town", "22")
    assert ambiguous.returncode == 2
    assert "town:junction:22" in ambiguous.stderr
    traced = wnis("trace", "town", "town:junction:32", "upstream", "--json")
    assert json.loads(traced.stdout)["direction"] == "upstream"
    assert wnis("trace", "town", "town:junction:32", "sideways").returncode == 2
    fed = wnis("trace", "town", "town:junction:32", "sources", "--json")
    assert {"sources", "shares", "route"} <= json.loads(fed.stdout).keys()
    assert "Sources of town:junction:32" in wnis("trace", "town", "town:junction:32", "sources").stdout
    assert wnis("trace", "town", "town:junction:32", "sources", "--time", "0").returncode == 2
    assert wnis("simulate", "town", "--hours", "48").returncode == 2
    ranked = wnis("network", "valves", "town", "--top", "2", "--json")
    assert len(json.loads(ranked.stdout)["valves"]) == 2


@pytest.mark.parametrize(
    ("page", "says"), [("isolation.md", "isolation"), ("tracing.md", "tracing"), ("quality.md", "quality")]
)
def test_the_commands_of_the_guide_work(page: str, says: str, admin: Client, tmp_path: Path) -> None:
    assert admin.person is not None
    (tmp_path / "config").symlink_to(ROOT / "config")
    for block in marked("csv isolation-valves", "isolation.md"):
        (tmp_path / "isolation-valves.csv").write_text(block.text, encoding="utf-8")
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "WNIS_URL": admin.url,
        "WNIS_TOKEN": admin.person.headers["Authorization"].split()[1],
        "COLUMNS": "200",
    }
    said = ""
    for block in (*marked("sh testable isolation", "isolation.md")[:1], *marked(f"sh testable {says}", page)):
        done = subprocess.run(
            ["bash", "-euc", block.text], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{block.text}\n{done.stdout}\n{done.stderr}"
        said += done.stdout
    wanted = {
        "isolation": ("1. valve:V3", "unchanged 5", "Without water"),
        "tracing": ("Net1:reservoir:9", "at 46800 s"),
        "quality": ("score", "checks found nothing"),
    }
    for words in wanted[says]:
        assert words in said
