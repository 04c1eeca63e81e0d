"""Ten thousand rows: all there, in order, scrolled and picked without waiting for all of them."""

from playwright.sync_api import Page, expect

from browser.conftest import Desk, Open

ROWS = "#rows tbody tr[data-id]"
MANY = 10_000


def shown(page: Page) -> list[int]:
    return [int(text) for text in page.locator(f"{ROWS} td:nth-child(4)").all_inner_texts()]


def test_ten_thousand_rows_scroll_select_and_close(desk: Desk, open_page: Open) -> None:
    rows = [{"n": n, "src": f"10.0.{n // 256}.{n % 256}", "text": "x" * (n % 50)} for n in range(MANY)]
    group = desk.post(subject="ten thousand", data=rows)
    page = open_page(f"/alerts/{group}")
    grid = page.get_by_role("grid", name="The alerts of this alertgroup")
    expect(grid).to_have_attribute("aria-rowcount", str(MANY + 1))
    assert page.locator(ROWS).count() < 120

    page.locator(ROWS).first.click()
    page.keyboard.press("End")
    expect(page.locator(f"tr[aria-rowindex='{MANY + 1}'][data-id]")).to_have_count(1)
    assert page.locator(ROWS).count() < 120
    numbers = shown(page)
    assert numbers == list(range(numbers[0], MANY))
    for top in (90_000, 3_000, 200_000, 0, 150_123):
        page.locator("#rows").evaluate("(it, top) => it.scrollTo(0, top)", top)
        page.wait_for_function(
            """() => {
                const place = document.getElementById("rows").getBoundingClientRect();
                const middle = document.elementFromPoint(place.x + 200, place.y + place.height / 2);
                return middle.closest("tr[data-id]") !== null;
            }"""
        )
        numbers = shown(page)
        assert numbers == list(range(numbers[0], numbers[-1] + 1))

    page.keyboard.press("Control+a")
    expect(page.locator("#close")).to_contain_text("Close 10,000 selected")
    page.keyboard.press("Escape")
    page.keyboard.press("Home")
    page.keyboard.press("x")
    page.keyboard.press("Shift+End")
    expect(page.locator("#close")).to_contain_text("Close 10,000 selected")
    page.keyboard.press("Shift+ArrowUp")
    expect(page.locator("#close")).to_contain_text("Close 9,999 selected")
    page.keyboard.press("c")
    expect(page.locator("#counts")).to_contain_text("1 open, 9,999 closed")
    expect(page.locator(f"tr[aria-rowindex='{MANY + 1}'] .st")).to_have_text("open")
    assert desk.counts(group) == (1, MANY - 1)
    page.keyboard.press("z")
    expect(page.locator("#counts")).to_contain_text("10,000 open, 0 closed")
    assert desk.counts(group) == (MANY, 0)


def test_rows_of_different_shapes_stand_under_their_columns(desk: Desk, open_page: Open) -> None:
    group = desk.post(data=[{"a": 1, "b": "x"}, {"c": True, "a": None}, {"b": ["p", "q"]}])
    page = open_page(f"/alerts/{group}")

    assert page.locator("#rows thead th").all_inner_texts()[3:] == ["a", "b", "c"]
    assert [[cell.strip() for cell in row.locator("td").all_inner_texts()[3:]] for row in page.locator(ROWS).all()] == [
        ["1", "x", ""],
        ["null", "", "true"],
        ["", "p, q", ""],
    ]
