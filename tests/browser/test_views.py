"""Saved views and the query language in a browser: saved, counted while one looks on, changed, and without script."""

import re

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import WAIT_MS, Desk, Open
from browser.test_looks import RULES


def drop_all(desk: Desk, page: Page) -> None:
    """Each test begins without views of the person at the desk."""
    for one in page.request.get("/api/v2/view").json()["records"]:
        token = page.locator('input[name="csrf_token"]').first.get_attribute("value")
        assert token is not None
        gone = page.request.delete(f"/api/v2/view/{one['id']}", headers={"X-CSRF-Token": token})
        assert gone.ok, gone.text()


def test_the_query_of_the_list_is_saved_and_its_count_moves_while_one_looks_on(desk: Desk, open_page: Open) -> None:
    desk.post(subject="first", tag=["counted"])
    page = open_page("/alerts")
    drop_all(desk, page)
    page.reload()

    page.locator("#search").fill("tag:counted")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("q=tag"))
    page.locator("#views summary", has_text="+ save").click()
    page.get_by_label("Name").fill("Counted ones")
    page.get_by_role("button", name="Save", exact=True).click()
    link = page.locator("#views > a", has_text="Counted ones")
    expect(link).to_have_attribute("aria-current", "true")
    expect(page.locator("#search")).to_have_value("tag:counted")
    expect(link.locator("b")).to_have_text("1")

    desk.post(subject="second", tag=["counted"])
    expect(link.locator("b")).to_have_text("2", timeout=WAIT_MS)
    page.locator("#search").fill("tag:other")
    page.keyboard.press("Enter")
    expect(link).not_to_have_attribute("aria-current", "true")
    link.click()
    expect(page.locator("a.subject")).to_have_text(["second", "first"])


def test_the_sheets_close_with_escape_and_with_a_click_elsewhere(desk: Desk, open_page: Open) -> None:
    page = open_page("/alerts")
    summary = page.locator("#views summary", has_text="+ save")
    name = page.get_by_label("Name")

    summary.press("Enter")
    expect(name).to_be_focused()
    page.keyboard.press("Escape")
    expect(name).to_be_hidden()
    summary.click()
    expect(name).to_be_visible()
    page.locator("#balance").click(position={"x": 1, "y": 1})
    expect(name).to_be_hidden()


def test_a_view_is_saved_renamed_deleted_and_brought_back_without_script(desk: Desk, open_page: Open) -> None:
    drop_all(desk, open_page("/alerts"))
    page = open_page("/alerts?q=tag%3Aplain&sort=subject", java_script_enabled=False)

    page.locator("#views summary", has_text="+ save").click()
    page.get_by_label("Name").fill("Plain")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page).to_have_url(re.compile(r"q=tag%3Aplain&sort=subject"))
    page.locator("#views summary").first.click()
    page.get_by_role("link", name="Change or delete views").click()
    page.locator(".saved summary").click()
    page.get_by_label("Name").first.fill("Renamed")
    page.get_by_label("for everybody").first.check()
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.locator(".saved .name")).to_have_text("Renamed")
    expect(page.locator(".saved .tag")).to_have_text("shared")
    page.locator(".saved summary").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".saved")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".saved .name")).to_have_text("Renamed")


def test_an_example_of_the_language_is_asked_by_a_click(desk: Desk, open_page: Open) -> None:
    page = open_page("/alerts")
    page.keyboard.press("?")
    page.get_by_role("link", name="How to write a query").click()
    page.get_by_role("link", name="tag:(malware and test)").click()

    expect(page.locator("#search")).to_have_value("tag:(malware and test)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("what", ["alerts", "views", "query"])
def test_views_and_the_language_stand_in_nobodys_way(
    desk: Desk, open_page: Open, axe: str, scheme: str, what: str
) -> None:
    with desk.server.client("analyst") as analyst:
        for n in range(8):
            analyst.post("/api/v2/view", json={"name": f"Shared {n}", "query": f"tag:a{n}", "shared": True})
    page = open_page(f"/{what}", color_scheme=scheme)
    if what == "alerts":
        page.locator("#views summary").first.click()
    elif what == "views":
        page.locator("summary", has_text="New view").click()
    else:
        page.locator("summary").first.click()

    page.evaluate(axe)
    found = page.evaluate(f"() => axe.run(document, {RULES})")
    assert [(broken["id"], [node["html"] for node in broken["nodes"]][:3]) for broken in found["violations"]] == []


@pytest.mark.parametrize("path", ["/query", "/views", "/alerts"])
def test_at_twice_the_size_nothing_of_them_is_cut_off(desk: Desk, open_page: Open, path: str) -> None:
    page = open_page(path, viewport={"width": 360, "height": 450})

    expect(page.locator("#main")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
