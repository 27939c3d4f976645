"""A setting that is an address of the wrong kind is named at once, and its value, which may hold a password, is not."""

from __future__ import annotations

import pytest
from wnis_core.errors import InvalidValue
from wnis_core.settings import read_settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NEO4J_URI", "graph.example:7687"),
        ("NEO4J_URI", "http://graph:7474"),
        ("NEO4J_URI", "bolt://"),
        ("NEO4J_URI", "bolt://graph:99999"),
        ("WNIS_SQL_URL", "nonsense"),
        ("WNIS_SQL_URL", "mysql://wnis:planted@db/wnis"),
        ("WNIS_JOBS_URL", "postgresql://:planted@/wnis"),
        ("REDIS_URL", "planted:6379"),
        ("QDRANT_URL", "vectors:6333"),
        ("WNIS_ML_URL", "ml:8102"),
        ("WNIS_SIMULATOR_URL", "//planted"),
        ("WNIS_OBJECT_STORE", "gs://bucket/planted"),
        ("WNIS_OBJECT_STORE", "s3:///planted"),
    ],
)
def test_an_address_of_the_wrong_kind_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        read_settings({name: value})
    assert refused.value.message.startswith(f"{name} is ")
    assert name in refused.value.mend
    assert "planted" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NEO4J_URI", "neo4j+s://abc.databases.neo4j.io"),
        ("NEO4J_URI", "bolt://[::1]:7687"),
        ("WNIS_SQL_URL", "sqlite:////var/lib/wnis/wnis.sqlite"),
        ("WNIS_SQL_URL", "postgresql+psycopg://wnis:p%40ss@db:5432/wnis?sslmode=verify-full"),
        ("REDIS_URL", "rediss://:secret@cache:6380/0"),
        ("WNIS_OBJECT_STORE", "/srv/objects"),
        ("WNIS_OBJECT_STORE", "s3://bucket"),
    ],
)
def test_what_the_servers_understand_is_taken(name: str, value: str) -> None:
    read_settings({name: value})
