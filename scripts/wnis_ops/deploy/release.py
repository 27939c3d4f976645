"""Releases as folders: fetched by git, set up by their own ``make setup``, or set up by somebody else before."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wnis_core.errors import BadRequest, Failure

from wnis_ops.place import python_of

Say = Callable[[str], None]

_NAME_LENGTH = 12
_FETCHED = re.compile(f"[0-9a-f]{{{_NAME_LENGTH}}}")
"""Folders are named by the beginning of the commit."""


@dataclass(frozen=True)
class Release:
    """A checkout that is set up.

    Parameters
    ----------
    made : whether it was fetched now
    """

    folder: Path
    made: bool

    @property
    def python(self) -> str:
        """Its interpreter."""
        return python_of(self.folder)


def existing(folder: Path) -> Release:
    """The release in `folder`, set up before; raises `BadRequest` when it is none."""
    found = Release(folder.resolve(), made=False)
    if not Path(found.python).exists():
        raise BadRequest(f"{folder} is not a release that is set up.", mend=f"Run `make -C {folder} setup` first.")
    return found


def fetch(source: str, ref: str, releases: Path, say: Say) -> Release:
    """Clone `source` at `ref` into a folder named by its commit, and set it up.

    Parameters
    ----------
    source : a git repository: a folder or an address
    releases : where the folder is made; one that is there already is used

    Raises
    ------
    Failure
        git or the set-up failed; what was begun is removed
    """
    releases.mkdir(parents=True, exist_ok=True)
    fresh = releases / "fetching"
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        _run(["git", "clone", "--quiet", "--no-checkout", "--", source, str(fresh)], say)
        _run(["git", "-C", str(fresh), "checkout", "--quiet", "--detach", _commit(fresh, ref)], say)
        folder = releases / _commit(fresh, "HEAD")[:_NAME_LENGTH]
        there = folder.exists()
        if not there:
            fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    say(f"Setting up {folder}.")
    try:
        _run(["make", "-C", str(folder), "setup"], say)
        return Release(existing(folder).folder, made=not there)
    except BaseException:
        if not there:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def remove_old(releases: Path, keep: Sequence[Path]) -> list[str]:
    """Remove releases that were fetched and are neither among `keep` nor links; returns their names.

    Raises
    ------
    Failure
        some could not be removed; the others are gone
    """
    gone, reasons = [], []
    for folder in sorted(releases.iterdir()) if releases.is_dir() else []:
        if folder.is_symlink() or folder.resolve() in [one.resolve() for one in keep]:
            continue
        # by its name: one that could be removed in part only has to be found again
        if not _FETCHED.fullmatch(folder.name):
            continue
        try:
            shutil.rmtree(folder)
            gone.append(folder.name)
        except OSError as error:
            reasons.append(f"{folder}: {error.strerror}")
    if reasons:
        raise Failure(
            f"An old release could not be removed ({'; '.join(reasons)}).",
            mend="Remove its folder by hand, or leave it to the next deployment.",
        )
    return gone


def _commit(folder: Path, ref: str) -> str:
    for name in (f"refs/remotes/origin/{ref}", ref):
        words = ["git", "-C", str(folder), "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.strip()
    raise BadRequest(f"There is no {ref!r} in that repository.", mend="Give a branch, a tag or a commit with --ref.")


def _run(words: Sequence[str], say: Say) -> None:
    """Run a command and pass on what it says.

    Raises
    ------
    Failure
        it failed, or is not there
    """
    try:
        child = subprocess.Popen(
            list(words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace",
        )  # fmt: skip
    except OSError as error:
        raise Failure(f"{words[0]} cannot be run: {error.strerror}.", mend=f"Install {words[0]}.") from error
    last = ""
    assert child.stdout is not None
    for line in child.stdout:
        if line.strip():
            last = line.strip()
            say(f"  {last}")
    if child.wait() != 0:
        raise Failure(f"`{' '.join(words[:3])}` failed: {last or 'it said nothing'}")
