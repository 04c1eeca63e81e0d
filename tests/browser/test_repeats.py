"""Repeats in a browser: counted in the list, opened, taken out, with and without script."""

from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import expect

from browser.conftest import Desk, Open
from neighbours.server import PATIENCE_S, running_server

RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A server that folds what comes from `splunk`."""
    folder = tmp_path_factory.mktemp("desk") / "data"
    with running_server(folder, configuration="[repeats.splunk]\nwindow_h = 24\n") as server:
        form = {"name": "admin", "password": server.password}
        answer = httpx2.post(f"{server.base_url}/sign-in", data=form, trust_env=False, timeout=PATIENCE_S)
        name, _, value = answer.headers["set-cookie"].partition(";")[0].partition("=")
        with server.client("sender") as sender:
            yield Desk(server, sender, [{"name": name, "value": value, "url": server.base_url}])


def posted(desk: Desk, subject: str, n: int) -> list[int]:
    return [desk.post(subject=subject, source=["splunk"], message_id=f"{subject} {i}") for i in range(n)]


def test_repeats_are_counted_in_the_list_and_taken_out_of_the_page(desk: Desk, open_page: Open) -> None:
    first, *rest = posted(desk, "Logins", 4)
    page = open_page(f"/alerts/{first}")

    assert page.locator(f"#g{first} .seen").inner_text().startswith("×4")
    assert page.locator(f"#g{rest[0]}").count() == 0
    page.locator("#repeats summary").press("Enter")
    expect(page.locator("#repeats tbody tr")).to_have_count(3)
    page.get_by_role("button", name=f"Take out alertgroup {rest[1]}").press("Enter")

    page.wait_for_selector(f"text=Alertgroup {rest[1]} stands in the list by itself now")
    expect(page.locator("#repeats tbody tr")).to_have_count(2)
    assert page.locator("#repeats details").get_attribute("open") is not None
    expect(page.locator(f"#g{first} .seen")).to_contain_text("×3")
    page.locator(f"#repeats a:text-is('{rest[0]}')").click()
    page.wait_for_url(f"**/alerts/{rest[0]}")
    expect(page.locator("#repeats")).to_contain_text(f"folded into alertgroup {first}")
    expect(page.locator("#way")).to_contain_text("Folded into")


def test_a_repeat_that_comes_while_somebody_looks_is_counted_at_once(desk: Desk, open_page: Open) -> None:
    first = posted(desk, "While looking", 2)[0]
    page = open_page(f"/alerts/{first}")
    page.locator("#repeats summary").click()
    posted(desk, "While looking", 3)

    page.wait_for_selector("#repeats summary:has-text('Seen 3 times')")
    expect(page.locator("#repeats tbody tr")).to_have_count(2)
    assert page.locator("#repeats details").get_attribute("open") is not None


def test_a_kind_is_kept_apart_and_all_are_taken_out_without_script(desk: Desk, open_page: Open) -> None:
    first, *rest = posted(desk, "No script", 13)
    page = open_page(f"/alerts/{first}", java_script_enabled=False)
    page.locator("#repeats summary").click()
    page.get_by_role("link", name="All 12 repeats").click()
    expect(page.locator("main tbody tr")).to_have_count(12)

    page.get_by_role("button", name=f"Take out alertgroup {rest[3]}").click()
    expect(page.locator("#notice")).to_contain_text(f"Alertgroup {rest[3]} stands in the list")
    page.locator("#repeats summary").click()
    page.get_by_role("button", name="Do not fold these").click()
    expect(page.get_by_role("button", name="Fold them again")).to_be_visible()
    desk.post(subject="No script", source=["splunk"])
    page.reload()
    expect(page.locator("#repeats")).to_contain_text("Seen 12 times")
    page.locator("#repeats summary").click()
    page.get_by_role("button", name="Take all out").click()
    expect(page.locator("#notice")).to_contain_text("11 alertgroups stand in the list")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_repeats_stand_in_nobodys_way(desk: Desk, open_page: Open, axe: str, scheme: str) -> None:
    first = posted(desk, f"Looks {scheme}", 3)[0]
    page = open_page(f"/alerts/{first}", color_scheme=scheme)
    page.locator("#repeats summary").click()
    wrong = []
    for path in ("", f"/alerts/{first}/repeats", f"/alerts/{first + 1}"):
        if path:
            page.goto(path)
        page.evaluate(axe)
        wrong += page.evaluate(f"() => axe.run(document, {RULES})")["violations"]

    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in wrong] == []
