"""The one rewrite table: every spelling of a path becomes the one that is registered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

PREFIX = "/api/v1"

# first match wins; a pattern that ends in "/" matches everything below it
REWRITES: tuple[tuple[str, str], ...] = (
    (f"{PREFIX}/health", "/health"),
    (f"{PREFIX}/ready", "/ready"),
    (f"{PREFIX}/", f"{PREFIX}/"),
    ("/api/health", "/health"),
    ("/api/ready", "/ready"),
    ("/api/docs", "/api/docs/"),
    ("/api/docs/", "/api/docs/"),
    ("/api/openapi.json", "/api/openapi.json"),
    ("/api/swagger.yaml", "/api/swagger.yaml"),
    ("/api/", f"{PREFIX}/"),
    ("/auth/", f"{PREFIX}/auth/"),
    ("/admin/", f"{PREFIX}/admin/"),
)

StartResponse = Callable[..., Any]
WsgiApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


def rewritten(path: str) -> str:
    """The registered spelling of `path`."""
    for pattern, target in REWRITES:
        if path == pattern:
            return target
        if pattern.endswith("/") and path.startswith(pattern):
            return target + path[len(pattern) :]
    return path


class PathRewriter:
    """WSGI middleware that applies the table before routing."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        environ["PATH_INFO"] = rewritten(environ.get("PATH_INFO", ""))
        return self._app(environ, start_response)
