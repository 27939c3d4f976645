"""The least that could answer `GET /components/{id}`: Flask around the driver. What the API is measured against."""

from __future__ import annotations

import json
import os

from flask import Flask, Response
from wnis_core.settings import read_settings
from wnis_graph.queries.components import GET
from wnis_graph.runner import open_driver
from wnis_graph.scope import DEFAULT_UTILITY

_settings = read_settings(os.environ)
_driver = open_driver(_settings.neo4j_uri, _settings.neo4j_user, _settings.neo4j_password)
app = Flask(__name__)


@app.get("/components/<path:component_id>")
def component(component_id: str) -> Response:
    """The record as the driver gives it."""
    with _driver.session() as session:
        records = [r.data() for r in session.run(GET.cypher, id=component_id, utility=DEFAULT_UTILITY)]
    return Response(json.dumps(records[0], default=str), content_type="application/json")
