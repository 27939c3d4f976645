"""How long the demonstration takes to load, step by step, on a fresh home."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wnis_ops.bench.instances import instance, temporary_home
from wnis_ops.demo.load import load_demo

LIMIT_S = 60.0


@dataclass(frozen=True)
class DemoTimes:
    """Seconds of each step and of all."""

    steps_s: dict[str, float]
    total_s: float
    limit_s: float
    within: bool


def measure(say: Callable[[str], None]) -> DemoTimes:
    """Load it through the public API of a fresh instance."""
    last = ""

    def progress(_fraction: float, message: str) -> None:
        nonlocal last
        title = message.split(":")[0]
        if title != last:
            last = title
            say(title)

    with temporary_home() as home, instance(home, say) as running:
        loaded = load_demo(running.client, progress, home.path)
    total_s = sum(loaded.seconds.values())
    return DemoTimes(loaded.seconds, round(total_s, 2), LIMIT_S, total_s <= LIMIT_S)
