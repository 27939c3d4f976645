"""The migrations of this program: numbered ones run once in order, repeatable ones whenever their text changes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from wnis_graph.schema.ddl import constraint_statements, index_statements
from wnis_graph.schema.model import SCHEMA


@dataclass(frozen=True)
class Migration:
    """One change of a graph.

    Parameters
    ----------
    id : ``NNNN-name`` for a numbered migration, ``R-name`` for a repeatable one. ``NNNN-additive-name`` is a numbered
        one whose result programs from before it can go on working with.
    statements : Cypher, each run in a transaction of its own and harmless when run again
    """

    id: str
    statements: tuple[str, ...]

    @property
    def repeatable(self) -> bool:
        """Whether it runs again when its text has changed, rather than once for ever."""
        return self.id.startswith("R-")

    @property
    def additive(self) -> bool:
        """Whether programs that do not know it can work with its result."""
        return is_additive(self.id)

    @property
    def sha256(self) -> str:
        """Hash of its statements."""
        return hashlib.sha256("\n".join(self.statements).encode()).hexdigest()


def is_additive(identifier: str) -> bool:
    """What the id of a migration, known or not, says of older programs."""
    return identifier.startswith("R-") or identifier[4:].startswith("-additive-")


MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        "0001-migrations-and-leases",
        (
            "CREATE CONSTRAINT lease_id_unique IF NOT EXISTS FOR (n:Lease) REQUIRE n.id IS UNIQUE",
            "CREATE CONSTRAINT migration_id_unique IF NOT EXISTS FOR (n:Migration) REQUIRE n.id IS UNIQUE",
        ),
    ),
    Migration("R-schema", (*constraint_statements(SCHEMA), *index_statements(SCHEMA))),
)
"""Additive schema changes need no migration: the repeatable ``R-schema`` follows the declaration. Whatever drops,
renames or fills in gets the next number; it locks older programs out, unless its id says ``additive``."""
