"""``wnis up`` for other machines: only with TLS, and nothing in the clear."""

from __future__ import annotations

import ipaddress
import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from wnis_neo4j.local import free_port

pytestmark = pytest.mark.timeout(300)

PROGRAM = str(Path(sys.executable).with_name("wnis"))
HOST = "0.0.0.0"


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "wnis test")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(hours=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.touch(mode=0o600)
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_file, key_file


def test_other_machines_are_served_over_tls_only(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    port, home = free_port(), tmp_path / "home"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("WNIS_", "NEO4J_"))}
    environ = {**kept, "WNIS_HOME": str(home)}

    def wnis(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([PROGRAM, *words], env=environ, check=False, capture_output=True, text=True, timeout=200)

    refused = wnis("up", "--detach", "--port", str(port), "--host", HOST, "--json")
    assert refused.returncode == 2
    assert "passwords would travel in the clear" in json.loads(refused.stdout)["error"]

    tls = ("--tls-cert", str(certificate), "--tls-key", str(key))
    try:
        started = wnis("up", "--detach", "--port", str(port), "--host", HOST, *tls, "--json")
        assert started.returncode == 0, started.stderr
        document = json.loads(started.stdout)
        url = f"https://127.0.0.1:{port}"
        assert document["url"] == url

        health = requests.get(f"{url}/health", verify=str(certificate), timeout=20)
        assert (health.status_code, health.json()) == (200, {"status": "ok"})
        assert health.headers["Strict-Transport-Security"].startswith("max-age=")
        with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
            requests.get(f"{url}/health", timeout=20)

        # a password over TLS is taken; the same words in the clear get no answer at all
        body = {"username": "admin", "password": document["password"]}
        signed_in = requests.post(f"{url}/auth/login", json=body, verify=str(certificate), timeout=20)
        assert signed_in.status_code == 200
        with pytest.raises(requests.exceptions.ConnectionError):
            requests.post(f"http://127.0.0.1:{port}/auth/login", json=body, timeout=20)
        assert _answer_in_the_clear(port) == b""
    finally:
        stopped = wnis("down")
    assert stopped.returncode == 0


def _answer_in_the_clear(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        received = b""
        try:
            while part := connection.recv(4096):
                received += part
        except ConnectionResetError:
            pass
        return received
