"""The scripts under the names that people look for do what the commands do; models move as signed files."""

from __future__ import annotations

import json
import secrets
import shlex
import subprocess
from pathlib import Path
from typing import Any

import neo4j
import pytest
from wnis_core.errors import NotFound
from wnis_core.objects import FolderStore
from wnis_graph.bundle import take_census
from wnis_graph.repositories.models import ModelRepository
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope
from wnis_ml.failure.history import day_of
from wnis_ml.failure.training import TrainedModel, train
from wnis_ml.registry.exchange import ModelExchange
from wnis_ml.registry.model_file import RefusedModel, Signer
from wnis_ml.registry.model_registry import ModelRegistry

from tests.component.backup import town
from tests.component.backup.conftest import make_empty
from tests.conftest import REPOSITORY, Neo4jServer
from tests.guide_blocks import marked
from tests.unit.ml.towns import AS_OF, history

SCOPE = Scope("default", "tester", frozenset({"admin"}))
(GUIDED,) = marked("sh testable models", "operations/migration.md")
SCRIPTS = {
    "initialize_system": "migrate",
    "migrate_neo4j_data": "graph",
    "neo4j_backup": "backup",
    "model_snapshot": "models export",
    "deploy_ml_models": "models import",
    "benchmark": "bench",
}


class Place:
    """One installation, and the scripts on it."""

    def __init__(self, home: Path, server: Neo4jServer, graph: neo4j.Driver) -> None:
        seed, key = secrets.token_hex(32), home.parent / "key"
        town.key_of(home.parent)
        self._environ = {**town.environ_of(home, server, key), "WNIS_SIGNING_KEY": seed}
        self.models, self.objects, signer = ModelRepository(Runner(graph)), FolderStore(home / "objects"), Signer(seed)
        self.registry = ModelRegistry(self.models, self.objects, signer)
        self.exchange = ModelExchange(self.models, self.objects, signer)
        self.fingerprint = signer.fingerprint

    def run(self, script: str, *words: str) -> tuple[int, dict[str, Any]]:
        """Exit status and JSON document of a script."""
        ran = subprocess.run(
            [REPOSITORY / "scripts" / f"{script}.sh", *words, "--json"],
            env=self._environ, check=False, capture_output=True, text=True,
        )  # fmt: skip
        assert ran.stdout, ran.stderr
        return ran.returncode, json.loads(ran.stdout)


@pytest.fixture(scope="module")
def trained() -> TrainedModel:
    return train(history(), day_of(AS_OF), 7)


@pytest.mark.parametrize(("script", "command"), SCRIPTS.items())
def test_help_names_the_command_behind_a_script(script: str, command: str) -> None:
    ran = subprocess.run(
        [REPOSITORY / "scripts" / f"{script}.sh", "--help"], check=True, capture_output=True, text=True
    )
    assert ran.stdout.startswith(f"Usage: wnis {command} ")


def test_each_script_does_what_its_command_does(
    graph: neo4j.Driver, own_server: Neo4jServer, trained: TrainedModel, tmp_path: Path
) -> None:
    make_empty(graph)
    place = Place(tmp_path / "home", own_server, graph)
    assert place.run("initialize_system")[0] == 0
    assert take_census(graph).labels["User"] == 1
    version = place.registry.register(SCOPE, trained, job_id=None)
    status, made = place.run("neo4j_backup")
    assert status == 0
    assert (Path(made["location"]) / "manifest.json").is_file()
    # the places are those of the guide's commands, of which the scripts are other names
    export, restore = (shlex.split(line) for line in GUIDED.text.splitlines())
    assert (export[:-1], restore[:-1]) == (["wnis", "models", "export"], ["wnis", "models", "import"])
    status, snapshot = place.run("model_snapshot", str(tmp_path / export[-1]))
    assert (status, [one["version"] for one in snapshot["models"]]) == (0, [version])

    file, before = str(tmp_path / "town.jsonl.zst"), take_census(graph).document()
    assert place.run("migrate_neo4j_data", "export", file)[0] == 0
    make_empty(graph)
    assert place.run("migrate_neo4j_data", "import", file)[0] == 0
    assert take_census(graph).document() == before

    record = place.models.get_current(SCOPE, "failure")
    assert record is not None
    place.objects.delete(record.file_key)
    assert place.run("deploy_ml_models", str(tmp_path / restore[-1]))[0] == 0
    assert place.registry.current(SCOPE)[0] == record


def test_models_go_to_another_installation_that_trusts_their_signer(
    graph: neo4j.Driver, own_server: Neo4jServer, trained: TrainedModel, tmp_path: Path
) -> None:
    staging = Place(tmp_path / "staging", own_server, graph)
    version = staging.registry.register(SCOPE, trained, job_id=None)
    kept = FolderStore(tmp_path / "kept")
    staging.exchange.export_to(SCOPE, kept)

    make_empty(graph)
    production = Place(tmp_path / "production", own_server, graph)
    with pytest.raises(RefusedModel, match=f"foreign key, {staging.fingerprint}") as refused:
        production.exchange.import_from(SCOPE, kept)
    assert "--trust" in refused.value.mend
    assert production.models.get_current(SCOPE, "failure") is None

    for _ in range(2):
        (deployed,) = production.exchange.import_from(SCOPE, kept, [staging.fingerprint])
    current, model = production.registry.current(SCOPE)
    assert (deployed.version, deployed.signer) == (current.version, staging.fingerprint)
    assert current.signer == production.fingerprint
    assert model.document() == trained.model.document()
    assert json.loads(current.metrics_json)["imported_from"]["version"] == version
    (only,) = production.models.list(SCOPE)
    assert [v.version for v in only.versions] == [current.version]


def test_what_is_not_whole_is_neither_exported_nor_imported(
    graph: neo4j.Driver, own_server: Neo4jServer, trained: TrainedModel, tmp_path: Path
) -> None:
    place, kept = Place(tmp_path / "home", own_server, graph), FolderStore(tmp_path / "kept")
    with pytest.raises(NotFound, match="no model"):
        place.exchange.export_to(SCOPE, kept)
    with pytest.raises(NotFound, match=r"no models\.wnis"):
        place.exchange.import_from(SCOPE, kept)
    version = place.registry.register(SCOPE, trained, job_id=None)
    place.exchange.export_to(SCOPE, kept)

    name = f"failure-{version}.model"
    content, listed = kept.get(name), kept.get("models.wnis")
    for damaged in (content[:-1], content.replace(b'"seed":7', b'"seed":8'), b""):
        kept.put(name, damaged)
        with pytest.raises(RefusedModel, match="hash"):
            place.exchange.import_from(SCOPE, kept)
    kept.delete(name)
    with pytest.raises(RefusedModel, match="listed and missing"):
        place.exchange.import_from(SCOPE, kept)
    kept.put(name, content)
    kept.put("models.wnis", listed.replace(b'"seed":7', b'"seed":8'))
    with pytest.raises(RefusedModel, match="signature"):
        place.exchange.import_from(SCOPE, kept)

    record = place.models.get_current(SCOPE, "failure")
    assert record is not None
    place.objects.delete(record.file_key)
    with pytest.raises(RefusedModel, match="missing from the object store"):
        place.exchange.export_to(SCOPE, kept)
