"""The search box: what it offers, what it says of mistakes, and what it lets in while one looks on."""

import re

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import Desk, Open
from browser.test_looks import RULES

LINES = "#groups tr[data-id]"


def offers(page: Page) -> list[str]:
    expect(page.locator("#offers")).to_be_visible()
    return page.locator("#offers li bdi").all_inner_texts()


def test_fields_then_values_are_offered_and_taken_by_keyboard(desk: Desk, open_page: Open) -> None:
    desk.post(subject="offered", tag=["two words", "twofold"])
    page = open_page("/alerts")
    search = page.locator("#search")

    page.keyboard.press("/")
    expect(search).to_be_focused()
    expect(page.locator("#offers")).to_be_hidden()
    page.keyboard.type("ta")
    assert offers(page)[0] == "tag:"
    expect(search).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Tab")
    expect(search).to_have_value("tag:")
    expect(page.locator("#offers li")).to_have_text(['"two words"', "twofold"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(search).to_have_attribute("aria-activedescendant", "offer-1")
    expect(page.locator('#offers [aria-selected="true"]')).to_have_text("twofold")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(search).to_have_value('tag:"two words" ')
    expect(page.locator("#offers")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"q=tag%3A%22two\+words%22$"))
    expect(page.locator(f"{LINES} a.subject")).to_have_text(["offered"])


def test_offers_are_taken_by_mouse_in_the_middle_of_the_text(desk: Desk, open_page: Open) -> None:
    page = open_page("/alerts")
    search = page.locator("#search")

    search.fill("é𝄞 and stat and x")
    for _ in range(len(" and x")):
        page.keyboard.press("ArrowLeft")
    page.keyboard.type("u")
    page.locator("#offers li", has_text="status:").first.click()
    expect(search).to_have_value("é𝄞 and status: and x")
    page.locator("#offers li", has_text="open").first.click()
    expect(search).to_have_value("é𝄞 and status:open and x")
    expect(search).to_be_focused()


def test_escape_lets_the_offers_go_first_and_the_box_then(desk: Desk, open_page: Open) -> None:
    page = open_page("/alerts")
    search = page.locator("#search")

    search.press_sequentially("stat")
    expect(page.locator("#offers")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#offers")).to_be_hidden()
    expect(search).to_be_focused()
    page.keyboard.press("Escape")
    expect(search).not_to_be_focused()
    search.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#offers")).to_be_visible()
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#offers")).to_be_hidden()


def test_a_wrong_query_is_told_where_and_the_last_list_stays(desk: Desk, open_page: Open) -> None:
    desk.post(subject="still here", tag=["kept"])
    page = open_page("/alerts?q=tag:kept")
    search = page.locator("#search")

    search.fill("tag:kept and sorce:x")
    search.press("Enter")
    expect(page.locator("#trouble")).to_contain_text("did you mean source?")
    expect(page.locator("#trouble mark")).to_have_text("s")
    expect(search).to_have_attribute("aria-invalid", "true")
    expect(page.locator(f"{LINES} a.subject")).to_have_text(["still here"])
    expect(page).to_have_url(re.compile("q=tag:kept$"))
    search.fill("tag:kept and not source:x")
    search.press("Enter")
    expect(page.locator("#trouble .trouble")).to_have_count(0)
    expect(search).not_to_have_attribute("aria-invalid", "true")
    expect(page).to_have_url(re.compile("not"))
    page.get_by_label("Filter by id").fill("five")
    expect(page.locator("#trouble")).to_contain_text("'five' is not an id")
    expect(page.locator(f"{LINES} a.subject")).to_have_text(["still here"])


def test_a_tag_source_or_status_of_the_list_is_added_to_the_search(desk: Desk, open_page: Open) -> None:
    desk.post(subject="first of two", tag=['say "hi"', "both"], source=["here"])
    desk.post(subject="second of two", tag=["both"], source=["there"])
    page = open_page("/alerts?q=tag:both or tag:none")
    search, subjects = page.locator("#search"), page.locator(f"{LINES} a.subject")

    page.locator("#groups .tag", has_text="say").click(modifiers=["Alt"])
    expect(search).to_have_value('(tag:both or tag:none) and tag:"say \\"hi\\""')
    expect(subjects).to_have_text(["first of two"])
    search.fill("tag:both")
    search.press("Enter")
    expect(subjects).to_have_count(2)
    page.locator("#groups .meta > bdi", has_text="there").click(modifiers=["Alt", "Shift"])
    expect(search).to_have_value('tag:both and not source:"there"')
    expect(subjects).to_have_text(["first of two"])
    page.locator("#groups .st").first.click(modifiers=["Alt"])
    expect(page).to_have_url(re.compile("status%3Aopen$"))
    expect(page.get_by_label("Filter by status")).to_have_value("open")


@pytest.mark.parametrize("query", ["newly", "src:203.0.113.0/24", "entity:203.0.113.99"])
def test_what_arrives_is_let_in_by_a_query_that_needs_the_index(desk: Desk, open_page: Open, query: str) -> None:
    page = open_page(f"/alerts?q={query} and tag:{query[:3]}")

    desk.post(subject="something else", tag=[query[:3]])
    desk.post(subject="newly come", tag=[query[:3]], data=[{"src_ip": "203.0.113.99"}])
    expect(page.locator(f"{LINES} a.subject")).to_have_text(["newly come"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_offers_and_troubles_stand_in_nobodys_way(desk: Desk, open_page: Open, axe: str, scheme: str) -> None:
    page = open_page("/alerts", color_scheme=scheme)
    search = page.locator("#search")

    search.fill("sorce:x")
    search.press("Enter")
    expect(page.locator("#trouble mark")).to_be_visible()
    search.fill("")
    search.press_sequentially("s")
    expect(page.locator("#offers")).to_be_visible()
    search.press("ArrowDown")
    page.evaluate(axe)
    found = page.evaluate(f"() => axe.run(document, {RULES})")
    assert [f"{broken['id']}: {[node['html'] for node in broken['nodes']][:3]}" for broken in found["violations"]] == []


def test_without_script_the_box_searches_and_the_fields_write_into_it(desk: Desk, open_page: Open) -> None:
    desk.post(subject="plainly found", tag=["plain"])
    page = open_page("/alerts", java_script_enabled=False)
    search = page.get_by_label("Search", exact=True)

    search.fill("tag:plain or tag:none")
    search.press("Enter")
    expect(page.locator("a.subject")).to_have_text(["plainly found"])
    page.get_by_label("Filter by status").select_option("open")
    search.press("Enter")
    expect(page).to_have_url(re.compile(r"\?q=%28tag%3Aplain\+or\+tag%3Anone%29\+and\+status%3Aopen$"))
    expect(search).to_have_value("(tag:plain or tag:none) and status:open")
    search.fill("tag:")
    search.press("Enter")
    expect(page.locator("#trouble")).to_contain_text("Something is missing at the end")
    expect(search).to_have_value("tag:")
