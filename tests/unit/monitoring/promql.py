"""The metric selectors of a PromQL expression: Debian's Prometheus cannot be asked to parse one."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)|(?P<braces>\{(?:[^{}"']|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')*\})"""
    r"""|(?P<range>\[[^\]]*\])|(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
    r"""|(?P<number>\d[\w.]*)|(?P<name>[A-Za-z_:][\w:]*)|(?P<other>.)""",
    re.VERBOSE,
)
_LABEL_LISTS = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "inf", "nan"}) | _LABEL_LISTS


def selectors(expression: str) -> list[str]:
    """Each metric name with its matchers, in order, without ranges and functions."""
    tokens = [(m.lastgroup or "", m.group()) for m in _TOKEN.finditer(expression) if m.lastgroup != "space"]
    return list(_walk(tokens))


def _walk(tokens: list[tuple[str, str]]) -> Iterator[str]:
    place = 0
    while place < len(tokens):
        kind, text = tokens[place]
        following = tokens[place + 1] if place + 1 < len(tokens) else ("", "")
        if kind == "name" and text in _LABEL_LISTS and following[1] == "(":
            while tokens[place][1] != ")":
                place += 1
        elif kind == "name" and text.lower() not in _WORDS and following[1] != "(":
            # an aggregation may have its labels before its parenthesis: sum by (le) (...)
            if following[1] not in _LABEL_LISTS:
                yield text + (following[1] if following[0] == "braces" else "")
        elif kind == "braces" and (place == 0 or tokens[place - 1][0] != "name"):
            yield text
        place += 1
