"""Figures about operating the system: jobs, backups and drills, certificates."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from wnis_core.clock import now
from wnis_core.figures import LookUp
from wnis_core.jobs import JobEngine

WAITING = ("queued", "running")
_CONNECT_S = 3.0


def jobs(engine: JobEngine) -> LookUp:
    """Depth and age of the queue of one service.

    Instances that share one database all tell the same: queries take ``max by (service, kind, state)``.
    """

    def look() -> Iterator[Metric]:
        moment = now()
        counted = GaugeMetricFamily("wnis_jobs", "Jobs on record", labels=["service", "kind", "state"])
        age = GaugeMetricFamily(
            "wnis_job_oldest_age_seconds",
            "Time since the oldest unfinished job was accepted; 0 without one",
            labels=["service", "state"],
        )
        census = {(one.kind, one.state): one for one in engine.census()}
        for kind in engine.kinds:
            for state in WAITING:
                # a line at zero shows that nothing waits; no line would show nothing
                counted.add_metric([engine.service, kind, state], 0.0 if (kind, state) not in census else
                                   float(census[kind, state].jobs))  # fmt: skip
        for (kind, state), one in census.items():
            if state not in WAITING or kind not in engine.kinds:
                counted.add_metric([engine.service, kind, state], float(one.jobs))
        for state in WAITING:
            oldest = min((one.oldest for one in census.values() if one.state == state), default=moment)
            age.add_metric([engine.service, state], max(0.0, (moment - oldest).total_seconds()))
        yield from (counted, age)

    return LookUp("jobs", look, 5.0)


def backups(home: Path) -> LookUp:
    """What the last backup and the last drill of this home came to; no figure when there was none."""

    def look() -> Iterator[Metric]:
        backup = _record(home / "backup" / "last-backup.json")
        if backup is not None:
            good = backup if backup["ok"] else backup.get("good")
            failed = float(not backup["ok"])
            yield GaugeMetricFamily("wnis_backup_last_failed", "1 when the last backup failed", value=failed)
            if good:
                yield GaugeMetricFamily(
                    "wnis_backup_last_success_timestamp_seconds",
                    "When the last good backup was finished",
                    value=_seconds(good["finished_at"]),
                )
                yield GaugeMetricFamily(
                    "wnis_backup_last_size_bytes", "Size of the last good backup", value=float(good["bytes"])
                )
                yield GaugeMetricFamily(
                    "wnis_backup_last_pause_seconds",
                    "For how long the last good backup had writing wait",
                    value=float(good["pause_seconds"]),
                )
        drill = _record(home / "backup" / "last-drill.json")
        if drill is not None:
            good = drill if drill["ok"] else drill.get("good")
            failed = float(not drill["ok"])
            yield GaugeMetricFamily("wnis_restore_drill_failed", "1 when the last drill failed", value=failed)
            if good:
                yield GaugeMetricFamily(
                    "wnis_restore_drill_last_success_timestamp_seconds",
                    "When a good drill was last finished",
                    value=_seconds(good["finished_at"]),
                )
                yield GaugeMetricFamily(
                    "wnis_restore_drill_last_duration_seconds",
                    "Time of the last good drill",
                    value=float(good["seconds"]),
                )

    return LookUp("backups", look, 10.0)


def certificates(targets: Sequence[str]) -> LookUp:
    """Until when the certificates are good that are served at `targets` (``host:port``).

    Asked of the server and not read from a file: a renewed file that nobody loaded still expires.
    """

    def look() -> Iterator[Metric]:
        until = GaugeMetricFamily(
            "wnis_certificate_expiry_timestamp_seconds", "Until when the served certificate is good", labels=["target"]
        )
        answers = GaugeMetricFamily(
            "wnis_certificate_probe_success", "1 when a TLS connection came about", labels=["target"]
        )
        for target in targets:
            try:
                until.add_metric([target], served_until(target).timestamp())
                answers.add_metric([target], 1.0)
            except (OSError, ValueError):
                answers.add_metric([target], 0.0)
        yield from (until, answers)

    return LookUp("certificates", look, 60.0)


def served_until(target: str) -> datetime:
    """Until when the certificate served at ``host:port`` is good; whether it can be trusted is not asked."""
    host, _, port = target.rpartition(":")
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_S) as plain,
        context.wrap_socket(plain, server_hostname=host.strip("[]")) as connection,
    ):
        served = connection.getpeercert(binary_form=True)
    if not served:
        raise ValueError(f"{target} served no certificate.")
    return x509.load_der_x509_certificate(served).not_valid_after_utc


def _record(file: Path) -> dict[str, Any] | None:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError(f"{file} is not an object")
    return document


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
