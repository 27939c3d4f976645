"""The utility's own settings that an admin changes while the system runs."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

from sqlalchemy import delete, insert, select

from wnis_api.sql import Database
from wnis_api.sql.tables import configuration

Value = str | int | bool

DEFAULTS: dict[str, Value] = {
    "system_name": "Water Network Intelligence System",
    "maintenance_check_interval": 3600,
    "default_prediction_horizon": 30,
    "alert_notification_enabled": True,
    "auto_update_predictions": False,
}


class Configuration:
    """Values by utility; what was never set has its default."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, utility: str) -> dict[str, Value]:
        """All keys with their values."""
        query = select(configuration.c.name, configuration.c.value_json).where(configuration.c.utility == utility)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return DEFAULTS | {name: json.loads(value) for name, value in rows if name in DEFAULTS}

    def change(self, utility: str, user_id: str, values: Mapping[str, Value]) -> dict[str, Value]:
        """Set `values` together and return all keys."""
        with self._database.write() as connection:
            for name, value in values.items():
                connection.execute(
                    delete(configuration).where(configuration.c.utility == utility, configuration.c.name == name)
                )
                connection.execute(
                    insert(configuration),
                    {
                        "utility": utility,
                        "name": name,
                        "value_json": json.dumps(value),
                        "changed_by": user_id,
                        "changed_at": time.time(),
                    },
                )
        return self.of(utility)
