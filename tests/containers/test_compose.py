"""docker-compose.yml for real: the demonstration, the contract, a death of every container, a new start.

The tests of this file build on each other, in their order: one system lives through all of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.conftest import REPOSITORY
from tests.containers.composed import SERVICES, ComposedStack, container, podman, wait_healthy, wait_ready

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1200)]

# needs something that this system has not: a page served by the API itself, or a hundred thousand generated requests
_ELSEWHERE = "not schemathesis and not pages_for_people"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposedStack]:
    """The system after ``docker compose up``."""
    composed = ComposedStack(tmp_path_factory.mktemp("compose"))
    composed.prepare()
    begun = time.monotonic()
    composed.compose("up", "--detach", "--no-build")
    try:
        wait_ready(composed)
        print(f"ready {time.monotonic() - begun:.0f} s after 'up'")
        with composed:
            yield composed
    finally:
        # what a failed test leaves is gone with its volumes
        composed.compose("down", "--volumes", "--timeout", "5")


@pytest.fixture(scope="module")
def demo(stack: ComposedStack) -> float:
    """Seconds until the demonstration was loaded."""
    begun = time.monotonic()
    while True:
        state = json.loads(podman("inspect", container("demo")))[0]["State"]
        if state["Status"] == "exited" and state["ExitCode"] == 0:
            return time.monotonic() - begun
        assert time.monotonic() - begun < 600, podman("logs", "--tail", "20", container("demo"))
        time.sleep(2)


def test_people_find_the_page_and_the_demonstration_over_tls(stack: ComposedStack, demo: float) -> None:
    trusted = str(stack.folder / "secrets" / "tls.crt")
    page = requests.get(f"{stack.page}/", verify=trusted, timeout=10)
    assert page.status_code == 200
    assert '<div id="root">' in page.text
    signed_in = requests.post(
        f"{stack.page}/api/v1/auth/login",
        json={"username": "admin", "password": stack.password},
        verify=trusted,
        timeout=10,
    )
    assert signed_in.status_code == 200, signed_in.text
    headers = {"Authorization": f"Bearer {signed_in.json()['token']}"}
    pipe = requests.get(f"{stack.page}/api/v1/components/ky4:pipe:P-1", headers=headers, verify=trusted, timeout=10)
    assert pipe.json()["type"] == "Pipe"
    asked = {"component_id": "ky4:pipe:P-1"}
    failure = requests.get(
        f"{stack.page}/api/v1/predictions/failure", params=asked, headers=headers, verify=trusted, timeout=10
    )
    assert 0 < failure.json()["probability"] < 1


def test_the_databases_and_services_are_not_reachable_from_outside(stack: ComposedStack, demo: float) -> None:
    for service in ("neo4j", "postgres", "api-service", "simulator", "ml"):
        published = json.loads(podman("inspect", container(service)))[0]["NetworkSettings"]["Ports"] or {}
        assert not any(published.values()), service


def test_services_run_without_root_and_cannot_write_their_programs(stack: ComposedStack, demo: float) -> None:
    for service in ("api-service", "simulator", "ml", "web-interface"):
        assert podman("exec", container(service), "id", "-u").strip() == "10001"
        refused = subprocess.run(
            ["podman", "exec", container(service), "sh", "-c", "echo x > /opt/x"], capture_output=True, check=False
        )
        assert refused.returncode != 0, service
        assert not podman("exec", container(service), "sh", "-c", "ls /opt/wnis/bin/pip 2>/dev/null || true").strip()


def test_the_contract_holds(stack: ComposedStack, demo: float) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", _ELSEWHERE, "tests/contract"],
        cwd=REPOSITORY,
        env={**os.environ, "WNIS_TEST_COMPOSE": str(stack.folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=1000,
    )
    assert done.returncode == 0, done.stdout[-6000:]


def test_every_container_comes_back_with_all_that_was_acknowledged(stack: ComposedStack, demo: float) -> None:
    person = stack.sign_in()
    acknowledged = 0
    for service in ("api-service", "simulator", "ml", "postgres", "neo4j", "web-interface"):
        for _ in range(5):
            body = {"source": "api", "category": "other", "content": f"before {service} died"}
            answer = requests.post(f"{stack.url}/api/v1/feedback", json=body, headers=person.headers, timeout=20)
            assert answer.status_code == 201, answer.text
            acknowledged += 1
        podman("kill", "--signal", "KILL", container(service))
        _came_back(service)
        stack.find()
        wait_ready(stack)
        found = requests.get(
            f"{stack.url}/api/v1/feedback?category=other&limit=1000", headers=person.headers, timeout=20
        )
        contents = [one["content"] for one in found.json()["feedback"]]
        assert sum(text.startswith("before ") for text in contents) == acknowledged, service


def test_down_and_up_keep_the_data(stack: ComposedStack, demo: float) -> None:
    before = _counts(stack)
    begun = time.monotonic()
    stack.compose("down", "--timeout", "40")
    stopped_s = time.monotonic() - begun
    stack.compose("up", "--detach", "--no-build")
    wait_ready(stack)
    stack.find()
    print(f"down {stopped_s:.0f} s, up again {time.monotonic() - begun - stopped_s:.0f} s")
    assert _counts(stack) == before


def _counts(stack: ComposedStack) -> list[list[object]]:
    body = {"cypher": "MATCH (n) WHERE NOT n:Job RETURN labels(n) AS labels, count(*) AS number ORDER BY labels"}
    answer = requests.post(
        f"{stack.url}/api/v1/graph/query", json=body, headers=stack.sign_in().headers, timeout=30
    ).json()
    rows: list[list[object]] = answer["rows"]
    return rows


def _came_back(service: str) -> None:
    # a restart policy does it where a daemon watches; this podman's containers watch themselves
    name = container(service)
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if json.loads(podman("inspect", name))[0]["State"]["Status"] == "running":
            break
        time.sleep(0.5)
    assert json.loads(podman("inspect", name))[0]["State"]["Status"] == "running", f"{service} was not restarted"
    if service in (*SERVICES.values(), "neo4j", "postgres"):
        wait_healthy(name)


def test_images_are_as_the_guide_says(stack: ComposedStack) -> None:
    for service in ("api-service", "simulator", "ml", "web-interface"):
        image = json.loads(podman("image", "inspect", f"docker.io/wnis/{service}:0.1.0"))[0]
        assert image["Config"]["User"] == "10001:10001"
        assert image["HealthCheck" if "HealthCheck" in image else "Healthcheck"]
        assert image["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_secrets_are_made_once(tmp_path: Path) -> None:
    script = REPOSITORY / "scripts" / "secrets.sh"
    subprocess.run(["sh", str(script), str(tmp_path / "secrets")], check=True)
    first = {file.name: file.read_bytes() for file in (tmp_path / "secrets").iterdir()}
    subprocess.run(["sh", str(script), str(tmp_path / "secrets")], check=True)
    assert {file.name: file.read_bytes() for file in (tmp_path / "secrets").iterdir()} == first
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    assert len(first["jwt"]) == 64
