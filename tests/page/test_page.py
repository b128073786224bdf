"""The AI-spend page in a real browser: what it shows of real calls, and whether everybody can use it."""

import csv
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from .conftest import Served, receiver

Open = Callable[..., Any]
Keep = Callable[[Any, str], None]

KEY = "a key of some length"


@pytest.fixture
def used(served: Served) -> Served:
    """A receiver that has seen calls of two people with three models, one of them without a price."""
    served.call("gpt-4o", user="ana", cost_center="CC-1", trace_name="Invoice run", session_id="s-1")
    served.call("gpt-4o-mini", user="ben", cost_center="CC-2", stream=True)
    served.call("house-model-7b", user="ben", cost_center="CC-2")
    return served


def shown(page: Any, selector: str) -> str:
    return str(page.inner_text(selector)).strip()


def total_of(served: Served) -> Decimal:
    with urlopen(f"{served.url}/api/overview", timeout=30) as answer:
        return Decimal(json.load(answer)["totals"]["cost"])


def test_calls_show_without_a_reload(served: Served, open_page: Open, screenshot: Keep) -> None:
    """An empty page says what to do; a call appears on it by itself, and the next one changes the total."""
    page = open_page(served.url)
    assert "No calls yet" == shown(page, "#nothing-title")
    assert "RAMP_BASE_URL=" + served.url in shown(page, "#nothing-advice")
    screenshot(page, "empty")
    page.evaluate("window.kept = true")
    served.call("gpt-4o", user="ana")
    page.wait_for_selector("#figures:not([hidden])")
    first = shown(page, "#total")
    served.call("gpt-4o", user="ana")
    page.wait_for_function("before => document.getElementById('total').innerText !== before", arg=first)
    assert "2" == shown(page, "#facts dd").split("\n")[0]
    assert page.get_attribute("#total", "title") == f"${total_of(served).normalize():f}"
    assert page.evaluate("window.kept") is True


def test_filters_stand_in_the_address(used: Served, open_page: Open) -> None:
    """A filter narrows everything down, is kept in the address, and goes with the way back."""
    page = open_page(used.url)
    assert "1–3 of 3" == shown(page, "#place")
    page.select_option("#filter-key", "meta.cost_center")
    page.wait_for_function("() => document.getElementById('filter-values').options.length === 2")
    page.fill("#filter-value", "CC-2")
    page.click("text=Add filter")
    page.wait_for_function("() => document.getElementById('place').innerText === '1–2 of 2'")
    assert "meta.cost_center=CC-2" in page.url
    page.select_option("#by", "meta.cost_center")
    page.wait_for_function("() => document.getElementById('legend').innerText.trim() === 'CC-2'")
    elsewhere = open_page(page.url)
    assert ("1–2 of 2", "CC-2") == (shown(elsewhere, "#place"), shown(elsewhere, "#legend"))
    page.click("#chips button")
    page.wait_for_function("() => document.getElementById('place').innerText === '1–3 of 3'")
    page.go_back()
    page.wait_for_function("() => document.getElementById('place').innerText === '1–2 of 2'")
    page.click("#presets >> text=7 days")
    page.wait_for_function("() => location.search.includes('since=7d')")


def test_no_call_matches(used: Served, open_page: Open) -> None:
    """Filters that nothing matches lead back to all calls."""
    page = open_page(f"{used.url}/?user=nobody")
    assert "No calls match" == shown(page, "#nothing-title")
    page.click("text=Show all calls")
    page.wait_for_selector("#figures:not([hidden])")
    assert "1–3 of 3" == shown(page, "#place")


def test_unknown_prices_are_no_nought(used: Served, open_page: Open) -> None:
    """A call without a price says so everywhere, and a total with it says that it is not in it."""
    page = open_page(f"{used.url}/?status=no price")
    assert "unknown" == shown(page, "#total")
    assert "no price" == shown(page, "#calls tbody tr td:last-child")
    assert "$0" not in shown(page, "#calls") + shown(page, "#tops") + shown(page, "#facts")
    page = open_page(used.url)
    assert "not in the total" in shown(page, "#facts")


