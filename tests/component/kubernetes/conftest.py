"""The manifests as they are written, and as kustomize renders each overlay."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.component.kubernetes.cluster import OVERLAYS, Cluster, copied_with_secrets, from_sources, rendered


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of kubernetes/ whose overlays have their secrets."""
    return copied_with_secrets(tmp_path_factory.mktemp("overlays"))


@pytest.fixture(
    scope="session", params=["sources", *(pytest.param(name, marks=pytest.mark.system) for name in OVERLAYS)]
)
def cluster(request: pytest.FixtureRequest, tree: Path) -> Cluster:
    """What would be in the cluster."""
    name: str = request.param
    return from_sources() if name == "sources" else rendered(tree / "overlays" / name)
