"""Settings, read once from the environment by entry points and handed on as plain values.

A secret may come from a file instead: ``NAME_FILE`` names it (as container platforms mount secrets).
``SETTINGS`` describes every variable; ``docs/reference/settings.md`` is generated from it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from wnis_core.addresses import ADDRESSES, require_address, require_object_store
from wnis_core.errors import InvalidValue

_TLS_TARGET = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\s/]+):[0-9]{1,5}")
_KNOWN_WEAK = frozenset(
    {"secret", "changeme", "change-me", "password", "neo4j", "admin", "default", "test", "development"}
)


@dataclass(frozen=True)
class Variable:
    """One environment variable: its name, what it is for, its default, and whether it is a secret."""

    name: str
    description: str
    default: str = ""
    secret: bool = False


SETTINGS: tuple[Variable, ...] = (
    Variable("WNIS_HOME", "folder of all local state", ".wnis"),
    Variable("WNIS_ENV", "development, or production: refuses to start on missing or weak secrets", "development"),
    Variable("WNIS_LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR", "INFO"),
    Variable("NEO4J_URI", "Bolt address of the graph; when set, no local Neo4j is started", ""),
    Variable("NEO4J_USER", "graph user", "neo4j"),
    Variable("NEO4J_PASSWORD", "graph password", "", secret=True),
    Variable("WNIS_NEO4J_HEAP_MB", "heap of the local Neo4j; half of it is for transactions, such as imports", "512"),
    Variable("WNIS_SQL_URL", "credentials and durable limits: SQLAlchemy URL; default SQLite under WNIS_HOME", ""),
    Variable("WNIS_JOBS_URL", "durable jobs: SQLAlchemy URL; default one SQLite file a service under WNIS_HOME", ""),
    Variable(
        "REDIS_URL",
        "shared request counters; default a SQLite file under WNIS_HOME shared by all workers",
        "",
    ),
    Variable("QDRANT_URL", "vector store server; default an embedded store under WNIS_HOME", ""),
    Variable("QDRANT_API_KEY", "key of the vector store server", "", secret=True),
    Variable("WNIS_OBJECT_STORE", "a folder, or s3://bucket/prefix (endpoint and keys as boto3 reads them)", ""),
    Variable("WNIS_MODEL_DIR", "folder of the embedding model; default the one that set-up made", ""),
    Variable("WNIS_ADMIN_PASSWORD", "password of the first account; one is made up when empty", "", secret=True),
    Variable("WNIS_JWT_SECRET", "signs user tokens; at least 32 bytes", "", secret=True),
    Variable("WNIS_INTERNAL_SECRET", "signs calls between services; at least 32 bytes", "", secret=True),
    Variable("WNIS_SIGNING_KEY", "Ed25519 seed that signs model files; 64 hexadecimal digits", "", secret=True),
    Variable("WNIS_SIMULATOR_URL", "base URL of the simulator service", "http://127.0.0.1:8101"),
    Variable("WNIS_ML_URL", "base URL of the ML service", "http://127.0.0.1:8102"),
    Variable("WNIS_EXECUTOR_ID", "stable name of this service instance; a job is resumed by the same name", "local"),
    Variable("WNIS_MAX_UPLOAD_MB", "largest accepted upload in MB", "64"),
    Variable("WNIS_RATE_LIMIT", "requests a minute per account (or address without a token)", "600"),
    Variable("WNIS_WEB_ROOT", "folder of the built web page that the API serves; empty when nginx serves it", ""),
    Variable(
        "WNIS_TLS_TARGETS",
        "host:port of TLS servers, comma separated, whose certificates' ends the metrics of ml tell",
        "",
    ),
    Variable(
        "WNIS_TRUSTED_PROXIES",
        "proxies in front of the API whose X-Forwarded-For and X-Forwarded-Proto are believed; 1 behind our nginx",
        "0",
    ),
    Variable("OTEL_EXPORTER_OTLP_ENDPOINT", "collector of traces, OTLP over HTTP (http://host:4318); empty: none", ""),
    Variable("OTEL_EXPORTER_OTLP_HEADERS", "headers of calls to the collector, such as its key (name=value,...)", ""),
    Variable("OTEL_EXPORTER_OTLP_TIMEOUT", "longest sending of one batch of spans, in s", "3"),
    Variable("OTEL_TRACES_SAMPLER", "which traces are kept, in OpenTelemetry's words", "parentbased_always_on"),
    Variable("OTEL_TRACES_SAMPLER_ARG", "share of the traces for the sampler parentbased_traceidratio", ""),
    Variable("PROMETHEUS_MULTIPROC_DIR", "folder where the workers of one service share their metrics", ""),
)


def share_dir() -> Path:
    """What set-up provisions once for all homes: Neo4j's artefacts, the embedding model, the built web page."""
    return Path(sys.prefix) / "share" / "wnis"


_DEFAULTS = {v.name: v.default for v in SETTINGS}


