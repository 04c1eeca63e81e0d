"""Attackers write subjects, columns, cells, tags, sources, senders' words and errors: all of it is text here."""

import pytest
from playwright.sync_api import expect

from browser.conftest import Desk, Open

HOSTILE = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(2)>",
    "<a href=javascript:alert(3)>click</a>",
    "</td></tr></table></script></title></textarea><h1>out</h1>",
    "<hx-partial hx-target='#detail'><b>gone</b></hx-partial>",
    "<template hx type=partial hx-target=body></template>",
    "<style>*{display:none}</style><link rel=stylesheet href=//evil.example/x>",
    "\u202egnp.exe\u202c \u2066hid\u2069 zero\u200bwidth \u0007bell \x1b[31mred",
    "{{ 7 * 7 }} ${alert(4)} #{x} <%= 1 %>",
    "x" * 5000,
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 e\u0301\u0301\u0301\u0301 \u0645\u0631\u062d\u0628\u0627",
)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:30])
def test_hostile_text_in_every_field_is_shown_as_text(desk: Desk, open_page: Open, text: str) -> None:
    cells = {text: text, "plain": [text, "second"], "deep": {text: [text]}}
    group = desk.post(
        subject=text, columns=[text, "plain", "deep"], data=[cells] * 120, tag=[text], source=[text], owner=text,
        message_id=text, body=text, body_plain=text, ahrefs=[{"subject": text, "link": text}, {"link": f"https://{text}"}],
    )  # fmt: skip
    page = open_page(f"/alerts/{group}")
    visible = "".join(character for character in text if character.isprintable() and character != "\n")[:40].strip()

    expect(page).not_to_have_title("owned")
    assert page.locator("#detail h1").evaluate("it => it.textContent") == text
    cell = page.locator("#rows tbody tr[data-id] td:nth-child(4)").first
    assert cell.evaluate("it => it.textContent") == text
    page.keyboard.press("x")
    page.keyboard.press("End")
    last = page.locator("#rows tbody tr[aria-rowindex='121'] td:nth-child(4)")
    expect(last).to_have_count(1)
    assert last.evaluate("it => it.textContent") == text
    page.keyboard.press("Enter")
    expect(page.locator("#record dt").first).to_have_text(page.locator("#rows thead th").nth(3).inner_text())
    page.locator("#labels input[name=add]").first.fill("added beside it")
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_contain_text("Added the tag")
    page.locator("#labels button[name=remove]").first.click()
    expect(page.locator("#notice")).to_contain_text("Removed the tag")
    page.locator("#history summary").click()
    expect(page.locator("#past")).to_contain_text("added beside it")
    foreign = "img, iframe, object, script:not([src]), style, [onload], [onerror]"
    assert page.locator(foreign).count() == 0
    if visible:
        page.goto("/alerts")
        page.locator("#search").fill(visible)
        expect(page.locator(f"#g{group}")).to_have_count(1)
    page.goto(f"/alerts/{group}/original")
    expect(page.locator("pre.raw")).to_contain_text('"subject"')


def test_hostile_text_arriving_live_is_shown_as_text(desk: Desk, open_page: Open) -> None:
    page = open_page("/alerts")
    for text in HOSTILE:
        group = desk.post(subject=text, tag=[text], source=[text])
        line = page.locator(f"#g{group} a.subject")
        expect(line).to_have_count(1)
        assert line.evaluate("it => it.textContent") == text
    assert page.locator("#groups img, #groups script, #groups style, #groups svg").count() == 0
