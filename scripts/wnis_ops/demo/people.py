"""The people of the demonstration and what they say. They stand for nobody; their passwords are random."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from wnis_graph.scope import DEFAULT_UTILITY


@dataclass(frozen=True)
class Account:
    """A demonstration account; its password is in the home folder alone."""

    username: str
    role: str


_ROLES = ("operator", "maintenance", "engineer", "manager", "analyst")


def accounts(utility: str) -> tuple[Account, ...]:
    """One account a role. User names are unique over all utilities, so those of another utility carry its name."""
    suffix = "" if utility == DEFAULT_UTILITY else f"-{utility}"
    return tuple(Account(f"demo-{role}{suffix}", role) for role in _ROLES)


@dataclass(frozen=True)
class Saying:
    """Feedback of the account in a role; `pipe` is the name of the main that it is about."""

    by: str
    source: str
    category: str
    content: str
    rating: int | None = None
    pipe: str | None = None
    status: str = "new"
    resolution: str | None = None


def sayings(pipes: tuple[str, ...]) -> tuple[Saying, ...]:
    """Feedback about the system and about three mains, given by name."""
    first, second, third = pipes[:3]
    return (
        Saying("operator", "mobile", "usability",
               "On the phone I want the pressure of the last run as the first thing on a junction's page.", 3),
        Saying("maintenance", "mobile", "other",
               "Register says cast iron here, but we cut in ductile at the last repair. Please check.", None, first,
               "in_progress"),
        Saying("engineer", "web", "other",
               "High on the list and it broke twice since 2020: I would put this one into next year's programme.", 5,
               second),
        Saying("manager", "web", "feature_request",
               "Can the ranking be weighed by customers and by the hospital, not by probability alone?", 4, None,
               "resolved", "Choose the ranking by risk: probability times who loses water."),
        Saying("analyst", "api", "performance",
               "Export of all components as CSV took four seconds, fine for a nightly job.", 5, None, "closed",
               "Thank you."),
        Saying("engineer", "web", "bug",
               "The factors say previous breaks count most here, yet the crew's remark calls it third party damage.", 3,
               third),
    )  # fmt: skip


def passwords(file: Path, known: tuple[Account, ...]) -> dict[str, str]:
    """Random passwords by user name, kept in `file` for this user alone (0600); made once."""
    if file.exists():
        kept: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
        return kept
    made = {account.username: secrets.token_urlsafe(15) for account in known}
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = file.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(made, stream, indent=2)
    fresh.replace(file)
    return made
