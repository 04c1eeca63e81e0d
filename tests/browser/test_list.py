"""The list of alertgroups: choosing, filtering, sorting, and what arrives while one looks on."""

import re

from playwright.sync_api import Page, expect

from browser.conftest import Desk, Open

LINES = "#groups tr[data-id]"


def subjects(page: Page) -> list[str]:
    return page.locator(f"{LINES} a.subject").all_inner_texts()


def test_an_empty_list_shows_the_line_that_sends_the_first_alert_and_then_the_alert(
    desk: Desk, open_page: Open
) -> None:
    page = open_page("/alerts")
    expect(page.locator("pre.curl")).to_contain_text(f"curl -X POST {desk.url}/scot/api/v2/alertgroup")

    desk.post(subject="the very first")
    expect(page.locator(f"{LINES} a.subject")).to_have_text(["the very first"])
    expect(page.locator("pre.curl")).to_have_count(0)


def test_what_arrives_stands_at_the_top_without_a_reload(desk: Desk, open_page: Open) -> None:
    desk.post(subject="stood here")
    page = open_page("/alerts")
    page.evaluate("window.notReloaded = true")

    desk.post(subject="arrived while looking", data=[{"a": 1}] * 3)
    expect(page.locator(f"{LINES} a.subject").first).to_have_text("arrived while looking")
    expect(page.locator(LINES).first).to_contain_text("3/0/0")
    expect(page.locator("#balance")).to_contain_text("received")
    expect(page.locator(f"{LINES} .sent").first).to_contain_text("✓ 2")
    assert page.evaluate("window.notReloaded")


def test_what_arrives_waits_at_the_top_for_one_who_has_scrolled_down(desk: Desk, open_page: Open) -> None:
    for n in range(40):
        desk.post(subject=f"filler {n}")
    page = open_page("/alerts")
    scroller = page.locator("#list .scroller")
    scroller.evaluate("it => it.scrollTo(0, 300)")
    before = subjects(page)

    for n in range(3):
        desk.post(subject=f"waiting {n}")
    expect(page.locator("#news")).to_have_text("3 new")
    assert subjects(page) == before
    assert scroller.evaluate("it => it.scrollTop") == 300
    page.locator("#news").click()
    expect(page.locator(f"{LINES} a.subject").first).to_have_text("waiting 2")
    expect(page.locator("#news")).to_be_hidden()
    assert subjects(page)[:3] == ["waiting 2", "waiting 1", "waiting 0"]


def test_what_the_filter_leaves_out_does_not_arrive(desk: Desk, open_page: Open) -> None:
    page = open_page("/alerts?tag=wanted")

    desk.post(subject="left out", tag=["other"])
    desk.post(subject="let in", tag=["wanted"])
    expect(page.locator(f"{LINES} a.subject")).to_have_text(["let in"])


def test_the_fields_under_the_headers_write_into_the_query(desk: Desk, open_page: Open) -> None:
    desk.post(subject="Heron over the lake", tag=["bird"], source=["camera"])
    desk.post(subject="Heron in the reeds", tag=["bird", "test"], source=["camera"])
    desk.indexed("subject:heron", 2)
    page = open_page("/alerts")

    page.get_by_label("Filter by words of the subject").fill("hero")
    expect(page.locator(LINES)).to_have_count(2)
    expect(page.locator("#match")).to_have_text("2 alertgroups match")
    expect(page.locator("#search")).to_have_value("subject:hero*")
    page.get_by_label("Filter by tag").fill("!test")
    expect(page.locator(f"{LINES} a.subject")).to_have_text(["Heron over the lake"])
    page.get_by_label("Filter by status").select_option("open")
    expect(page).to_have_url(re.compile(r"/alerts\?q=subject%3Ahero%2A\+and\+not\+tag%3Atest\+and\+status%3Aopen$"))
    page.reload()
    expect(page.locator(f"{LINES} a.subject")).to_have_text(["Heron over the lake"])
    expect(page.get_by_label("Filter by tag")).to_have_value("!test")
    page.locator(f"{LINES} a.subject").click()
    expect(page.locator("#detail h1")).to_have_text("Heron over the lake")
    expect(page).to_have_url(re.compile(r"/alerts/\d+\?q=subject"))
    page.get_by_label("Filter by words of the subject").fill("nothing is called so")
    expect(page.locator("#groups")).to_contain_text("No alertgroup matches")
    expect(page.locator("#detail h1")).to_have_text("Heron over the lake")
    expect(page.get_by_label("Filter by words of the subject")).to_be_focused()


