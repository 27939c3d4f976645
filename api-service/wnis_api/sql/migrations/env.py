"""Alembic's entry: runs the versions on the connection that `wnis_api.sql.upgrade` opened."""

from __future__ import annotations

from alembic import context
from wnis_api.sql.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
# the transaction is the caller's: all versions take effect together or not at all
context.run_migrations()
