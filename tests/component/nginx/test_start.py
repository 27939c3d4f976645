"""What cannot work stops the start with one sentence that names the setting."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.front import Front

pytestmark = pytest.mark.system


@pytest.fixture
def front() -> Iterator[Front]:
    """Files of an nginx that is not started."""
    made = Front("127.0.0.1:1")
    yield made
    shutil.rmtree(made.folder)


def start(front: Front, **changes: str) -> subprocess.CompletedProcess[str]:
    """Start it for a test of the configuration only."""
    environment = {**front.prepare(), **{k: v.replace("FOLDER", str(front.folder)) for k, v in changes.items()}}
    return subprocess.run(front.command("-t"), check=False, env=environment, capture_output=True, text=True, timeout=20)


def test_the_configuration_passes_nginx_s_own_test(front: Front) -> None:
    ran = start(front)
    assert ran.returncode == 0, ran.stderr
    assert "test is successful" in ran.stderr


@pytest.mark.parametrize(
    "changes",
    [
        {"NGINX_TLS": "off"},
        {"NGINX_RESOLVER": "192.0.2.53 [2001:db8::53]", "NGINX_API": "api-service:8080"},
        {"NGINX_TRUSTED_PROXIES": "10.0.0.0/8 2001:db8::/32", "NGINX_PUBLIC_HTTPS_PORT": "443"},
    ],
)
def test_so_do_its_other_forms(front: Front, changes: dict[str, str]) -> None:
    assert start(front, **changes).returncode == 0


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"NGINX_TLS_CERTIFICATE": "FOLDER/none.crt"}, "NGINX_TLS_CERTIFICATE"),
        ({"NGINX_TLS_KEY": "FOLDER/none.key"}, "NGINX_TLS_KEY"),
        ({"NGINX_TLS_CERTIFICATE": "FOLDER/page/index.html"}, "NGINX_TLS_CERTIFICATE"),
        ({"NGINX_TLS": "yes"}, "NGINX_TLS"),
        ({"NGINX_ROOT": "FOLDER/run"}, "NGINX_ROOT"),
        ({"NGINX_RUN": "/proc/nginx"}, "NGINX_RUN"),
        ({"WNIS_MAX_UPLOAD_MB": "many"}, "WNIS_MAX_UPLOAD_MB"),
    ],
)
def test_a_setting_that_cannot_work_is_named(front: Front, changes: dict[str, str], named: str) -> None:
    ran = start(front, **changes)
    assert ran.returncode == 1
    assert ran.stderr.count("\n") == 1
    assert ran.stderr.startswith("nginx is not started: ")
    assert named in ran.stderr


def test_an_expired_certificate_is_refused(front: Front) -> None:
    environment = front.prepare()
    certificate = Path(environment["NGINX_TLS_CERTIFICATE"])
    subprocess.run(
        ["openssl", "x509", "-in", str(certificate), "-signkey", environment["NGINX_TLS_KEY"], "-days", "-1",
         "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    ran = subprocess.run(front.command("-t"), check=False, env=environment, capture_output=True, text=True, timeout=20)
    assert ran.returncode == 1
    assert "has expired" in ran.stderr
