"""The programs start with what the manifests give them: the images' commands, the pods' variables and secrets.

Run on this machine instead of in a cluster: paths inside the containers become folders of the test, addresses of
services become those of real servers here.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import requests

from tests.component.api.conftest import postgresql
from tests.component.kubernetes.cluster import ROOT, Cluster, Workload, rendered
from tests.conftest import Neo4jServer
from tests.live import free_ports

__all__ = ["postgresql"]

pytestmark = pytest.mark.system
_PORTS = {"api-service": 8080, "simulator": 8081, "ml": 8082}


class Place:
    """What stands here for what a pod of the cluster would find."""

    def __init__(self, folder: Path, secrets: Path, graph: Neo4jServer, sql_url: str) -> None:
        self.folder = folder
        self.secrets = secrets
        self._ports = dict(zip(_PORTS, free_ports(3), strict=True))
        self._graph, self._sql_url = graph, sql_url
        (secrets / "neo4j").chmod(0o600)
        (secrets / "neo4j").write_text(graph.password)
        (secrets / "sql-url").chmod(0o600)
        (secrets / "sql-url").write_text(sql_url.replace("/postgres", "/wnis"))

    def url(self, service: str) -> str:
        """Where the service answers here."""
        return f"http://127.0.0.1:{self._ports[service]}"

    def translated(self, text: str, workload: Workload) -> str:
        """`text` with this machine's folders and addresses."""
        for path, key in workload.secret_files().items():
            if text == path:
                return str(self.secrets / key)
        for service, port in _PORTS.items():
            text = text.replace(f"http://{service}:{port}", self.url(service))
            text = text.replace(f"0.0.0.0:{port}", f"127.0.0.1:{self._ports[service]}")
        text = text.replace("bolt://neo4j:7687", self._graph.uri)
        text = text.replace("/var/lib/wnis-objects", str(self.folder / "objects"))
        text = re.sub(r"/var/lib/wnis\b", str(self.folder / workload.name), text)
        return text.replace("/tmp/metrics", str(self.folder / workload.name / "metrics"))

    def command(self, cluster: Cluster, name: str) -> tuple[list[str], dict[str, str]]:
        """The command of the pod (its own, or its image's) and its whole environment."""
        workload = cluster.workload(name)
        container = workload.containers[0]
        dockerfile = (ROOT / container["image"].split("/")[-1].split(":")[0] / "Dockerfile").read_text("utf-8")
        words = container.get("command") or json.loads(re.findall(r"^CMD (\[.*\])$", dockerfile, re.M)[-1])
        of_image = dict(
            re.findall(r"\b(WNIS_[A-Z_]+)=(\S+)", "".join(re.findall(r"^ENV .*(?:\\\n.*)*", dockerfile, re.M)))
        )
        environ = {**of_image, **cluster.environment(workload, container)}
        # no Redis here: counters in a file, as on one machine
        environ.pop("REDIS_URL")
        (self.folder / name).mkdir(exist_ok=True)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return (
            [self.translated(word, workload) for word in words],
            {**{n: self.translated(v, workload) for n, v in environ.items()}, "PATH": path},
        )


@contextmanager
def _running(place: Place, cluster: Cluster, name: str) -> Iterator[None]:
    command, environ = place.command(cluster, name)
    with (place.folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, env=environ, cwd=place.folder / name, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 90
        while True:
            assert process.poll() is None, (place.folder / f"{name}.log").read_text()
            assert time.monotonic() < until, f"{name} did not start"
            try:
                if requests.get(f"{place.url(name)}/health", timeout=2).status_code == 200:
                    break
            except requests.RequestException:
                time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def test_the_migration_and_the_services_start_and_are_ready(
    tree: Path, tmp_path: Path, neo4j_server: Neo4jServer, postgresql: str
) -> None:
    cluster = rendered(tree / "overlays" / "development")
    place = Place(tmp_path, tree / "overlays" / "development" / "secrets", neo4j_server, postgresql)
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("CREATE DATABASE wnis")
    migrate, environ = place.command(cluster, "migrate")
    for _ in range(2):  # a rollout repeats it
        subprocess.run(migrate, env=environ, cwd=tmp_path, check=True, timeout=120)
    with _running(place, cluster, "simulator"), _running(place, cluster, "ml"), _running(place, cluster, "api-service"):
        document = requests.get(f"{place.url('api-service')}/ready", timeout=10).json()
        assert document["status"] == "ready", document
        who = {"username": "admin", "password": (place.secrets / "admin").read_text()}
        assert requests.post(f"{place.url('api-service')}/auth/login", json=who, timeout=10).status_code == 200
