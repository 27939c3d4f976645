"""Entry point of the ML service: ``gunicorn --workers 1 --threads 8 wnis_ml.wsgi:app``.

One worker only: it owns the vector index and the durable jobs of its name.
"""

from __future__ import annotations

import os

from wnis_core.logs import configure_logging
from wnis_core.settings import read_settings
from wnis_core.starting import one_sentence, require_own_folders
from wnis_core.traces import configure_traces

from wnis_ml.app import JOBS, SERVICE, create_app

with one_sentence():
    _settings = read_settings(os.environ, secrets=("NEO4J_PASSWORD", "WNIS_INTERNAL_SECRET", "WNIS_SIGNING_KEY"))
    configure_logging(SERVICE, _settings.log_level, secrets=_settings.secrets)
    configure_traces(SERVICE, os.environ)
    require_own_folders(_settings.home, _settings.object_store)
    app = create_app(_settings)
app.extensions[JOBS].stop_on_signals()
