"""Neo4j's artefacts: real downloads, of a few small ones of the real lock."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from wnis_core.errors import Failure, Unavailable
from wnis_neo4j.lock import Artefact, read_lock, write_lock
from wnis_neo4j.provision import default_folder, is_provisioned, provision

_COUNT = 3


@pytest.fixture
def few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, tuple[Artefact, ...]]:
    """A lock of the three smallest artefacts, and no local Maven repository to take them from."""
    monkeypatch.setenv("M2_REPO", str(tmp_path / "no-m2"))
    library = default_folder() / "lib"
    smallest = sorted(read_lock(), key=lambda a: (library / a.file_name).stat().st_size)[:_COUNT]
    write_lock(tuple(smallest), tmp_path / "few.lock")
    return tmp_path / "few.lock", read_lock(tmp_path / "few.lock")


def _names(library: Path) -> set[str]:
    return {file.name for file in library.iterdir()}


def test_exactly_the_locked_artefacts_arrive(few: tuple[Path, tuple[Artefact, ...]], tmp_path: Path) -> None:
    lock, artefacts = few
    told: list[tuple[int, int]] = []
    folder = tmp_path / "neo4j"
    assert not is_provisioned(folder, lock)
    library = provision(folder, lock=lock, progress=lambda done, total: told.append((done, total)))
    assert _names(library) == {a.file_name for a in artefacts}
    assert told == [(n, _COUNT) for n in range(1, _COUNT + 1)]
    assert is_provisioned(folder, lock)
    assert not (folder / "incoming").exists()


def test_a_spoilt_a_truncated_and_a_strange_jar_are_put_right(
    few: tuple[Path, tuple[Artefact, ...]], tmp_path: Path
) -> None:
    lock, artefacts = few
    library = provision(tmp_path / "neo4j", lock=lock)
    right = {a.file_name: (library / a.file_name).read_bytes() for a in artefacts}
    spoilt, cut, untouched = (library / a.file_name for a in artefacts)
    spoilt.write_bytes(b"not a jar")
    cut.write_bytes(cut.read_bytes()[:100])
    (library / "stranger.jar").write_bytes(b"from somewhere else")
    before = untouched.stat().st_mtime_ns
    provision(tmp_path / "neo4j", lock=lock)
    assert {a.file_name: (library / a.file_name).read_bytes() for a in artefacts} == right
    assert untouched.stat().st_mtime_ns == before
    assert _names(library) == set(right)


def test_a_truncated_file_of_the_local_maven_repository_is_not_believed(
    few: tuple[Path, tuple[Artefact, ...]], tmp_path: Path
) -> None:
    lock, artefacts = few
    one = artefacts[0]
    local = tmp_path / "no-m2" / Path(*one.group.split(".")) / one.name / one.version
    local.mkdir(parents=True)
    (local / one.file_name).write_bytes(b"the connection broke he")
    library = provision(tmp_path / "neo4j", lock=lock)
    assert (library / one.file_name).read_bytes() != b"the connection broke he"


def test_an_artefact_of_another_content_is_refused_and_not_kept(
    few: tuple[Path, tuple[Artefact, ...]], tmp_path: Path
) -> None:
    lock, artefacts = few
    forged = replace(artefacts[0], sha256="0" * 64)
    write_lock((forged,), lock)
    with pytest.raises(Failure, match="another content"):
        provision(tmp_path / "neo4j", lock=lock)
    assert _names(tmp_path / "neo4j" / "lib") == set()
    assert not is_provisioned(tmp_path / "neo4j", lock)


def test_without_network_one_sentence_says_so_and_the_next_call_goes_on(
    few: tuple[Path, tuple[Artefact, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, artefacts = few
    library = provision(tmp_path / "neo4j", lock=lock)
    missing = library / artefacts[0].file_name
    missing.unlink()
    with monkeypatch.context() as cut_off:
        for name in ("HTTPS_PROXY", "https_proxy"):
            cut_off.setenv(name, "http://127.0.0.1:9")  # nobody listens on discard
        with pytest.raises(Unavailable, match=r"cannot be downloaded .*Check the network"):
            provision(tmp_path / "neo4j", lock=lock)
    assert not is_provisioned(tmp_path / "neo4j", lock)
    provision(tmp_path / "neo4j", lock=lock)
    assert missing.is_file()


def test_a_changed_lock_makes_a_complete_folder_incomplete(
    few: tuple[Path, tuple[Artefact, ...]], tmp_path: Path
) -> None:
    lock, artefacts = few
    provision(tmp_path / "neo4j", lock=lock)
    shutil.copy(lock, tmp_path / "other.lock")
    write_lock(artefacts[1:], tmp_path / "other.lock")
    assert not is_provisioned(tmp_path / "neo4j", tmp_path / "other.lock")
