"""The rules in a browser: made, tried and ended with and without script; light and dark; at twice the size."""

import re

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import WAIT_MS, Desk, Open
from browser.test_looks import RULES


def drop_all(page: Page) -> None:
    """Each test begins without rules."""
    token = page.locator('input[name="csrf_token"]').first.get_attribute("value")
    assert token is not None
    headers = {"X-CSRF-Token": token}
    for one in page.request.get("/api/v2/route").json()["records"]:
        assert page.request.delete(f"/api/v2/route/{one['id']}", headers=headers).ok
    for one in page.request.get("/api/v2/silence").json()["records"]:
        assert page.request.post(f"/api/v2/silence/{one['id']}/end", headers=headers).ok


@pytest.mark.parametrize("script", [True, False])
def test_a_silence_is_begun_at_an_alertgroup_tried_kept_and_ended(desk: Desk, open_page: Open, script: bool) -> None:
    drop_all(open_page("/rules"))
    subject = f"Port scan {'with' if script else 'without'}"
    group = desk.post(subject=subject, source=["ids"])
    desk.indexed(f'subject:"{subject}"', 1)
    page = open_page(f"/alerts/{group}", java_script_enabled=script)

    page.get_by_role("link", name="Silence alerts like this").click()
    form = page.locator("#new-silence")
    expect(form.get_by_label("Query")).to_have_value(f'source:"ids" and subject:"{subject}"')
    form.get_by_role("button", name="Try").click()
    expect(page.locator("#new-silence .tried")).to_contain_text("1 alertgroup: 1 open")
    form.get_by_label("Reason").fill("the yearly scan")
    form.get_by_role("button", name="Silence", exact=True).click()
    expect(page).to_have_url(re.compile(r"/rules#silence-\d+"))
    expect(page.locator("ul.rules").first).to_contain_text("0 held back")

    held = desk.post(subject=subject, source=["ids"])
    page.goto(f"/alerts/{held}")
    expect(page.locator("#why")).to_contain_text("held back from idea_log")
    page.get_by_role("button", name="Send now").first.click()
    expect(page.get_by_role("button", name="Send now")).to_have_count(1, timeout=WAIT_MS)
    page.locator("#why a").first.click()
    expect(page.locator("main h1")).to_contain_text(subject)
    expect(page.get_by_role("region", name="Held back").get_by_role("link").first).to_have_text(str(held))
    page.get_by_role("button", name="End now").click()
    expect(page.locator(".lead")).to_contain_text("Over.")
    expect(page.locator(".history")).to_contain_text("ended")


@pytest.mark.parametrize("script", [True, False])
def test_routes_are_made_put_in_order_and_switched_off(desk: Desk, open_page: Open, script: bool) -> None:
    drop_all(open_page("/rules"))
    page = open_page("/rules", java_script_enabled=script)

    for name in ("first", "second"):
        page.locator("#new-route > summary").click()
        form = page.locator("#new-route")
        form.get_by_label("Name").fill(name)
        form.get_by_label("Query").fill("tag:vpn")
        form.get_by_label("idea_log").check()
        form.get_by_role("button", name="Make the route").click()
    page.get_by_role("button", name="Ask second earlier").click()
    expect(page.locator("ol.rules .name")).to_have_text(["second", "first"])
    page.get_by_role("button", name="Switch off first").click()
    expect(page.locator("ol.rules li").nth(1)).to_contain_text("off")
    page.get_by_role("link", name="first").click()
    expect(page.locator(".history")).to_contain_text("switched off")
    page.get_by_label("Query").fill("tag:other")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".history")).to_contain_text("tag:other to idea_log")
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("ol.rules .name")).to_have_text(["second"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 360])
def test_the_rules_can_be_used_by_everybody_and_nothing_is_cut_off(
    desk: Desk, open_page: Open, axe: str, scheme: str, width: int
) -> None:
    page = open_page("/rules", color_scheme=scheme, viewport={"width": width, "height": 800})
    drop_all(page)
    token = page.locator('input[name="csrf_token"]').first.get_attribute("value")
    headers = {"X-CSRF-Token": str(token)}
    query = 'source:"splunk" and (severity>=high or tag:"a tag that is rather long") and not src:10.0.0.0/8'
    for name, fields in (("To the SOC", {"every": "15m"}), ("Rest", {"last": True, "active": False})):
        route = {"name": name, "query": query, "to": ["idea_log", "text_log"], **fields}
        made = page.request.post("/api/v2/route", headers=headers, data=route)
        assert made.ok, made.text()
    silence = {"name": "Maintenance", "query": query, "reason": "the firewall is exchanged", "ends": "now+4h"}
    kept = page.request.post("/api/v2/silence", headers=headers, data=silence).json()["id"]
    group = desk.post(subject="looked at")

    paths = ("/rules", f"/rules/routes/{made.json()['id']}", f"/rules/silences/{kept}", f"/alerts/{group}")
    for path in paths:
        page.goto(path)
        page.wait_for_selector("#live.on")
        for summary in page.locator("details.new > summary").all():
            summary.click()
        if path == "/rules":
            page.locator("#new-route").get_by_role("button", name="Try").click()
            page.wait_for_selector(".tried")
        page.evaluate(axe)
        found = page.evaluate(f"() => axe.run(document, {RULES})")
        assert [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found["violations"]] == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
