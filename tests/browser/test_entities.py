"""Entities on the pages: marked where they stand, a panel beside them, by mouse, by keyboard and without script."""

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import Desk, Open

MARKS = "#rows tbody tr[data-id] a.en"
RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}"
ROW = {
    "src": "10.20.4.17", "url": "hxxp://cdn-upd8[.]example[.]com/gate?x=1", "mail": "joe@evil.com",
    "file": "invoice.pdf.exe", "hash": "d41d8cd98f00b204e9800998ecf8427e", "cve": "CVE-2021-44228",
}  # fmt: skip


def counted(page: Page) -> Page:
    """The page once its alertgroup is indexed."""
    expect(page.locator("#entities dl.kinds")).to_have_count(1)
    return page


def tab_stops(page: Page, where: str) -> int:
    found: int = page.locator(where).evaluate(
        "it => [...it.querySelectorAll('a, button')].filter(x => x.tabIndex >= 0).length"
    )
    return found


def test_a_click_on_a_mark_shows_what_is_known_of_it_beside_it(desk: Desk, open_page: Open) -> None:
    others = [desk.post(subject=f"Earlier {n}", data=[{"src": "10.20.4.17"}]) for n in range(2)]
    group = desk.post(subject="Beacon to cdn-upd8[.]example[.]com", data=[ROW])
    page = counted(open_page(f"/alerts/{group}"))
    mark = page.locator(MARKS).first
    expect(mark).to_have_text("10.20.4.17")
    expect(mark).to_have_attribute("title", "IPv4 address, own network, seen in 2 other alertgroups")
    expect(mark).to_have_attribute("data-n", "2")

    mark.click()
    panel = page.locator("#entity")
    expect(panel).to_be_visible()
    expect(panel).to_contain_text("10[.]20[.]4[.]17")
    expect(panel).to_contain_text("3 in 3 alertgroups")
    expect(panel.get_by_role("heading")).to_contain_text("2 other alertgroups")
    assert panel.locator("ol a").all_inner_texts() == ["Earlier 1", "Earlier 0"]
    assert panel.evaluate("it => it.contains(document.activeElement)")
    page.keyboard.press("c")
    assert desk.counts(group) == (1, 0)
    panel.get_by_role("button", name="Copy defanged").click()
    expect(panel.get_by_role("button", name="Copy defanged")).to_contain_text("copied")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page).to_have_url(f"{desk.url}/alerts/{group}")

    page.locator("#subject a.en").click()
    expect(panel).to_contain_text("domain, not own")
    panel.get_by_role("link", name="its own page").click()
    expect(page.get_by_label("Address, name, hash")).to_have_value("cdn-upd8.example.com")
    page.get_by_label("Address, name, hash").fill("10[.]20[.]4[.]17")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Earlier 0").click()
    expect(page).to_have_url(f"{desk.url}/alerts/{others[0]}")


def test_the_arrow_keys_go_along_the_entities_of_a_row(desk: Desk, open_page: Open) -> None:
    group = desk.post(subject="keys", data=[ROW, {"src": "plain"}, {"src": "10.0.0.9"}])
    page = counted(open_page(f"/alerts/{group}"))
    panel, here = page.locator("#entity"), page.locator("a.en.here")
    assert tab_stops(page, "#rows tbody tr[data-id] td:nth-child(n+4)" + " >> nth=0") == 0

    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    expect(here).to_have_text("10.20.4.17")
    expect(page.get_by_role("grid")).to_have_attribute("aria-activedescendant", "entity-here")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(here).to_have_text("cdn-upd8[.]example[.]com")
    page.keyboard.press("Enter")
    expect(panel).to_contain_text("cdn-upd8.example.com")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    page.keyboard.press("ArrowLeft")
    expect(here).to_have_text("hxxp://")
    page.keyboard.press("j")
    expect(here).to_have_count(0)
    page.keyboard.press("ArrowRight")
    expect(here).to_have_count(0)
    page.keyboard.press("j")
    page.keyboard.press("ArrowRight")
    expect(here).to_have_text("10.0.0.9")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.locator("#record")).to_contain_text("10.0.0.9")
    assert tab_stops(page, "#record") == 1


