"""Loads the demonstration into a running instance: ``python -m wnis_ops.local.demonstration HOME URL``.

In a process of its own, as it needs libraries that the supervisor should not carry for weeks. Prints its progress,
and as its last line what went wrong, if anything.
"""

from __future__ import annotations

import sys
from pathlib import Path

from wnis_core.errors import WnisError

from wnis_ops.client import ApiClient
from wnis_ops.demo.load import load_demo
from wnis_ops.place import Home


def main() -> int:
    """The command; returns 0 when everything is there."""
    home, url, last = Home(Path(sys.argv[1])), sys.argv[2], ""

    def progress(fraction: float, message: str) -> None:
        nonlocal last
        if message != last:
            last = message
            sys.stdout.write(f"[{fraction:4.0%}] {message}\n")
            sys.stdout.flush()

    try:
        load_demo(ApiClient(url, home.token_file.read_text(encoding="utf-8").strip()), progress, home.path)
    except WnisError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
