"""How one local instance is to run."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from wnis_core.errors import BadRequest, NotFound

DEFAULT_PORT = 8080


@dataclass(frozen=True)
class UpOptions:
    """What `wnis up` was asked for; `port` None means the one of last time, at first 8080."""

    port: int | None = None
    host: str = "127.0.0.1"
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    demo: bool = False

    def check(self) -> None:
        """Refuse what cannot work or would put passwords on the wire.

        Raises
        ------
        BadRequest
            half of a TLS pair, or another address than this machine's own without TLS
        NotFound
            a file of the TLS pair is missing
        """
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise BadRequest("--tls-cert and --tls-key go together.")
        for file in (self.tls_certificate, self.tls_key):
            if file is not None and not file.is_file():
                raise NotFound(f"There is no file {file}.")
        if self.tls_certificate is None and not _is_loopback(self.host):
            raise BadRequest(
                f"Without TLS the program does not listen on {self.host}: passwords would travel in the clear.",
                mend="Give --tls-cert and --tls-key, or put a TLS proxy in front of 127.0.0.1.",
            )

    def url(self, port: int) -> str:
        """The address that people type."""
        scheme = "https" if self.tls_certificate else "http"
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "localhost") else self.host  # noqa: S104  # compared only
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
