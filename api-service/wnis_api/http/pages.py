"""What a browser loads: the web page, the API's own pages, and the headers that keep both safe."""

from __future__ import annotations

import base64
import hashlib
import json
import mimetypes
import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from flask import Flask, Response, request, send_from_directory
from flask_swagger_ui import get_swaggerui_blueprint
from werkzeug.exceptions import NotFound
from werkzeug.routing import PathConverter

# the page runs MapLibre, whose worker is a file of ours (FACTS: no blob is needed); React and MapLibre set style
# attributes, which a policy can only allow as a whole
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(self), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_IMMUTABLE = "public, max-age=31536000, immutable"

_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)

mimetypes.add_type("text/javascript", ".mjs")
mimetypes.add_type("application/manifest+json", ".webmanifest")


def install_headers(app: Flask) -> None:
    """Security headers on every answer. There is no CORS header: other origins may not read us."""

    def add(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if request.is_secure:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        return response

    app.after_request(add)


def install_documentation(app: Flask, document: dict[str, Any]) -> None:
    """``/api/docs`` (Swagger UI, its files from the package), ``/api/openapi.json`` and ``/api/swagger.yaml``."""
    as_json = json.dumps(document, ensure_ascii=False).encode()

    @cache
    def as_yaml() -> bytes:
        # through JSON, because parts that the document shares would become YAML anchors
        return yaml.safe_dump(json.loads(as_json), sort_keys=False, allow_unicode=True).encode()

    app.add_url_rule("/api/openapi.json", "openapi_json", lambda: Response(as_json, content_type="application/json"))
    app.add_url_rule("/api/swagger.yaml", "swagger_yaml", lambda: Response(as_yaml(), content_type="application/yaml"))
    swagger = get_swaggerui_blueprint("/api/docs", "/api/openapi.json", config={"validatorUrl": None})

    @swagger.after_request  # type: ignore[untyped-decorator]  # the library has no annotations
    def allow_own_script(response: Response) -> Response:
        # its page starts Swagger UI from a script in the page, which our policy allows by hash and no other
        if response.mimetype == "text/html":
            hashes = " ".join(
                f"'sha256-{_sha256(script)}'" for script in _INLINE.findall(response.get_data(as_text=True))
            )
            policy = CONTENT_SECURITY_POLICY.replace("script-src 'self'", f"script-src 'self' {hashes}")
            response.headers["Content-Security-Policy"] = policy
        return response

    app.register_blueprint(swagger)


class PagePath(PathConverter):
    """Any path but the API's, so that an unknown or misused one there keeps its own answer."""

    regex = r"(?!(?:api|auth|admin)(?:/|$))[^/].*?"


def install_web_page(app: Flask, root: Path) -> None:
    """Serve the built page from `root`; its own routes all answer with ``index.html``."""

    def page(path: str = "") -> Response:
        if path.startswith("assets/"):
            response = send_from_directory(root, path)
            response.headers["Cache-Control"] = _IMMUTABLE  # their names carry a hash of their content
            return response
        try:
            response = send_from_directory(root, path or "index.html")
        except NotFound:
            if "." in path.rsplit("/", 1)[-1]:
                raise
            response = send_from_directory(root, "index.html")
        response.headers["Cache-Control"] = "no-cache"
        return response

    app.url_map.converters["page"] = PagePath
    app.add_url_rule("/", "page_root", page, provide_automatic_options=False)
    app.add_url_rule("/<page:path>", "page", page, provide_automatic_options=False)


def _sha256(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
