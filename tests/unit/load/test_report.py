"""Figures from records, the stored report, its words and its page."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from wnis_core.errors import InvalidValue, NotFound
from wnis_ops.bench.api.compare import compare
from wnis_ops.bench.api.html import as_html
from wnis_ops.bench.api.markdown import as_markdown
from wnis_ops.bench.api.records import RECORD, Figures, Records, joined
from wnis_ops.bench.api.report import (
    BlockReport,
    Circumstances,
    Judgement,
    MemoryPoint,
    OverloadReport,
    Report,
    Second,
    StageReport,
    read_report,
)
from wnis_ops.bench.api.statistics import Ratio


def records(kinds: tuple[str, ...], *rows: tuple[int, int, float, float]) -> Records:
    return Records(np.array([(*row, True, True) for row in rows], dtype=RECORD), ("a", "b"), kinds, 0.1, 0)


def figures(per_s: float, p95_ms: float) -> Figures:
    return Figures(int(per_s * 10), per_s, p95_ms / 2, p95_ms, p95_ms * 2, p95_ms * 3, {})


def report(*p95s: float) -> Report:
    """Steady blocks with these p95, and an overload."""
    blocks = tuple(
        BlockReport(
            figures(100, p95),
            {"a": figures(60, p95), "b": figures(40, p95)},
            figures(160, p95 / 2),
            0.1,
            {"api": 4.0, "neo4j": 2.5},
        )
        for p95 in p95s
    )
    steady = StageReport(
        name="reads",
        kind="steady",
        clients=16,
        duration_s=10,
        total=figures(100, p95s[0]),
        endpoints={"a": figures(60, p95s[0]), "b": figures(40, p95s[0])},
        blocks=blocks,
        bare_view=figures(160, 20),
        share_of_bare_view=Ratio(0.625, 0.6, 0.65),
        overload=None,
        unfinished_clients=0,
        judgements=(Judgement("p95_ms", 200, p95s[0], p95s[0] <= 200),),
    )
    refused = Figures(900, 100, 50, 90, 120, 150, {"503 with Retry-After": 800, "timeout <1>": 1})
    storm = StageReport(
        name="storm",
        kind="overload",
        clients=64,
        duration_s=3,
        total=refused,
        endpoints={},
        blocks=(),
        bare_view=None,
        share_of_bare_view=None,
        overload=OverloadReport(
            clients=640,
            before=figures(100, 40),
            during=refused,
            after=figures(100, 41),
            offered_per_s=300,
            level_ms=60,
            recovery_s=1,
            memory_before_mb=2000,
            memory_peak_mb=2100,
            memory_after_mb=2050,
            seconds=tuple(Second(at, 100, 200 * (0 <= at < 3), 0, 40.0 if at != 1 else None) for at in range(-2, 5)),
            memory=(MemoryPoint(-1, {"api": 400, "neo4j": 1600}), MemoryPoint(1, {"api": 500, "neo4j": 1600})),
        ),
        unfinished_clients=0,
        judgements=(Judgement("disorderly", 0, 1, False),),
    )
    return Report(
        format=1,
        name="a <b> & c",
        circumstances=Circumstances(
            "2026-01-02T03:04:05+00:00", "0.1.0", "Linux", 2, 16.0, 0.5, "3 % busy", "http://here", 10**8, 600, "locust"
        ),
        config={},
        requests_sent=1234,
        stages=(steady, storm),
        kept=False,
    )


def test_percentiles_are_of_good_answers_and_errors_are_counted_by_kind() -> None:
    rows = [(0, 0, n / 100, n / 1000) for n in range(1, 101)]
    found = records(
        ("200", "503 with Retry-After", "timeout"), *rows, (0, 1, 0.5, 9.0), (0, 1, 0.5, 9.0), (1, 2, 0.5, 30.0)
    ).figures(2.0)
    assert (found.requests, found.per_s) == (103, 50.0)
    assert (found.p50_ms, found.p95_ms, found.p99_ms, found.max_ms) == (50.5, 95.05, 99.01, 100.0)
    assert found.errors == {"503 with Retry-After": 2, "timeout": 1}
    assert (found.failed, found.disorderly) == (3, 1)


def test_processes_that_met_different_errors_are_joined_by_the_errors_names() -> None:
    one = records(("200", "timeout"), (0, 0, 1.0, 0.1), (0, 1, 1.0, 0.1))
    other = records(("500", "200"), (1, 0, 1.0, 0.1), (1, 1, 1.0, 0.1))
    found = joined([one, other, records((), *[])])
    assert found.figures(1.0).errors == {"500": 1, "timeout": 1}
    assert found.of_endpoint("b").figures(1.0).errors == {"500": 1}


def test_what_ended_outside_the_measured_time_does_not_count() -> None:
    found = records(("200",), (0, 0, 0.9, 0.1), (0, 0, 1.0, 0.1), (0, 0, 2.0, 0.1)).between(1.0, 2.0)
    assert len(found.rows) == 1


def test_a_slow_request_counts_where_it_began_and_a_rate_where_it_ended() -> None:
    everything = records(("200", "timeout"), (0, 0, 0.9, 0.5), (0, 0, 1.2, 0.5), (0, 0, 5.0, 3.5), (0, 1, 31.0, 29.5))
    found = everything.measured(1.0, 2.0).figures(1.0)
    assert (found.requests, found.per_s, found.max_ms) == (2, 1.0, 3500.0)
    assert found.errors == {"timeout": 1}


def test_a_stored_report_is_read_as_it_was(tmp_path: Path) -> None:
    made = report(50, 51)
    file = tmp_path / "report.json"
    file.write_text(made.as_json())
    assert read_report(file) == made


def test_what_is_no_report_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    with pytest.raises(NotFound):
        read_report(file)
    file.write_text("{}")
    with pytest.raises(InvalidValue, match="not a report"):
        read_report(file)
    file.write_text(replace(report(50), format=99).as_json())
    with pytest.raises(InvalidValue, match="format 99"):
        read_report(file)


def test_words_state_limits_errors_recovery_and_what_was_missed() -> None:
    words = as_markdown(report(50, 51))
    assert "NOT all kept" in words
    assert "rate limit was raised: 100000000 requests a minute" in words
    assert "503 with Retry-After: 800, timeout <1>: 1" in words
    assert "Recovered 1 s after its end" in words
    assert "0.62 (0.60 to 0.65) of the requests/s of a bare Flask view" in words
    assert "2000 MB before, 2100 MB at most" in words
    assert re.search(r"\| reads +\| 6\.50 +\| api 4\.00, neo4j 2\.50", words)
    assert re.search(r"\| storm +\|.*\| MISSED \|", words)


def test_a_page_needs_nothing_from_elsewhere_and_escapes_names() -> None:
    page = as_html(report(50, 51), compare(report(50, 51), report(90, 91)))
    assert "<script" not in page
    assert not re.search(r"""(src|href)=|url\(|@import""", page)
    assert set(re.findall(r"https?://[^\s\"'<]+", page)) == {"http://here.", "http://www.w3.org/2000/svg"}
    assert "a &lt;b&gt; &amp; c" in page
    charts = re.findall(r"<svg.*?</svg>", page, re.S)
    titles = [str(ET.fromstring(chart)[0].text) for chart in charts]
    assert any(title.startswith("Requests a second") for title in titles)
    assert {"storm: p95 of each second", "storm: memory of the services (PSS)"} <= set(titles)


def test_a_comparison_tells_difference_from_noise() -> None:
    rows = {(r.stage, r.endpoint, r.figure): r for r in compare(report(50, 51, 49), report(80, 82, 79)).rows}
    assert rows["reads", "", "p95 ms"].verdict == "worse"
    assert rows["reads", "a", "p95 ms"].verdict == "worse"
    assert rows["reads", "", "requests/s"].verdict == "no difference beyond noise"
    same = compare(report(50, 80, 60), report(55, 70, 75))
    assert {r.verdict for r in same.rows} == {"no difference beyond noise"}
    assert {r.verdict for r in compare(report(50), report(80)).rows} == {"one block: the noise is not known"}
    better = compare(report(80, 82, 79), report(50, 51, 49))
    assert {r.verdict for r in better.rows if r.figure == "p95 ms"} == {"better"}


def test_stages_of_one_report_only_are_named() -> None:
    before, after = report(50, 51), report(50, 51)
    after = replace(after, stages=(replace(after.stages[0], name="other"),))
    found = compare(before, after)
    assert found.rows == ()
    assert "Only in one of the reports, and not compared: other, reads, storm." in found.remarks


def test_the_json_is_plain() -> None:
    assert json.loads(report(50).as_json())["stages"][1]["overload"]["during"]["errors"]["503 with Retry-After"] == 800
