"""Tables of the API service: credentials, sessions, keys, throttles, receipts, audit, configuration, queries.

Moments are seconds since 1970 (UTC) as double precision: the same on SQLite and PostgreSQL, and comparable in
either without a conversion.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

accounts = Table(
    "accounts",
    metadata,
    Column("user_id", String(200), primary_key=True),
    Column("username", String(200), nullable=False, unique=True),
    Column("password_hash", String(300), nullable=False),
    Column("active", Boolean, nullable=False),
    # counts disable, enable, change of role and change of password: a token of an earlier epoch is refused
    Column("epoch", Integer, nullable=False),
    Column("seen_at", Double, nullable=False),
    Column("changed_at", Double, nullable=False),
)

families = Table(
    "refresh_families",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("user_id", String(200), nullable=False, index=True),
    Column("utility", String(500), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("revoked_at", Double),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("family_id", String(64), nullable=False, index=True),
    Column("used_at", Double),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("secret_sha256", String(64), nullable=False),
    Column("user_id", String(200), nullable=False, index=True),
    Column("utility", String(500), nullable=False),
    Column("name", String(200), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double),
    Column("revoked_at", Double),
)

sign_in_throttle = Table(
    "sign_in_throttle",
    metadata,
    Column("subject", String(300), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("since", Double, nullable=False),
    Column("blocked_until", Double, nullable=False),
)

receipts = Table(
    "idempotency_receipts",
    metadata,
    Column("key_sha256", String(64), primary_key=True),
    Column("request_sha256", String(64), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("status", Integer),
    Column("media_type", String(100)),
    Column("etag", String(200)),
    Column("body", LargeBinary),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("utility", String(500), nullable=False),
    Column("user_id", String(200), nullable=False),
    Column("username", String(200), nullable=False),
    Column("action", String(100), nullable=False),
    Column("subject", String(500), nullable=False),
    Column("status", Integer, nullable=False),
    Column("address", String(100), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("detail_json", Text),
    Index("audit_by_utility", "utility", "id"),
)

configuration = Table(
    "configuration",
    metadata,
    Column("utility", String(500), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("value_json", Text, nullable=False),
    Column("changed_by", String(200), nullable=False),
    Column("changed_at", Double, nullable=False),
)

running_queries = Table(
    "running_queries",
    metadata,
    # one for each person: the key is what keeps a second one out, whichever worker it comes to
    Column("user_id", String(200), primary_key=True),
    Column("query_id", String(100), nullable=False, unique=True),
    Column("utility", String(500), nullable=False),
    Column("username", String(200), nullable=False),
    Column("cypher", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("cancelled_at", Double),
    Column("ended_at", Double),
)

saved_queries = Table(
    "saved_queries",
    metadata,
    Column("id", String(100), primary_key=True),
    Column("utility", String(500), nullable=False),
    Column("user_id", String(200), nullable=False),
    Column("name", String(200), nullable=False),
    Column("description", Text, nullable=False),
    Column("cypher", Text, nullable=False),
    Column("parameters_json", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    UniqueConstraint("utility", "user_id", "name", name="saved_query_name"),
)
