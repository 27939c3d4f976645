"""On whose behalf the graph is read or changed. No repository method runs without a scope."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_UTILITY = "default"


@dataclass(frozen=True)
class Scope:
    """One utility, seen by one user in some roles; the runner binds ``$utility`` from here."""

    utility: str
    user: str
    roles: frozenset[str] = frozenset()
