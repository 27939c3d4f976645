"""The secrets of a whole test run, and the search for each of them in every log that the run wrote.

Known are those that a test plants here, those in the files where a home, a server or ``scripts/secrets.sh`` keeps its
own, and whatever has the shape of an access token or an API key, whoever issued it.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

_SHORTEST = 16
"""Characters; what is shorter may stand in a log for another reason."""
_SHAPES = r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{20,}|wnis_[0-9a-f]{16}_[A-Za-z0-9_-]{20,}"
_SECRET_FILES = ("password", "key")
_MOST_FILES = 500
"""Of one command."""

_planted: set[str] = set()
_found: list[str] = []


def plant(*secrets: str) -> None:
    """Have the logs of this run searched for `secrets`, when all tests are over."""
    # of a token the signature: it is no use without, and one that is logged in part may have only that
    _planted.update(one for secret in secrets if len(one := secret.rpartition(".")[2]) >= _SHORTEST)


def hits(folder: Path) -> list[str]:
    """File, line and kind of every secret in the logs in `folder`; never the secret itself.

    Sought is what is planted so far, what lies in `folder` as the secret of a home, and what has the shape of a token.
    """
    secrets = _planted | set(_kept_in_files(folder))
    logs = sorted(path for path in _files(folder) if _is_log(path))
    found = [f"{place}: a secret" for place in _grep(["--fixed-strings"], "\n".join(sorted(secrets)), logs)]
    return found + [f"{place}: a token or an API key" for place in _grep(["--extended-regexp"], _SHAPES, logs)]


def look_into(folder: Path) -> None:
    """Search a folder that does not last until the end of the run."""
    _found.extend(hits(folder))


def leaks(base: Path) -> list[str]:
    """Every hit of this run, whose folders are below `base`."""
    return [*_found, *hits(base)]


def _files(folder: Path) -> Iterator[Path]:
    # what a browser or a server leaves as a link leads to files that are elsewhere in it
    for where, _, names in os.walk(folder):
        yield from (path for name in names if (path := Path(where, name)).is_file() and not path.is_symlink())


def _is_log(path: Path) -> bool:
    """Whether it is one; rotated ones have a number at the end, and the graph's lie in a folder of that name."""
    return bool(re.search(r"\.(log|out|err)(\.|$)", path.name)) or path.name == "log" or path.parent.name == "logs"


def _kept_in_files(folder: Path) -> Iterator[str]:
    for path in _files(folder):
        secret = path.parent.name == "secrets" or path.name in _SECRET_FILES
        # a certificate is for everybody
        if not secret or path.suffix == ".crt":
            continue
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            word = line.strip().rpartition(".")[2]
            if len(word) >= _SHORTEST and not word.startswith("-----"):
                yield word


def _grep(how: Sequence[str], patterns: str, logs: Sequence[Path]) -> Iterator[str]:
    """``file:line`` of every match. Thousands of secrets in one pass: what ``grep`` is for."""
    for start in range(0, len(logs) if patterns else 0, _MOST_FILES):
        done = subprocess.run(
            ["grep", *how, "--text", "--line-number", "--with-filename", "--null", "--only-matching", "--file=-", "--",
             *map(str, logs[start : start + _MOST_FILES])],
            input=patterns, env={**os.environ, "LC_ALL": "C"}, capture_output=True, text=True, errors="replace",
            check=False,
        )  # fmt: skip
        if done.returncode > 1:
            raise RuntimeError(f"grep: {done.stderr.strip()}")
        for line in done.stdout.splitlines():
            name, _, rest = line.partition("\0")
            yield f"{name}:{rest.partition(':')[0]}"
