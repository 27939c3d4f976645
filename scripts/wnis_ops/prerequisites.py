"""What has to be there before `wnis up` starts anything; what is missing is named with its setting and the mend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from wnis_core.clock import iso, now
from wnis_core.errors import InvalidValue, Unavailable, WnisError
from wnis_core.settings import Settings, read_settings
from wnis_core.starting import require_own_folders, require_room

from wnis_ops.local.options import UpOptions
from wnis_ops.memory_room import available_bytes
from wnis_ops.place import Home

ROOM_BYTES = 500_000_000
"""For the graph and its logs, SQL, and the logs of four programs, 30 MB each; the demonstration itself takes 30 MB."""
SERVICES_BYTES = 1_200_000_000
"""What simulator, ml, the API and their supervisor take when nothing happens, as `wnis bench memory` measures it."""
GRAPH_BYTES = 500_000_000
"""What Neo4j takes with its heap of 512 MB and an empty graph."""


def require_startable(home: Home, options: UpOptions, environ: Mapping[str, str]) -> None:
    """Refuse to start where something would fail later on, and less clearly.

    Raises
    ------
    InvalidValue
        a setting or the TLS pair is wrong
    Unavailable
        a folder, room, memory, or a server that a setting names is missing
    """
    options.check()
    settings = read_settings({**environ, "WNIS_HOME": str(home.path)}, secrets=())
    if options.tls_certificate and options.tls_key:
        require_valid_pair(options.tls_certificate, options.tls_key)
    require_own_folders(home.path, settings.object_store)
    require_room(home.path, "WNIS_HOME", ROOM_BYTES)
    require_memory(
        SERVICES_BYTES + (0 if settings.neo4j_uri else GRAPH_BYTES + (settings.neo4j_heap_mb - 512) * 1_000_000)
    )
    require_servers(settings)


def require_memory(wanted_bytes: int, left: Callable[[], int | None] = available_bytes) -> None:
    """Raise `Unavailable` when less memory is left than Neo4j and the services take."""
    there = left()
    if there is not None and there < wanted_bytes:
        raise Unavailable(
            f"{there / 1e6:.0f} MB of memory are left; {wanted_bytes / 1e6:.0f} MB are needed to start.",
            mend="End other programs, or raise the memory limit of this container or unit; NEO4J_URI names a graph"
            " that runs elsewhere.",
        )


def require_servers(settings: Settings) -> None:
    """Ask every server that a setting names once; raises `Unavailable` with the name of the setting."""
    if settings.neo4j_uri:
        from wnis_graph.repositories.utilities import UtilityRepository
        from wnis_graph.runner import Runner, open_driver
        from wnis_graph.scope import Scope

        with _named("NEO4J_URI", "NEO4J_URI, NEO4J_USER and NEO4J_PASSWORD, and that the graph runs"):
            runner = Runner(open_driver(settings.neo4j_uri, settings.neo4j_user, settings.neo4j_password))
            try:
                UtilityRepository(runner).list(Scope("", "wnis up"))
            finally:
                runner.close()
    for setting, url in (("WNIS_SQL_URL", settings.sql_url), ("WNIS_JOBS_URL", settings.jobs_url)):
        if url.startswith("postgresql"):
            from wnis_api.sql import Database

            with _named(setting, f"{setting}, and that the database runs"):
                database = Database(url)
                try:
                    with database.read() as connection:
                        connection.exec_driver_sql("SELECT 1")
                finally:
                    database.close()
    if settings.object_store.startswith("s3://"):
        from wnis_core.objects import open_object_store

        with _named("WNIS_OBJECT_STORE", "WNIS_OBJECT_STORE, AWS_ENDPOINT_URL_S3 and the credentials of S3"):
            open_object_store(settings.object_store).exists("start")


@contextmanager
def _named(setting: str, what: str) -> Any:
    try:
        yield
    except WnisError as error:
        raise Unavailable(f"What {setting} names cannot be used: {error.message}", mend=f"Check {what}.") from error


def require_valid_pair(certificate_file: Path, key_file: Path) -> None:
    """Refuse a certificate that is not good now, or not that of the key.

    Raises
    ------
    InvalidValue
    """
    try:
        certificate = x509.load_pem_x509_certificates(certificate_file.read_bytes())[0]
    except (OSError, ValueError) as error:
        raise InvalidValue(
            f"{certificate_file}, which --tls-cert names, is no certificate that can be read.",
            mend="Give a file in PEM, the server's own certificate first.",
        ) from error
    try:
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise InvalidValue(
            f"{key_file}, which --tls-key names, is no private key that can be read.",
            mend="Give a file in PEM, without a pass phrase.",
        ) from error
    at = now()
    if at >= certificate.not_valid_after_utc:
        raise InvalidValue(
            f"The certificate {certificate_file} expired at {iso(certificate.not_valid_after_utc)}.",
            mend="Renew it, or name another one with --tls-cert and --tls-key.",
        )
    if at < certificate.not_valid_before_utc:
        raise InvalidValue(
            f"The certificate {certificate_file} is not valid before {iso(certificate.not_valid_before_utc)};"
            f" this machine's clock says {iso(at)}.",
            mend="Set the clock, or name another certificate with --tls-cert and --tls-key.",
        )
    if _bytes_of(certificate.public_key()) != _bytes_of(key.public_key()):
        raise InvalidValue(
            f"The key {key_file} is not that of the certificate {certificate_file}.",
            mend="Name the pair that belongs together with --tls-cert and --tls-key.",
        )


def _bytes_of(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
