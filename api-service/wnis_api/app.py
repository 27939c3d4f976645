"""The application factory."""

from __future__ import annotations

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix
from wnis_core import operating_figures
from wnis_core.figures import Figures
from wnis_core.service import install
from wnis_core.settings import Settings

from wnis_api.http import openapi, pages
from wnis_api.http.dispatch import register
from wnis_api.http.paths import PathRewriter
from wnis_api.http.routes import ROUTES
from wnis_api.parts import Parts, build_parts


def create_app(settings: Settings, parts: Parts | None = None) -> Flask:
    """The API as a WSGI application.

    Parameters
    ----------
    parts : what the routes work with, made from `settings` unless given
    """
    parts = parts or build_parts(settings)
    app = Flask("wnis_api", static_folder=None)
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = True
    app.config["MAX_CONTENT_LENGTH"] = settings.max_upload_bytes
    app.config["MAX_FORM_PARTS"] = 50
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it, its base has not
    pages.install_headers(app)

    def ready() -> tuple[dict[str, object], int]:
        known = parts.readiness.ask()
        states = {name: "up" if well else "down" for name, well in known.parts.items()}
        warnings: dict[str, object] = {"warnings": known.warnings} if known.warnings else {}
        return {"status": known.status, "parts": states, **warnings}, 503 if known.status == "down" else 200

    @app.before_request
    def refresh_gauges() -> None:
        if request.endpoint == "metrics":
            parts.readiness.ask()

    install(app, ready=ready, collectors=(Figures((operating_figures.backups(settings.home),)),))
    register(app, ROUTES, parts)
    pages.install_documentation(app, openapi.document(ROUTES))
    if settings.web_root is not None:
        pages.install_web_page(app, settings.web_root)
    app.wsgi_app = PathRewriter(app.wsgi_app)  # type: ignore[method-assign]  # Flask's documented place for middleware
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    return app
