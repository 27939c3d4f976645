"""Charts as SVG text that stands for itself: no script, no font, no address."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 860
_LEFT, _RIGHT, _TOP, _BAR = 190, 70, 34, 16
# distinguishable with every kind of colour vision (Okabe and Ito)
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#000000")


@dataclass(frozen=True)
class Bar:
    """One bar, the values of its blocks as dots."""

    value: float | None
    dots: tuple[float, ...] = ()


@dataclass(frozen=True)
class Line:
    """A curve; a gap where y is None."""

    name: str
    points: tuple[tuple[float, float | None], ...]


def bars(title: str, unit: str, series: Sequence[str], groups: Sequence[tuple[str, Sequence[Bar]]]) -> str:
    """Horizontal bars from zero: a group a label, in each a bar a series."""
    values = [v for _, some in groups for bar in some for v in (bar.value, *bar.dots) if v is not None]
    top = _ceiling(max(values, default=1.0))
    span = WIDTH - _LEFT - _RIGHT
    parts, y = [_legend(series)], float(_TOP)
    for label, some in groups:
        middle = y + _BAR * len(some) / 2 + 4
        parts.append(f'<text x="{_LEFT - 8}" y="{middle:.0f}" text-anchor="end">{escape(label)}</text>')
        for colour, bar in zip(COLOURS, some, strict=False):
            if bar.value is not None:
                width = bar.value / top * span
                parts.append(
                    f'<rect x="{_LEFT}" y="{y:.1f}" width="{width:.1f}" height="{_BAR - 3}" fill="{colour}"/>'
                    f'<text x="{_LEFT + width + 5:.1f}" y="{y + _BAR - 5:.1f}" class="value">{bar.value:.1f}</text>'
                )
            parts += [
                f'<circle cx="{_LEFT + dot / top * span:.1f}" cy="{y + _BAR / 2 - 1.5:.1f}" r="2.5" class="dot"/>'
                for dot in bar.dots
            ]
            y += _BAR
        y += 8
    parts.append(f'<text x="{_LEFT}" y="{y + 12:.0f}" class="axis">0 to {top:g} {escape(unit)}</text>')
    return _svg(title, y + 22, parts)


def lines(title: str, unit: str, curves: Sequence[Line], *, shade: tuple[float, float] | None = None) -> str:
    """Curves over seconds; `shade` marks a span of time."""
    xs = [x for curve in curves for x, _ in curve.points]
    ys = [y for curve in curves for _, y in curve.points if y is not None]
    if not xs or not ys:
        return ""
    low, top = min(xs), _ceiling(max(ys))
    high = max(*xs, low + 1)
    height, left, span = 200, 60, WIDTH - 60 - 20

    def at(x: float, y: float) -> str:
        return f"{left + (x - low) / (high - low) * span:.1f},{_TOP + height - y / top * height:.1f}"

    parts = [_legend([curve.name for curve in curves])]
    if shade is not None:
        (x1, _), (x2, _) = (at(moment, 0).split(",") for moment in shade)
        parts.append(f'<rect x="{x1}" y="{_TOP}" width="{float(x2) - float(x1):.1f}" height="{height}" class="shade"/>')
    for share in (0.0, 0.5, 1.0):
        y = _TOP + height - share * height
        parts.append(
            f'<line x1="{left}" x2="{WIDTH - 20}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>'
            f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end" class="axis">{top * share:g}</text>'
        )
    for colour, curve in zip(COLOURS, curves, strict=False):
        pieces: list[list[str]] = [[]]
        for x, value in curve.points:
            if value is None:
                pieces.append([])
            else:
                pieces[-1].append(at(x, value))
        parts += [
            f'<polyline points="{" ".join(piece)}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
            for piece in pieces
            if piece
        ]
    parts.append(
        f'<text x="{left}" y="{_TOP + height + 18}" class="axis">{low:g} s to {high:g} s; {escape(unit)}</text>'
    )
    return _svg(title, _TOP + height + 28, parts)


def _legend(names: Sequence[str]) -> str:
    parts, x = [], float(_LEFT)
    for colour, name in zip(COLOURS, names, strict=False):
        parts.append(
            f'<rect x="{x:.0f}" y="8" width="10" height="10" fill="{colour}"/>'
            f'<text x="{x + 14:.0f}" y="17">{escape(name)}</text>'
        )
        x += 34 + 7 * len(name)
    return "".join(parts)


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img"'
        f' aria-label="{escape(title, quote=True)}"><title>{escape(title)}</title>{"".join(parts)}</svg>'
    )


def _ceiling(value: float) -> float:
    """The next number of the form 1, 2 or 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in (1, 2, 5) if step * power >= value), 10 * power)
