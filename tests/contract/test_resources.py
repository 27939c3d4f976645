"""The resources of CONTRACT.md over the live system: fields, aliases, paging, versions, jobs."""

from __future__ import annotations

import csv
import io
import time
import uuid
from typing import Any
from urllib.parse import quote

import mapbox_vector_tile
import pytest
import requests
from wnis_core.errors import Failure

from tests.contract.conftest import Client
from tests.live import LiveStack


def finished(client: Client, job_id: str) -> dict[str, Any]:
    """The job when it has ended."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        answer = client("GET", f"/jobs/{job_id}")
        job: dict[str, Any] = answer.json()
        if answer.ok and job["state"] in ("succeeded", "failed", "cancelled"):
            return job
        time.sleep(0.3)
    raise Failure(f"job {job_id} did not end")


@pytest.fixture(scope="module")
def network(admin: Client) -> str:
    """WNTR's Net1 through the sample door, simulated once."""
    accepted = admin("POST", "/networks/samples", json={"name": "Net1", "network_id": "net"})
    assert accepted.status_code == 202
    assert finished(admin, accepted.json()["job_id"])["state"] == "succeeded"
    return str(accepted.json()["network_id"])


@pytest.fixture(scope="module")
def run_id(admin: Client, network: str) -> str:
    """A finished run."""
    accepted = admin("POST", "/simulations", json={"network_id": network, "kind": "hydraulic"})
    assert accepted.status_code == 202
    assert finished(admin, accepted.json()["job_id"])["state"] == "succeeded"
    return str(accepted.json()["run_id"])


def _valve(identifier: str) -> dict[str, Any]:
    return {"type": "Valve", "id": identifier, "valveType": "Butterfly", "diameter": 200, "status": "Open",
            "installDate": "2018-05-10"}  # fmt: skip


def test_a_component_written_by_hand_is_answered_in_canonical_names(admin: Client) -> None:
    identifier = f"VLV-{uuid.uuid4().hex}"
    answer = admin("POST", "/components", json=_valve(identifier))
    assert answer.status_code == 201
    shown = admin("GET", f"/components/{identifier}").json()
    assert shown == answer.json()
    assert (shown["type"], shown["status"]) == ("Valve", "open")
    expected = {"valve_kind": "butterfly", "diameter_m": 0.2, "install_date": "2018-05-10"}
    assert shown["properties"].items() >= expected.items()
    assert {"id", "type", "status", "health", "properties", "zone", "connected_components"} <= shown.keys()
    assert admin("POST", "/components", json=_valve(identifier)).status_code == 409


@pytest.mark.parametrize("identifier", ["net:pipe:a%2Fb", "100%", "a:b~c_d.e-f", "%41"])
def test_any_id_survives_the_way_through_the_path(identifier: str, admin: Client) -> None:
    mine = f"{identifier}{uuid.uuid4().hex}"
    body = {"type": "Pipe", "id": mine, "length": 10, "diameter": 100}
    assert admin("POST", "/components", json=body).status_code == 201
    assert admin("GET", f"/components/{quote(mine, safe='')}").json()["id"] == mine


def test_a_stale_version_is_refused_and_an_unchanged_one_is_not_sent(admin: Client) -> None:
    identifier = f"VLV-{uuid.uuid4().hex}"
    path = f"/components/{identifier}"
    first = admin("POST", "/components", json=_valve(identifier)).headers["ETag"]
    assert admin("GET", path, headers={"If-None-Match": first}).status_code == 304
    assert admin("PATCH", path, json={"material": "PVC"}, headers={"If-Match": first}).status_code == 200
    assert admin("PATCH", path, json={"material": "DI"}, headers={"If-Match": first}).status_code == 412
    assert admin("DELETE", path, headers={"If-Match": first}).status_code == 412
    assert admin("GET", path).json()["properties"]["material"] == "PVC"


