"""A program that owns a local Neo4j, to be killed by a test: ``python -m tests.component.neo4j.owner HOME``."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from wnis_neo4j.local import LocalServer

if __name__ == "__main__":
    with LocalServer(Path(sys.argv[1])) as server:
        print(server.pid, flush=True)
        time.sleep(600)
