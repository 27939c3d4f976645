"""What can be said of the Dockerfiles and docker-compose.yml without running them."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from wnis_core.settings import SETTINGS
from wnis_ops.backup.keys import FILE_VARIABLE

from tests.conftest import REPOSITORY

COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8"))
OURS = {name: one for name, one in COMPOSE["services"].items() if one["image"].startswith("docker.io/wnis/")}
DOCKERFILES = ["api-service", "simulator", "ml", "web-interface"]


def program(name: str) -> str:
    """A linter of the environment that the tests run in."""
    return str(Path(sys.executable).with_name(name))


@pytest.mark.parametrize("service", DOCKERFILES)
def test_hadolint_finds_nothing(service: str) -> None:
    done = subprocess.run(
        [program("hadolint"), "--failure-threshold", "style", str(REPOSITORY / service / "Dockerfile")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_wheel_of_the_images_holds_every_package_where_it_is_imported_from(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    folders = {name.split("/")[0] for name in names if name.endswith(".py")}
    assert folders == set(project["tool"]["mypy"]["packages"])


def test_the_compose_file_keeps_to_its_schema() -> None:
    file = REPOSITORY / "docker-compose.yml"
    done = subprocess.run(
        [program("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("service", sorted(OURS))
def test_every_variable_of_our_services_is_one_that_is_read(service: str) -> None:
    shell = (REPOSITORY / "web-interface" / "nginx" / "start.sh").read_text(encoding="utf-8")
    read = {variable.name for variable in SETTINGS} | set(re.findall(r"\bNGINX_[A-Z0-9_]+", shell))
    # of the command line, and of the script in the compose file itself
    read |= {"WNIS_URL", "WNIS_DEMO", FILE_VARIABLE.removesuffix("_FILE")}
    given = {name.removesuffix("_FILE") for name in OURS[service].get("environment", {})}
    assert given <= read


def test_our_services_have_no_rights_and_a_root_that_cannot_be_written() -> None:
    for name, service in OURS.items():
        assert (service["cap_drop"], service["read_only"]) == (["ALL"], True), name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_every_secret_is_a_file_that_the_script_makes_and_nothing_has_a_default(tmp_path: Path) -> None:
    subprocess.run(["sh", str(REPOSITORY / "scripts" / "secrets.sh"), str(tmp_path)], check=True, capture_output=True)
    made = {file.name for file in tmp_path.iterdir()}
    # how alerts leave is for the town to say
    theirs = {"alertmanager-smtp", "alertmanager-slack", "alertmanager-webhook"}
    assert set(COMPOSE["secrets"]) == made | theirs
    for name, service in COMPOSE["services"].items():
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"]), name
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|AUTH|KEY|SQL_URL|JOBS_URL", variable):
                assert str(value).startswith("/run/secrets/"), f"{name}: {variable}"


def test_only_nginx_is_published_for_others_unless_a_profile_says_so() -> None:
    for name, service in COMPOSE["services"].items():
        for port in service.get("ports", []):
            assert name == "web-interface" or (service.get("profiles") and port.startswith("127.0.0.1:")), name
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_every_service_keeps_a_bounded_log_and_bounded_memory() -> None:
    for name, service in COMPOSE["services"].items():
        if name in ("migrate", "demo", "backup", "graph-door"):
            continue
        assert service["logging"]["options"] == {"max-size": "20m", "max-file": "5"}, name
        assert service["deploy"]["resources"]["limits"]["memory"], name
