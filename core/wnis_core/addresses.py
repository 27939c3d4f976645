"""Settings that are addresses: which kinds of address each of them takes.

A value is never repeated in a message, as it may carry a password.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from wnis_core.errors import InvalidValue

_SQL = (("sqlite", "postgresql"), "postgresql://user:password@host:5432/database")
_HTTP = (("http", "https"), "http://host:8080")

ADDRESSES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "NEO4J_URI": (("bolt", "neo4j"), "bolt://host:7687"),
    "WNIS_SQL_URL": _SQL,
    "WNIS_JOBS_URL": _SQL,
    "REDIS_URL": (("redis", "rediss"), "redis://host:6379/0"),
    "QDRANT_URL": _HTTP,
    "WNIS_SIMULATOR_URL": _HTTP,
    "WNIS_ML_URL": _HTTP,
}
"""Setting -> schemes (what stands before a ``+`` in them), and an example."""


def require_address(name: str, value: str) -> str:
    """`value` of the setting `name` when it is empty or an address of a kind that the setting takes.

    Raises
    ------
    InvalidValue
        it is something else
    """
    schemes, example = ADDRESSES[name]
    mend = f"Write {name} as in {example}."
    try:
        parts = urlsplit(value)
        host = parts.hostname
        # asked for its error: a port beyond 65535, or one that is no number
        _ = parts.port
    except ValueError as error:
        raise InvalidValue(f"{name} is not an address.", mend=mend) from error
    if value and (parts.scheme.partition("+")[0] not in schemes or not (host or parts.scheme.startswith("sqlite"))):
        raise InvalidValue(f"{name} is not an address of the kind {' or '.join(schemes)}.", mend=mend)
    return value


def require_object_store(value: str) -> str:
    """`value` of WNIS_OBJECT_STORE when it is a folder or ``s3://bucket/prefix``; raises `InvalidValue`."""
    scheme, separator, rest = value.partition("://")
    if separator and (scheme != "s3" or not rest.split("/")[0]):
        raise InvalidValue(
            "WNIS_OBJECT_STORE is neither a folder nor an S3 address.",
            mend="Write WNIS_OBJECT_STORE as a path or as in s3://bucket/prefix.",
        )
    return value
