"""Identifiers: opaque, unique per utility, never parsed (DESIGN.md)."""

from __future__ import annotations

import re
import uuid

from wnis_core.errors import FieldProblem, InvalidValue

_GIVEN = re.compile(r"[A-Za-z0-9._~:%-]{1,500}")
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-")


def given_id(text: str, field: str = "id") -> str:
    """`text` when a person may use it as an id.

    Raises
    ------
    InvalidValue
        characters outside ``[A-Za-z0-9._~:%-]``, none, or more than 500
    """
    if not _GIVEN.fullmatch(text):
        shown = text if len(text) <= 60 else text[:60] + "..."
        raise InvalidValue(
            f"{shown!r} cannot be an id.",
            mend="Use 1 to 500 of the characters A-Z a-z 0-9 . _ ~ : % -",
            fields=[FieldProblem(field, "must match [A-Za-z0-9._~:%-]{1,500}")],
        )
    return text


def imported_id(network: str, kind: str, name: str) -> str:
    """``<network>:<kind>:<name>``; other characters inside a part are percent-encoded as UTF-8 bytes."""
    return ":".join(_encode(part) for part in (network, kind, name))


def new_id(prefix: str) -> str:
    """A random id, for things that are not imported (runs, jobs, feedback)."""
    return f"{prefix}-{uuid.uuid4().hex}"


def _encode(part: str) -> str:
    return "".join(
        c if c in _PLAIN else "".join(f"%{byte:02X}" for byte in c.encode("utf-8", "surrogateescape")) for c in part
    )