def test_opens_one_call(used: Served, open_page: Open, screenshot: Keep) -> None:
    """One call shows its cost to the last place, its metadata, its place in the trace and what was said, as text."""
    page = open_page(f"{used.url}/?user=ana")
    page.focus("[data-call]")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    said = shown(page, "#call-body")
    assert "cost_center\tCC-1" in said
    assert "<b>Where</b> is my parcel?" in said
    assert "receipts are within policy" in said
    assert "Invoice run" in shown(page, ".tree")
    assert 0 == page.locator("#call-body b").count()
    screenshot(page, "call")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog:not([open])", state="attached")
    assert page.evaluate("document.activeElement.dataset.call") is not None


def test_exports_what_is_shown(used: Served, open_page: Open) -> None:
    """The export has the calls that are chosen, and their exact cost."""
    page = open_page(f"{used.url}/?user=ben")
    with page.expect_download() as waiting:
        page.click("#export")
    with Path(waiting.value.path()).open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert {"gpt-4o-mini-2024-07-18": True, "house-model-7b": False} == {
        row["model"].rpartition("/")[2]: bool(row["cost"]) for row in rows
    }
    assert waiting.value.suggested_filename.endswith(".csv")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_everybody_can_use_it(used: Served, open_page: Open, screenshot: Keep, scheme: str, width: int) -> None:
    """Light and dark, wide and on a phone: nothing sticks out, and axe finds nothing, also with a call open."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="nox -s page installs it").Axe()
    page = open_page(used.url, color_scheme=scheme, viewport={"width": width, "height": 844})
    page.click("#course-table summary")
    screenshot(page, f"{scheme}-{width}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [] == found_by(axe, page)
    page.click("[data-call]")
    page.wait_for_selector("dialog[open]")
    page.click("#call-body summary")
    assert page.evaluate("document.querySelector('dialog').scrollWidth") <= width
    assert [] == found_by(axe, page)


def found_by(axe: Any, page: Any) -> list[str]:
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in axe.run(page).response["violations"]]


def test_dark_is_chosen_by_hand(used: Served, open_page: Open) -> None:
    """The button changes the colours, of the chart too, and the choice is kept."""
    page = open_page(used.url, color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.click("#theme")
    assert light != (dark := page.evaluate(ground))
    page.reload()
    page.wait_for_selector("#live[data-state=live]")
    assert dark == page.evaluate(ground)


def test_the_chart_is_drawn(used: Served, open_page: Open) -> None:
    """There is something on the canvas, and the table beside it has the same in figures."""
    page = open_page(used.url)
    assert page.evaluate(
        """() => {
            const { width, height } = document.getElementById("course");
            const { data } = document.getElementById("course").getContext("2d").getImageData(0, 0, width, height);
            return data.some((value) => value > 0);
        }"""
    )
    page.click("#course-table summary")
    assert "gpt-4o-2024-08-06" in shown(page, "#course-table table")
    assert "gpt-4o" in page.inner_text("#course-summary")


def test_a_locked_receiver_asks_for_the_key(tmp_path: Path, browser: Any) -> None:
    """Where there is a key the page asks for it, and shows nothing before."""
    with receiver(tmp_path / "ledger.sqlite3", "--key", KEY) as url:
        page = browser.new_page()
        page.goto(url)
        page.wait_for_selector("#gate:not([hidden])")
        assert page.is_hidden("#content")
        page.fill("#key", "wrong")
        page.keyboard.press("Enter")
        page.wait_for_function("() => document.getElementById('wrong').innerText.includes('not the key')")
        page.fill("#key", KEY)
        page.keyboard.press("Enter")
        page.wait_for_selector("#nothing:not([hidden])")
        page.close()
