"""A browser and a running system for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from wnis_core.settings import share_dir
from wnis_ops.client import ApiClient
from wnis_ops.demo.load import load_demo

from tests.conftest import Neo4jServer
from tests.live import LiveStack

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE_MS = 60_000
"""What a machine may take that also runs the services; every wait ends as soon as the thing is there."""


@dataclass(frozen=True)
class Demonstration:
    """A running system with the demonstration in it, and an account to sign in with."""

    url: str
    username: str
    password: str
    client: ApiClient


@pytest.fixture(scope="session")
def demonstration(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    """The system named by WNIS_TEST_URL (with WNIS_TEST_USER and WNIS_TEST_PASSWORD), else one started here."""
    url = os.environ.get("WNIS_TEST_URL")
    if url:
        yield _entered(url, os.environ["WNIS_TEST_USER"], os.environ["WNIS_TEST_PASSWORD"])
        return
    page = share_dir() / "web"
    assert (page / "index.html").is_file(), f"The page is not built ({page}): run `make setup`."
    neo4j: Neo4jServer = request.getfixturevalue("neo4j_server")
    home: Path = tmp_path_factory.mktemp("e2e")
    with LiveStack(home, neo4j, extra={"WNIS_WEB_ROOT": str(page)}) as stack:
        entered = _entered(stack.url, stack.username, stack.password)
        load_demo(entered.client, lambda fraction, message: None, home)
        yield entered


def _entered(url: str, username: str, password: str) -> Demonstration:
    token = ApiClient(url).post("/auth/login", {"username": username, "password": password})["token"]
    return Demonstration(url, username, password, ApiClient(url, token))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a screen."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page; the test fails when the page logs an error of its own or breaks its security policy."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="America/New_York")
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on(
        "console",
        lambda message: (
            faults.append(message.text)
            if message.type == "error" and "Failed to load resource" not in message.text
            else None
        ),
    )
    yield opened
    context.close()
    assert faults == []


@pytest.fixture
def signed_in(page: Page, demonstration: Demonstration) -> Page:
    """A page on the map, signed in."""
    page.goto(demonstration.url)
    sign_in(page, demonstration.username, demonstration.password)
    page.locator(".map-canvas[data-ready=true]").wait_for()
    return page


def sign_in(page: Page, username: str, password: str) -> None:
    """Fill in the sign-in form and send it."""
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
