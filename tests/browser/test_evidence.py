"""Evidence in a browser: how much of it there is, sent by hand, and raised, with and without script."""

from typing import Any

import httpx2
import pytest
from playwright.sync_api import expect

from browser.conftest import Desk, Open
from neighbours.evidence import evidence

RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}"


@pytest.fixture(scope="module")
def configuration() -> str:
    """Evidence of Slips is gathered; 3 is enough."""
    return '[accumulate.slips]\nquery = "source:slips"\nthreshold = 3\n[destinations.idea_log]\n'


def posted(desk: Desk, address: str, n: int, **fields: Any) -> list[int]:
    found = []
    for number in range(n):
        answer: httpx2.Response = desk.sender.post(
            "/api/v2/alertgroup", content=evidence(f"{address} {number}", address, **fields)
        )
        assert answer.status_code == 200, answer.text
        found.append(int(answer.json()["id"]))
    return found


def test_evidence_stands_apart_and_says_how_much_of_it_there_is(desk: Desk, open_page: Open, axe: str) -> None:
    first, last = posted(desk, "10.0.0.1", 2)
    page = open_page("/alerts")
    assert page.locator(f"#g{first}").count() == 0

    page.get_by_role("link", name="evidence", exact=True).press("Enter")
    page.wait_for_url("**/alerts?q=gathered%3Abelow")
    expect(page.locator(f"#g{first} .evidence")).to_have_text("evidence, 1.44 of 3")
    page.locator(f"#s{last}").click()
    expect(page.locator("#evidence .note")).to_contain_text("Evidence, 1.44 of 3: so much came against 10.0.0.1")
    expect(page.locator("#way")).to_contain_text("Evidence, of which there is not enough")
    expect(page.locator("#why")).to_contain_text("accumulate slips: evidence against 10.0.0.1 that weighs 0.72")
    page.evaluate(axe)
    found = page.evaluate(f"async () => (await axe.run(document, {RULES})).violations.map(one => one.id)")
    assert found == []


def test_evidence_is_sent_by_hand_and_listed_from_then_on(desk: Desk, open_page: Open) -> None:
    first, other = posted(desk, "10.0.0.2", 2)
    page = open_page(f"/alerts/{first}")

    page.locator("#evidence").get_by_role("button", name="Send now").press("Enter")

    page.wait_for_selector("text=It stands in the list by itself now, and is sent to idea_log")
    expect(page.locator("#evidence .note")).to_have_count(0)
    expect(page.locator("#way")).to_contain_text("idea_log")
    page = open_page("/alerts")
    expect(page.locator(f"#g{first}")).to_have_count(1)
    expect(page.locator(f"#g{other}")).to_have_count(0)


def test_evidence_is_sent_by_hand_without_script(desk: Desk, open_page: Open) -> None:
    (first,) = posted(desk, "10.0.0.3", 1)
    page = open_page(f"/alerts/{first}", java_script_enabled=False)

    page.locator("#evidence").get_by_role("button", name="Send now").click()

    expect(page.locator("#notice")).to_contain_text("It stands in the list by itself now")
    expect(page.locator("#history")).to_contain_text("sent, though there was not enough evidence with it")


def test_enough_evidence_appears_as_one_alertgroup_while_somebody_looks(desk: Desk, open_page: Open) -> None:
    (first,) = posted(desk, "10.0.0.4", 1)
    page = open_page(f"/alerts/{first}")
    expect(page.locator("#evidence")).to_contain_text("0.72 of 3")

    posted(desk, "10.0.0.4", 5)

    expect(page.locator("#evidence")).to_contain_text("it stands with others in alertgroup")
    page.locator("#evidence .note a").click()
    expect(page.locator("#subject")).to_contain_text("Enough evidence against 10.0.0.4: 5 alerts from")
    page.locator("#evidence summary").press("Enter")
    expect(page.locator("#evidence tbody tr")).to_have_count(5)
    page.locator("#evidence tbody a").first.click()
    page.wait_for_url(f"**/alerts/{first}*")


def test_what_weighs_nothing_says_so(desk: Desk, open_page: Open) -> None:
    (first,) = posted(desk, "10.0.0.5", 1, threat_level="INFO")
    page = open_page("/alerts?q=gathered%3Abelow")

    expect(page.locator(f"#g{first} .evidence")).to_have_text("evidence, weighs nothing")


def test_the_rules_page_lists_what_is_gathered(open_page: Open) -> None:
    page = open_page("/rules")

    expect(page.locator("#accumulate + ul li")).to_contain_text(
        "source:slips by source address within 1 h, 3 is enough"
    )
