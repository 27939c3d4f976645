"""A set comes back whole into an empty place, and a wrong one or a full place is refused before anything is touched."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import neo4j
import pytest
from wnis_core.errors import Conflict, InvalidValue, NotFound, WnisError
from wnis_core.objects import open_object_store
from wnis_graph.bundle import take_census
from wnis_ops.backup import sql
from wnis_ops.backup.keys import BackupKey
from wnis_ops.backup.manifest import open_manifest
from wnis_ops.backup.place import Installation
from wnis_ops.backup.sets import FolderSets, good, newest, retain
from wnis_ops.place import Home

from tests.component.backup import town
from tests.component.backup.conftest import make_empty
from tests.component.ops.test_bad_input import WNIS, with_small_disk
from tests.conftest import Neo4jServer


def rows(url: str) -> list[str]:
    """Every row of a database, as text."""
    with sql.opened(url) as connection:
        found = []
        for table in sql.reflected(connection).sorted_tables:
            found += [f"{table.name} {tuple(row)!r}" for row in connection.execute(table.select())]
    return sorted(found)


def test_everything_comes_back(graph: neo4j.Driver, own_server: Neo4jServer, tmp_path: Path) -> None:
    key, a = town.key_of(tmp_path), town.installation(tmp_path / "a", own_server, tmp_path / "key")
    town.build(a, graph)
    stores = sql.stores_of(a.settings)
    before = {name: rows(url) for name, url in stores.items()}
    census = take_census(graph).document()
    sets, manifest = town.take(a, key)
    assert manifest.graph == census
    assert 0 < manifest.pause_seconds < 30
    assert sorted(file.name for file in (sets.root / manifest.set_id).iterdir()) == sorted(
        ["manifest.json", *(f"{kind}.sealed" for kind in ("graph", "sql", "objects", "keys", "configuration"))]
    )
    make_empty(graph)
    b = town.installation(tmp_path / "b", own_server, tmp_path / "key")
    report = town.restore(b, key, str(sets.root / manifest.set_id))
    assert report.ok, report
    assert take_census(graph).document() == census
    assert {name: rows(url) for name, url in sql.stores_of(b.settings).items()} == before
    assert town.objects_of(b) == town.OBJECTS
    assert b.signing_key() == a.signing_key() != ""
    assert {file.name for file in (b.home.path / "secrets").iterdir()} == {"signing-key"}, "other secrets stay behind"


def test_no_secret_is_in_a_set_in_the_clear(graph: neo4j.Driver, own_server: Neo4jServer, tmp_path: Path) -> None:
    key, a = town.key_of(tmp_path), town.installation(tmp_path / "a", own_server, tmp_path / "key")
    town.build(a, graph, 10)
    sets, manifest = town.take(a, key)
    content = b"".join(file.read_bytes() for file in (sets.root / manifest.set_id).iterdir())
    for secret in (own_server.password, a.signing_key(), key.secret.hex()):
        assert secret.encode() not in content
    assert key.secret not in content


@pytest.fixture
def made(graph: neo4j.Driver, own_server: Neo4jServer, tmp_path: Path) -> Path:
    """A set in a folder of its own; the graph is empty again."""
    a = town.installation(tmp_path / "a", own_server, tmp_path / "key")
    key = town.key_of(tmp_path)
    town.build(a, graph, 20)
    sets, manifest = town.take(a, key)
    make_empty(graph)
    return sets.root / manifest.set_id


def nothing_was_touched(home: Path, graph: neo4j.Driver) -> bool:
    """Neither graph, nor SQL, nor objects, nor half a download."""
    with graph.session() as session:
        empty = session.run("MATCH (n) RETURN count(n) AS n").single(strict=True)["n"] == 0
    return empty and not [file for file in home.rglob("*") if file.is_file()]


def test_damaged_and_foreign_sets_are_refused(
    made: Path, graph: neo4j.Driver, own_server: Neo4jServer, tmp_path: Path
) -> None:
    key = town.key_of(tmp_path)

    def flip(file: Path) -> None:
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)

    def edit(change: Callable[[dict[str, object]], object]) -> Callable[[Path], None]:
        def altered(folder: Path) -> None:
            document = json.loads((folder / "manifest.json").read_text())
            change(document)
            (folder / "manifest.json").write_text(json.dumps(document))

        return altered

    wrong: dict[str, tuple[type[WnisError], str, Callable[[Path], object]]] = {}
    for part in ("graph", "sql", "objects", "keys", "configuration"):
        name = f"{part}.sealed"
        wrong[f"altered {part}"] = (InvalidValue, "altered", lambda f, n=name: flip(f / n))  # type: ignore[misc]
        wrong[f"short {part}"] = (
            InvalidValue,
            "bytes instead of",
            lambda f, n=name: (f / n).write_bytes((f / n).read_bytes()[:-1]),  # type: ignore[misc]
        )
        wrong[f"without {part}"] = (NotFound, "lacks", lambda f, n=name: (f / n).unlink())  # type: ignore[misc]
    wrong |= {
        "no manifest": (NotFound, "no manifest", lambda f: (f / "manifest.json").unlink()),
        "altered manifest": (InvalidValue, "was altered", edit(lambda d: d.update(pause_seconds=0))),
        "foreign": (InvalidValue, "no set of this program", lambda f: (f / "manifest.json").write_text("[1]")),
        "other format": (InvalidValue, "has the format", edit(lambda d: d.update(format="wnis-backup/9"))),
        "other key": (InvalidValue, "another key", edit(lambda d: d.update(key_id="00" * 8))),
    }
    home = tmp_path / "b"
    for what, (kind, words, spoil) in wrong.items():
        bad = tmp_path / "bad" / made.name
        shutil.copytree(made, bad)
        spoil(bad)
        with pytest.raises(kind, match=words):
            town.restore(town.installation(home, own_server, tmp_path / "key"), key, str(bad))
        assert nothing_was_touched(home, graph), what
        shutil.rmtree(bad)


def test_another_key_is_named(made: Path, graph: neo4j.Driver, own_server: Neo4jServer, tmp_path: Path) -> None:
    b = town.installation(tmp_path / "b", own_server, tmp_path / "key")
    with pytest.raises(InvalidValue, match=r"made with another key .* WNIS_BACKUP_KEY_FILE"):
        town.restore(b, BackupKey(b"\7" * 32), str(made))
    assert nothing_was_touched(tmp_path / "b", graph)


def test_a_set_of_a_newer_program_is_refused(
    made: Path, graph: neo4j.Driver, own_server: Neo4jServer, tmp_path: Path
) -> None:
    key = town.key_of(tmp_path)
    manifest = open_manifest((made / "manifest.json").read_bytes(), key, "it")
    for newer, words in (
        (replace(manifest, migrations=(*manifest.migrations, "9999-x")), "newer program .*9999-x"),
        (replace(manifest, sql_revision="9999"), "SQL schema is 9999"),
    ):
        (made / "manifest.json").write_bytes(newer.seal(key))
        with pytest.raises(InvalidValue, match=words):
            town.restore(town.installation(tmp_path / "b", own_server, tmp_path / "key"), key, str(made))
    assert nothing_was_touched(tmp_path / "b", graph)


def test_a_place_that_is_not_empty_is_left_alone(
    made: Path, graph: neo4j.Driver, own_server: Neo4jServer, tmp_path: Path
) -> None:
    key = town.key_of(tmp_path)
    b = town.installation(tmp_path / "b", own_server, tmp_path / "key")
    open_object_store(b.settings.object_store).put("mine", b"1")
    with pytest.raises(Conflict, match="has objects"):
        town.restore(b, key, str(made))
    a = town.installation(tmp_path / "a", own_server, tmp_path / "key")
    with pytest.raises(Conflict, match="SQL database accounts is not empty"):
        town.restore(a, key, str(made))
    with graph.session() as session:
        session.run("CREATE (:Mine)").consume()
    with pytest.raises(Conflict, match="graph is not empty: it has 1 nodes"):
        town.restore(town.installation(tmp_path / "c", own_server, tmp_path / "key"), key, str(made))
    assert town.objects_of(b) == {"mine": b"1"}


def test_old_sets_go_but_never_the_last_good_one(made: Path, tmp_path: Path) -> None:
    key, sets = town.key_of(tmp_path), FolderSets(tmp_path / "kept")
    made_at = datetime.strptime(made.name[5:21], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    shutil.copytree(made, sets.root / made.name)
    unfinished = "wnis-20200101T000000Z-aaaaaa"
    (sets.root / unfinished).mkdir()
    (sets.root / "not-a-set").mkdir()
    later = f"wnis-{made_at + timedelta(days=1):%Y%m%dT%H%M%SZ}-bbbbbb"
    shutil.copytree(made, sets.root / later)
    # its manifest is another's: it does not count as good
    assert retain(sets, key, town.quiet, at=made_at + timedelta(days=100)) == [unfinished, later]
    assert good(sets, made.name, key)
    assert retain(sets, key, town.quiet, at=made_at + timedelta(days=100)) == []
    assert newest(sets, key) is not None
    assert (sets.root / "not-a-set").is_dir()


@pytest.mark.system
def test_a_full_disk_stops_a_restore_with_one_sentence_and_the_next_one_goes_on(
    graph: neo4j.Driver, own_server: Neo4jServer, tmp_path: Path
) -> None:
    a = town.installation(tmp_path / "a", own_server, tmp_path / "key")
    key = town.key_of(tmp_path)
    town.build(a, graph, 300)
    # it does not get smaller by being compressed
    open_object_store(a.settings.object_store).put("runs/large", os.urandom(3_000_000))
    census, (sets, manifest) = take_census(graph).document(), town.take(a, key)
    make_empty(graph)
    disk, named = tmp_path / "disk", str(sets.root / manifest.set_id)
    disk.mkdir()

    def attempt(home: Path, store: Path, size: str) -> str:
        environ = town.environ_of(home, own_server, tmp_path / "key") | {"WNIS_OBJECT_STORE": str(store)}
        words = (*WNIS, "restore", named, "--no-start", "--json")
        ran = with_small_disk(disk, f"size={size}", *words, environ=environ)
        assert ran.returncode == 1, ran.stderr
        assert "Traceback" not in ran.stderr, ran.stderr
        return str(json.loads(ran.stdout)["error"])

    assert attempt(disk / "b", disk / "b" / "objects", "2m").endswith("cannot be written (No space left on device).")
    assert take_census(graph).nodes == 0, "nothing was touched"
    assert "The object store cannot write runs/" in attempt(tmp_path / "b", disk / "o", "1m")
    # where it was, with room for the objects now
    environ = town.environ_of(tmp_path / "b", own_server, tmp_path / "key") | {"WNIS_OBJECT_STORE": str(disk / "o")}
    report = town.restore(Installation.of(Home(tmp_path / "b"), environ), key, named)
    assert report.ok
    assert take_census(graph).document() == census
