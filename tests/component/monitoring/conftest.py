"""Debian's Prometheus, Alertmanager and node exporter, and a server that speaks TLS."""

from __future__ import annotations

import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from types import TracebackType
from typing import Any

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from wnis_core.clock import now

ROOT = Path(__file__).resolve().parents[3]
MONITORING = ROOT / "monitoring"


@dataclass
class Server:
    """A program that answers on a port until the end of the block."""

    command: Sequence[str]
    url: str
    ready: str
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, cwd=self.log.parent)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            try:
                if requests.get(self.url + self.ready, timeout=2).ok:
                    return self
            except requests.RequestException:
                time.sleep(0.1)
        self.__exit__(None, None, None)
        raise RuntimeError(f"{self.command[0]} did not start: {self.log.read_text(errors='replace')[-2000:]}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)

    def get(self, path: str, **parameters: str) -> Any:
        """The JSON answer."""
        response = requests.get(self.url + path, params=parameters, timeout=20)
        assert response.ok, response.text
        return response.json()


class _Silent(BaseRequestHandler):
    def handle(self) -> None:
        try:
            self.request.recv(1)
        except OSError:
            return


class TlsServer:
    """A server with a certificate of its own that ends in `days` days."""

    def __init__(self, folder: Path, days: float) -> None:
        self.ends = (now() + timedelta(days=days)).replace(microsecond=0)
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "wnis.example.org")])
        certificate = (
            x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(1).not_valid_before(now() - timedelta(days=400)).not_valid_after(self.ends)
            .sign(key, hashes.SHA256())
        )  # fmt: skip
        (folder / "tls.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (folder / "tls.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        self._server = ThreadingTCPServer(("127.0.0.1", 0), _Silent)
        self._server.daemon_threads = True
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.target = f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> TlsServer:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
