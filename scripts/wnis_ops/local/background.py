"""The supervisor in the background, as `instance.start_detached` starts it: ``HOME OPTIONS`` (JSON)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from wnis_core.errors import WnisError
from wnis_core.logs import configure_logging

from wnis_ops.local.instance import options_from
from wnis_ops.local.supervisor import Supervisor
from wnis_ops.place import Home


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run until a signal; 1 when it did not start."""
    home, options = Home(Path(sys.argv[1])), options_from(sys.argv[2])
    configure_logging("supervisor")
    try:
        Supervisor(
            home,
            options,
            os.environ,
            say=_say,
            on_ready=lambda url: None,
        ).run()
    except WnisError as error:
        _say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
