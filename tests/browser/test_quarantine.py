"""A mail in quarantine, looked at and decided about in a browser: nothing of it loads, leads or runs."""

import pytest
from playwright.sync_api import expect

from browser.conftest import Desk, Open
from neighbours.letters import HOSTILE_HTML, a_letter, received
from tocsin.store import entry, open_store


@pytest.fixture(scope="module")
def kept(desk: Desk) -> list[int]:
    """Mails that stood in quarantine when the server was started."""
    desk.server.stop()
    store = open_store("sqlite", desk.server.data)
    bodies = [a_letter(f"Mail {n}", "plain words", HOSTILE_HTML, {"a.html": b"<script>"}) for n in range(2)]
    numbers = [store.append(entry(received(body), (), "", "", "sender refused")).result().message for body in bodies]
    store.close()
    desk.server.start()
    return numbers


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_hostile_mail_is_shown_harmless_and_every_line_has_enough_contrast(
    desk: Desk, kept: list[int], open_page: Open, axe: str, scheme: str
) -> None:
    page = open_page("/quarantine", color_scheme=scheme)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("link", name=str(kept[0]), exact=True).click()

    letter = page.get_by_role("region", name="The mail's HTML")
    expect(letter).to_contain_text("10.0.0.1")
    assert letter.locator("a, img, form, input, iframe, script, svg, [style], [class], [id]").count() == 0
    expect(page.get_by_role("row", name="generic yes")).to_have_count(1)
    assert [url for url in asked if not url.startswith(desk.url)] == []
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'best-practice']})")
    assert [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]] == []


def test_a_person_decides_without_any_script(desk: Desk, kept: list[int], open_page: Open) -> None:
    page = open_page(f"/quarantine/{kept[1]}", java_script_enabled=False)
    page.get_by_label("Why it is of no use").fill("an advertisement")
    page.get_by_role("button", name="Discard").click()
    expect(page.locator(".note[role=status]")).to_contain_text("Discarded.")
    expect(page.get_by_text("discarded: an advertisement")).to_have_count(1)
    page.get_by_role("button", name="Put back into quarantine").click()
    page.get_by_label("Read it again with").select_option("splunk")
    page.get_by_role("button", name="Read again").click()
    expect(page.locator(".note[role=status]")).to_contain_text("Understood by splunk")
    with page.expect_download() as loading:
        page.get_by_role("link", name="a.html").click()
    assert loading.value.suggested_filename == "a.html"
    page.get_by_role("link", name="alertgroup 1").click()
    expect(page.locator("#detail h1")).to_have_text("Mail 1")
