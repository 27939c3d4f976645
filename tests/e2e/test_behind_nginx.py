"""The page through nginx as people get it, with the limits that are shipped."""

from __future__ import annotations

from collections import Counter

import pytest
from playwright.sync_api import Browser, Page, expect
from wnis_core.settings import SETTINGS, share_dir

from tests.e2e.conftest import CHROMIUM, FLAGS, PATIENCE_MS, Demonstration, sign_in
from tests.front import Front

pytestmark = [pytest.mark.browser, pytest.mark.system, pytest.mark.timeout(300)]


def test_a_first_look_at_every_view_meets_no_limit(browser: Browser, demonstration: Demonstration) -> None:
    api = demonstration.url.removeprefix("http://")
    # the certificate is our own; the flag also lets the service worker fetch the files that it keeps
    trusting = browser.browser_type.launch(executable_path=CHROMIUM, args=[*FLAGS, "--ignore-certificate-errors"])
    with Front(api, page=share_dir() / "web") as front:
        context = trusting.new_context(viewport={"width": 1440, "height": 900})
        seen: set[int] = set()
        context.on("response", lambda answer: seen.add(answer.status))
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        try:
            _look_around(page, front, demonstration)
        finally:
            trusting.close()
        # what nginx itself says it answered, the service worker's own requests included
        said = Counter(line["http.response.status_code"] for line in front.log_lines())
        asked = sum(line["url.path"].startswith("/api/") for line in front.log_lines())
    assert 200 in seen
    assert 429 not in seen
    assert said[429] == 0, said
    # the API's own limit is raised for the other tests: this one stays below the one that is shipped
    allowed = next(int(one.default) for one in SETTINGS if one.name == "WNIS_RATE_LIMIT")
    assert 10 < asked < allowed


def _look_around(page: Page, front: Front, demonstration: Demonstration) -> None:
    page.goto(front.url)
    sign_in(page, demonstration.username, demonstration.password)
    ready = page.locator(".map-canvas[data-ready=true]")
    expect(ready).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_label("Colour by").select_option("probability")
    for _ in range(6):
        page.keyboard.press("+")
    page.get_by_role("link", name="Components", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(100, timeout=PATIENCE_MS)
    page.locator("tbody tr").first.click()
    expect(page.get_by_role("heading", name="Properties")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("link", name="Incidents", exact=True).click()
    page.get_by_label("Describe what happened").fill("water in the cellar")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("list", name="Incidents found").locator("> li").first).to_be_visible(timeout=PATIENCE_MS)
    page.goto(front.url)
    expect(ready).to_be_visible(timeout=PATIENCE_MS)
