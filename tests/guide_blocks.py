"""The fenced blocks of the guide that say what they are, such as ``sh testable demo`` or ``toml mapping assets``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GUIDE = ROOT / "docs" / "guide"

_FENCE = re.compile(r"^```(?P<says>[^\n`]*)\n(?P<text>.*?)^```\s*$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """One fenced block, and the line on which it begins."""

    page: Path
    line: int
    says: str
    text: str


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text.count("\n", 0, m.start()) + 1, m["says"].strip(), m["text"]) for m in _FENCE.finditer(text)
    ]


def marked(says: str, *pages: str) -> list[Block]:
    """Blocks of these pages of the guide that say exactly this."""
    return [block for page in pages for block in blocks(GUIDE / page) if block.says == says]
