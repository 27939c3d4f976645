"""The text of an INP file as EPANET 2.2 cuts it: lines, sections, tokens and where each of them stands.

The engine reads lines up to ``\\n``, cuts them at blanks, tabs and carriage returns (a comma is no separator), takes
what follows ``;`` for a comment and goes by the beginnings of keywords (``gettokens`` and ``match`` in ``input2.c``).
Every row keeps the place of its tokens, so that one of them can be replaced and the rest of the file stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from wnis_core.errors import InvalidModel

MAX_LINE = 1023
"""Bytes of a line that the engine reads at once; it takes what is behind them for another line."""
MAX_TOKEN = 250
"""The engine repeats a wrong token in a buffer of 256 bytes, and does not look whether it fits."""
MAX_TOKENS = 40
"""Tokens of a line that the engine reads; it does not see those behind them."""

SECTIONS = (
    "TITLE", "JUNCTIONS", "RESERVOIRS", "TANKS", "PIPES", "PUMPS", "VALVES", "CONTROLS", "RULES", "DEMANDS",
    "SOURCES", "EMITTERS", "PATTERNS", "CURVES", "QUALITY", "STATUS", "ROUGHNESS", "ENERGY", "REACTIONS", "MIXING",
    "REPORT", "TIMES", "OPTIONS", "COORDINATES", "VERTICES", "LABELS", "BACKDROP", "TAGS", "END",
)  # fmt: skip
_TOKEN = re.compile(r'"([^"]*)"?|[^ \t\r\n]+')
_BOM = b"\xef\xbb\xbf"


class Row(NamedTuple):
    """One line of a section: its tokens, where each begins and ends in the line, and the comment behind them.

    `line` counts from one; of a quoted token the place is that of the words between the quotes.
    """

    section: str
    line: int
    tokens: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    comment: str


@dataclass(frozen=True)
class InpText:
    """The lines of a file, without their ``\\n``."""

    lines: tuple[str, ...]
    encoding: str
    byte_order_mark: bool

    @property
    def line_end(self) -> str:
        """What ends a line, by the first one."""
        return "\r\n" if self.lines[0].endswith("\r") else "\n"

    def encoded(self, text: str) -> bytes:
        """`text` in the bytes of this file.

        Raises
        ------
        InvalidModel
            a character that the file's encoding does not have
        """
        try:
            return text.encode(self.encoding)
        except UnicodeEncodeError as error:
            raise InvalidModel(
                f"The source file is in {self.encoding}, which has no {error.object[error.start]!r}.",
                mend="Change the name or description that uses it, or save the source file as UTF-8 and import it.",
            ) from error


def fault(message: str, row: Row | None = None, *, section: str = "", line: int = 0, name: str = "") -> InvalidModel:
    """An error that names where it is."""
    section, line = (row.section, row.line) if row else (section, line)
    at = " ".join(([f"[{section}]"] if section else []) + ([f"line {line}"] if line else []))
    return InvalidModel(
        f"{at}: {message}" if at else message,
        mend="Correct the file and import it again; nothing was changed.",
        details={"section": section or None, "line": line or None, "id": name or None},
    )


def shortened(text: str) -> str:
    """`text` as a message can hold it."""
    return text if len(text) <= 40 else f"{text[:40]}... ({len(text)} characters)"


def decoded(content: bytes) -> InpText:
    """The lines of a file: UTF-8, else Latin-1, in which every byte means something.

    Raises
    ------
    InvalidModel
        nothing is in it, or it is no text
    """
    if not content.strip():
        raise fault("The file is empty.")
    # some editors pad a file to whole blocks; the engine stops reading at [END]
    content = content.rstrip(b"\0")
    if b"\0" in content:
        raise fault("This is not an EPANET input file: it is binary.")
    marked = content.startswith(_BOM)
    if marked:
        content = content.removeprefix(_BOM)
    try:
        text, encoding = content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        text, encoding = content.decode("latin-1"), "latin-1"
    return InpText(tuple(text.split("\n")), encoding, marked)


def rows_of(text: InpText) -> Iterator[Row]:
    """The file's rows, and one without tokens for each heading, up to ``[END]``.

    Raises
    ------
    InvalidModel
        an unknown section, text before the first one, or a line or token that the engine does not survive
    """
    section = ""
    for number, whole in enumerate(text.lines, start=1):
        statement, _, comment = whole.partition(";")
        stripped = statement.strip(" \t\r")
        if not section and stripped and not stripped.startswith("["):
            raise fault(
                f"This is not an EPANET input file: {stripped[:40]!r} stands before any [SECTION].", line=number
            )
        if len(whole) > MAX_LINE // 4 and len(whole.encode(text.encoding)) >= MAX_LINE:
            raise _too_long(whole, stripped, section, number)
        if not stripped:
            continue
        if stripped.startswith("["):
            section = _section(stripped, number)
            yield Row(section, number, (), (), "")
            if section == "END":
                return
            continue
        found = list(_TOKEN.finditer(statement))
        yield Row(
            section,
            number,
            tuple(m[0] if m[1] is None else m[1] for m in found),
            tuple(m.span(0 if m[1] is None else 1) for m in found),
            comment.strip(),
        )
    if not section:
        raise fault("This is not an EPANET input file: it has no [SECTION].")


def _too_long(whole: str, stripped: str, section: str, line: int) -> InvalidModel:
    words = stripped.split()
    return fault(
        f"The line is {len(whole)} characters long, EPANET reads {MAX_LINE - 1}; it begins {whole.strip()[:30]!r}.",
        section=section, line=line, name=words[0] if words and words[0] != max(words, key=len) else "",
    )  # fmt: skip


def check_tokens(row: Row) -> None:
    """Refuse a token that would overflow the engine's buffers; raises `InvalidModel`."""
    for token in row.tokens:
        if len(token) > MAX_TOKEN and row.section != "TITLE":
            name = row.tokens[0] if token != row.tokens[0] else ""
            raise fault(f"{shortened(token)!r} is too long for EPANET.", row, name=name)


def _section(text: str, line: int) -> str:
    word = text[1:].split("]")[0].strip().upper()
    for name in SECTIONS:
        if name == word or (len(word) >= 4 and name.startswith(word[:4])):
            return name
    raise InvalidModel(
        f"Line {line}: there is no section [{word[:40]}] in an EPANET input file.",
        mend="Remove or rename the section.",
        details={"section": word[:40], "line": line, "id": None},
    )
