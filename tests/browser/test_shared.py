"""Ours beside what they get, as people see it: from the alertgroup's way, in light and dark, at twice the size."""

import pytest
from playwright.sync_api import expect

from browser.conftest import Desk, Open
from browser.test_looks import RULES

ROW = {"src_ip": "10.1.2.3", "host": "dc01.corp.example", "comment": "ours alone", "count": 3}


@pytest.fixture(scope="module")
def configuration() -> str:
    return """
[destinations.partner]
type = "dummy"
clearance = "green"
redact = { networks = ["10.0.0.0/8"], domains = ["corp.example"], columns = ["comment"] }
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("tlp", ["green", "red"])
def test_the_way_leads_to_ours_beside_theirs_and_nothing_there_stands_in_anybodys_way(
    desk: Desk, open_page: Open, axe: str, scheme: str, tlp: str
) -> None:
    group = desk.post(subject="beacon from 10.1.2.3", tlp=tlp, data=[ROW, ROW])
    page = open_page(f"/alerts/{group}", color_scheme=scheme)
    page.get_by_role("link", name="what partner gets").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ours, and what partner gets")

    if tlp == "green":
        expect(page.locator("tr.differs .mark").first).to_have_text("≠ changed")
        wide = page.evaluate("[...document.querySelectorAll('.both thead th')].map(one => one.offsetWidth)")
        assert abs(wide[1] - wide[2]) < 20
        assert wide[1] > wide[0] > 100
        page.get_by_text("What they get, as JSON").click()
        expect(page.locator("pre").first).not_to_contain_text("10.1.2.3")
    else:
        expect(page.locator(".problem")).to_contain_text("cleared up to GREEN")
    page.evaluate(axe)
    found = page.evaluate(f"() => axe.run(document, {RULES})")
    assert [f"{broken['id']}: {[node['html'] for node in broken['nodes']][:3]}" for broken in found["violations"]] == []


def test_at_twice_the_size_both_sides_are_read_without_moving_sideways(desk: Desk, open_page: Open) -> None:
    group = desk.post(subject="beacon from 10.1.2.3", tlp="green", data=[ROW])
    page = open_page(f"/alerts/{group}/shared/partner", viewport={"width": 360, "height": 450})

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
