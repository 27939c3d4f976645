"""Downloads the locked artefacts of Neo4j and accepts none whose sha256 differs.

``python -m wnis_neo4j.provision`` fills the shared folder. A file is checked before it gets its final name, so an
interrupted or spoilt download never counts as present, and the next call goes on where this one stopped.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import requests
from wnis_core.errors import Failure, Unavailable, WnisError
from wnis_core.settings import share_dir

from wnis_neo4j.lock import LOCK_FILE, LTS, NEO4J_VERSION, Artefact, Release, lock_sha256, read_lock

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with how many artefacts are in place and how many there are."""

_THREADS = 12
_ATTEMPTS = 3


def default_folder(release: Release = LTS) -> Path:
    """Where all homes of this environment find Neo4j."""
    return share_dir() / f"neo4j-{release.version}"


def is_provisioned(folder: Path, lock: Path = LOCK_FILE) -> bool:
    """Whether `folder` was completed from this very lock."""
    stamp = folder / "complete"
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == lock_sha256(lock)


def provision(folder: Path, *, lock: Path = LOCK_FILE, progress: Progress = lambda done, total: None) -> Path:
    """Bring ``folder/lib`` to exactly what the lock says and return it.

    Every file there is hashed again, also those of an earlier call.

    Raises
    ------
    Unavailable
        no network, or the disk is full
    Failure
        an artefact has another content than the locked one
    """
    artefacts = read_lock(lock)
    library, incoming = folder / "lib", folder / "incoming"
    (folder / "complete").unlink(missing_ok=True)
    try:
        library.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(incoming, ignore_errors=True)
        incoming.mkdir()
        wanted = {artefact.file_name for artefact in artefacts}
        for file in library.iterdir():
            if file.name not in wanted:
                file.unlink()
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="artefact") as pool:
            pending = [pool.submit(_place, artefact, library, incoming) for artefact in artefacts]
            try:
                for done, finished in enumerate(as_completed(pending), 1):
                    finished.result()
                    progress(done, len(artefacts))
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        shutil.rmtree(incoming)
        (folder / "complete").write_text(lock_sha256(lock), encoding="utf-8")
    except OSError as error:
        raise _explained(error, folder) from error
    return library


def _place(artefact: Artefact, library: Path, incoming: Path) -> None:
    target = library / artefact.file_name
    if _has_hash(target, artefact.sha256):
        return
    target.unlink(missing_ok=True)
    arrived = incoming / artefact.file_name
    local = _maven_repository() / Path(*artefact.group.split(".")) / artefact.name / artefact.version
    if _has_hash(local / artefact.file_name, artefact.sha256):
        shutil.copyfile(local / artefact.file_name, arrived)
    else:
        _download(artefact, incoming, arrived)
    if not _has_hash(arrived, artefact.sha256):
        arrived.unlink(missing_ok=True)
        raise Failure(
            f"{artefact.file_name} arrived with another content than {LOCK_FILE.name} says.",
            mend="Run `make setup` again; if it stays so, the source of downloads cannot be trusted.",
        )
    os.replace(arrived, target)


def _download(artefact: Artefact, incoming: Path, arrived: Path) -> None:
    # jgo keeps what it got even when the connection broke: a cache of its own for each artefact, thrown away after
    from jgo.maven import MavenContext

    cache = incoming / f"{artefact.file_name}.d"
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            context = MavenContext(repo_cache=cache, timeout=30)
            component = context.project(artefact.group, artefact.name).at_version(artefact.version)
            os.replace(component.artifact(artefact.classifier, "jar").resolve(), arrived)
            if _has_hash(arrived, artefact.sha256):
                return
        except (requests.RequestException, RuntimeError) as error:
            log.debug("attempt %d at %s: %s", attempt, artefact.file_name, error)
            if attempt == _ATTEMPTS:
                raise Unavailable(
                    f"{artefact.file_name} of Neo4j cannot be downloaded ({type(error).__name__}).",
                    mend="Check the network (and proxy settings) and run `make setup` again; it goes on from here.",
                ) from error
        finally:
            shutil.rmtree(cache, ignore_errors=True)


def _maven_repository() -> Path:
    return Path(os.environ.get("M2_REPO") or Path.home() / ".m2" / "repository")


def _has_hash(file: Path, sha256: str) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == sha256


def _explained(error: OSError, folder: Path) -> WnisError:
    if error.errno == errno.ENOSPC:
        return Unavailable(
            f"The disk that holds {folder} is full.", mend="Free about 400 MB and run `make setup` again."
        )
    return Failure(f"{folder} cannot be written ({error.strerror}).", mend="Make the folder writable.")


def _main() -> int:
    shown = -1

    def show(done: int, total: int) -> None:
        nonlocal shown
        if done * 10 // total != shown:
            shown = done * 10 // total
            sys.stderr.write(f"Neo4j {NEO4J_VERSION}: {done} of {total} artefacts\n")

    try:
        provision(default_folder(), progress=show)
    except WnisError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main())
