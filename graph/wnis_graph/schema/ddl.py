"""Cypher DDL from the declaration: every statement can be run again without effect."""

from __future__ import annotations

import re

from wnis_graph.schema.declaration import Label, Schema


def constraint_statements(schema: Schema) -> tuple[str, ...]:
    """Uniqueness constraints: ``(utility, id)`` of a tenant's label, ``id`` of the others.

    A label with a base has none of its own: its nodes carry the base label, whose constraint covers them.
    """
    statements: list[str] = []
    for label in schema.labels:
        if label.base is None:
            statements.append(_unique(label, "id"))
        statements += [_unique(label, name) for name in label.unique]
    return tuple(statements)


def index_statements(schema: Schema) -> tuple[str, ...]:
    """Range, full-text and point indexes."""
    statements: list[str] = []
    for label in schema.labels:
        stem = _snake(label.name)
        for name in label.indexed:
            keys = f"n.utility, n.{name}" if label.tenant else f"n.{name}"
            statements.append(f"CREATE INDEX {stem}_{name} IF NOT EXISTS FOR (n:{label.name}) ON ({keys})")
        if label.search:
            keys = ", ".join(f"n.{name}" for name in label.search)
            statements.append(
                f"CREATE FULLTEXT INDEX {text_index(label.name)} IF NOT EXISTS FOR (n:{label.name}) ON EACH [{keys}]"
            )
        for name in label.points:
            statements.append(f"CREATE POINT INDEX {stem}_{name} IF NOT EXISTS FOR (n:{label.name}) ON (n.{name})")
    return tuple(statements)


def text_index(label: str) -> str:
    """Name of the full-text index of a label."""
    return f"{_snake(label)}_text"


def _unique(label: Label, name: str) -> str:
    keys = f"(n.utility, n.{name})" if label.tenant else f"n.{name}"
    return (
        f"CREATE CONSTRAINT {_snake(label.name)}_{name}_unique IF NOT EXISTS "
        f"FOR (n:{label.name}) REQUIRE {keys} IS UNIQUE"
    )


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
