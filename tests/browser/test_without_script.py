"""Reading, opening, closing and signing in work without any script."""

import re

from playwright.sync_api import expect

from browser.conftest import PASSWORD, Desk, Open


def test_signing_in_reading_closing_and_undoing_without_script(desk: Desk, open_page: Open) -> None:
    with desk.server.client("admin") as admin:
        made = admin.post("/api/v2/user", json={"name": "noscript", "password": PASSWORD, "role": "analyst"})
        assert made.status_code == 200, made.text
    group = desk.post(subject="no script needed", data=[{"n": n} for n in range(3)])
    page = open_page(f"/alerts/{group}", signed_in=False, java_script_enabled=False)

    page.get_by_label("Name").fill("noscript")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#detail h1")).to_have_text("no script needed")
    assert page.locator("#rows tbody tr").count() == 3
    page.get_by_role("checkbox").nth(1).check()
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator("#counts")).to_contain_text("2 open, 1 closed")
    assert page.locator("#rows tbody .st").all_inner_texts() == ["open", "closed", "open"]
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#counts")).to_contain_text("3 open, 0 closed")
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator("#counts")).to_contain_text("0 open, 3 closed")
    page.get_by_role("button", name="Open").click()
    expect(page.locator("#counts")).to_contain_text("3 open, 0 closed")
    page.get_by_label("Add a tag").fill("plain")
    page.keyboard.press("Enter")
    expect(page.locator("#labels")).to_contain_text("plain")
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{desk.url}/sign-in")


def test_filtering_sorting_and_paging_without_script(desk: Desk, open_page: Open) -> None:
    for n in range(60):
        desk.post(subject=f"plain page {n:02}", tag=["paged"])
    page = open_page("/alerts", java_script_enabled=False)

    page.get_by_label("Filter by tag").fill("paged")
    page.keyboard.press("Enter")
    expect(page.locator("#match")).to_have_text("60 alertgroups match")
    page.get_by_role("button", name="Alertgroup", exact=True).click()
    expect(page.locator("a.subject").first).to_have_text("plain page 00")
    expect(page.get_by_label("Filter by tag")).to_have_value("paged")
    page.get_by_role("link", name="Next 50").click()
    expect(page.locator("a.subject")).to_have_count(10)
    expect(page).to_have_url(re.compile("after="))


def test_the_rows_behind_the_first_hundred_and_one_alert_in_full_without_script(desk: Desk, open_page: Open) -> None:
    group = desk.post(subject="many rows", data=[{"n": n} for n in range(150)])
    page = open_page(f"/alerts/{group}", java_script_enabled=False)

    page.get_by_role("link", name="Next rows").click()
    expect(page.locator("#rows tbody tr")).to_have_count(50)
    page.locator("#rows tbody a").first.click()
    expect(page.locator("#record dd")).to_have_text(["100"])
