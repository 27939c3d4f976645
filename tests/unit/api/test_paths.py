"""Every spelling of a path reaches the route that is registered."""

from __future__ import annotations

import pytest
from wnis_api.http.paths import rewritten


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("/api/v1/components", "/api/v1/components"),
        ("/api/components", "/api/v1/components"),
        ("/auth/login", "/api/v1/auth/login"),
        ("/api/auth/login", "/api/v1/auth/login"),
        ("/admin/users/x", "/api/v1/admin/users/x"),
        ("/health", "/health"),
        ("/api/health", "/health"),
        ("/api/v1/ready", "/ready"),
        ("/metrics", "/metrics"),
        ("/api/docs", "/api/docs/"),
        ("/api/openapi.json", "/api/openapi.json"),
        ("/components", "/components"),
        ("/administration", "/administration"),
        ("/authors", "/authors"),
    ],
)
def test_a_path_is_rewritten_by_the_table(asked: str, served: str) -> None:
    assert rewritten(asked) == served
