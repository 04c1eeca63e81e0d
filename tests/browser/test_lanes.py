"""Lanes in a browser: by keyboard and without script, readable for everybody, and moving while one looks on."""

import pytest
from playwright.sync_api import expect

from browser.conftest import Desk, Open

RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}"


@pytest.fixture(scope="module")
def configuration() -> str:
    return '[destinations.chat]\ntype = "dummy"\nrefuse = 1\n'


def parked(desk: Desk, count: int) -> None:
    """Post so many more, and wait until they are parked."""
    with desk.server.client("viewer") as client:
        before = client.get("/api/v2/lane/chat").json()["failed"]
        for number in range(count):
            desk.post(subject=f"number {number}")
        while client.get("/api/v2/lane/chat").json()["failed"] < before + count:
            pass


def test_a_person_tests_mends_drains_and_pauses_a_lane_without_script(desk: Desk, open_page: Open) -> None:
    parked(desk, 3)
    page = open_page("/flow", java_script_enabled=False)
    page.get_by_role("link", name="chat").click()
    page.get_by_role("button", name="Send a test").click()
    expect(page.locator("main .note")).to_contain_text("The destination refused the test")
    page.locator("tbody th a").first.click()
    page.get_by_label("Subject").fill("Mended")
    page.get_by_role("button", name="Send again").click()
    expect(page.locator("main .note")).to_contain_text("The subject is changed. It is sent again now.")
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Drop the selected").click()
    expect(page.locator("main .note")).to_contain_text("1 delivery is dropped")
    page.get_by_role("button", name="Drain all").click()
    expect(page.locator("main .note")).to_contain_text("written to the file and settled")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the file").click()
    assert download.value.suggested_filename == "chat.jsonl"
    page.get_by_role("button", name="Remove the file").click()
    expect(page.locator("main .note")).to_contain_text("The file is removed.")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


def test_the_table_of_lanes_moves_while_one_looks_on(desk: Desk, open_page: Open) -> None:
    page = open_page("/lanes")
    cell = page.get_by_role("row", name="chat").locator("td").nth(4)
    before = int(cell.inner_text())
    desk.post(subject="one more")
    expect(cell).to_have_text(str(before + 1))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_lanes_stand_in_nobodys_way(desk: Desk, open_page: Open, axe: str, scheme: str) -> None:
    parked(desk, 2)
    page = open_page("/lanes", color_scheme=scheme)
    wrong = []
    for path in ("/lanes", "/lanes/chat", "/lanes/text_log"):
        page.goto(path)
        page.evaluate(axe)
        wrong += page.evaluate(f"axe.run({RULES})")["violations"]
    page.goto("/lanes/chat")
    page.locator("tbody th a").first.click()
    page.wait_for_selector("#subject")
    page.evaluate(axe)
    wrong += page.evaluate(f"axe.run({RULES})")["violations"]
    assert [(one["id"], one["nodes"][0]["html"], one["nodes"][0]["failureSummary"]) for one in wrong] == []
    page.set_viewport_size({"width": 400, "height": 800})
    for path in ("/lanes", "/lanes/chat", page.url):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
