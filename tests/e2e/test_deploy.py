"""``wnis deploy`` on an instance under constant load: no request fails, whichever step breaks.

One instance lives through all of it. Releases are copies of this checkout's packages with one change each; what a
release's own set-up takes minutes for (libraries, Neo4j, page) they share with this checkout.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from wnis_neo4j.local import free_port
from wnis_ops.client import ApiClient
from wnis_ops.place import Home, own_release, python_of

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.timeout(900)

PROGRAM = str(Path(sys.executable).with_name("wnis"))
PACKAGES = ("core", "graph", "graph/server", "ml", "simulator", "api-service", "scripts")
_PIPE = "/components/Net1:pipe:10"
_INTERPRETER = '#!/bin/sh\nexport PYTHONPATH="{path}"\nexec {python} "$@"\n'


@dataclass
class Load:
    """People at work: each thread asks one thing over and over, as the API's clients do."""

    url: str
    token: str
    answered: int = 0
    held_off: int = 0
    acknowledged: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    longest_s: float = 0.0

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._lock = threading.Lock()
        works = (self._read, self._read_on_new_connections, self._search, self._write)
        self._threads = [threading.Thread(target=self._repeat, args=(work,)) for work in works]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def fresh_failures(self) -> list[str]:
        """What failed since the last time this was asked."""
        with self._lock:
            failures, self.failures = self.failures, []
        return failures

    def _repeat(self, work: Any) -> None:
        session = requests.Session()
        while not self._stop.is_set():
            begun = time.monotonic()
            try:
                work(session)
                self.answered += 1
            except Exception as error:
                with self._lock:
                    self.failures.append(f"{work.__name__}: {type(error).__name__}: {str(error)[:300]}")
            self.longest_s = max(self.longest_s, time.monotonic() - begun)
            time.sleep(0.1)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def _read(self, session: requests.Session) -> None:
        session.get(f"{self.url}/api/v1{_PIPE}", headers=self._headers(), timeout=20).raise_for_status()

    def _read_on_new_connections(self, _: requests.Session) -> None:
        answer = requests.get(f"{self.url}/api/v1/components?limit=5", headers=self._headers(), timeout=20)
        answer.raise_for_status()

    def _search(self, session: requests.Session) -> None:
        asked = {"query": "a crack", "limit": 1}
        url = f"{self.url}/api/v1/incidents/search"
        session.post(url, json=asked, headers=self._headers(), timeout=40).raise_for_status()

    def _write(self, session: requests.Session) -> None:
        # during the cut of a backup a write is asked to come back: whoever does, loses nothing
        text, key = f"written {uuid.uuid4().hex}", uuid.uuid4().hex
        body = {"source": "api", "category": "other", "content": text}
        while True:
            answer = session.post(
                f"{self.url}/api/v1/feedback",
                json=body,
                headers={**self._headers(), "Idempotency-Key": key},
                timeout=20,
            )
            if answer.status_code == requests.codes.unavailable and "paused" in answer.text:
                self.held_off += 1
                time.sleep(min(float(answer.headers["Retry-After"]), 2))
                continue
            answer.raise_for_status()
            self.acknowledged.append(text)
            return


