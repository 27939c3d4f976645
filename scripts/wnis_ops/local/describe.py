"""What a release says of its services: ``python -m wnis_ops.local.describe`` with that release's Python.

Another program starts them for it: the supervisor that runs, whichever release it is of. JSON in, JSON out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wnis_core.errors import Failure

from wnis_ops.local.instance import options_from, options_text
from wnis_ops.local.options import UpOptions
from wnis_ops.local.services import Service, services
from wnis_ops.place import Home, own_release, python_of

_PATIENCE_S = 60


def services_of(
    python: str,
    home: Home,
    options: UpOptions,
    ports: Mapping[str, int],
    environ: Mapping[str, str],
    secret_files: Mapping[str, str],
    graph: Mapping[str, str],
    sockets: Sequence[int],
    metrics: str,
) -> tuple[Service, ...]:
    """The services of the release that `python` belongs to; the rest as for `services.services`.

    Raises
    ------
    Failure
        that release does not start, or knows nothing of this
    """
    if python == python_of(own_release()):
        return services(home, options, ports, environ, secret_files, graph, sockets, metrics)
    asked = {
        "home": str(home.path), "options": options_text(options), "ports": dict(ports),
        "secret_files": dict(secret_files), "graph": dict(graph), "sockets": list(sockets), "metrics": metrics,
    }  # fmt: skip
    try:
        done = subprocess.run(
            [python, "-m", "wnis_ops.local.describe"], input=json.dumps(asked), env=dict(environ),
            capture_output=True, text=True, check=False, timeout=_PATIENCE_S,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failure(f"The release of {python} does not start: {error}.") from error
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise Failure(f"The release of {python} does not say what its services are: {reason[:400]}")
    return tuple(Service(one["name"], tuple(one["command"]), one["environ"]) for one in json.loads(done.stdout))


def main() -> None:
    """Answer for this release."""
    asked: dict[str, Any] = json.load(sys.stdin)
    found = services(
        Home(Path(asked["home"])), options_from(asked["options"]), asked["ports"], os.environ, asked["secret_files"],
        asked["graph"], asked["sockets"], asked["metrics"],
    )  # fmt: skip
    sys.stdout.write(json.dumps([asdict(one) for one in found]))


if __name__ == "__main__":
    main()