def test_the_fields_follow_the_query(desk: Desk, open_page: Open) -> None:
    page = open_page("/alerts?status=open&tag=bird")
    search, status = page.locator("#search"), page.get_by_label("Filter by status")
    expect(search).to_have_value("status:open and tag:bird")

    search.fill("tag:fish and status:(open or closed) and received>=now-1h")
    search.press("Enter")
    expect(page.get_by_label("Filter by tag")).to_have_value("fish")
    expect(status).to_have_value("…")
    expect(page.locator(".range summary")).to_contain_text("last hour")
    expect(page).to_have_url(re.compile("q=tag%3Afish"))
    status.select_option("closed")
    expect(search).to_have_value("tag:fish and status:closed and received>=now-1h")
    search.fill("x")
    search.press("Enter")
    expect(status).to_have_value("")
    expect(page).to_have_url(re.compile(r"\?q=x$"))
    page.go_back()
    expect(search).to_have_value("tag:fish and status:closed and received>=now-1h")


def test_a_time_range_is_typed_in_the_readers_time_and_kept_in_utc(desk: Desk, open_page: Open) -> None:
    desk.post(subject="received just now")
    page = open_page("/alerts", timezone_id="Asia/Tokyo")
    page.locator(".range summary").click()
    page.get_by_label("received from").fill("2020-01-01T09:30")
    expect(page.locator("#search")).to_have_value("received>=2020-01-01T00:30:00Z")
    expect(page).to_have_url(re.compile(r"q=received%3E%3D2020-01-01T00%3A30%3A00Z"))
    expect(page.locator(f"{LINES} a.subject").first).to_have_text("received just now")
    page.reload()
    page.locator(".range summary").click()
    expect(page.get_by_label("received from")).to_have_value(re.compile("^2020-01-01T09:30"))
    page.get_by_role("button", name="last hour").click()
    expect(page).to_have_url(re.compile(r"\?q=received%3E%3Dnow-1h$"))
    expect(page.locator(".range summary")).to_contain_text("last hour")
    page.locator(".range summary").click()
    page.get_by_role("button", name="any time").click()
    expect(page).to_have_url(f"{desk.url}/alerts")


def test_a_heading_sorts_and_says_so(desk: Desk, open_page: Open) -> None:
    for subject, rows in (("zebra", 2), ("aardvark", 9), ("mole", 5)):
        desk.post(subject=subject, tag=["sorted"], data=[{"n": 1}] * rows)
    page = open_page("/alerts?tag=sorted")
    assert subjects(page) == ["mole", "aardvark", "zebra"]

    page.get_by_role("button", name="Alertgroup", exact=True).click()
    expect(page.locator(f"{LINES} a.subject")).to_have_text(["aardvark", "mole", "zebra"])
    expect(page.locator('th[aria-sort="ascending"]')).to_have_text("Alertgroup")
    page.get_by_role("button", name="Rows").click()
    expect(page.locator(f"{LINES} a.subject")).to_have_text(["aardvark", "mole", "zebra"])
    expect(page.locator('th[aria-sort="descending"]')).to_have_text("Rows")
    page.get_by_role("button", name="Rows").click()
    expect(page.locator(f"{LINES} a.subject")).to_have_text(["zebra", "mole", "aardvark"])
    expect(page).to_have_url(re.compile(r"q=tag%3Asorted&sort=alert_count$"))


def test_the_list_goes_on_when_its_end_comes_in_sight(desk: Desk, open_page: Open) -> None:
    for n in range(120):
        desk.post(subject=f"page filler {n}", tag=["long"])
    page = open_page("/alerts?tag=long")
    expect(page.locator("#match")).to_have_text("120 alertgroups match")

    while page.locator(LINES).count() < 120:
        count = page.locator(LINES).count()
        page.locator("#list .scroller").evaluate("it => it.scrollTo(0, it.scrollHeight)")
        page.wait_for_function("n => document.querySelectorAll('#groups tr[data-id]').length > n", arg=count)
    assert subjects(page) == [f"page filler {n}" for n in reversed(range(120))]
    assert page.locator("#more").count() == 0


def test_choosing_changes_the_address_and_back_returns(desk: Desk, open_page: Open) -> None:
    first, second = desk.post(subject="chosen first"), desk.post(subject="chosen second")
    page = open_page("/alerts")

    page.locator(f"#g{first} a.subject").click()
    expect(page.locator("#detail h1")).to_have_text("chosen first")
    page.locator(f"#g{second} td.when").click()
    expect(page.locator("#detail h1")).to_have_text("chosen second")
    expect(page).to_have_url(f"{desk.url}/alerts/{second}")
    expect(page).to_have_title("chosen second · Alerts · Tocsin")
    expect(page.locator(f"#g{second} a.subject")).to_have_attribute("aria-current", "true")
    page.go_back()
    expect(page.locator("#detail h1")).to_have_text("chosen first")
