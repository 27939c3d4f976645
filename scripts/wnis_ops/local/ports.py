"""Internal ports of a home: chosen free at the first start and remembered, so that addresses stay the same."""

from __future__ import annotations

import json
from pathlib import Path

from wnis_neo4j.local import free_port, port_is_free

INTERNAL = ("neo4j", "simulator", "ml")


def remembered(file: Path) -> dict[str, int]:
    """The ports of last time; empty when there was none or the file is spoilt."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return {str(name): int(port) for name, port in found.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def choose(file: Path, public: int) -> dict[str, int]:
    """The public port and a free one for each internal service: the remembered one where it still is."""
    before = remembered(file)
    ports = {"api": public}
    for name in INTERNAL:
        port = before.get(name, 0)
        while not port or port in ports.values() or not port_is_free(port):
            port = free_port()
        ports[name] = port
    file.parent.mkdir(parents=True, exist_ok=True)
    remember(file, ports)
    return ports


def successors(ports: dict[str, int]) -> dict[str, int]:
    """`ports` with new ones for the services that are started beside those that run."""
    fresh = dict(ports)
    for name in ("simulator", "ml"):
        while fresh[name] in ports.values():
            fresh[name] = free_port()
    return fresh


def remember(file: Path, ports: dict[str, int]) -> None:
    """Keep `ports` for the next start."""
    file.write_text(json.dumps(ports), encoding="utf-8")
