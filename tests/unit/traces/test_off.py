"""Without a collector, traces cost nothing."""

from __future__ import annotations

import subprocess
import sys
import timeit

from wnis_core import traces

_SERVICES = """
import sys
import wnis_api.app, wnis_ml.app, wnis_simulator.app
from wnis_core import traces
traces.configure_traces("api", {})
with traces.query("components.read", "READ"), traces.call("ml", "GET", "http://x/"), traces.job("k", "j", ""):
    traces.request("GET", "/", "/", "http", "")
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""


def test_without_a_collector_nothing_of_opentelemetry_is_imported() -> None:
    ran = subprocess.run([sys.executable, "-c", _SERVICES], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_without_a_collector_a_span_takes_less_than_two_microseconds() -> None:
    def span() -> None:
        with traces.query("components.read", "READ"):
            pass

    assert min(timeit.repeat(span, number=1000, repeat=5)) / 1000 < 2e-6
