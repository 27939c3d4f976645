"""The last defence of the logs: what looks like a credential, or is one of ours, is not written."""

from __future__ import annotations

import re
from collections.abc import Collection

WORD = "[redacted]"

_SHORTEST = 8

# one look at the line before the costly ones: nearly every line holds none of these
_SUSPICIOUS = (
    "bearer", "basic", "eyj", "wnis_", "://", "pass", "secret", "token", "key", "auth", "cookie", "credential",
    "signature",
)  # fmt: skip

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Authorization: Bearer ..., wherever it is quoted
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{4,}", re.I), rf"\1 {WORD}"),
    # a JSON web token, and a key of our own
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"), WORD),
    (re.compile(r"\bwnis_[0-9a-f]{16}_[\w-]+"), WORD),
    # scheme://user:password@host; the password may hold an @ itself
    (re.compile(r"(\b[a-z][\w+.-]*://[^\s/:@'\"]*):[^\s/'\"]+@", re.I), rf"\1:{WORD}@"),
    # name=value, name: value, "name": "value"; the name may be part of a longer one
    (
        re.compile(
            r"([\"']?[\w-]*(?:passw(?:or)?d|passwd|secret|token|api[_-]?key|apikey|access[_-]?key|signing[_-]?key"
            r"|authorization|cookie|credentials?|signature)[\w-]*[\"']?\s*[=:]\s*)"
            r"(?:b?\"(?:[^\"\\]|\\.)*\"|b?'(?:[^'\\]|\\.)*'|(?!\[redacted\]|(?:bearer|basic) )[^\s&,;)}\]\"']+)",
            re.I,
        ),
        rf"\1{WORD}",
    ),
)


class Redaction:
    """Takes credentials out of text.

    Parameters
    ----------
    secrets : values that this program knows; wherever one appears it is taken out
    """

    def __init__(self, secrets: Collection[str] = ()) -> None:
        # the longest first: one may be part of another
        self._secrets = sorted({s for s in secrets if len(s) >= _SHORTEST}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """`text` without what must not be read."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, WORD)
        lowered = text.lower()
        if any(word in lowered for word in _SUSPICIOUS):
            for pattern, instead in _PATTERNS:
                text = pattern.sub(instead, text)
        return text
