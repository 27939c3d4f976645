"""The trade's abbreviations and words, read from ``jargon.toml``."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from importlib.resources import files

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+")
# C.I. and W/M are ways to write CI and WM
_DOTTED = re.compile(r"\b([A-Za-z])\.([A-Za-z])\.(?:([A-Za-z])\.)?|\b([A-Z])/([A-Z])\b")

# words that say nothing about an incident; a query of nothing else keeps them
STOP_WORDS = frozenset(
    """a an and are as at be been but by can did do does for from had has have he her his how i if in into is it its
    me my no not of off on or our out over she so that the their them then there they this to under until up was we
    were what when where which who why will with you your""".split()  # noqa: SIM905  # reads better as a paragraph
)


@dataclass(frozen=True)
class Concept:
    """One thing that happens: how people describe it in plain words, and how crews write it."""

    name: str
    plain: tuple[str, ...]
    trade: tuple[str, ...]


@dataclass(frozen=True)
class Jargon:
    """All abbreviations and concepts."""

    abbreviations: dict[str, str]
    concepts: tuple[Concept, ...]
    _short: dict[str, tuple[str, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        short: dict[str, tuple[str, ...]] = {}
        for abbreviation, meaning in self.abbreviations.items():
            short[meaning] = (*short.get(meaning, ()), abbreviation)
        object.__setattr__(self, "_short", short)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of what changes the meaning of a narrative."""
        return sha256(json.dumps(self.abbreviations, sort_keys=True).encode()).hexdigest()

    def spell_out(self, text: str) -> str:
        """`text` with its abbreviations written out."""
        joined = _DOTTED.sub(lambda m: "".join(part for part in m.groups() if part), text)

        def spelled(match: re.Match[str]) -> str:
            word = match.group()
            if len(word) <= 2 and not word.isupper():
                return word
            return self.abbreviations.get(word.lower(), word)

        return _WORD.sub(spelled, joined)

    def short_forms(self, text: str) -> set[str]:
        """Abbreviations whose meaning `text` spells out, with and without dots."""
        found = {s for meaning, short in self._short.items() if meaning in text.lower() for s in short}
        return found | {".".join(s) for s in found if len(s) == 2}


def words_of(text: str) -> list[str]:
    """The words of `text` in lower case, in their order."""
    return [word.lower() for word in _WORD.findall(text)]


def telling(words: Iterable[str]) -> list[str]:
    """`words` without those that tell nothing, each once; all of them when none tells anything."""
    once = list(dict.fromkeys(words))
    return [word for word in once if word not in STOP_WORDS] or once


def stem(word: str) -> str:
    """`word` without a plain English ending; good enough to bring crack, cracks, cracked and cracking together."""
    for ending in ("ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            base = word[: -len(ending)]
            # plugged, dripping: the doubled letter belongs to the ending
            doubled = ending in ("ing", "ed") and len(base) > 4 and base[-1] == base[-2] and base[-1] not in "lsz"
            return base[:-1] if doubled else base
    return word


def inflections(word: str) -> set[str]:
    """`word` and how it may be written otherwise: crack, cracks, cracked, cracking."""
    if len(word) < 4 or not word.isalpha():
        return {word}
    base = stem(word)
    doubled = base + base[-1]
    return {word, base, *(base + e for e in ("s", "es", "e", "ed", "ing")), doubled + "ed", doubled + "ing"}


def read_jargon() -> Jargon:
    """What ``jargon.toml`` says."""
    document = tomllib.loads((files("wnis_ml.search") / "jargon.toml").read_text(encoding="utf-8"))
    return Jargon(
        dict(document["abbreviations"]),
        tuple(Concept(c["name"], tuple(c["plain"]), tuple(c["trade"])) for c in document["concept"]),
    )
