"""What people do on the page."""

from __future__ import annotations

import io
import re
import secrets
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.conftest import REPOSITORY
from tests.e2e.conftest import PATIENCE_MS, Demonstration, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
expect.set_options(timeout=PATIENCE_MS)

AXE = REPOSITORY / "web-interface" / "node_modules" / "axe-core" / "axe.min.js"


def likeliest_pipe(demonstration: Demonstration) -> dict[str, Any]:
    """The pipe that the model expects to fail first."""
    ranking = demonstration.client.get("/predictions/failure/ranking", top=1, horizon=365)["ranking"]
    return dict(ranking[0])


def find(page: Page, name: str) -> None:
    """Choose a component by its name in the search over the map."""
    page.get_by_role("combobox", name="Find a component by name").fill(name)
    page.get_by_role("option", name=name).first.wait_for()
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary").get_by_role("heading", level=1)).to_have_text(name)


def colours_of(picture: bytes) -> dict[tuple[int, int, int], int]:
    """How many pixels of a PNG (8 bits, RGB or RGBA) have each colour."""
    source = io.BytesIO(picture[8:])
    width = bands = 0
    packed = b""
    while head := source.read(8):
        length, kind = struct.unpack(">I4s", head)
        body = source.read(length)
        source.read(4)
        if kind == b"IHDR":
            width, bands = struct.unpack(">I", body[:4])[0], {2: 3, 6: 4}[body[9]]
        elif kind == b"IDAT":
            packed += body
    raw, stride = zlib.decompress(packed), width * bands
    before, counted = bytes(stride), dict[tuple[int, int, int], int]()
    for start in range(0, len(raw), stride + 1):
        row = _unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + stride]), before, bands)
        for at in range(0, stride, bands):
            colour = (row[at], row[at + 1], row[at + 2])
            counted[colour] = counted.get(colour, 0) + 1
        before = bytes(row)
    return counted


def _unfiltered(method: int, row: bytearray, above: bytes, bands: int) -> bytearray:
    for at, value in enumerate(row):
        left = row[at - bands] if at >= bands else 0
        corner = above[at - bands] if at >= bands else 0
        guess = (0, left, above[at], (left + above[at]) // 2, _paeth(left, above[at], corner))[method]
        row[at] = (value + guess) & 255
    return row


def _paeth(left: int, above: int, corner: int) -> int:
    estimate = left + above - corner
    return min((left, above, corner), key=lambda near: abs(estimate - near))


def test_a_wrong_password_is_refused_and_the_right_one_opens_the_map(page: Page, demonstration: Demonstration) -> None:
    page.goto(demonstration.url)
    sign_in(page, demonstration.username, "not-the-password")
    expect(page.get_by_role("alert")).to_have_text("The user name or the password is wrong.")
    sign_in(page, demonstration.username, demonstration.password)
    expect(page.get_by_role("heading", name="Map of Demonstration (ky4)")).to_be_attached()


def test_many_wrong_passwords_are_told_how_long_to_wait(page: Page, demonstration: Demonstration) -> None:
    page.goto(demonstration.url)
    # a name of its own: the account of the other tests stays usable
    stranger = f"stranger-{secrets.token_hex(4)}"
    button = page.get_by_role("button", name="Sign in")
    for _ in range(30):
        sign_in(page, stranger, "not-the-password")
        expect(page.get_by_role("alert")).to_be_visible()
        expect(page.get_by_text("Signing in")).to_have_count(0)
        if button.is_disabled():
            break
    expect(page.get_by_role("alert")).to_have_text(
        re.compile(r"Too many attempts\. You can try again in \d+ (second|minute)s?\.")
    )
    expect(button).to_be_disabled()


def test_a_reload_keeps_the_session_and_signing_out_ends_it(signed_in: Page, demonstration: Demonstration) -> None:
    signed_in.reload()
    expect(signed_in.locator(".map-canvas[data-ready=true]")).to_be_visible()
    signed_in.locator(".user summary").click()
    signed_in.get_by_role("button", name="Sign out").click()
    expect(signed_in.get_by_label("Password")).to_be_visible()
    signed_in.reload()
    expect(signed_in.get_by_label("Password")).to_be_visible()


def test_the_map_paints_pipes_in_the_colours_of_its_legend(signed_in: Page) -> None:
    signed_in.get_by_label("Colour by").select_option("probability")
    legend = signed_in.locator(".legend")
    expect(legend).to_contain_text("Failure within a year")
    counts = [int(each.replace(",", "")) for each in legend.locator(".legend-count").all_inner_texts()]
    assert sum(counts) == 1156
    signed_in.wait_for_timeout(2000)
    painted = colours_of(signed_in.locator(".map-canvas canvas").screenshot())
    in_legend = {
        tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5)): count
        for colour, count in zip(
            legend.locator(".swatch line").evaluate_all("lines => lines.map(l => l.getAttribute('stroke'))"),
            counts,
            strict=True,
        )
    }
    shown = {colour for colour, count in in_legend.items() if count and painted.get(colour, 0) > 20}
    assert shown == {colour for colour, count in in_legend.items() if count}


