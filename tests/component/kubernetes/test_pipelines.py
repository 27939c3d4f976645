"""The pipelines of GitLab and GitHub: their schemas, and that what they run is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.component.kubernetes.cluster import OURS, OVERLAYS, ROOT, from_sources

_GITLAB = ROOT / ".gitlab-ci.yml"
_GITHUB = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
_CHECK = Path(sys.executable).with_name("check-jsonschema")


def _scripts(document: Any) -> list[str]:
    """All shell text of a pipeline, whatever job it stands in."""
    if isinstance(document, list):
        return [text for one in document for text in _scripts(one)]
    if not isinstance(document, dict):
        return []
    found = []
    for key, value in document.items():
        if key in ("script", "before_script", "run") and value:
            found += [value] if isinstance(value, str) else list(value)
        else:
            found += _scripts(value)
    return found


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.gitlab-ci", _GITLAB),
        *(("vendor.github-workflows", file) for file in _GITHUB),
        *(("custom.github-workflows-require-timeout", file) for file in _GITHUB),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else value,
)
def test_the_schema_is_kept(schema: str, file: Path) -> None:
    checked = subprocess.run(
        [str(_CHECK), "--builtin-schema", schema, str(file)], check=False, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("file", [_GITLAB, *_GITHUB], ids=lambda file: file.name)
def test_every_command_is_there(file: Path) -> None:
    texts = _scripts(yaml.safe_load(file.read_text(encoding="utf-8")))
    assert texts
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    for text in texts:
        checked = subprocess.run(["bash", "-n"], input=text, text=True, check=False, capture_output=True)
        assert checked.returncode == 0, f"{text}: {checked.stderr}"
        for script in re.findall(r"kubernetes/[a-z-]+\.sh", text):
            assert os.access(ROOT / script, os.X_OK), script
        if text.startswith("make "):
            assert text.split()[1] in targets
        for overlay in re.findall(r"(?:deploy|rollback)\.sh ([a-z]+)", text):
            assert overlay in OVERLAYS


@pytest.mark.parametrize("file", [_GITLAB, ROOT / ".github" / "workflows" / "ci.yml"], ids=lambda file: file.name)
def test_all_images_are_built_and_scanned(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(", ".join(OURS)) == 2


def test_production_and_rollback_wait_for_a_person() -> None:
    gitlab = yaml.safe_load(_GITLAB.read_text(encoding="utf-8"))
    for job in ("production", "rollback-production", "rollback-staging"):
        assert [rule["when"] for rule in gitlab[job]["rules"]] == ["manual"]
    assert gitlab["stages"] == ["test", "build", "scan", "staging", "production", "rollback"]
    for name in ("production", "rollback"):
        # YAML 1.1 reads the key `on` as true
        workflow = yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8"))
        assert list(workflow[True]) == ["workflow_dispatch"]


@pytest.mark.parametrize("script", sorted((ROOT / "kubernetes").glob("*.sh")), ids=lambda script: script.name)
def test_the_shell_scripts_are_sound(script: Path) -> None:
    checked = subprocess.run(["bash", "-n", str(script)], check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    # every workload that a script names is one of the manifests
    known = {f"{w.kind.lower()}/{w.name}" for w in from_sources().workloads}
    assert set(re.findall(r"\b(?:deployment|statefulset)/[a-z-]+", script.read_text(encoding="utf-8"))) <= known


def test_deploy_and_rollback_refuse_an_overlay_that_is_not_there() -> None:
    for script in ("deploy.sh", "rollback.sh"):
        said = subprocess.run(
            [str(ROOT / "kubernetes" / script), "nowhere"], check=False, capture_output=True, text=True
        )
        assert said.returncode == 2
        assert "There is no overlay overlays/nowhere." in said.stderr
