"""The selectors of an expression are found whatever surrounds them."""

from __future__ import annotations

import pytest

from tests.unit.monitoring.promql import selectors


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("up", ["up"]),
        ('max(up{job="ml"}) == 0', ['up{job="ml"}']),
        ("1 - sum by (le) (rate(a_bucket[5m])) / sum(b_total) by (le, job)", ["a_bucket", "b_total"]),
        ("time() - max(x_seconds) > 26 * 3600 or absent(x_seconds)", ["x_seconds", "x_seconds"]),
        ("slo:errors:ratio5m > 14.4 * 0.005 and ignoring (a, b) group_left (c) d", ["slo:errors:ratio5m", "d"]),
        ('a{b=~"x{2}|y}"} * on (c) e', ['a{b=~"x{2}|y}"}', "e"]),
        ('{__name__="f"} offset 5m unless bool # not_this\n g > bool 1', ['{__name__="f"}', "g"]),
        ("predict_linear(disk[6h], 86400) < 0 or (vector(0))", ["disk"]),
    ],
)
def test_selectors_are_found(expression: str, expected: list[str]) -> None:
    assert selectors(expression) == expected
