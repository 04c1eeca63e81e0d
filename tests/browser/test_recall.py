"""A recall as people make it: from the alertgroup's way, by keyboard, in light and dark, without script, when small."""

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import WAIT_MS, Desk, Open
from browser.test_looks import RULES


@pytest.fixture(scope="module")
def configuration() -> str:
    return """
[destinations.partner]
type = "dummy"

[destinations.secret]
type = "dummy"
clearance = "clear"
"""


def sent(desk: Desk, page: Page, group: int) -> None:
    """Wait until everybody who gets it has it."""
    expect(page.locator("#way")).to_contain_text("partner: delivered", timeout=WAIT_MS)
    expect(page.locator("#way")).to_contain_text("idea_log: delivered", timeout=WAIT_MS)
    expect(page.locator("#way")).to_contain_text("secret: withheld", timeout=WAIT_MS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_who_has_it_is_told_and_the_page_says_who_must_be_told_by_hand(
    desk: Desk, open_page: Open, axe: str, scheme: str
) -> None:
    group = desk.post(subject="beacon from 10.1.2.3", tlp="green")
    page = open_page(f"/alerts/{group}", color_scheme=scheme)
    sent(desk, page, group)
    page.get_by_role("link", name="Recall it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Recall alertgroup {group}")
    for lane, words in (("partner", "will be told"), ("text_log", "tell them yourself"), ("secret", "never got it")):
        expect(page.get_by_role("row", name=lane)).to_contain_text(words)
    page.evaluate(axe)
    found = page.evaluate(f"() => axe.run(document, {RULES})")
    assert [f"{broken['id']}: {[node['html'] for node in broken['nodes']][:3]}" for broken in found["violations"]] == []

    page.get_by_label("Why").fill("a test of ours")
    page.get_by_role("button", name="Recall").click()
    expect(page.locator("#notice")).to_contain_text(
        "Recalled: 2 will be told; tell text_log yourself.", timeout=WAIT_MS
    )
    expect(page.locator("#way")).to_contain_text("Recalled by admin", timeout=WAIT_MS)
    expect(page.locator("#way")).to_contain_text("partner, recall: delivered", timeout=WAIT_MS)


def test_without_script_and_a_mouse_it_works_the_same(desk: Desk, open_page: Open) -> None:
    group = desk.post(subject="another beacon", tlp="green")
    sent(desk, open_page(f"/alerts/{group}"), group)
    page = open_page(f"/alerts/{group}/recall", java_script_enabled=False)
    page.get_by_label("From partner").focus()
    page.keyboard.press("Space")
    page.get_by_label("Why").focus()
    page.keyboard.type("named the wrong host")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.locator("#notice")).to_contain_text("1 will be told; tell text_log yourself", timeout=WAIT_MS)
    expect(page.locator("#way")).to_contain_text("Recalled from idea_log, secret, text_log by admin", timeout=WAIT_MS)
    expect(page.locator("#way")).not_to_contain_text("partner, recall")


def test_on_a_narrow_screen_nothing_runs_off_it(desk: Desk, open_page: Open) -> None:
    group = desk.post(subject="beacon " * 40, tlp="green")
    page = open_page(f"/alerts/{group}/recall", viewport={"width": 360, "height": 450})

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
