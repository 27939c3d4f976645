"""What is wrong at a start stops the command or the service with one sentence that names the setting and the mend."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from wnis_core.errors import Unavailable
from wnis_core.settings import read_settings
from wnis_ops.prerequisites import require_servers

from tests.component.backup import town
from tests.conftest import Neo4jServer
from tests.live import free_ports
from tests.unit.ops.test_prerequisites import DAY, pair

WNIS = (sys.executable, "-c", "from wnis_ops.cli.main import main; main()")
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith(("WNIS_", "NEO4J_", "AWS_"))}
SERVICE = {
    "NEO4J_URI": "bolt://127.0.0.1:9",
    "NEO4J_PASSWORD": secrets.token_hex(16),
    "WNIS_JWT_SECRET": secrets.token_hex(32),
    "WNIS_INTERNAL_SECRET": secrets.token_hex(32),
    "WNIS_SIGNING_KEY": secrets.token_hex(32),
}


def wnis(home: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command on a home, to its end."""
    environ = {**CLEAN, "WNIS_HOME": str(home), **variables}
    return subprocess.run([*WNIS, *words], env=environ, check=False, capture_output=True, text=True, timeout=120)


def with_small_disk(
    place: Path, options: str, *words: str, environ: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """A command for which `place` is a disk of its own, which nobody else sees."""
    script = f"mount -t tmpfs -o {options} disk {shlex.quote(str(place))}"
    own_user = [] if os.geteuid() == 0 else ["--map-root-user"]
    return subprocess.run(
        ["unshare", "--mount", *own_user, "sh", "-c", f'{script} && exec "$@"', "sh", *words],
        env=environ, check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize("words", [("up",), ("up", "--detach"), ("backup",)], ids=" ".join)
def test_a_command_says_that_its_home_cannot_be_written(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "file").touch()
    ran = wnis(tmp_path / "file" / "home", *words, "--json")
    assert ran.returncode == 1
    document = json.loads(ran.stdout)
    assert "which WNIS_HOME names, cannot be written" in document["error"]
    assert "Traceback" not in ran.stderr
    assert len(ran.stderr.splitlines()) == 2


@pytest.mark.parametrize(
    ("service", "setting", "value"),
    [
        ("api", "WNIS_HOME", "{file}/home"),
        ("ml", "WNIS_HOME", "{file}/home"),
        ("simulator", "WNIS_HOME", "{file}/home"),
        ("api", "NEO4J_URI", "graph:7687"),
    ],
)
def test_a_service_alone_ends_with_one_sentence(tmp_path: Path, service: str, setting: str, value: str) -> None:
    (tmp_path / "file").touch()
    environ = {**CLEAN, **SERVICE, "WNIS_HOME": str(tmp_path), setting: value.format(file=tmp_path / "file")}
    ran = subprocess.run(
        [sys.executable, "-c", f"import wnis_{service}.wsgi"],
        env=environ, check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    # gunicorn takes 4 for "do not try again"
    assert ran.returncode == 4, ran.stderr
    (said,) = [line for line in ran.stderr.splitlines() if not line.startswith("{")]
    assert said.startswith("Error: ")
    assert said.count(setting) >= 2, "what is wrong, and the mend"


def test_an_expired_certificate_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    certificate, key = pair(tmp_path / "tls", -2 * DAY, -DAY)
    ran = wnis(tmp_path / "home", "up", "--tls-cert", str(certificate), "--tls-key", str(key), "--json")
    assert ran.returncode == 2
    document = json.loads(ran.stdout)
    assert f"{certificate} expired at" in document["error"]
    assert "--tls-cert" in document["mend"]
    assert not (tmp_path / "home").exists()


def test_a_server_that_a_setting_names_is_asked_before_the_start(neo4j_server: Neo4jServer, tmp_path: Path) -> None:
    (nobody,) = free_ports(1)
    home = {"WNIS_HOME": str(tmp_path)}
    graph = {"NEO4J_URI": neo4j_server.uri, "NEO4J_PASSWORD": neo4j_server.password}
    require_servers(read_settings({**home, **graph}, secrets=()))
    for wrong, setting in (
        ({**graph, "NEO4J_PASSWORD": "planted"}, "NEO4J_PASSWORD"),
        ({**graph, "NEO4J_URI": f"bolt://127.0.0.1:{nobody}"}, "NEO4J_URI"),
        ({"WNIS_SQL_URL": f"postgresql://wnis:planted@127.0.0.1:{nobody}/wnis"}, "WNIS_SQL_URL"),
        ({"WNIS_JOBS_URL": f"postgresql://wnis:planted@127.0.0.1:{nobody}/wnis"}, "WNIS_JOBS_URL"),
    ):
        with pytest.raises(Unavailable) as refused:
            require_servers(read_settings({**home, **wrong}, secrets=()))
        assert setting in refused.value.mend
        assert "planted" not in str(refused.value)


def test_an_object_store_that_is_away_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (nobody,) = free_ports(1)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{nobody}")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted")
    settings = read_settings({"WNIS_HOME": str(tmp_path), "WNIS_OBJECT_STORE": "s3://wnis-objects"}, secrets=())
    with pytest.raises(Unavailable, match="WNIS_OBJECT_STORE") as refused:
        require_servers(settings)
    assert "AWS_ENDPOINT_URL_S3" in refused.value.mend
    assert "planted" not in str(refused.value)


@pytest.mark.system
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("size=100m", "has 105 MB left; 500 MB are needed to start"),
        ("size=100m,ro", "cannot be written (Read-only file system)"),
        ("size=4k,nr_inodes=1", "cannot be written (No space left on device)"),
    ],
    ids=["too little room", "read-only", "full"],
)
def test_a_full_or_read_only_disk_stops_the_start(tmp_path: Path, options: str, reason: str) -> None:
    home = tmp_path / "disk" / "home"
    home.parent.mkdir()
    ran = with_small_disk(home.parent, options, *WNIS, "up", "--json", environ={**CLEAN, "WNIS_HOME": str(home)})
    assert ran.returncode == 1, ran.stderr
    error = json.loads(ran.stdout)["error"]
    assert reason in error
    assert "WNIS_HOME" in error
    assert "Traceback" not in ran.stderr


@pytest.mark.system
def test_a_backup_onto_a_full_disk_is_one_sentence_and_no_set(neo4j_server: Neo4jServer, tmp_path: Path) -> None:
    disk, home = tmp_path / "disk", tmp_path / "home"
    disk.mkdir()
    (home / "objects").mkdir(parents=True)
    (home / "objects" / "large").write_bytes(os.urandom(3_000_000))
    town.key_of(tmp_path)
    environ = town.environ_of(home, neo4j_server, tmp_path / "key")
    listing = f'"$@"; status=$?; ls {shlex.quote(str(disk))}; exit $status'
    words = ("sh", "-c", listing, "sh", *WNIS, "backup", "--to", str(disk), "--json")
    ran = with_small_disk(disk, "size=1m", *words, environ=environ)
    assert ran.returncode == 1, ran.stderr
    assert "Traceback" not in ran.stderr
    document, *left = ran.stdout.splitlines()
    # which file of the set it is that finds no room depends on the size of the graph
    error = json.loads(document)["error"]
    assert str(disk) in error
    assert "cannot be written" in error
    assert "(No space left on device)" in error
    assert left == [], "nothing is left that could be taken for a set"
    assert json.loads(wnis(home, "status", "--json").stdout)["last_backup_at"] is None