def test_a_clicked_pipe_shows_flow_probability_factors_and_where_the_number_came_from(
    signed_in: Page, demonstration: Demonstration
) -> None:
    likeliest = likeliest_pipe(demonstration)
    find(signed_in, likeliest["component_name"])
    signed_in.wait_for_timeout(1500)
    signed_in.get_by_role("button", name="Close the panel").click()
    panel = signed_in.get_by_role("complementary")
    expect(panel).to_have_count(0)
    # the map has been centred on the pipe: what lies in the middle, now that the panel is gone, is close to it
    canvas = signed_in.locator(".map-canvas canvas").bounding_box()
    assert canvas is not None
    for step in range(60):
        across, down = step % 10 * 14, step // 10 * 14
        signed_in.mouse.click(
            canvas["x"] + canvas["width"] / 2 - 280 + across, canvas["y"] + canvas["height"] / 2 - 42 + down
        )
        if panel.is_visible():
            break
    expect(panel).to_be_visible()
    find(signed_in, likeliest["component_name"])

    expect(panel.get_by_role("heading", name="Hydraulics")).to_be_visible()
    expect(panel.locator(".numbers")).to_contain_text(re.compile(r"low.*L/s", re.S))
    expect(panel.locator(".big-number")).to_have_text(f"{likeliest['probability'] * 100:.0f} %")
    expect(panel).to_contain_text("90 % interval")
    expect(panel).to_contain_text("Remaining useful life")
    assert panel.locator(".factors li").count() >= 4
    expect(panel.locator(".factors")).to_contain_text(re.compile(r"raises ×\d"))
    panel.get_by_text("Where this number came from").click()
    trail = panel.locator(".why-body")
    expect(trail).to_contain_text("Trained on")
    expect(trail).to_contain_text(likeliest["model"]["version"])
    expect(trail.get_by_role("row", name=re.compile("This model"))).to_be_visible()
    expect(trail.locator(".used li").first).to_contain_text(re.compile("raises|lowers"))


def test_another_horizon_asks_for_another_probability(signed_in: Page, demonstration: Demonstration) -> None:
    find(signed_in, likeliest_pipe(demonstration)["component_name"])
    number = signed_in.locator(".big-number")
    expect(number).to_be_visible()
    within = {}
    for horizon in ("30 days", "1 year", "5 years"):
        signed_in.get_by_role("radio", name=horizon).check(force=True)
        expect(number).to_be_visible()
        within[horizon] = float(number.inner_text().strip("<> %"))
    assert within["30 days"] < within["1 year"] < within["5 years"]


def test_a_person_says_whether_a_prediction_is_useful(signed_in: Page, demonstration: Demonstration) -> None:
    pipe = likeliest_pipe(demonstration)
    find(signed_in, pipe["component_name"])
    words = f"Repaired last spring, {secrets.token_hex(4)}"
    signed_in.get_by_role("radio", name="Partly").check(force=True)
    signed_in.get_by_label("What should we know?").fill(words)
    signed_in.get_by_role("button", name="Send").click()
    expect(signed_in.get_by_text("Thank you.")).to_be_visible()
    kept = demonstration.client.get("/feedback", component_id=pipe["component_id"])["feedback"]
    found = [each for each in kept if each["content"] == words]
    assert [(each["rating"], each["prediction_id"]) for each in found] == [(3, pipe["prediction_id"])]


def test_components_are_filtered_and_open_their_page(signed_in: Page) -> None:
    signed_in.get_by_role("link", name="Components", exact=True).click()
    signed_in.get_by_label("Type").select_option("Tank")
    expect(signed_in.get_by_text("4 components, all shown")).to_be_visible()
    signed_in.locator("tbody tr").first.click()
    expect(signed_in.get_by_role("heading", name="Properties")).to_be_visible()
    expect(signed_in.locator(".component-kind")).to_contain_text("Tank")


