"""Light and dark, contrast, names and landmarks (axe-core), and 200 % zoom."""

import pytest
from playwright.sync_api import expect

from browser.conftest import Desk, Open

RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("what", ["list", "chosen", "flow", "quarantine", "original", "missing", "sign-in", "help"])
def test_nothing_stands_in_the_way_of_people_who_see_or_hear_or_move_differently(
    desk: Desk, open_page: Open, axe: str, scheme: str, what: str
) -> None:
    desk.post(subject="closed one", tag=["a"], data=[{"severity": "high", "n": None}])
    group = desk.post(
        subject="chosen", tag=["c2"], source=["ids"], data=[{"severity": "critical", "x": "a\u202eb"}] * 3
    )
    paths = {
        "chosen": f"/alerts/{group}",
        "original": f"/alerts/{group}/original",
        "list": "/alerts",
        "help": "/alerts",
    }
    if what == "missing":
        page = open_page("/alerts", color_scheme=scheme)
        page.goto(f"/alerts/{group}?status=closed")
    else:
        path = paths.get(what, f"/{what}")
        page = open_page(path, color_scheme=scheme, signed_in=what != "sign-in")
    if what == "chosen":
        page.keyboard.press("x")
        page.keyboard.press("c")
        expect(page.locator("#notice")).to_contain_text("Closed 1 alert.")
        page.locator("#history summary").click()
    if what == "help":
        page.keyboard.press("?")

    page.evaluate(axe)
    found = page.evaluate(f"() => axe.run(document, {RULES})")
    assert [
        f"{broken['id']}: {broken['help']}: {[node['html'] for node in broken['nodes']][:3]}"
        for broken in found["violations"]
    ] == []


def test_the_system_decides_between_light_and_dark_until_the_reader_does(desk: Desk, open_page: Open) -> None:
    page = open_page("/alerts", color_scheme="dark")
    paint = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paint) == "rgb(20, 22, 26)"

    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate(paint) == "rgb(247, 247, 245)"
    page.reload()
    assert page.evaluate(paint) == "rgb(247, 247, 245)"


@pytest.mark.parametrize("width", [720, 360])
def test_at_twice_the_size_nothing_is_cut_off_and_one_thing_is_shown_at_a_time(
    desk: Desk, open_page: Open, width: int
) -> None:
    group = desk.post(subject="a subject of some length that has to be read at twice the size", tag=["tag"] * 1)
    page = open_page("/alerts", viewport={"width": width, "height": 450})
    expect(page.locator("#detail")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    page.locator(f"#g{group} a.subject").click()
    expect(page.locator("#detail h1")).to_be_visible()
    expect(page.locator("#list")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="All alertgroups").click()
    expect(page.locator("#list")).to_be_visible()


def test_the_flow_of_alerts_moves_while_one_looks_on(desk: Desk, open_page: Open) -> None:
    page = open_page("/flow")
    received = page.locator("#flow dd").first
    before = int(received.inner_text())

    desk.post()
    expect(received).to_have_text(str(before + 1))
    expect(page.locator("#flow")).to_contain_text("idea_log")
    expect(page.locator("#balance")).to_contain_text(f"received {before + 1} = stored {before + 1}")
