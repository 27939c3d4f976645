"""Our nginx, run as the image runs it: by start.sh, as a user without rights, writing to one folder only."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

from tests.conftest import REPOSITORY
from tests.live import free_ports
from tests.planted import look_into

CONFIGURATION = REPOSITORY / "web-interface" / "nginx"
_USER = 10001


def make_certificate(folder: Path, *, days: int = 2) -> tuple[Path, Path]:
    """A self-signed certificate of this machine, and its key."""
    certificate, key = folder / "tls.crt", folder / "tls.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", str(days),
         "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return certificate, key


def without_rights(command: list[str]) -> list[str]:
    """`command` as the user of the image, when we are root."""
    if os.getuid() != 0:
        return command
    return ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups", "--no-new-privs", *command]


@dataclass
class Front:
    """A running nginx.

    Parameters
    ----------
    api : ``host:port`` of the API
    page : folder of the built page; a small one is made when None
    extra : further variables of start.sh
    """

    api: str
    page: Path | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    http_port: int = 0
    https_port: int = 0
    folder: Path = Path()
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where people go."""
        return f"https://127.0.0.1:{self.https_port}"

    @property
    def plain_url(self) -> str:
        """The port without TLS."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def certificate(self) -> str:
        """What a client has to trust."""
        return str(self.folder / "tls.crt")

    def prepare(self) -> dict[str, str]:
        """Lay out the files; returns the environment of start.sh."""
        self.http_port, self.https_port = free_ports(2)
        # a folder that the user without rights can reach, as pytest's own are not
        self.folder = Path(f"/tmp/wnis-nginx-{self.https_port}")
        self.folder.mkdir()
        run = self.folder / "run"
        run.mkdir()
        certificate, key = make_certificate(self.folder)
        shutil.copytree(CONFIGURATION, self.folder / "nginx")
        page = self.folder / "page"
        if self.page is not None:
            shutil.copytree(self.page, page)
        else:
            (page / "assets").mkdir(parents=True)
            (page / "index.html").write_text("<title>WNIS</title>" + " " * 2000)
            (page / "assets" / "worker-abc123.mjs").write_text("export {}")
        log = self.folder / "access.log"
        log.touch()
        if os.getuid() == 0:
            for path in (run, log, key):
                os.chown(path, _USER, _USER)
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "NGINX_API": self.api,
            "NGINX_RUN": str(run),
            "NGINX_ROOT": str(page),
            "NGINX_HTTP_PORT": str(self.http_port),
            "NGINX_HTTPS_PORT": str(self.https_port),
            "NGINX_PUBLIC_HTTPS_PORT": str(self.https_port),
            "NGINX_TLS_CERTIFICATE": str(certificate),
            "NGINX_TLS_KEY": str(key),
            "NGINX_ACCESS_LOG": str(log),
            **self.extra,
        }

    def command(self, *arguments: str) -> list[str]:
        """How the image starts it."""
        return without_rights(["/bin/sh", str(self.folder / "nginx" / "start.sh"), *arguments])

    def __enter__(self) -> Front:
        environment = self.prepare()
        errors = (self.folder / "error.log").open("wb")
        with errors:
            self.process = subprocess.Popen(
                self.command(), env=environment, stdout=subprocess.DEVNULL, stderr=errors, cwd="/"
            )
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                if requests.get(f"{self.plain_url}/nginx-health", timeout=1).ok:
                    return self
            except requests.RequestException:
                time.sleep(0.02)
            if self.process.poll() is not None:
                break
        said = (self.folder / "error.log").read_text()
        self.__exit__(None, None, None)
        raise RuntimeError(f"nginx does not answer: {said}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
        look_into(self.folder)
        shutil.rmtree(self.folder)

    def log_lines(self) -> list[dict[str, Any]]:
        """The access log so far, without a line that is being written."""
        written, _, _ = (self.folder / "access.log").read_text().rpartition("\n")
        return [json.loads(line) for line in written.splitlines()]

    def line_of(self, field: str, value: str | int) -> dict[str, Any]:
        """The first line of the access log with `value` in `field`; nginx writes it after the answer has gone out."""
        until = time.monotonic() + 5
        while time.monotonic() < until:
            found = next((line for line in self.log_lines() if line[field] == value), None)
            if found is not None:
                return found
            time.sleep(0.01)
        raise AssertionError(f"no line with {field} {value} in nginx's log")

    def session(self) -> requests.Session:
        """A client that trusts the certificate."""
        session = requests.Session()
        # the environment's own list of authorities would win over it
        session.trust_env = False
        session.verify = self.certificate
        return session