def test_a_list_goes_on_where_it_stopped(signed_in: Page) -> None:
    signed_in.get_by_role("link", name="Components", exact=True).click()
    signed_in.get_by_label("Type").select_option("Pipe")
    expect(signed_in.locator("tbody tr")).to_have_count(100)
    signed_in.get_by_role("button", name="Show more").click()
    expect(signed_in.locator("tbody tr")).to_have_count(200)
    names = signed_in.locator("tbody th").all_inner_texts()
    assert len(set(names)) == 200


def test_incident_search_finds_by_meaning_and_leads_to_the_map(signed_in: Page) -> None:
    signed_in.get_by_role("link", name="Incidents", exact=True).click()
    signed_in.get_by_label("Describe what happened").fill("main split along its length in the road")
    signed_in.get_by_role("button", name="Search").click()
    hits = signed_in.get_by_role("list", name="Incidents found").locator("> li")
    expect(hits.first).to_be_visible()
    assert hits.count() >= 5
    expect(hits.first.locator("mark").first).to_be_visible()
    expect(hits.first).to_contain_text("Synthetic data")
    hits.first.get_by_role("link", name=re.compile("on the map")).first.click()
    expect(signed_in.get_by_role("complementary").get_by_role("heading", name="Failure prediction")).to_be_visible()


def test_units_are_a_persons_choice_and_stay(signed_in: Page) -> None:
    legend = signed_in.locator(".legend")
    expect(legend).to_contain_text("14 to 28")
    signed_in.locator(".user summary").click()
    signed_in.get_by_role("radio", name="US").check(force=True)
    expect(legend).to_contain_text("20 to 40")
    expect(legend.locator(".legend-unit")).to_have_text("psi")
    signed_in.reload()
    expect(signed_in.locator(".legend .legend-unit")).to_have_text("psi")


def test_times_are_shown_in_the_zone_of_the_browser_which_is_named(
    signed_in: Page, demonstration: Demonstration
) -> None:
    find(signed_in, likeliest_pipe(demonstration)["component_name"])
    expect(signed_in.locator(".provenance time")).to_have_text(re.compile(r"\d\d:\d\d (EST|EDT|GMT-[45])$"))


def test_a_file_that_is_no_network_is_refused_with_the_reason(signed_in: Page, tmp_path: Path) -> None:
    broken = tmp_path / "broken.inp"
    broken.write_text("[JUNCTIONS]\n J1 ten 0\n[END]\n", encoding="utf-8")
    signed_in.get_by_role("link", name="Import a network").click()
    signed_in.get_by_label("EPANET file").set_input_files(broken)
    expect(signed_in.get_by_label("Network id")).to_have_value("broken")
    signed_in.get_by_role("button", name="Import", exact=True).click()
    expect(signed_in.get_by_role("alert")).to_be_visible()
    expect(signed_in.get_by_text("Failed", exact=True)).to_be_visible()


def test_the_keyboard_reaches_a_component_and_leaves_it(signed_in: Page, demonstration: Demonstration) -> None:
    signed_in.keyboard.press("Tab")
    expect(signed_in.get_by_role("link", name="Skip to content")).to_be_focused()
    name = likeliest_pipe(demonstration)["component_name"]
    box = signed_in.get_by_role("combobox", name="Find a component by name")
    for _ in range(40):
        if box.evaluate("element => element === document.activeElement"):
            break
        signed_in.keyboard.press("Tab")
    expect(box).to_be_focused()
    signed_in.keyboard.type(name)
    signed_in.keyboard.press("Enter")
    panel = signed_in.get_by_role("complementary")
    expect(panel.get_by_role("heading", level=1)).to_have_text(name)
    panel.get_by_role("link", name="Open full page").focus()
    signed_in.keyboard.press("Escape")
    expect(panel).to_have_count(0)


CHART_LINE = (0x0A, 0x66, 0xAD)
POINTER_STEP_PX = 3

# component type, the radio button, the API's quantity, the unit that the page shows, display units per SI unit
SERIES = [
    ("Pipe", "Flow", "flow", "L/s", 1000.0),
    ("Pipe", "Velocity", "velocity", "m/s", 1.0),
    ("Junction", "Pressure", "pressure", "m", 1.0),
    ("Junction", "Demand", "demand", "L/s", 1000.0),
]


