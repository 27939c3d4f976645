"""The backup before a deployment: ``python -m wnis_ops.deploy.backup [PLACE]``, run by the supervisor.

It has the environment of the instance; its last line is the report as JSON, or what went wrong.
"""

from __future__ import annotations

import sys

from wnis_core.errors import WnisError

from wnis_ops.cli.backups import backup


def main() -> int:
    """The command."""
    try:
        backup(sys.argv[1] if len(sys.argv) > 1 else None, offline=False, as_json=True)
    except WnisError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
