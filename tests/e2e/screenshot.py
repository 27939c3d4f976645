"""Take docs/screenshot.png from a running demonstration.

WNIS_TEST_URL=... WNIS_TEST_USER=... WNIS_TEST_PASSWORD=... python -m tests.e2e.screenshot
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright
from wnis_ops.client import ApiClient

from tests.e2e.conftest import CHROMIUM, FLAGS, PATIENCE_MS, sign_in

TARGET = Path(__file__).resolve().parents[2] / "docs" / "screenshot.png"


def main() -> None:
    """The map by failure probability, beside it the pipe that is likeliest to fail."""
    url, user, password = (os.environ[f"WNIS_TEST_{name}"] for name in ("URL", "USER", "PASSWORD"))
    token = ApiClient(url).post("/auth/login", {"username": user, "password": password})["token"]
    ranking = ApiClient(url, token).get("/predictions/failure/ranking", top=1, horizon=365)["ranking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 860})
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{url}/?colour=probability")
        sign_in(page, user, password)
        page.locator(".map-canvas[data-ready=true]").wait_for()
        page.goto(f"{url}/?colour=probability&component={ranking[0]['component_id']}")
        page.locator(".factors").wait_for()
        page.locator(".provenance").wait_for()
        page.locator(".map-canvas[data-ready=true]").wait_for()
        page.wait_for_timeout(3000)
        page.get_by_role("button", name="Whole network").click()
        page.wait_for_timeout(5000)  # the map glides and paints
        page.screenshot(path=TARGET)
        browser.close()
    sys.stdout.write(f"{TARGET}\n")


if __name__ == "__main__":
    main()
