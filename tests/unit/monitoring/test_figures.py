"""Looked-up figures: kept for a while, never waited for long, withheld when they cannot be had."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from wnis_core.errors import InvalidValue
from wnis_core.figures import Figures, LookUp
from wnis_core.metrics import exposition
from wnis_core.operating_figures import backups
from wnis_core.settings import read_settings
from wnis_graph.exporter import bytes_of, store_sizes
from wnis_ops.backup.records import LAST_BACKUP, last_good, record
from wnis_ops.local.options import UpOptions
from wnis_ops.local.services import services
from wnis_ops.place import Home


def told(figures: Figures) -> dict[str, float]:
    """Samples by name and label values."""
    body, _ = exposition((figures,))
    return {
        " ".join((sample.name, *sample.labels.values())): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def test_a_figure_is_looked_up_once_while_it_is_good() -> None:
    looks: list[int] = []

    def look() -> Iterator[Metric]:
        looks.append(1)
        yield GaugeMetricFamily("looked", "Looks", value=len(looks))

    figures = Figures((LookUp("some", look, 60.0),))
    assert [told(figures)["looked"], told(figures)["looked"]] == [1.0, 1.0]
    assert told(figures)["wnis_figures_up some"] == 1.0


def test_what_fails_takes_nothing_with_it() -> None:
    def fine() -> Iterator[Metric]:
        yield GaugeMetricFamily("fine", "Fine", value=1)

    def broken() -> Iterator[Metric]:
        yield GaugeMetricFamily("half", "Half", value=1)
        raise OSError("away")

    known = told(Figures((LookUp("broken", broken, 60.0), LookUp("fine", fine, 60.0))))
    assert known["fine"] == 1.0
    assert "half" not in known
    assert (known["wnis_figures_up broken"], known["wnis_figures_up fine"]) == (0.0, 1.0)


def test_what_failed_is_tried_again_before_long() -> None:
    looks: list[int] = []

    def broken_at_first() -> Iterator[Metric]:
        looks.append(1)
        if len(looks) == 1:
            raise OSError("away")
        yield GaugeMetricFamily("back", "Back", value=1)

    figures = Figures((LookUp("some", broken_at_first, 3_600.0),), again_s=0.05)
    assert told(figures)["wnis_figures_up some"] == 0.0
    time.sleep(0.06)
    assert told(figures)["back"] == 1.0


def test_what_hangs_delays_an_answer_only_a_moment_and_is_asked_once() -> None:
    free, asked = threading.Event(), []

    def hang() -> Iterator[Metric]:
        asked.append(1)
        free.wait(30)
        yield GaugeMetricFamily("late", "Late", value=1)

    figures = Figures((LookUp("slow", hang, 60.0),), patience_s=0.1)
    began = time.monotonic()
    assert [told(figures)["wnis_figures_up slow"], told(figures)["wnis_figures_up slow"]] == [0.0, 0.0]
    assert time.monotonic() - began < 2
    assert asked == [1]
    free.set()
    until = time.monotonic() + 5
    while "late" not in told(figures) and time.monotonic() < until:
        time.sleep(0.02)
    assert told(figures)["late"] == 1.0


def test_without_a_backup_there_is_no_figure_of_one(tmp_path: Path) -> None:
    assert [name for name in told(Figures((backups(tmp_path),))) if "backup_" in name or "drill" in name] == []


def test_a_failed_backup_is_no_success_and_does_not_hide_the_last_good_one(tmp_path: Path) -> None:
    home = Home(tmp_path)
    record(home, LAST_BACKUP, {"ok": False, "bytes": 0, "pause_seconds": 0.0})
    known = told(Figures((backups(tmp_path),)))
    assert "wnis_backup_last_success_timestamp_seconds" not in known
    assert (known["wnis_backup_last_failed"], last_good(home, LAST_BACKUP)) == (1.0, None)

    record(home, LAST_BACKUP, {"ok": True, "bytes": 12, "pause_seconds": 1.5})
    good = _backup_figures(tmp_path)
    assert time.time() - good["wnis_backup_last_success_timestamp_seconds"] < 60
    assert good["wnis_backup_last_size_bytes"] == 12.0
    assert good["wnis_backup_last_pause_seconds"] == 1.5
    assert good["wnis_backup_last_failed"] == 0.0

    for _ in range(2):
        record(home, LAST_BACKUP, {"ok": False, "bytes": 0, "pause_seconds": 0.0})
    assert _backup_figures(tmp_path) == {**good, "wnis_backup_last_failed": 1.0}
    kept = last_good(home, LAST_BACKUP)
    assert kept is not None
    assert kept["bytes"] == 12


def _backup_figures(home: Path) -> dict[str, float]:
    return {name: value for name, value in told(Figures((backups(home),))).items() if name.startswith("wnis_backup_")}


def test_a_drill_tells_its_time_and_whether_it_failed(tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    record = tmp_path / "backup" / "last-drill.json"
    record.write_text(json.dumps({"finished_at": "2026-05-01T02:00:00+00:00", "ok": True, "seconds": 61.5}))
    known = told(Figures((backups(tmp_path),)))
    assert known["wnis_restore_drill_failed"] == 0.0
    assert known["wnis_restore_drill_last_success_timestamp_seconds"] == 1777600800.0
    assert known["wnis_restore_drill_last_duration_seconds"] == 61.5
    record.write_text(json.dumps({"finished_at": "2026-05-01T02:00:00+00:00", "ok": False, "seconds": 3}))
    assert told(Figures((backups(tmp_path),)))["wnis_restore_drill_failed"] == 1.0


@pytest.mark.parametrize("text", ["web-interface", "https://web:8443", "a b:443", ":443"])
def test_a_tls_target_is_host_and_port(text: str) -> None:
    with pytest.raises(InvalidValue, match="WNIS_TLS_TARGETS"):
        read_settings({"WNIS_TLS_TARGETS": text})


def test_tls_targets_are_read_from_the_settings() -> None:
    assert read_settings({"WNIS_TLS_TARGETS": "web-interface:8443, [::1]:443"}).tls_targets == (
        "web-interface:8443", "[::1]:443",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "size"),
    [("128.00MiB", 134217728.0), ("1.5GiB", 1610612736.0), ("512m", 536870912.0), ("1024", 1024.0), ("", None)],
)
def test_sizes_are_read_as_the_server_writes_them(text: str, size: float | None) -> None:
    assert bytes_of(text) == size


def test_a_store_is_measured_only_where_it_is(tmp_path: Path) -> None:
    assert store_sizes(tmp_path) == {}
    for folder in ("databases/neo4j", "transactions/neo4j"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "file").write_bytes(b"x" * 10_000)
    sizes = store_sizes(tmp_path)
    assert set(sizes) == {"databases", "transaction_logs"}
    assert all(size >= 10_000 for size in sizes.values())


def test_an_instance_with_tls_has_its_own_certificate_watched(tmp_path: Path) -> None:
    def target_of_ml(options: UpOptions, **environ: str) -> str | None:
        chosen = dict.fromkeys(("api", "simulator", "ml", "neo4j"), 9000)
        made = {s.name: s for s in services(Home(tmp_path), options, chosen, environ, {}, {}, (), "m")}
        return made["ml"].environ.get("WNIS_TLS_TARGETS")

    tls = UpOptions(host="0.0.0.0", tls_certificate=tmp_path / "c", tls_key=tmp_path / "k")
    assert target_of_ml(tls) == "127.0.0.1:9000"
    assert target_of_ml(tls, WNIS_TLS_TARGETS="proxy:443") == "proxy:443"
    assert target_of_ml(UpOptions()) is None
