"""The objects of one rendering, and the questions that a cluster would ask of them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
KUBERNETES = ROOT / "kubernetes"
OVERLAYS = ("development", "staging", "production")
OURS = ("api-service", "simulator", "ml", "web-interface")
NAME = "app.kubernetes.io/name"

Document = dict[str, Any]


@dataclass(frozen=True)
class Workload:
    """Something that makes pods: its kind and name, and the pod that it makes."""

    kind: str
    name: str
    document: Document
    pod: Document
    labels: Mapping[str, str]

    @property
    def containers(self) -> list[Document]:
        """All containers, those that run before the others first."""
        return [*self.pod.get("initContainers", []), *self.pod["containers"]]

    @property
    def claims(self) -> list[str]:
        """Volumes that a StatefulSet claims for each pod."""
        return [claim["metadata"]["name"] for claim in self.document["spec"].get("volumeClaimTemplates", [])]

    def volume(self, name: str) -> Document | None:
        """The volume of this name, unless it is a claim of its own."""
        return next((v for v in self.pod.get("volumes", []) if v["name"] == name), None)

    def secret_files(self) -> dict[str, str]:
        """Path inside the container -> key of the Secret, of every mounted secret file."""
        found = {}
        for mount in (m for c in self.containers for m in c.get("volumeMounts", [])):
            volume = self.volume(mount["name"])
            for item in (volume or {}).get("secret", {}).get("items", []):
                found[f"{mount['mountPath']}/{item['path']}"] = item["key"]
        return found


@dataclass(frozen=True)
class Cluster:
    """What would be in the cluster."""

    documents: Sequence[Document]

    def of(self, kind: str) -> list[Document]:
        """All objects of a kind."""
        return [d for d in self.documents if d["kind"] == kind]

    def one(self, kind: str, name: str) -> Document:
        """The object of this kind and name; generated names may carry a hash."""
        names = {d["metadata"]["name"]: d for d in self.of(kind)}
        if name in names:
            return names[name]
        return next(document for full, document in names.items() if full.rpartition("-")[0] == name)

    @property
    def workloads(self) -> list[Workload]:
        """Everything that makes pods."""
        found = []
        for document in self.documents:
            spec = document.get("spec", {})
            if document["kind"] == "CronJob":
                spec = spec["jobTemplate"]["spec"]
            if document["kind"] in ("Deployment", "StatefulSet", "Job", "CronJob"):
                template = spec["template"]
                labels = template["metadata"]["labels"]
                found.append(
                    Workload(document["kind"], document["metadata"]["name"], document, template["spec"], labels)
                )
        return found

    def workload(self, name: str) -> Workload:
        """The workload of this name."""
        return next(w for w in self.workloads if w.name == name)

    def ours(self) -> Iterator[tuple[Workload, Document]]:
        """The containers whose image is ours."""
        for workload in self.workloads:
            for container in workload.containers:
                if container["image"].startswith("docker.io/wnis/"):
                    yield workload, container

    def environment(self, workload: Workload, container: Document) -> dict[str, str]:
        """The variables that the container starts with, as far as they are the manifests' own."""
        found: dict[str, str] = {}
        for source in container.get("envFrom", []):
            found |= self._settings(source["configMapRef"]["name"])
        for variable in container.get("env", []):
            origin = variable.get("valueFrom", {})
            if "configMapKeyRef" in origin:
                reference = origin["configMapKeyRef"]
                found[variable["name"]] = self._settings(reference["name"])[reference["key"]]
            elif "fieldRef" in origin:
                known = {
                    "metadata.name": f"{workload.name}-0",
                    "metadata.namespace": workload.document["metadata"].get("namespace", "wnis"),
                }
                found[variable["name"]] = known[origin["fieldRef"]["fieldPath"]]
            else:
                value = variable["value"]
                for name, known_value in found.items():
                    value = value.replace(f"$({name})", known_value)
                found[variable["name"]] = value
        return found

    def _settings(self, name: str) -> dict[str, str]:
        values: dict[str, str] = self.one("ConfigMap", name)["data"]
        return values


def matches(selector: Document, labels: Mapping[str, str]) -> bool:
    """Whether a label selector, as the API defines it, chooses these labels."""
    for key, value in selector.get("matchLabels", {}).items():
        if labels.get(key) != value:
            return False
    for expression in selector.get("matchExpressions", []):
        assert expression["operator"] == "In", "the only operator that these manifests use"
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return True


def from_sources() -> Cluster:
    """The base and the components of development as they are written, without kustomize."""
    documents: list[Document] = []
    folders = [KUBERNETES / "base" / phase for phase in ("foundation", "migration", "services")]
    for folder in [*folders, KUBERNETES / "components" / "postgres"]:
        kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
        for name in kustomization["resources"]:
            documents += [d for d in yaml.safe_load_all((folder / name).read_text(encoding="utf-8")) if d]
        for generator in kustomization.get("configMapGenerator", []):
            data = dict(literal.split("=", 1) for literal in generator["literals"])
            documents.append(
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generator["name"]}, "data": data}
            )
    return Cluster(documents)


def rendered(overlay: Path) -> Cluster:
    """What ``kustomize build`` makes of the overlay."""
    made = subprocess.run(["kustomize", "build", str(overlay)], check=True, capture_output=True, text=True)
    return Cluster([d for d in yaml.safe_load_all(made.stdout) if d])


def copied_with_secrets(folder: Path) -> Path:
    """A copy of kubernetes/ with secret files made as the guide says."""
    copy = folder / "kubernetes"
    shutil.copytree(KUBERNETES, copy, ignore=shutil.ignore_patterns("secrets"))
    for overlay in OVERLAYS:
        secrets = copy / "overlays" / overlay / "secrets"
        subprocess.run([str(ROOT / "scripts" / "secrets.sh"), str(secrets)], check=True, capture_output=True)
        (secrets / "s3").write_text("[default]\naws_access_key_id = id\naws_secret_access_key = key\n")
    return copy
