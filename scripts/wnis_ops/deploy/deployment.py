"""One upgrade of a running instance, step by step; whatever fails, what was done before is taken back."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import psutil
from wnis_core.errors import Conflict, Failure, Unavailable, WnisError

from wnis_ops.client import ApiClient
from wnis_ops.deploy import checks, release
from wnis_ops.deploy.release import Release, Say
from wnis_ops.local import orders
from wnis_ops.local.instance import Status, status
from wnis_ops.local.orders import Do
from wnis_ops.place import Home, python_of

CURRENT, PREVIOUS = "current", "previous"
"""Links in the folder of releases: the one that serves, and the one before it."""
_MEMORY_BYTES = 1_300_000_000
"""What simulator, ml and api take beside those that run (`wnis bench memory`)."""
_DISK_BYTES = 3_000_000_000
"""What a checkout takes with its environment, Neo4j, models and page."""


@dataclass(frozen=True)
class Step:
    """One step of a deployment.

    Parameters
    ----------
    outcome : ``done``, ``failed``, ``taken back`` or, where there was nothing to do, ``left out``
    said : what came of it, in a sentence
    """

    name: str
    outcome: str
    seconds: float
    said: str


@dataclass(frozen=True)
class Wanted:
    """What is to be deployed.

    Parameters
    ----------
    source : a folder that is set up, or with `ref` a git repository
    backup_to : where the backup before it goes; None means the home
    backup : whether there is one
    """

    source: str
    ref: str | None = None
    backup_to: str | None = None
    backup: bool = True


@dataclass
class Report:
    """What came of a deployment."""

    deployed: bool = False
    release: str = ""
    before: str = ""
    steps: list[Step] = field(default_factory=list)


class Deployment:
    """One upgrade of the instance on `home`.

    Parameters
    ----------
    client : of that instance
    """

    def __init__(self, home: Home, client: ApiClient, say: Say) -> None:
        self.report = Report()
        self._home = home
        self._client = client
        self._say = say
        self._releases = home.path / "releases"
        self._before = Status("stopped", None, {}, {})
        self._answers = checks.Answers({})
        self._undo: list[tuple[str, Callable[[], str]]] = []

    def run(self, wanted: Wanted) -> Report:
        """Deploy; raises the error of the step that failed, after everything was taken back."""
        with self._alone():
            try:
                self._step("requirements", lambda: self._require(wanted))
                self._step("backup", lambda: self._back_up(wanted))
                fresh = self._built(wanted)
                self._step("migrate", lambda: self._migrate(fresh))
                self._go_over(fresh)
            except BaseException:
                self._take_back()
                raise
            self._finish(fresh)
        return self.report

    def go_back(self) -> Report:
        """Have the release before serve again; the databases stay as they are."""
        with self._alone():
            try:
                previous = release.existing(self._releases / PREVIOUS)
                self._step("requirements", lambda: self._require(Wanted(str(previous.folder), backup=False)))
                self._go_over(previous)
            except BaseException:
                self._take_back()
                raise
            self._finish(previous)
        return self.report

    def _go_over(self, fresh: Release) -> None:
        tried = self._step("start beside", lambda: self._try(fresh))
        self._step("check", lambda: self._check(ApiClient(tried, self._client.token, verify=False)))
        self._step("switch", lambda: self._switch(fresh))
        self._step("check again", lambda: self._check(self._client))

    def _require(self, wanted: Wanted) -> str:
        self._before = status(self._home)
        if self._before.state != "ready" or not self._before.release:
            raise Conflict(
                f"The instance on {self._home.path} does not run ({self._before.state}).",
                mend="Start it with `wnis up`; a stopped instance needs no deployment: start the new release.",
            )
        self.report.before = self._before.release
        self._client.require_ready()
        if wanted.ref is None:
            folder = release.existing(Path(wanted.source)).folder
            if str(folder) == self._before.release:
                raise Conflict(f"{folder} serves already.", mend="Name another release, or a --ref to fetch.")
        elif shutil.disk_usage(self._home.path).free < _DISK_BYTES:
            raise Unavailable("The disk has too little room for a release.", mend="Free 3 GB where WNIS_HOME is.")
        if psutil.virtual_memory().available < _MEMORY_BYTES:
            raise Unavailable(
                "There is too little memory to run both releases for a moment.",
                mend="Free 1.3 GB, or stop the instance and start the new release.",
            )
        self._answers = checks.ask(self._client)
        answered = sum(code == HTTPStatus.OK for code in self._answers.status.values())
        return f"{answered} questions are answered by {self._before.release}"

    def _back_up(self, wanted: Wanted) -> str:
        if not wanted.backup:
            return "left out as asked"
        words = ["wnis_ops.deploy.backup", *([wanted.backup_to] if wanted.backup_to else [])]
        made = json.loads(self._order(Do.RUN, python_of(Path(self.report.before)), *words).said)
        return f"{made['location']}; writes were paused for {made['pause_seconds']:.1f} s"

    def _built(self, wanted: Wanted) -> Release:
        made: list[Release] = []

        def build() -> str:
            if wanted.ref is None:
                made.append(release.existing(Path(wanted.source)))
                return f"{made[0].folder} is set up"
            made.append(release.fetch(wanted.source, wanted.ref, self._releases, self._say))
            return str(made[0].folder)

        self._step("build", build)
        fresh = made[0]
        self.report.release = str(fresh.folder)
        if fresh.made:
            self._undo.append(("build", lambda: _removed(fresh.folder)))
        return fresh

    def _migrate(self, fresh: Release) -> str:
        return self._order(Do.RUN, fresh.python, "wnis_ops.deploy.prepare", str(self._home.path)).said

    def _try(self, fresh: Release) -> str:
        url = self._order(Do.TRY, fresh.python).said
        self._undo.append(("start beside", self._drop))
        return url

    def _drop(self) -> str:
        self._order(Do.DROP)
        return "ended"

    def _check(self, client: ApiClient) -> str:
        return f"{checks.require(client, self._answers)} questions answered by {client.url}"

    def _switch(self, fresh: Release) -> str:
        said = self._order(Do.SWITCH, fresh.python).said
        before = python_of(Path(self.report.before))
        self._undo.append(("switch", lambda: self._order(Do.SWITCH, before).said or f"served by {self.report.before}"))
        if said:
            self._say(f"Mind: {said}.")
        return f"served by {fresh.folder}" + (f"; {said}" if said else "")

    def _finish(self, fresh: Release) -> None:
        """What follows a deployment that succeeded; nothing of it is worth taking that back."""
        self._undo.clear()
        self.report.release, self.report.deployed = str(fresh.folder), True

        def clean() -> str:
            self._releases.mkdir(parents=True, exist_ok=True)
            before = Path(self.report.before)
            _link(self._releases / CURRENT, fresh.folder)
            _link(self._releases / PREVIOUS, before)
            gone = release.remove_old(self._releases, (fresh.folder, before))
            return f"removed {', '.join(gone)}" if gone else "nothing to remove"

        try:
            self._step("clean up", clean)
        except (WnisError, OSError) as error:
            self._say(f"The new release serves, but: {error}")

    def _order(self, do: Do, python: str = "", *words: str) -> orders.Outcome:
        outcome = orders.ask(self._home, do, python, words, tick=lambda: None)
        if not outcome.done:
            raise Failure(outcome.reason)
        return outcome

    def _step(self, name: str, work: Callable[[], str]) -> str:
        self._say(f"{name.capitalize()}.")
        begun = time.monotonic()
        try:
            said = work()
        except BaseException as error:
            self._note(name, "failed", begun, str(error) or type(error).__name__)
            raise
        self._note(name, "done", begun, said)
        return said

    def _take_back(self) -> None:
        while self._undo:
            name, work = self._undo.pop()
            begun = time.monotonic()
            try:
                self._note(name, "taken back", begun, work())
            except (WnisError, OSError) as error:
                self._note(name, "failed", begun, f"could not be taken back: {error}")

    def _note(self, name: str, outcome: str, begun: float, said: str) -> None:
        self.report.steps.append(Step(name, outcome, round(time.monotonic() - begun, 1), said))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        file = self._home.path / "run" / "deploy.lock"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a+", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise Conflict("Another deployment of this home is under way.", mend="Wait for it.") from error
            yield


def _removed(folder: Path) -> str:
    shutil.rmtree(folder, ignore_errors=True)
    return f"{folder} removed"


def _link(link: Path, target: Path) -> None:
    fresh = link.with_name(f"{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    os.replace(fresh, link)
