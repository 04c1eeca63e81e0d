"""Everything by keyboard alone."""

from playwright.sync_api import expect

from browser.conftest import Desk, Open


def test_triage_without_a_mouse(desk: Desk, open_page: Open) -> None:
    groups = [desk.post(subject=f"by keyboard {n}", data=[{"n": n} for n in range(3)]) for n in range(3)]
    page = open_page("/alerts")

    page.keyboard.press("j")
    expect(page.locator("#detail h1")).to_have_text("by keyboard 2")
    page.keyboard.press("j")
    expect(page.locator("#detail h1")).to_have_text("by keyboard 1")
    page.keyboard.press("k")
    expect(page.locator("#detail h1")).to_have_text("by keyboard 2")
    page.keyboard.press("c")
    expect(page.locator("#counts")).to_contain_text("0 open, 3 closed")
    page.keyboard.press("z")
    expect(page.locator("#counts")).to_contain_text("3 open, 0 closed")
    page.keyboard.press("Enter")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#picked")).to_have_text("1 selected")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator("#picked")).to_have_text("2 selected")
    page.keyboard.press("c")
    expect(page.locator("#counts")).to_contain_text("1 open, 2 closed")
    page.keyboard.press("o")
    expect(page.locator("#counts")).to_contain_text("3 open, 0 closed")
    page.keyboard.press("Control+a")
    expect(page.locator("#close")).to_contain_text("Close 3 selected")
    page.keyboard.press("Escape")
    expect(page.locator("#close")).to_contain_text("Close all")
    page.keyboard.press("Escape")
    expect(page.locator(f"#g{groups[2]} a.subject")).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator("#detail h1")).to_have_text("by keyboard 1")
    assert desk.counts(groups[2]) == (3, 0)


def test_enter_shows_the_alert_under_the_cursor(desk: Desk, open_page: Open) -> None:
    group = desk.post(data=[{"n": "first"}, {"n": "second"}])
    page = open_page(f"/alerts/{group}")

    page.keyboard.press("x")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#record dd")).to_have_text(["second"])


def test_search_help_and_typing_do_not_get_in_each_others_way(desk: Desk, open_page: Open) -> None:
    group = desk.post(subject="cozy fox")
    page = open_page(f"/alerts/{group}")

    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("cozy")
    expect(page.locator("#search")).to_have_value("cozy")
    assert desk.counts(group) == (2, 0)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("c")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    assert desk.counts(group) == (2, 0)


def test_every_control_can_be_reached_with_tab_and_shows_where_the_focus_is(desk: Desk, open_page: Open) -> None:
    group = desk.post(subject="tabbed")
    page = open_page(f"/alerts/{group}")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        here = page.evaluate(
            """() => {
                const it = document.activeElement;
                const style = getComputedStyle(it);
                const seen = parseFloat(style.outlineWidth) > 0 && style.outlineStyle !== "none";
                const name = it.id || it.name || it.textContent.trim().slice(0, 30) || it.localName;
                return [it === document.body ? "body" : name, seen];
            }"""
        )
        if here[0] == "body":
            break
        reached.add(here[0])
        assert here[1], f"no visible focus on {here[0]}"
    assert {"close", "open", "search", "theme", "add-tag", "Original"} <= reached