def test_a_retired_component_leaves_the_lists_and_keeps_its_history(admin: Client) -> None:
    identifier = f"VLV-{uuid.uuid4().hex}"
    created = admin("POST", "/components", json=_valve(identifier)).json()
    assert admin("DELETE", f"/components/{identifier}").json()["retired_at"] is not None
    listed = admin("GET", f"/components?q={identifier}").json()["components"]
    assert listed == []
    history = admin("GET", f"/components/{identifier}/history").json()["history"]
    assert [change["action"] for change in history] == ["retire", "create"]
    moment = created["properties"]["created_at"]
    before = admin("GET", f"/components/{identifier}?as_of={quote(moment)}").json()
    assert (before["retired_at"], before["status"]) == (None, "open")


def test_the_same_request_with_the_same_key_is_done_once(admin: Client) -> None:
    body = {"kind": "leak", "occurred_at": "2020-05-01T00:00:00Z", "narrative": "wet road"}
    key = {"Idempotency-Key": uuid.uuid4().hex}
    answers = [admin("POST", "/incidents", json=body, headers=key) for _ in range(3)]
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["id"] for a in answers}) == 1
    assert admin("POST", "/incidents", json=body | {"kind": "break"}, headers=key).status_code == 422


def test_a_list_is_walked_once_by_its_cursor(admin: Client, network: str) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        page = admin("GET", "/components", params={"network": network, "limit": 7, "cursor": cursor}).json()
        seen += [c["id"] for c in page["components"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    everything = admin("GET", "/components", params={"network": network, "limit": 1000}).json()["components"]
    assert seen == [c["id"] for c in everything]
    assert len(seen) == len(set(seen)) > 20


def test_csv_and_geojson_hold_everything(admin: Client, network: str) -> None:
    counts = admin("GET", f"/networks/{network}").json()["counts"]
    text = admin("GET", "/components", params={"network": network, "format": "csv", "limit": 1}).text
    rows = list(csv.DictReader(io.StringIO(text)))
    drawn = admin("GET", "/components", params={"network": network, "format": "geojson"}).json()
    assert len(rows) == len(drawn["features"]) == sum(counts.values())
    assert {row["type"] for row in rows} == set(counts)


def test_a_network_has_its_file_and_its_drawing(admin: Client, network: str, run_id: str) -> None:
    shown = admin("GET", f"/networks/{network}")
    assert (shown.json()["id"], shown.json()["crs"]) == (network, None)
    assert b"[JUNCTIONS]" in admin("GET", f"/networks/{network}/inp").content
    drawn = admin("GET", f"/networks/{network}/geojson").json()
    assert drawn["run_id"] == run_id
    pressures = [f["properties"]["pressure_mean_m"] for f in drawn["features"] if f["properties"]["type"] == "Junction"]
    assert all(value is not None for value in pressures)
    tile = admin("GET", f"/networks/{network}/tiles/0/0/0.mvt")
    assert tile.headers["Content-Type"] == "application/vnd.mapbox-vector-tile"
    layers = mapbox_vector_tile.decode(tile.content)
    assert set(layers) == {"links", "nodes"}
    assert len(layers["nodes"]["features"]) == sum(
        number for kind, number in shown.json()["counts"].items() if kind in ("Junction", "Tank", "Reservoir")
    )
    again = admin("GET", f"/networks/{network}/tiles/0/0/0.mvt", headers={"If-None-Match": tile.headers["ETag"]})
    assert again.status_code == 304
    assert admin("GET", f"/networks/{network}/tiles/10/0/0.mvt").status_code == 204
    assert admin("GET", f"/networks/{network}/tiles/2/4/0.mvt").status_code == 404


def test_a_run_is_read_by_component_and_quantity(admin: Client, network: str, run_id: str) -> None:
    junction = admin("GET", "/components", params={"network": network, "type": "Junction"}).json()["components"][0]
    asked = {"component_id": junction["id"], "quantity": "pressure"}
    series = admin("GET", f"/simulations/{run_id}/results", params=asked).json()
    assert series["unit"] == "m"
    assert len(series["times_s"]) == len(series["values"]) > 1
    assert admin("GET", f"/simulations/{run_id}/results", params=asked | {"quantity": "flow"}).status_code == 422
    latest = admin("GET", f"/components/{quote(junction['id'], safe='')}").json()["latest_simulation"]
    assert latest["run_id"] == run_id
    assert latest["summary"]["pressure_min_m"] == pytest.approx(min(series["values"]), abs=1e-3)
    assert admin("GET", f"/simulations/{run_id}").json()["state"] == "succeeded"
    assert run_id in {r["id"] for r in admin("GET", f"/simulations?network_id={network}").json()["simulations"]}


def test_neighbours_and_traces_follow_the_joints(admin: Client, network: str) -> None:
    pipe = admin("GET", "/components", params={"network": network, "type": "Pipe"}).json()["components"][0]["id"]
    path = f"/components/{quote(pipe, safe='')}"
    joined = {c["id"] for c in admin("GET", path).json()["connected_components"]}
    assert {n["id"] for n in admin("GET", f"{path}/neighbours?hops=1").json()["neighbours"]} == joined
    upstream = {n["type"] for n in admin("GET", f"{path}/trace?direction=upstream").json()["trace"]}
    assert upstream & {"Reservoir", "Tank"}
    assert admin("GET", f"{path}/trace").status_code == 400
    assert admin("GET", f"{path}/trace?direction=sideways").status_code == 422


def test_a_file_that_is_no_model_is_a_failed_job_and_no_network(admin: Client) -> None:
    files = {"file": ("bad.inp", b"[JUNCTIONS]\n J1 abc\n[END]\n")}
    accepted = admin("POST", "/networks", files=files, data={"id": "bad"})
    assert accepted.status_code == 202
    job = finished(admin, accepted.json()["job_id"])
    assert (job["state"], job["error"]["code"]) == ("failed", "invalid_model")
    assert {"section", "line", "id"} <= job["error"]["details"].keys()
    assert admin("GET", "/networks/bad").status_code == 404


def test_a_form_without_its_file_or_with_a_wrong_field_is_refused(admin: Client) -> None:
    assert admin("POST", "/networks", files={"other": b"x"}, data={"id": "a"}).status_code == 400
    assert admin("POST", "/networks", files={"file": b"x"}).status_code == 400
    assert admin("POST", "/networks", files={"file": b"x"}, data={"id": "a b"}).status_code == 422
    assert admin("POST", "/networks", files={"file": b"x"}, data={"id": "a", "crs": "x"}).status_code == 422
    assert admin("POST", "/networks", json={"id": "a"}).status_code == 400


def test_feedback_starts_new_and_is_resolved(admin: Client, network: str) -> None:
    body = {"source": "web", "category": "bug", "content": "the map is empty", "rating": 2}
    receipt = admin("POST", "/feedback", json=body)
    assert (receipt.status_code, receipt.json()["status"]) == (201, "submitted")
    identifier = receipt.json()["id"]
    stored = {f["id"]: f for f in admin("GET", "/feedback?category=bug").json()["feedback"]}[identifier]
    assert admin.person is not None
    assert (stored["status"], stored["user_id"]) == ("new", admin.person.user["id"])
    changed = admin("PUT", f"/feedback/{identifier}", json={"status": "resolved", "resolution": "reload"}).json()
    assert (changed["status"], changed["resolution"]) == ("resolved", "reload")
    assert admin("POST", "/feedback", json=body | {"rating": 6}).status_code == 422


def test_incidents_are_imported_row_by_row_and_colour_their_components(admin: Client, network: str) -> None:
    pipe = admin("GET", "/components", params={"network": network, "type": "Pipe"}).json()["components"][-1]["id"]
    rows = [
        {"kind": "break", "occurred_at": "2021-01-01T00:00:00Z", "source_id": "r1", "components": [pipe]},
        {"kind": "flood", "occurred_at": "2021-01-01T00:00:00Z"},
        {"kind": "break", "occurred_at": "2021-01-01T00:00:00Z", "source_id": "r3", "components": ["no-such"]},
    ]
    answer = admin("POST", "/incidents/import", json={"incidents": rows}).json()
    assert (answer["created"], [r["row"] for r in answer["rejected"]]) == (1, [1, 2])
    again = admin("POST", "/incidents/import", json={"incidents": rows}).json()
    assert (again["created"], again["unchanged"]) == (0, 1)
    body = {"kind": "break", "occurred_at": "2022-01-01T00:00:00Z", "components": [pipe]}
    admin("POST", "/incidents", json=body).raise_for_status()
    assert admin("GET", f"/components/{quote(pipe, safe='')}").json()["health"] in ("warning", "critical")


def test_what_cannot_fail_has_no_prediction(admin: Client, network: str) -> None:
    junction = admin("GET", "/components", params={"network": network, "type": "Junction"}).json()["components"][0]
    assert admin("GET", "/predictions/failure", params={"component_id": junction["id"]}).status_code == 422
    assert admin("GET", "/predictions/failure", params={"component_id": "no-such"}).status_code == 404
    assert admin("GET", "/predictions/failure").status_code == 400
    assert admin("GET", "/predictions/failure", params={"component_id": "x", "horizon": 0}).status_code == 422


def test_configuration_takes_known_keys_only(admin: Client) -> None:
    changed = admin("POST", "/admin/config", json={"maintenance_check_interval": 7200})
    assert (changed.status_code, changed.json()["maintenance_check_interval"]) == (200, 7200)
    assert admin("GET", "/admin/config").json() == changed.json()
    assert admin("POST", "/admin/config", json={"unknown_key": 1}).status_code == 422
    assert admin("POST", "/admin/config", json={"maintenance_check_interval": "soon"}).status_code == 422


def test_changes_are_on_record(admin: Client) -> None:
    identifier = f"VLV-{uuid.uuid4().hex}"
    answer = admin("POST", "/components", json=_valve(identifier))
    latest = admin("GET", "/admin/audit?limit=5").json()["audit"]
    (entry,) = [e for e in latest if e["subject"] == identifier]
    assert (entry["action"], entry["status"]) == ("component.add", 201)
    assert entry["request_id"] == answer.headers["X-Request-Id"]


def test_metrics_count_every_worker_by_route_template(live: LiveStack, admin: Client, anonymous: Client) -> None:
    def counted() -> float:
        text = anonymous.bare("GET", "/metrics").text
        wanted = 'endpoint="/api/v1/models"'
        lines = [line for line in text.splitlines() if line.startswith("http_requests_total{") and wanted in line]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    before = counted()
    for _ in range(30):
        # a connection each, so that both workers answer some
        requests.get(f"{live.url}/api/models", headers=admin.person.headers, timeout=10)  # type: ignore[union-attr]
    assert counted() - before == 30
    text = anonymous.bare("GET", "/metrics").text
    for name in (
        "neo4j_query_total",
        "active_users",
        "active_sessions",
        "system_components_health",
        "http_request_dur",
    ):
        assert name in text
    assert 'system_components_health{component="neo4j"} 1.0' in text


def test_a_dead_service_is_503_and_the_rest_goes_on(live: LiveStack, admin: Client, anonymous: Client) -> None:
    live.stop("ml", 9)
    try:
        answer = admin("POST", "/incidents/search", json={"query": "burst"})
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        assert admin("GET", "/components?limit=1").status_code == 200
        time.sleep(2.5)
        ready = anonymous.bare("GET", "/ready")
        assert (ready.status_code, ready.json()["status"], ready.json()["parts"]["ml"]) == (200, "degraded", "down")
    finally:
        live.start("ml")
        live.wait("ml")


def test_pages_for_people_are_served(anonymous: Client) -> None:
    assert anonymous.bare("GET", "/health").json() == {"status": "ok"}
    docs = anonymous.bare("GET", "/api/docs")
    assert docs.status_code == 200
    assert "swagger-ui" in docs.text
    assert "sha256-" in docs.headers["Content-Security-Policy"]
    assert anonymous.bare("GET", "/api/docs/swagger-ui-bundle.js").status_code == 200
    assert anonymous.bare("GET", "/api/openapi.json").json()["openapi"] == "3.1.0"
    assert anonymous.bare("GET", "/api/swagger.yaml").text.startswith("openapi: 3.1.0")