@dataclass(frozen=True)
class Settings:
    """All settings of one process. Urls and folders are resolved; empty strings mean "not set"."""

    home: Path
    production: bool
    log_level: str
    neo4j_uri: str
    neo4j_user: str
    neo4j_password: str
    neo4j_heap_mb: int
    sql_url: str
    jobs_url: str
    redis_url: str
    qdrant_url: str
    qdrant_api_key: str
    object_store: str
    model_dir: Path
    admin_password: str
    jwt_secret: str
    internal_secret: str
    signing_key: str
    simulator_url: str
    ml_url: str
    executor_id: str
    max_upload_bytes: int
    rate_limit_per_minute: int
    web_root: Path | None
    trusted_proxies: int
    tls_targets: tuple[str, ...] = ()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret that this process was given; none of them may be written anywhere."""
        given = (
            self.neo4j_password, self.qdrant_api_key, self.admin_password, self.jwt_secret, self.internal_secret,
            self.signing_key,
        )  # fmt: skip
        return tuple(secret for secret in given if secret)

    def jobs_url_of(self, service: str) -> str:
        """Where `service` keeps its durable jobs."""
        return self.jobs_url or f"sqlite:///{self.home / 'sql' / f'jobs-{service}.sqlite'}"


_EVERY_SECRET = ("NEO4J_PASSWORD", "WNIS_JWT_SECRET", "WNIS_INTERNAL_SECRET", "WNIS_SIGNING_KEY")


def read_settings(environ: Mapping[str, str], *, secrets: Collection[str] = _EVERY_SECRET) -> Settings:
    """Settings from environment variables.

    Parameters
    ----------
    secrets : which ones this program cannot work without; nobody is given more

    Raises
    ------
    InvalidValue
        a number is no number, an address none of its kind, a secret file cannot be read, or in production a secret
        is missing, short or well known
    """

    def value(name: str) -> str:
        file = environ.get(f"{name}_FILE")
        if file:
            try:
                return Path(file).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise InvalidValue(
                    f"{name}_FILE names {file}, which cannot be read ({error.strerror}).",
                    mend=f"Make the file readable or unset {name}_FILE.",
                ) from error
        return environ.get(name, "") or _DEFAULTS[name]

    def number(name: str, least: int = 1) -> int:
        text = value(name)
        if not text.isdecimal() or int(text) < least:
            kind = "a positive whole number" if least == 1 else f"a whole number from {least}"
            raise InvalidValue(f"{name} is {text!r}, not {kind}.", mend=f"Correct {name}.")
        return int(text)

    home = Path(value("WNIS_HOME")).expanduser().resolve()
    production = value("WNIS_ENV") == "production"
    if production:
        _refuse_weak_secrets({v.name: value(v.name) for v in SETTINGS if v.secret}, needed=secrets)
    for name in ADDRESSES:
        require_address(name, value(name))
    web_root = value("WNIS_WEB_ROOT")
    tls_targets = tuple(part.strip() for part in value("WNIS_TLS_TARGETS").split(",") if part.strip())
    for target in tls_targets:
        if not _TLS_TARGET.fullmatch(target):
            raise InvalidValue(f"WNIS_TLS_TARGETS names {target!r}.", mend="Write host:port, comma separated.")
    return Settings(
        home=home,
        production=production,
        log_level=value("WNIS_LOG_LEVEL"),
        neo4j_uri=value("NEO4J_URI"),
        neo4j_user=value("NEO4J_USER"),
        neo4j_password=value("NEO4J_PASSWORD"),
        neo4j_heap_mb=number("WNIS_NEO4J_HEAP_MB", least=512),
        sql_url=value("WNIS_SQL_URL") or f"sqlite:///{home / 'sql' / 'wnis.sqlite'}",
        jobs_url=value("WNIS_JOBS_URL"),
        redis_url=value("REDIS_URL"),
        qdrant_url=value("QDRANT_URL"),
        qdrant_api_key=value("QDRANT_API_KEY"),
        object_store=require_object_store(value("WNIS_OBJECT_STORE")) or str(home / "objects"),
        model_dir=Path(value("WNIS_MODEL_DIR") or share_dir() / "minilm").expanduser().resolve(),
        admin_password=value("WNIS_ADMIN_PASSWORD"),
        jwt_secret=value("WNIS_JWT_SECRET"),
        internal_secret=value("WNIS_INTERNAL_SECRET"),
        signing_key=value("WNIS_SIGNING_KEY"),
        simulator_url=value("WNIS_SIMULATOR_URL").rstrip("/"),
        ml_url=value("WNIS_ML_URL").rstrip("/"),
        executor_id=value("WNIS_EXECUTOR_ID"),
        max_upload_bytes=number("WNIS_MAX_UPLOAD_MB") * 1_000_000,
        rate_limit_per_minute=number("WNIS_RATE_LIMIT"),
        web_root=Path(web_root).resolve() if web_root else None,
        trusted_proxies=number("WNIS_TRUSTED_PROXIES", least=0),
        tls_targets=tls_targets,
    )


def require_secret(name: str, secret: str) -> str:
    """`secret` when it has at least 32 bytes, which HMAC-SHA256 wants (RFC 7518, 3.2)."""
    if len(secret.encode()) < 32:
        raise InvalidValue(f"{name} is missing or shorter than 32 bytes.", mend=f"Set {name} to a random value.")
    return secret


def _refuse_weak_secrets(secrets: Mapping[str, str], *, needed: Collection[str]) -> None:
    for name, secret in secrets.items():
        if not secret and name not in needed:
            continue
        if not secret:
            raise InvalidValue(f"{name} is not set.", mend=f"Set {name} or {name}_FILE to a random value.")
        if len(secret) < 16 or secret.lower() in _KNOWN_WEAK:
            raise InvalidValue(f"{name} is too short or well known.", mend=f"Set {name} to a random value.")
