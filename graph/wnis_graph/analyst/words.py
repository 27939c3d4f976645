"""What is refused by the words of a statement, before the server sees it.

Two kinds of statement are caught here because the server catches them too late or not at all: those that address
another database or several statements, and those whose expressions could outgrow the server. The limits on time and
memory of Neo4j Community work between rows, not inside an expression (measured on 5.26: a doubling ``reduce`` ends
the server in half a second, a list comprehension over ``range`` runs on for as long as it likes after its time is
up). So whatever repeats inside an expression may only repeat over a list that is short by its nature.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wnis_core.errors import BadRequest, FieldProblem, Forbidden, InvalidValue

LONGEST_QUERY = 20_000
LONGEST_PARAMETER = 10_000
MOST_JOINS = 10
"""Occurrences of ``+`` and ``||``: each may double a text, and ten doublings of the longest one are harmless."""

DEEPEST_NESTING = 50
MOST_DASHES = 40
"""Two for each relationship of a pattern: planning thirty in a row takes longer than a query may."""

_SHORT_LISTS = frozenset({"nodes", "relationships", "labels", "keys"})
_ITERATORS = frozenset({"all", "any", "none", "single"})
_GROWING = {
    "reduce": "Use UNWIND and sum(), min(), max() or collect().",
    "replace": "Leave the text as it is, or change it after the answer.",
    "split": "Ids are not made to be taken apart; match on other properties.",
    "tostringlist": "Use UNWIND and toString().",
    "tointegerlist": "Use UNWIND and toInteger().",
    "tofloatlist": "Use UNWIND and toFloat().",
    "tobooleanlist": "Use UNWIND and toBoolean().",
}
_LEXEME = re.compile(
    r"""(?P<skip>//[^\r\n]*|/\*.*?\*/)
      |(?P<text>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")
      |(?P<quoted>`(?:``|[^`])*`)
      |(?P<parameter>\$(?:\w+|`(?:``|[^`])*`))
      |(?P<number>\d[\w.]*)
      |(?P<word>\w+)
      |(?P<sign>=~|\|\||[!-/:-@\[-^{-~])""",
    re.DOTALL | re.VERBOSE,
)
_QUANTIFIED_GROUP = re.compile(r"\)[*+?{]")
_UNBOUNDED = re.compile(r"[*+]|\{\d+,\}")


@dataclass(frozen=True)
class Lexeme:
    """One piece of a statement; `text` is lower case but for texts, and names without their backticks."""

    kind: str
    text: str

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these key words or names."""
        return self.kind == "word" and self.text in words


_END = Lexeme("end", "")


def refuse_by_words(cypher: str, parameters: Mapping[str, Any]) -> None:
    """Raise unless `cypher` is one statement that the server may be asked to explain.

    Raises
    ------
    BadRequest
        there is none, or more than one
    InvalidValue
        it or a parameter is too long
    Forbidden
        it begins as no reading statement does, or could outgrow the server
    """
    if not cypher.strip():
        raise BadRequest("There is no query.", fields=[FieldProblem("cypher", "is required")])
    if len(cypher) > LONGEST_QUERY:
        raise InvalidValue(
            f"The query has more than {LONGEST_QUERY} characters.", fields=[FieldProblem("cypher", "is too long")]
        )
    if any(len(text) > LONGEST_PARAMETER for text in _texts(parameters)):
        raise InvalidValue(
            f"A text among the parameters has more than {LONGEST_PARAMETER} characters.",
            fields=[FieldProblem("parameters", "has a text that is too long")],
        )
    if re.search(r"\\u", cypher, re.IGNORECASE):
        # the server replaces them before it looks for words, even in comments and between quotation marks
        raise refused("It has an escaped character (\\u....).", "Write the character itself.")
    found = _lexemes(cypher)
    if any(one.text == ";" and one.kind == "sign" for one in found[:-1]):
        raise BadRequest("There is more than one statement.", fields=[FieldProblem("cypher", "must be one statement")])
    _refuse_first_word(found)
    _refuse_clauses(found)
    _refuse_growth(found, parameters)
    _refuse_iteration(found)


def refused(
    why: str, mend: str = "Only reading statements run: MATCH, WITH, UNWIND, RETURN and the like."
) -> Forbidden:
    """The error of a statement that may not run here."""
    return Forbidden(
        f"The query is not allowed here. {why}", mend=mend, fields=[FieldProblem("cypher", "is not allowed here")]
    )


def _lexemes(cypher: str) -> list[Lexeme]:
    found = []
    for match in _LEXEME.finditer(cypher):
        kind = str(match.lastgroup)
        text = match[0]
        if kind == "quoted":
            found.append(Lexeme(kind, text[1:-1].replace("``", "`").lower()))
        elif kind != "skip":
            found.append(Lexeme(kind, text if kind in ("text", "parameter") else text.lower()))
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield name
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)


def _refuse_first_word(found: Sequence[Lexeme]) -> None:
    if not found:
        raise BadRequest("There is no query.", fields=[FieldProblem("cypher", "is required")])
    if found[0].is_word("explain", "profile", "cypher", "show", "terminate", "use"):
        raise refused(f"A query may not begin with {found[0].text.upper()}.")


def _refuse_clauses(found: Sequence[Lexeme]) -> None:
    for before, one, after in zip((_END, *found), found, (*found[1:], _END), strict=False):
        if before.text == ".":
            continue
        if one.is_word("use") and after.kind in ("word", "quoted"):
            raise refused("USE is not allowed.")
        if one.is_word("load") and after.is_word("csv"):
            raise refused("LOAD CSV is not allowed.")
        if one.is_word("transactions"):
            raise refused("IN TRANSACTIONS is not allowed.")
        if one.is_word("foreach"):
            raise refused("FOREACH is not allowed.")


def _refuse_growth(found: Sequence[Lexeme], parameters: Mapping[str, Any]) -> None:
    joins = sum(1 for one in found if one.kind == "sign" and one.text in ("+", "||"))
    if joins > MOST_JOINS:
        raise refused(f"It has {joins} of + and ||; {MOST_JOINS} are allowed.", "Join and add less in one query.")
    if _depth(found) > DEEPEST_NESTING:
        raise refused(f"It has more than {DEEPEST_NESTING} brackets inside each other.", "Nest less.")
    if sum(1 for one in found if one.kind == "sign" and one.text == "-") > MOST_DASHES:
        raise refused(f"It has more than {MOST_DASHES // 2} relationships.", "Ask in two queries, or use -[*n]-.")
    for at, one in enumerate(found):
        after = found[at + 1] if at + 1 < len(found) else _END
        if one.kind in ("word", "quoted") and after.text == "(":
            if one.text in _GROWING:
                raise refused(f"{one.text}() may grow without end.", _GROWING[one.text])
            if one.text == "range" and not _is_unwound(found, at):
                raise refused("range() may only stand in UNWIND range(...) AS.", "UNWIND it.")
        if one.text == "=~" and one.kind == "sign":
            _refuse_pattern(after, parameters)


def _is_unwound(found: Sequence[Lexeme], at: int) -> bool:
    close = _closing(found, at + 1)
    return at > 0 and found[at - 1].is_word("unwind") and close + 1 < len(found) and found[close + 1].is_word("as")


def _refuse_pattern(pattern: Lexeme, parameters: Mapping[str, Any]) -> None:
    text: Any = None
    if pattern.kind == "text":
        text = pattern.text[1:-1]
    elif pattern.kind == "parameter":
        text = parameters.get(pattern.text[1:].strip("`"))
    mend = "Use CONTAINS, STARTS WITH or ENDS WITH with toLower()."
    if not isinstance(text, str):
        raise refused("The right side of =~ must be a text or a parameter.", mend)
    if _QUANTIFIED_GROUP.search(text) or len(_UNBOUNDED.findall(text)) > 2 or re.search(r"\\\d", text):
        raise refused("This regular expression may take for ever: no repeated groups, at most two of * and +.", mend)


def _refuse_iteration(found: Sequence[Lexeme]) -> None:
    collects = any(one.kind in ("word", "quoted") and one.text == "collect" for one in found)
    inside_until = -1
    for at in range(len(found)):
        source = _iterated(found, at)
        if source is None:
            continue
        if at < inside_until:
            raise refused("A list is gone through inside another.", "Use UNWIND, which works row by row.")
        inside_until = _closing(found, source - 3)
        if not _is_short(found, source, collects):
            raise refused(
                "A list is gone through that may be long.",
                "Use UNWIND, or one of nodes(), relationships(), labels(), keys(), a property, a parameter, [...].",
            )


def _iterated(found: Sequence[Lexeme], at: int) -> int | None:
    """Where the list begins that ``[x IN list ...]`` or ``any(x IN list ...)`` at `at` goes through."""
    opens = at if found[at].text == "[" and found[at].kind == "sign" else None
    if found[at].is_word(*_ITERATORS) and at + 1 < len(found) and found[at + 1].text == "(":
        opens = at + 1
    if opens is None or opens + 3 >= len(found) or not found[opens + 2].is_word("in"):
        return None
    return opens + 3 if found[opens + 1].kind in ("word", "quoted") else None


def _is_short(found: Sequence[Lexeme], source: int, collects: bool) -> bool:
    one = found[source]
    after = found[source + 1] if source + 1 < len(found) else _END
    if one.kind == "parameter":
        end = source
    elif one.text == "[" and one.kind == "sign":
        end = _closing(found, source)
    elif one.kind in ("word", "quoted") and one.text in _SHORT_LISTS and after.text == "(":
        end = _closing(found, source + 1)
    elif one.kind in ("word", "quoted") and after.text == "." and not collects:
        end = source + 2
    else:
        return False
    following = found[end + 1] if end + 1 < len(found) else _END
    if following.text == "[":
        end = _closing(found, end + 1)
        following = found[end + 1] if end + 1 < len(found) else _END
    return following.is_word("where") or following.text in ("|", "]", ")")


def _depth(found: Sequence[Lexeme]) -> int:
    depth = deepest = 0
    for one in found:
        if one.kind == "sign":
            depth += (one.text in "([{") - (one.text in ")]}")
            deepest = max(deepest, depth)
    return deepest


def _closing(found: Sequence[Lexeme], opening: int) -> int:
    """Where the bracket at `opening` is closed; the end when it is not."""
    depth = 0
    for at in range(opening, len(found)):
        if found[at].kind == "sign":
            depth += (found[at].text in "([{") - (found[at].text in ")]}")
            if depth == 0:
                return at
    return len(found)
