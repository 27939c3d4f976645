"""Entry point: ``gunicorn wnis_api.wsgi:app``."""

from __future__ import annotations

import os

from wnis_core.logs import configure_logging
from wnis_core.settings import read_settings

from wnis_api.app import create_app

_settings = read_settings(os.environ, secrets=("NEO4J_PASSWORD", "WNIS_JWT_SECRET", "WNIS_INTERNAL_SECRET"))
configure_logging("api", _settings.log_level)
app = create_app(_settings)
