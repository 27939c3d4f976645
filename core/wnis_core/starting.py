"""What stops a program at its start: said in one sentence, before anything is done."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wnis_core.errors import Unavailable, WnisError
from wnis_core.objects import TEMPORARY

_DO_NOT_TRY_AGAIN = 4
"""Exit code by which a gunicorn worker says that the application itself cannot be loaded."""


@contextmanager
def one_sentence() -> Iterator[None]:
    """End the process of a service with the message of a `WnisError`, and without a traceback."""
    try:
        yield
    except WnisError as error:
        sys.stderr.write(f"Error: {error}\n")
        sys.stderr.flush()
        raise SystemExit(_DO_NOT_TRY_AGAIN) from error


def require_writable(folder: Path, setting: str) -> None:
    """Make `folder` where it is missing, and write and remove a file in it.

    Parameters
    ----------
    setting : the variable that names the folder

    Raises
    ------
    Unavailable
        it cannot be written
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # a name that an object store leaves out, also when a backup looks at this very moment
        number, name = tempfile.mkstemp(prefix=TEMPORARY, dir=folder)
        try:
            os.write(number, b"\0")
            os.fsync(number)
        finally:
            os.close(number)
            os.unlink(name)
    except OSError as error:
        raise Unavailable(
            f"{folder}, which {setting} names, cannot be written ({error.strerror}).",
            mend=f"Make it writable for this user and free some space, or set {setting} to another folder.",
        ) from error


def require_room(folder: Path, setting: str, wanted_bytes: int) -> None:
    """Look whether `wanted_bytes` are free on the disk of `folder`, which is there.

    Raises
    ------
    Unavailable
        there is less
    """
    free = shutil.disk_usage(folder).free
    if free < wanted_bytes:
        raise Unavailable(
            f"The disk of {folder}, which {setting} names, has {free / 1e6:.0f} MB left;"
            f" {wanted_bytes / 1e6:.0f} MB are needed to start.",
            mend=f"Free some space, or set {setting} to a folder on another disk.",
        )


def require_own_folders(home: Path, object_store: str) -> None:
    """What every service writes to: its home, and the object store when that is a folder; raises `Unavailable`."""
    require_writable(home, "WNIS_HOME")
    if not object_store.startswith("s3://"):
        require_writable(Path(object_store), "WNIS_OBJECT_STORE")
