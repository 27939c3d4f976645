"""The built web page as the API serves it."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from wnis_api.http.pages import install_headers, install_web_page
from wnis_core.service import install


@pytest.fixture
def browser(tmp_path: Path) -> FlaskClient:
    """A browser at a small built page."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>WNIS</title>")
    (tmp_path / "assets" / "worker-abc123.mjs").write_text("export {}")
    (tmp_path.parent / "secret.txt").write_text("secret")
    app = Flask("page", static_folder=None)
    install_headers(app)
    install(app, ready=lambda: ({}, 200))
    install_web_page(app, tmp_path)
    return app.test_client()


def test_the_page_answers_its_own_routes_and_is_never_cached_blindly(browser: FlaskClient) -> None:
    for path in ("/", "/map", "/components/net:pipe:1", "/administration"):
        answer = browser.get(path)
        assert (answer.status_code, answer.text) == (200, "<title>WNIS</title>")
        assert answer.headers["Cache-Control"] == "no-cache"


def test_hashed_files_are_kept_for_ever_and_modules_are_javascript(browser: FlaskClient) -> None:
    answer = browser.get("/assets/worker-abc123.mjs")
    assert answer.mimetype == "text/javascript"
    assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    "path", ["/assets/none.js", "/favicon.ico", "/../secret.txt", "/..%2fsecret.txt", "/api/x", "/auth/x", "/admin/x"]
)
def test_what_is_no_page_is_not_found(path: str, browser: FlaskClient) -> None:
    answer = browser.get(path)
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