class Town:
    """``wnis`` commands on one home, and releases for it."""

    def __init__(self, path: Path, releases: Path) -> None:
        self.home = Home(path)
        self.releases = releases
        self.url = f"http://127.0.0.1:{free_port()}"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("WNIS_", "NEO4J_"))}
        self.environ = {**kept, "WNIS_HOME": str(path), "WNIS_RATE_LIMIT": "1000000"}

    def wnis(self, *words: str, under: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, `under` another program."""
        return subprocess.run(
            [*under, PROGRAM, *words], env=self.environ, check=False, capture_output=True, text=True, timeout=300
        )

    def deploy(self, *words: str) -> dict[str, Any]:
        """A deployment that succeeds; its report."""
        done = self.wnis("deploy", *words, "--json")
        assert done.returncode == 0, done.stderr + done.stdout
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    def status(self) -> dict[str, Any]:
        """What ``wnis status --json`` prints."""
        now: dict[str, Any] = json.loads(self.wnis("status", "--json").stdout)
        return now

    def serving(self) -> str:
        """Which release answers, in its own words."""
        return str(requests.get(f"{self.url}/health", timeout=10).json().get("release", "first"))

    def release(self, name: str, **changes: tuple[str, str, str]) -> Path:
        """A release that calls itself `name`, with more `changes`: file, words, and what stands in their place."""
        folder = self.releases / name
        for package in PACKAGES:
            if "/" not in package:
                shutil.copytree(REPOSITORY / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        own = ("core/wnis_core/service.py", 'jsonify(status="ok")', f'jsonify(status="ok", release="{name}")')
        for file, old, new in (own, *changes.values()):
            text = (folder / file).read_text(encoding="utf-8")
            assert old in text
            (folder / file).write_text(text.replace(old, new), encoding="utf-8")
        self.set_up(folder)
        return folder

    def set_up(self, folder: Path) -> None:
        """What the release's ``make setup`` would do."""
        interpreter = folder / ".venv" / "bin" / "python3"
        interpreter.parent.mkdir(parents=True)
        path = ":".join(str(folder / package) for package in PACKAGES)
        interpreter.write_text(_INTERPRETER.format(path=path, python=python_of(own_release())), encoding="utf-8")
        interpreter.chmod(0o755)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A running instance with a network."""
    made = Town(tmp_path_factory.mktemp("town"), tmp_path_factory.mktemp("releases"))
    started = made.wnis("up", "--detach", "--port", made.url.rsplit(":", 1)[1], "--json")
    assert started.returncode == 0, started.stderr
    loaded = made.wnis("network", "sample", "Net1")
    assert loaded.returncode == 0, loaded.stderr
    yield made
    made.wnis("down")


@pytest.fixture(scope="module")
def load(town: Town) -> Iterator[Load]:
    """Constant load."""
    with Load(town.url, town.home.token_file.read_text(encoding="utf-8")) as working:
        time.sleep(2)
        yield working


def test_an_upgrade_under_constant_load_fails_no_request(town: Town, load: Load) -> None:
    before, answered = town.status(), load.answered
    source = town.release("second")
    # as a repository: it is fetched and set up by its own Makefile
    shutil.copy(source / ".venv" / "bin" / "python3", source / "interpreter")
    (source / "Makefile").write_text(
        f"setup:\n\tmkdir -p .venv/bin\n\tsed 's#{source}#$(CURDIR)#g' interpreter > .venv/bin/python3\n"
        "\tchmod +x .venv/bin/python3\n"
    )
    shutil.rmtree(source / ".venv")
    git = ["git", "-C", str(source), "-c", "user.name=test", "-c", "user.email=test@localhost"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "second"], ["tag", "v2"]):
        subprocess.run([*git, *words], check=True)

    report = town.deploy(str(source), "--ref", "v2")

    assert load.fresh_failures() == []
    assert load.answered > answered + 50
    assert report["deployed"]
    assert [step["name"] for step in report["steps"]] == [
        "requirements", "backup", "build", "migrate", "start beside", "check", "switch", "check again", "clean up",
    ]  # fmt: skip
    assert {step["outcome"] for step in report["steps"]} == {"done"}
    now = town.status()
    assert town.serving() == "second"
    assert now["release"] == report["release"] == str((town.home.path / "releases" / "current").resolve())
    assert now["pids"]["supervisor"] == before["pids"]["supervisor"]
    assert now["pids"]["neo4j"] == before["pids"]["neo4j"]
    for service in ("api", "ml", "simulator"):
        assert now["pids"][service] != before["pids"][service]
    acknowledged = set(load.acknowledged)
    assert _written(town, load) >= acknowledged


def test_the_release_before_comes_back_by_one_word(town: Town, load: Load) -> None:
    report = town.deploy("--rollback")

    assert load.fresh_failures() == []
    assert town.serving() == "first"
    assert report["release"] == str(own_release()) == town.status()["release"]


_WSGI = "api-service/wnis_api/wsgi.py"
_STEPS = "graph/wnis_graph/migrations/steps.py"
_ADDED = """    Migration("R-schema", (*constraint"""
BROKEN: dict[str, tuple[str, tuple[str, str, str]]] = {
    "a migration that locks the old release out": (
        "migrate",
        (_STEPS, _ADDED, '    Migration("0002-rename", ("RETURN 1",)),\n' + _ADDED),
    ),
    "a migration that fails": (
        "migrate",
        (_STEPS, _ADDED, '    Migration("0002-additive-broken", ("RETURN nobody",)),\n' + _ADDED),
    ),
    "an API that does not start": ("start beside", (_WSGI, "from __future__", "raise RuntimeError\nfrom __future__")),
    "an API that answers wrongly": (
        "check",
        (
            "api-service/wnis_api/http/routes/components.py",
            "def show_component(",
            "def show_component(*_: object) -> None:\n    raise KeyError('component')\n\n\ndef _show_component(",
        ),
    ),
    "an ml service that does not start": (
        "switch",
        ("ml/wnis_ml/wsgi.py", "app = create_app", "raise RuntimeError\napp = create_app"),
    ),
    "an ml service that ends when it takes over": (
        "switch",
        ("ml/wnis_ml/app.py", "    jobs.launch()\n    keeper", "    raise RuntimeError\n    keeper"),
    ),
    "an ml service that answers wrongly": (
        "check again",
        (
            "ml/wnis_ml/search/incident_search.py",
            "def fuse(",
            "def fuse(*_: object) -> None:\n    raise KeyError\n\n\ndef _fuse(",
        ),
    ),
}


# what shows only when the old service has ended: whoever needs ml is told so until the old one is back
_SEEN_LATE = ("an ml service that ends when it takes over", "an ml service that answers wrongly")


@pytest.mark.parametrize("fault", BROKEN)
def test_whatever_breaks_the_old_release_serves_on(town: Town, load: Load, fault: str) -> None:
    step, change = BROKEN[fault]
    broken = town.release(f"broken-{list(BROKEN).index(fault)}", change=change)
    before = town.status()

    done = town.wnis("deploy", str(broken), "--no-backup")

    assert done.returncode != 0, done.stdout
    assert f"│ {step} " in done.stdout
    assert "failed" in done.stdout
    assert town.serving() == "first"
    now = town.status()
    assert (now["state"], now["release"]) == ("ready", before["release"])
    assert requests.get(f"{town.url}/ready", timeout=10).json()["status"] == "ready"
    assert (town.home.path / "releases" / "current").resolve() != broken.resolve()
    failures = load.fresh_failures()
    if fault in _SEEN_LATE:
        failures = [failure for failure in failures if not failure.startswith("_search")]
    assert failures == []


def test_what_cannot_work_is_refused_before_anything_is_touched(town: Town, load: Load, tmp_path: Path) -> None:
    before = town.status()
    (tmp_path / "file").write_text("in the way")
    fine = town.release("third")
    for words, said in (
        ((str(before["release"]),), "serves already"),
        ((str(tmp_path),), "not a release that is set up"),
        ((str(fine), "--backup-to", str(tmp_path / "file")), "cannot be written"),
        ((str(fine), "--ref", "v9", "--no-backup"), "failed"),
        (("--rollback", "--no-backup"), "stands alone"),
    ):
        done = town.wnis("deploy", *words)
        assert done.returncode != 0, done.stdout
        assert said in " ".join(done.stderr.split()), done.stderr
    now = town.status()
    assert (now["pids"], now["release"]) == (before["pids"], before["release"])
    assert load.fresh_failures() == []


def test_a_set_up_that_fails_leaves_nothing(town: Town, load: Load, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "Makefile").write_text("setup:\n\techo no room here\n\tfalse\n")
    git = ["git", "-C", str(source), "-c", "user.name=test", "-c", "user.email=test@localhost"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "one"]):
        subprocess.run([*git, *words], check=True)
    there = set((town.home.path / "releases").iterdir())

    done = town.wnis("deploy", str(source), "--ref", "main", "--no-backup")

    assert done.returncode == 1
    assert "no room here" in done.stderr
    assert set((town.home.path / "releases").iterdir()) == there
    assert load.fresh_failures() == []


def test_a_deployment_that_is_killed_midway_is_finished_by_the_supervisor_and_can_be_repeated(
    town: Town, load: Load
) -> None:
    fourth = town.release("fourth")
    command = subprocess.Popen(
        [PROGRAM, "deploy", str(fourth), "--no-backup"], env=town.environ, stderr=subprocess.PIPE, text=True
    )
    assert command.stderr is not None
    for line in command.stderr:
        if line.startswith("Switch"):
            break
    time.sleep(1)
    command.send_signal(signal.SIGKILL)
    command.wait()

    until = time.monotonic() + 90
    while town.status()["release"] != str(fourth):
        assert time.monotonic() < until
        time.sleep(0.5)
    assert town.serving() == "fourth"
    assert town.deploy(str(own_release()), "--no-backup")["deployed"]
    assert town.serving() == "first"
    assert load.fresh_failures() == []


def test_an_old_service_that_does_not_finish_is_ended_and_that_is_said(town: Town, load: Load) -> None:
    before, fifth = town.status(), town.release("fifth")
    # its workers answer on, but nobody tells them to finish
    os.kill(before["pids"]["ml"], signal.SIGSTOP)

    done = town.wnis("deploy", str(fifth), "--no-backup", "--json")

    assert done.returncode == 0, done.stderr
    switch = next(step for step in json.loads(done.stdout)["steps"] if step["name"] == "switch")
    said = "the old ml did not finish within 20 s and had to be ended"
    assert switch["said"] == f"served by {fifth}; {said}"
    assert f"Mind: {said}." in " ".join(done.stderr.split())
    assert town.serving() == "fifth"
    assert not psutil.pid_exists(before["pids"]["ml"])
    # nobody but who needs ml waits for it
    assert [one for one in load.fresh_failures() if not one.startswith("_search")] == []


def test_an_old_release_that_cannot_be_removed_is_named_and_the_new_one_serves(town: Town, load: Load) -> None:
    releases = town.home.path / "releases"
    stuck, gone = releases / "0123456789ab", releases / "ffff456789ab"
    for folder in (stuck, gone):
        (folder / "kept").mkdir(parents=True)
        (folder / "kept" / "file").touch()
    (stuck / "kept").chmod(0o500)
    # root may do anything, unless that is taken from it
    under = ["setpriv", "--bounding-set=-dac_override"] if os.getuid() == 0 else []

    done = town.wnis("deploy", str(own_release()), "--no-backup", "--json", under=under)

    (stuck / "kept").chmod(0o700)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["deployed"]
    last = report["steps"][-1]
    assert (last["name"], last["outcome"]) == ("clean up", "failed")
    assert f"An old release could not be removed ({stuck}: Permission denied)" in last["said"]
    assert "The new release serves, but: An old release could not be removed" in " ".join(done.stderr.split())
    assert (releases / "current").resolve() == own_release()
    assert town.serving() == "first"
    assert stuck.exists()
    assert not gone.exists()
    assert load.fresh_failures() == []
    print(
        f"{load.answered} requests, the longest {load.longest_s:.1f} s, {load.held_off} writes held off by the backup"
    )


def _written(town: Town, load: Load) -> set[str]:
    client = ApiClient(town.url, load.token)
    return {str(one["content"]) for one in client.pages("/feedback", category="other")}
