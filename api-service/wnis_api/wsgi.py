"""Entry point: ``gunicorn wnis_api.wsgi:app``."""

from __future__ import annotations

import os

from wnis_core.logs import configure_logging
from wnis_core.settings import read_settings
from wnis_core.starting import one_sentence, require_own_folders
from wnis_core.traces import configure_traces

from wnis_api.app import create_app
from wnis_api.overload import Refusal

with one_sentence():
    _settings = read_settings(os.environ, secrets=("NEO4J_PASSWORD", "WNIS_JWT_SECRET", "WNIS_INTERNAL_SECRET"))
    configure_logging("api", _settings.log_level, secrets=_settings.secrets)
    configure_traces("api", os.environ)
    require_own_folders(_settings.home, _settings.object_store)
    app = create_app(_settings)
app.wsgi_app = Refusal(app.wsgi_app)  # type: ignore[method-assign]  # Flask's documented place for middleware
