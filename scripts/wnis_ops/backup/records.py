"""What is on record of the last backup and the last drill of a home: behind gauges, alerts and `wnis status`."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from typing import Any

from wnis_core.clock import iso, now

from wnis_ops.place import Home

LAST_BACKUP, LAST_DRILL = "last-backup.json", "last-drill.json"

log = logging.getLogger(__name__)


def record(home: Home, name: str, document: Mapping[str, Any]) -> None:
    """Leave word of the last backup or drill for the gauges, under ``WNIS_HOME/backup``.

    A failed one keeps what is known of the last good one, under ``good``; and it fails for its own reason, also when
    not even this can be written.
    """
    file = home.path / "backup" / name
    kept = {"finished_at": iso(now()), **document}
    try:
        if not document["ok"] and (good := last_good(home, name)) is not None:
            kept["good"] = good
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(kept), encoding="utf-8")
        os.replace(fresh, file)
    except OSError:
        if document["ok"]:
            raise
        log.warning("%s could not be written", file)


def last_good(home: Home, name: str) -> dict[str, Any] | None:
    """What is on record of the last backup or drill that went well."""
    try:
        found: dict[str, Any] = json.loads((home.path / "backup" / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if found["ok"] else found.get("good")
