"""Parameters of every query of the exports, for the test that none reaches a twin utility's rows."""

from __future__ import annotations

from typing import Any

EXAMPLES: dict[str, dict[str, Any]] = {
    f"exports.{name}": {"id": "net"}
    for name in ("connections", "seats", "measurements", "service_connections", "incidents")
}