def test_rows_that_were_fetched_are_marked_like_the_first_and_their_text_is_whole(desk: Desk, open_page: Open) -> None:
    texts = [f"from 10.0.{n // 256}.{n % 256} to <b>evil{n}.com</b>\u202e" for n in range(2000)]
    group = desk.post(
        subject="many", data=[{"n": n, "text": text, "list": [text, "x"]} for n, text in enumerate(texts)]
    )
    page = counted(open_page(f"/alerts/{group}"))

    page.keyboard.press("Enter")
    page.keyboard.press("End")
    last = page.locator("tr[aria-rowindex='2001'][data-id]")
    expect(last).to_have_count(1)
    assert last.locator("td").nth(4).evaluate("it => it.textContent") == texts[-1]
    assert last.locator("td").nth(5).evaluate("it => it.textContent") == f"{texts[-1]}, x"
    assert last.locator("a.en").all_inner_texts() == ["10.0.7.207", "evil1999.com"] * 2
    assert last.locator("a.en").first.evaluate("it => it.tabIndex") == -1
    heights = page.locator("#rows tbody tr[data-id]").evaluate_all(
        "all => all.map(it => it.getBoundingClientRect().height)"
    )
    assert len(set(heights)) == 1
    last.locator("a.en").nth(1).click()
    expect(page.locator("#entity")).to_contain_text("evil1999[.]com")


def test_hostile_entities_are_text_in_the_panel_too(desk: Desk, open_page: Open) -> None:
    text = "http://evil.com/'\"><img/src=x/onerror=alert(1)>\u202e"
    group = desk.post(subject=text, data=[{"a": text}] * 120)
    page = counted(open_page(f"/alerts/{group}"))

    page.locator(MARKS).first.click()
    expect(page.locator("#entity")).to_contain_text("hxxp://evil[.]com/")
    assert page.locator("#entity img, #rows img, h1 img").count() == 0
    assert page.locator("#subject").evaluate("it => it.textContent") == text


def test_without_script_a_mark_leads_to_a_page_that_says_the_same(desk: Desk, open_page: Open) -> None:
    group = desk.post(subject="no script", data=[ROW])
    counted(open_page(f"/alerts/{group}"))
    page = open_page(f"/alerts/{group}", java_script_enabled=False)

    page.locator(MARKS).first.click()
    expect(page).to_have_url(f"{desk.url}/entity?type=ipv4&value=10.20.4.17")
    expect(page.locator("main")).to_contain_text("Sightings")
    page.get_by_role("link", name="no script").click()
    page.get_by_role("link", name="all 8").click()
    expect(page.locator("main")).to_contain_text("MD5 hash")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_of_it_stands_in_anybodys_way(desk: Desk, open_page: Open, axe: str, scheme: str) -> None:
    desk.post(subject="earlier", data=[ROW])
    group = desk.post(
        subject="Beacon to cdn-upd8[.]example[.]com", data=[ROW, {"key": r"HKLM\Software\x", "technique": "T1059.001"}]
    )
    page = counted(open_page(f"/alerts/{group}", color_scheme=scheme))
    page.evaluate(axe)
    page.locator("#rows tbody tr").first.hover()
    wrong = page.evaluate(f"axe.run({RULES})")["violations"]
    page.keyboard.press("x")
    page.keyboard.press("Enter")
    expect(page.locator("#record a.en").first).to_be_visible()
    page.locator(MARKS).first.click()
    expect(page.locator("#entity")).to_be_visible()
    wrong += page.evaluate(f"axe.run({RULES})")["violations"]
    for path in ("/entity?value=10.20.4.17+evil.com+192.0.2.250", "/entity", f"/alerts/{group}/entities"):
        page.goto(path)
        page.wait_for_selector("#live.on")
        page.evaluate(axe)
        wrong += page.evaluate(f"axe.run({RULES})")["violations"]
    assert [(one["id"], one["nodes"][0]["html"], one["nodes"][0]["failureSummary"]) for one in wrong] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
