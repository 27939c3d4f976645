"""The lock of Neo4j's artefacts."""

from __future__ import annotations

import re
from pathlib import Path

from wnis_neo4j.lock import LOCK_FILE, NEO4J_VERSION, Artefact, read_lock, write_lock


def test_every_artefact_has_one_sha256_and_a_file_name_of_its_own() -> None:
    artefacts = read_lock()
    assert len(artefacts) > 200
    assert all(re.fullmatch(r"[0-9a-f]{64}", artefact.sha256) for artefact in artefacts)
    assert len({artefact.file_name for artefact in artefacts}) == len(artefacts)


def test_the_server_itself_is_locked_in_the_declared_version() -> None:
    versions = {(a.group, a.name): a.version for a in read_lock()}
    assert versions["org.neo4j", "neo4j"] == versions["org.neo4j.app", "neo4j-server"] == NEO4J_VERSION


def test_the_lock_names_no_download_host() -> None:
    assert "://" not in LOCK_FILE.read_text(encoding="utf-8")


def test_a_written_lock_reads_back_the_same_in_a_stable_order(tmp_path: Path) -> None:
    native = Artefact("g.one", "native", "1.0", "linux-x86_64", "a" * 64)
    plain = Artefact("g.one", "native", "1.0", "", "b" * 64)
    write_lock((native, plain), tmp_path / "lock")
    assert read_lock(tmp_path / "lock") == (plain, native)
    assert [a.file_name for a in (plain, native)] == ["native-1.0.jar", "native-1.0-linux-x86_64.jar"]
