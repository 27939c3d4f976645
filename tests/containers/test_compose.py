"""docker-compose.yml for real: the demonstration, the contract, a death of every container, a new start.

The tests of this file build on each other, in their order: one system lives through all of them.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from wnis_ops.backup.sets import SET_NAME

from tests.conftest import REPOSITORY
from tests.containers.composed import ComposedStack, container, podman, wait_healthy, wait_ready
from tests.guide_blocks import GUIDE, marked

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1200)]

# needs something that this system has not: a page served by the API itself, or a hundred thousand generated requests
_ELSEWHERE = "not schemathesis"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposedStack]:
    """The system after ``docker compose up``."""
    composed = ComposedStack(tmp_path_factory.mktemp("compose"))
    composed.prepare()
    begun = time.monotonic()
    try:
        composed.compose("up", "--detach")
        wait_ready(composed)
        print(f"ready {time.monotonic() - begun:.0f} s after 'up'")
        with composed:
            yield composed
    finally:
        # what a failed test leaves is gone with its volumes
        composed.compose("down", "--volumes", "--timeout", "5")


@pytest.fixture(scope="module")
def demo(stack: ComposedStack) -> None:
    """Waits until the demonstration is loaded."""
    begun = time.monotonic()
    while True:
        state = _state(container("demo"))
        if state["Status"] == "exited" and state["ExitCode"] == 0:
            print(f"demonstration {time.monotonic() - begun:.0f} s after that")
            return
        assert time.monotonic() - begun < 600, podman("logs", "--tail", "20", container("demo"))
        time.sleep(2)


def test_people_find_the_page_and_the_demonstration_over_tls(stack: ComposedStack, demo: None) -> None:
    session = requests.Session()
    # the environment's own list of authorities would win over it
    session.trust_env = False
    session.verify = str(stack.folder / "secrets" / "tls.crt")
    page = session.get(f"{stack.page}/", timeout=10)
    assert page.status_code == 200
    assert '<div id="root">' in page.text
    body = {"username": "admin", "password": stack.password}
    token = _answered("POST", f"{stack.page}/api/v1/auth/login", session, json=body)["token"]
    session.headers["Authorization"] = f"Bearer {token}"
    assert _answered("GET", f"{stack.page}/api/v1/components/ky4:pipe:P-1", session)["type"] == "Pipe"
    asked = f"{stack.page}/api/v1/predictions/failure?component_id=ky4:pipe:P-1"
    assert 0 < _answered("GET", asked, session)["probability"] < 1


def test_the_databases_and_services_are_not_reachable_from_outside(stack: ComposedStack, demo: None) -> None:
    for service in ("neo4j", "postgres", "api-service", "simulator", "ml"):
        published = json.loads(podman("inspect", container(service)))[0]["NetworkSettings"]["Ports"] or {}
        assert not any(published.values()), service


def test_services_run_without_root_and_cannot_write_their_programs(stack: ComposedStack, demo: None) -> None:
    for service in ("api-service", "simulator", "ml", "web-interface"):
        assert podman("exec", container(service), "id", "-u").strip() == "10001"
        refused = subprocess.run(
            ["podman", "exec", container(service), "sh", "-c", "echo x > /opt/x"], capture_output=True, check=False
        )
        assert refused.returncode != 0, service
        assert not podman("exec", container(service), "sh", "-c", "ls /opt/wnis/bin/pip 2>/dev/null || true").strip()


def test_the_contract_holds(stack: ComposedStack, demo: None) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--tb=short",
            "-p",
            "no:cacheprovider",
            "-k",
            _ELSEWHERE,
            "tests/contract",
        ],
        cwd=REPOSITORY,
        env={**os.environ, "WNIS_TEST_COMPOSE": str(stack.folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=1000,
    )
    # one of its tests starts the API again, which gets another address
    stack.find()
    assert done.returncode == 0, done.stdout[-6000:]


def test_every_container_comes_back_with_all_that_was_acknowledged(stack: ComposedStack, demo: None) -> None:
    person, session = stack.sign_in(), requests.Session()
    # a connection that outlives the other side would fail for its own reason
    session.headers.update({**person.headers, "Connection": "close"})
    acknowledged = 0
    people = []
    for service in ("api-service", "simulator", "ml", "postgres", "neo4j", "web-interface"):
        for _ in range(5):
            body = {"source": "api", "category": "other", "content": f"before {service} died"}
            answer = requests.post(f"{stack.url}/api/v1/feedback", json=body, headers=person.headers, timeout=20)
            assert answer.status_code == 201, answer.text
            acknowledged += 1
        people.append(stack.add_person(person, "operator"))
        _die_and_come_back(service)
        stack.find()
        wait_ready(stack)
        found = _answered("GET", f"{stack.url}/api/v1/feedback?category=other&limit=1000", session)
        contents = [one["content"] for one in found["feedback"]]
        assert sum(text.startswith("before ") for text in contents) == acknowledged, service
        for one in people:
            stack.sign_in(one.username, one.password)


def _answered(method: str, url: str, session: requests.Session, **more: Any) -> dict[str, Any]:
    """What the API answers; asked again, as it says itself, while nginx or the API has not found its counterpart again.

    Names are not resolved for a moment when a container ends or starts: this podman's name server reads its list anew.
    """
    until = time.monotonic() + 30
    while (answer := session.request(method, url, timeout=20, **more)).status_code == 503:
        assert time.monotonic() < until, answer.text
        assert int(answer.headers["Retry-After"]) > 0
        time.sleep(1)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_down_and_up_keep_the_data(stack: ComposedStack, demo: None) -> None:
    before = _counts(stack)
    begun = time.monotonic()
    stack.compose("down", "--timeout", "40")
    stopped_s = time.monotonic() - begun
    stack.compose("up", "--detach")
    wait_ready(stack)
    stack.find()
    print(f"down {stopped_s:.0f} s, up again {time.monotonic() - begun - stopped_s:.0f} s")
    assert _counts(stack) == before


def test_a_backup_brings_everything_back_after_the_disk_died(stack: ComposedStack, demo: None) -> None:
    before = _counts(stack)
    (backup,), (restore, start) = (
        block.text.splitlines() for name in ("backup", "restore") for block in marked(f"sh testable {name}", _GUIDE)
    )
    begun = time.monotonic()
    said = stack.docker(backup)
    print(f"backup {time.monotonic() - begun:.0f} s: {said.splitlines()[-1]}")
    made = SET_NAME.findall(said)[-1]
    stack.compose("down", "--timeout", "40")
    # all but the sets and the secrets
    podman("volume", "rm", *(f"wnis_{name}" for name in _VOLUMES))
    begun = time.monotonic()
    # Docker itself starts what a service depends on
    stack.compose("up", "--detach", "neo4j", "postgres")
    report = stack.docker(SET_NAME.sub(made, restore))
    restored_s = time.monotonic() - begun
    (checks,) = re.findall(r"(\d+) of (\d+) checks hold", report)
    assert checks[0] == checks[1], report
    stack.docker(start)
    wait_ready(stack)
    stack.find()
    print(f"restored {restored_s:.0f} s after nothing was left, ready {time.monotonic() - begun:.0f} s after")
    assert _counts(stack) == before
    # the index is derived: it is in no set, and made anew
    until, asked = time.monotonic() + 120, {"query": "main split along its length", "limit": 5}
    while len(_search(stack, asked)) < 5:
        assert time.monotonic() < until, "the index is not there again"
        time.sleep(1)


def _search(stack: ComposedStack, asked: Mapping[str, object]) -> list[object]:
    headers = stack.sign_in().headers
    answer = requests.post(f"{stack.url}/api/v1/incidents/search", json=asked, headers=headers, timeout=30)
    found: list[object] = answer.json().get("results", [])
    return found


_GUIDE = "operations/compose.md"
_VOLUMES = ("neo4j-data", "neo4j-logs", "postgres-data", "objects", "api-state", "simulator-state", "ml-state",
            "migrate-state", "demo-state")  # fmt: skip


def _counts(stack: ComposedStack) -> list[list[object]]:
    # jobs, locks and what the index has still to learn come and go
    kept = "MATCH (n) WHERE NOT n:Job AND NOT n:Outbox AND NOT n:Lease"
    body = {"cypher": f"{kept} RETURN labels(n) AS labels, count(*) AS number ORDER BY labels"}
    session = requests.Session()
    session.headers.update(stack.sign_in().headers)
    answer = _answered("POST", f"{stack.url}/api/v1/graph/query", session, json=body)
    rows: list[list[object]] = answer["rows"]
    return rows


def _die_and_come_back(service: str) -> None:
    name = container(service)
    before = _state(name)["Pid"]
    # as a crash does it: what `podman kill` or `docker kill` ends is not started again
    os.kill(before, signal.SIGKILL)
    until = time.monotonic() + 60
    while (state := _state(name))["Status"] != "running" or state["Pid"] in (0, before):
        assert time.monotonic() < until, f"{service} was not started again: {state}"
        time.sleep(0.2)
    wait_healthy(name)


def _state(name: str) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(podman("inspect", name))[0]["State"]
    return state


def test_images_are_as_the_guide_says(stack: ComposedStack) -> None:
    guide = (GUIDE / _GUIDE).read_text(encoding="utf-8")
    for service in ("api-service", "simulator", "ml", "web-interface"):
        image = json.loads(podman("image", "inspect", f"docker.io/wnis/{service}:0.1.0"))[0]
        assert image["Config"]["User"] == "10001:10001"
        assert image["HealthCheck" if "HealthCheck" in image else "Healthcheck"]
        assert image["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
        (stated,) = re.findall(rf"^\| `wnis/{service}` \| ([0-9.]+ [MG]B)\b", guide, re.M)
        number, unit = stated.split()
        assert image["Size"] == pytest.approx(float(number) * {"MB": 1e6, "GB": 1e9}[unit], rel=0.05), service


def test_secrets_are_made_once(tmp_path: Path) -> None:
    script = REPOSITORY / "scripts" / "secrets.sh"
    subprocess.run(["sh", str(script), str(tmp_path / "secrets")], check=True)
    first = {file.name: file.read_bytes() for file in (tmp_path / "secrets").iterdir()}
    subprocess.run(["sh", str(script), str(tmp_path / "secrets")], check=True)
    assert {file.name: file.read_bytes() for file in (tmp_path / "secrets").iterdir()} == first
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    assert len(first["jwt"]) == 64


SERVICES = ("api-service", "simulator", "ml", "web-interface")


@dataclass(frozen=True)
class Fault:
    """What is wrong with a version, and how ``scripts/deploy.sh`` meets it.

    Parameters
    ----------
    service : whose image is broken
    change : of a file of the program: its path, words, and what stands in their place; None for a program that ends
        at once
    step : in which this shows
    said : what the operator reads
    """

    service: str
    change: tuple[str, str, str] | None
    step: str
    said: str


FAULTS = {
    "a migration that locks the old version out": Fault(
        "api-service",
        (
            "wnis_graph/migrations/steps.py",
            '    Migration("R-schema"',
            '    Migration("0002-rename", ("RETURN 1",)),\n    Migration("R-schema"',
        ),
        "databases",
        "0002-rename would lock the running release out",
    ),
    "an API that ends at once": Fault(
        "api-service", None, "new API beside the old one", "error: it does not become ready"
    ),
    "an API that answers wrongly": Fault(
        "api-service",
        ("wnis_api/http/pages.py", '"/api/openapi.json", "openapi_json"', '"/api/elsewhere.json", "openapi_json"'),
        "checks",
        "error: the new API does not answer /api/openapi.json",
    ),
    "an nginx that ends at once": Fault(
        "web-interface", None, "checks", "error: the new nginx does not serve the page"
    ),
    "an ml that ends at once": Fault("ml", None, "switch", "error: the new ml does not serve"),
}  # fmt: skip


def test_an_upgrade_that_cannot_work_is_refused_before_anything_is_touched(stack: ComposedStack, demo: None) -> None:
    _make("0.3.0")
    secrets, key = stack.folder / "secrets", stack.folder / "secrets" / "backup-key"

    def refused(said: str, *words: str, last: str = "requirements") -> None:
        done = stack.deploy(*words)
        assert done.returncode == 1, done.stdout
        assert said in done.stderr, done.stderr
        assert "version 0.1.0 serves on" in done.stderr
        assert done.stdout.splitlines()[-1].endswith(f"] {last}") or last == "backup", done.stdout

    before = _running()
    with _Readers(stack) as readers:
        secrets.rename(stack.folder / "elsewhere")
        try:
            refused("there are no secrets here", "0.3.0")
        finally:
            (stack.folder / "elsewhere").rename(secrets)
        refused("version 0.1.0 is the one that serves", "0.1.0")
        refused("there is no image docker.io/wnis/api-service:0.9.9", "0.9.9", "--no-backup", last="images of 0.9.9")
        sets, kept = _sets(stack), key.read_bytes()
        key.chmod(0o644)
        key.write_bytes(b"short")
        try:
            refused("error: the backup failed; nothing was changed", "0.3.0", last="backup")
        finally:
            key.write_bytes(kept)
            key.chmod(0o444)
        assert _sets(stack) == sets
    assert (readers.failures, _running()) == ([], before)
    assert readers.answered > 10
    stack.stop("ml")
    try:
        refused("error: the system that runs is not ready", "0.3.0")
    finally:
        stack.start("ml")
        stack.wait("ml")
    wait_ready(stack)
    assert not (stack.folder / ".env").read_text()


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_breaks_an_upgrade_the_old_version_serves_on(stack: ComposedStack, demo: None, fault: str) -> None:
    told = FAULTS[fault]
    version = f"0.4.{list(FAULTS).index(fault)}"
    _make(version, told)
    before, begun = _running(), time.monotonic()
    with _Readers(stack) as readers:
        done = stack.deploy(version, "--no-backup")
    assert done.returncode == 1, done.stdout
    assert told.said in done.stdout + done.stderr, done.stdout + done.stderr
    assert "version 0.1.0 serves on" in done.stderr
    assert done.stdout.splitlines()[-1].endswith(f"] {told.step}") or told.step == "databases", done.stdout
    assert readers.failures == []
    assert readers.answered > 5
    # it says so when that is so; nginx may look for the API's address for some seconds
    wait_ready(stack, limit_s=10)
    assert _images() == {f"docker.io/wnis/{service}:0.1.0" for service in SERVICES}
    if told.step != "switch":
        assert _running() == before
    assert not podman("ps", "--all", "--quiet", "--filter", "name=wnis-next").strip()
    assert not (stack.folder / ".env").read_text()
    print(f"{fault}: {time.monotonic() - begun:.0f} s, {readers.answered} read meanwhile")


def test_an_upgrade_that_cannot_be_written_down_is_taken_back_whole(stack: ComposedStack, demo: None) -> None:
    _make("0.5.0")
    # another image of nginx that works
    made = _buildah("from", "--pull-never", "docker.io/wnis/web-interface:0.1.0")
    _buildah("config", "--label", "of=another version", made)
    _buildah("commit", "--quiet", "--format", "docker", "--rm", made, "docker.io/wnis/web-interface:0.5.0")
    (stack.folder / ".env.new").mkdir()
    before = _counts(stack)
    with _Readers(stack) as readers:
        done = stack.deploy("0.5.0", "--no-backup")
    (stack.folder / ".env.new").rmdir()
    print(done.stdout + done.stderr)
    assert done.returncode == 1, done.stdout
    assert "error: the version cannot be written down" in done.stderr
    taken_back = [line.rpartition(" ")[2] for line in done.stderr.splitlines() if "taking back: " in line]
    assert taken_back == ["web_back", "services_back", "api_back", "forget_next"]
    assert "failed" not in done.stderr
    # nginx itself was replaced, twice: its port refuses, and a connection that was kept open is gone without a word
    met = ("ConnectionError", "ReadTimeout")
    assert [failure for failure in readers.failures if not failure.startswith(met)] == []
    stack.find()
    wait_ready(stack, limit_s=10)
    assert _images() == {f"docker.io/wnis/{service}:0.1.0" for service in SERVICES}
    assert not podman("ps", "--all", "--quiet", "--filter", "name=wnis-next").strip()
    assert _counts(stack) == before


def test_an_upgrade_serves_beside_the_old_version_and_then_in_its_place(stack: ComposedStack, demo: None) -> None:
    _make("0.2.0")
    stack.find()
    before = _counts(stack)
    with _Readers(stack) as readers:
        done = stack.deploy("0.2.0")
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
    assert readers.failures == []
    assert readers.answered > 50
    # the same image of nginx stays: it holds the ports of the host
    expected = {f"docker.io/wnis/{service}:0.2.0" for service in SERVICES[:3]} | {"docker.io/wnis/web-interface:0.1.0"}
    assert _images() == expected
    assert "WNIS_VERSION=0.2.0" in (stack.folder / ".env").read_text()
    stack.find()
    wait_ready(stack)
    assert _counts(stack) == before


def _make(version: str, fault: Fault | None = None) -> None:
    """Images of a version: those of 0.1.0, but for one fault."""
    for service in SERVICES:
        podman("tag", f"docker.io/wnis/{service}:0.1.0", f"docker.io/wnis/{service}:{version}")
    if fault is None:
        return
    made = _buildah("from", "--pull-never", f"docker.io/wnis/{fault.service}:0.1.0")
    if fault.change is None:
        _buildah("config", "--cmd", "false", made)
    else:
        file, words, others = fault.change
        (found,) = Path(_buildah("mount", made)).glob(f"opt/wnis/lib/python3*/site-packages/{file}")
        text = found.read_text(encoding="utf-8")
        assert words in text
        found.write_text(text.replace(words, others), encoding="utf-8")
        # the compiled file is believed as it stands
        for compiled in found.parent.glob(f"__pycache__/{found.stem}.*.pyc"):
            compiled.unlink()
        _buildah("umount", made)
    image = f"docker.io/wnis/{fault.service}:{version}"
    _buildah("commit", "--quiet", "--format", "docker", "--rm", made, image)


def _running() -> dict[str, str]:
    """Which container is each service."""
    return {service: str(_inspected(container(service))["Id"]) for service in SERVICES}


def _sets(stack: ComposedStack) -> list[str]:
    """The backup sets there are."""
    found = json.loads(podman("volume", "inspect", "wnis_backups", check=False) or "[]")
    volume = Path(found[0]["Mountpoint"]) if found else Path(stack.folder, "no volume yet")
    return sorted(path.name for path in volume.rglob("*") if SET_NAME.fullmatch(path.name))


class _Readers:
    """Somebody who reads through nginx all the time; a 503 that says when is asked again."""

    def __init__(self, stack: ComposedStack) -> None:
        self.answered = 0
        self.slowest_s = 0.0
        self.failures: list[str] = []
        self._url = f"{stack.page}/api/v1/components/ky4:pipe:P-1"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(stack.folder / "secrets" / "tls.crt")
        self._session.headers.update(stack.sign_in().headers)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> _Readers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        print(f"{self.answered} reads answered, the slowest after {self.slowest_s:.1f} s")

    def _read(self) -> None:
        while not self._stop.wait(0.1):
            begun = time.monotonic()
            try:
                _answered("GET", self._url, self._session)
                self.answered += 1
                self.slowest_s = max(self.slowest_s, time.monotonic() - begun)
            except Exception as error:
                self.failures.append(f"{type(error).__name__}: {error}"[:300])


def _images() -> set[str]:
    found = {_inspected(container(service))["ImageName"] for service in ("api-service", "simulator", "ml")}
    return found | {_inspected(container("web-interface"))["ImageName"]}


def _inspected(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(podman("inspect", name))[0]
    return document


def _buildah(*words: str) -> str:
    return subprocess.run(["buildah", *words], capture_output=True, text=True, check=True).stdout.strip()
