"""The chosen alertgroup: opening, closing, labels, undo, and its way."""

from playwright.sync_api import Page, expect

from browser.conftest import Desk, Open

ROWS = "#rows tbody tr[data-id]"


def statuses(page: Page) -> list[str]:
    return page.locator(f"{ROWS} .st").all_inner_texts()


def test_closing_all_colours_rows_counts_and_list_at_once_and_undo_takes_it_back(desk: Desk, open_page: Open) -> None:
    group = desk.post(data=[{"n": n} for n in range(3)])
    page = open_page(f"/alerts/{group}")

    page.get_by_role("button", name="Close all").click()
    expect(page.locator("#notice")).to_contain_text("Closed 3 alerts.")
    expect(page.locator("#counts")).to_contain_text("0 open, 3 closed")
    expect(page.locator(f"#g{group} .st")).to_contain_text("0/3/0")
    assert statuses(page) == ["closed"] * 3
    assert desk.counts(group) == (0, 3)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#counts")).to_contain_text("3 open, 0 closed")
    assert statuses(page) == ["open"] * 3
    assert desk.counts(group) == (3, 0)


def test_undo_restores_what_was_mixed_before(desk: Desk, open_page: Open) -> None:
    group = desk.post(data=[{"n": n} for n in range(4)])
    page = open_page(f"/alerts/{group}")
    page.locator(ROWS).nth(1).click()
    page.get_by_role("button", name="Close 1 selected").click()
    expect(page.locator("#counts")).to_contain_text("3 open, 1 closed")
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Close all").click()
    expect(page.locator("#counts")).to_contain_text("0 open, 4 closed")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#counts")).to_contain_text("3 open, 1 closed")
    assert statuses(page) == ["open", "closed", "open", "open"]


def test_click_ctrl_and_shift_pick_rows_by_the_order_shown(desk: Desk, open_page: Open) -> None:
    group = desk.post(data=[{"n": n} for n in range(8)])
    page = open_page(f"/alerts/{group}")
    row = page.locator(ROWS)

    row.nth(2).locator("td").nth(3).click()
    row.nth(5).locator("td").nth(3).click(modifiers=["Shift"])
    expect(page.locator("#picked")).to_have_text("4 selected")
    row.nth(3).locator("td").nth(3).click(modifiers=["Control"])
    expect(page.locator("#picked")).to_have_text("3 selected")
    row.nth(7).get_by_role("checkbox").click()
    page.get_by_role("button", name="Close 4 selected").click()
    expect(page.locator("#counts")).to_contain_text("4 open, 4 closed")
    assert [n for n, status in enumerate(statuses(page)) if status == "closed"] == [2, 4, 5, 7]
    assert desk.counts(group) == (4, 4)


def test_tags_and_sources_come_and_go(desk: Desk, open_page: Open) -> None:
    group = desk.post(tag=["c2"], source=["ids"])
    page = open_page(f"/alerts/{group}")

    page.get_by_label("Add a tag").fill("urgent, seen")
    page.keyboard.press("Enter")
    expect(page.locator(f"#g{group} .tag")).to_have_text(["c2", "urgent", "seen"])
    page.get_by_label("Remove the tag c2").click()
    expect(page.locator(f"#g{group} .tag")).to_have_text(["urgent", "seen"])
    page.get_by_label("Add a source").fill("edge-2")
    page.keyboard.press("Enter")
    expect(page.locator(f"#g{group} .meta")).to_contain_text("ids, edge-2")
    page.locator("#history summary").click()
    expect(page.locator("#past tbody tr")).to_have_count(3)
    expect(page.locator("#past")).to_contain_text("admin")


def test_the_way_tells_where_it_went_with_receipts(desk: Desk, open_page: Open) -> None:
    group = desk.post(subject="on its way")
    page = open_page(f"/alerts/{group}")

    way = page.locator("#way li")
    expect(way).to_have_count(4)
    expect(way.nth(0)).to_contain_text("Received from rest test-sender")
    expect(way.nth(0)).to_contain_text("bytes kept, sha256")
    expect(way.nth(1)).to_contain_text("Read by scot 1: 2 alerts, 1 column")
    expect(way.nth(2)).to_contain_text("idea_log: delivered at the first attempt")
    expect(way.nth(2)).to_contain_text("alerts.json")
    expect(way.nth(3)).to_contain_text("text_log: delivered at the first attempt")


def test_what_somebody_else_does_shows_without_a_reload(desk: Desk, open_page: Open) -> None:
    group = desk.post(subject="shared work")
    page = open_page(f"/alerts/{group}")

    with desk.server.client("analyst") as colleague:
        assert colleague.put(f"/api/v2/alertgroup/{group}", json={"status": "closed"}).status_code == 200
    expect(page.locator("#counts")).to_contain_text("0 open, 2 closed")
    expect(page.locator(f"#g{group} .st")).to_contain_text("0/2/0")
    assert statuses(page) == ["closed", "closed"]


def test_news_take_away_neither_the_words_being_typed_nor_the_focus_nor_the_readers_time(
    desk: Desk, open_page: Open
) -> None:
    group = desk.post(subject="busy")
    page = open_page(f"/alerts/{group}", timezone_id="Asia/Tokyo")
    field = page.get_by_label("Add a tag")
    field.press_sequentially("half a wo")
    clock = page.locator("#way time").first.inner_text()
    page.evaluate("window.labels = document.querySelector('#labels')")

    with desk.server.client("analyst") as colleague:
        assert colleague.put(f"/api/v2/alertgroup/{group}", json={"status": "closed"}).status_code == 200
    expect(page.locator("#counts")).to_contain_text("0 open, 2 closed")
    field.press_sequentially("rd")
    expect(field).to_have_value("half a word")
    expect(field).to_be_focused()
    expect(page.locator("#way time").first).to_have_text(clock)
    assert page.evaluate("window.labels === document.querySelector('#labels')")


def test_one_alert_opens_in_full_and_the_original_is_shown(desk: Desk, open_page: Open) -> None:
    group = desk.post(columns=["src"], data=[{"src": "10.1.2.3", "hidden": "line one\nline two"}])
    page = open_page(f"/alerts/{group}")

    page.locator(ROWS).get_by_role("link").first.click()
    expect(page.locator("#record dd")).to_have_text(["10.1.2.3", "line one\nline two"])
    page.get_by_role("link", name="Original").click()
    expect(page.locator("pre.raw")).to_contain_text('"hidden": "line one\\nline two"'.replace(": ", ":"))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the bytes as they came").click()
    assert b"line one\\nline two" in download.value.path().read_bytes()


def test_times_are_the_readers_own(desk: Desk, open_page: Open) -> None:
    group = desk.post()
    here, there = (open_page(f"/alerts/{group}", timezone_id=zone) for zone in ("UTC", "Asia/Kolkata"))

    def hours(page: Page) -> int:
        clock = page.locator("#way time").first.inner_text().rpartition(" ")[2]
        return int(clock[:2]) * 60 + int(clock[3:5])

    assert (hours(there) - hours(here)) % 1440 == 330