@pytest.mark.parametrize(("kind", "choice", "quantity", "unit", "per_si"), SERIES)
def test_the_chart_shows_the_series_of_the_last_run(
    signed_in: Page, demonstration: Demonstration, kind: str, choice: str, quantity: str, unit: str, per_si: float
) -> None:
    component, answer = _moving(demonstration, kind, quantity)
    times_s, values = answer["times_s"], answer["values"]
    assert len(times_s) == len(values) > 20

    signed_in.goto(f"{demonstration.url}/component?id={component}")
    signed_in.get_by_role("radio", name=choice, exact=True).check(force=True)
    chart = signed_in.locator(".chart")
    expect(chart).to_have_attribute("aria-label", re.compile(rf"^{choice}\b.*\b{re.escape(unit)}\b"))
    expect(chart.locator(".u-legend .u-series").nth(1).locator("th")).to_have_text(f"{choice} ({unit})")

    shown = _read_by_pointer(signed_in, chart)
    expected = {_clock(int(at)): value * per_si for at, value in zip(times_s, values, strict=True)}
    assert shown == pytest.approx(expected, abs=0.0051)
    assert len(set(shown.values())) > 3, "a series that stands still shows little"
    assert colours_of(chart.locator("canvas").screenshot()).get(CHART_LINE, 0) > 300


def _moving(demonstration: Demonstration, kind: str, quantity: str) -> tuple[str, dict[str, Any]]:
    """A component whose series is never zero and changes, and that series as the API answers it."""
    for listed in demonstration.client.get("/components", type=kind, limit=40)["components"]:
        latest = demonstration.client.get(f"/components/{listed['id']}")["latest_simulation"]
        answer = demonstration.client.get(
            f"/simulations/{latest['run_id']}/results", component_id=listed["id"], quantity=quantity
        )
        if len({round(value, 4) for value in answer["values"]}) > 5 and all(answer["values"]):
            return listed["id"], dict(answer)
    raise AssertionError(f"no {kind} has a {quantity} that changes")


def _read_by_pointer(page: Page, chart: Locator) -> dict[str, float]:
    """Every value by its time, as the legend says them while the pointer crosses the chart."""
    over = chart.locator(".u-over")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box is not None
    told: dict[str, float] = {}
    across = 1.0
    while across < box["width"]:
        page.mouse.move(box["x"] + across, box["y"] + box["height"] / 2)
        time_text, value_text = chart.locator(".u-legend .u-value").all_inner_texts()
        if value_text != "\u2013":
            told[time_text] = float(value_text.replace("\u2212", "-").replace(",", ""))
        across += POINTER_STEP_PX
    return told


def _clock(time_s: int) -> str:
    day, rest = divmod(time_s, 86_400)
    clock = f"{rest // 3600:02}:{rest % 3600 // 60:02}"
    return clock if day == 0 else f"day {day + 1}, {clock}"


PLACES = {
    "map": "/",
    "panel": "/?component={id}",
    "component": "/component?id={id}",
    "components": "/components",
    "incidents": "/incidents?q=corroded+joint",
    "import": "/import",
}


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("place", PLACES)
def test_axe_finds_nothing_serious_and_nothing_sticks_out(
    signed_in: Page, demonstration: Demonstration, place: str, width: int
) -> None:
    address = PLACES[place].format(id=likeliest_pipe(demonstration)["component_id"])
    signed_in.set_viewport_size({"width": width, "height": 844})
    signed_in.goto(demonstration.url + address)
    signed_in.locator("h1").first.wait_for(state="attached")
    expect(signed_in.locator(".spinner")).to_have_count(0)
    assert serious_faults(signed_in) == []
    overflow = signed_in.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0


def test_axe_finds_nothing_serious_on_the_sign_in(page: Page, demonstration: Demonstration) -> None:
    page.goto(demonstration.url)
    page.get_by_label("User name").wait_for()
    assert serious_faults(page) == []


def serious_faults(page: Page) -> list[str]:
    """Serious and critical violations of WCAG 2.2 A and AA that axe-core finds."""
    # evaluated, because the page's policy refuses a script tag that is not its own
    page.evaluate(AXE.read_text(encoding="utf-8"))
    violations = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}).then(r => r.violations)"
    )
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:200]} {each['nodes'][0]['failureSummary']}"
        for each in violations
        if each["impact"] in ("serious", "critical")
    ]
