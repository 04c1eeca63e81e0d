"""Network flows in a browser: the search and what it offers, the chart, the ways between alerts and flows."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import Desk, Open
from browser.test_looks import RULES
from neighbours.flows_seen import NAMED, UID, ZEEK

LINES = "#flow-lines tr[data-id]"


@pytest.fixture(scope="module", autouse=True)
def group(desk: Desk) -> int:
    """An alertgroup that names three of the flows that were imported."""
    desk.server.tocsin("flows", "import", str(ZEEK))
    return desk.post(**NAMED)


def labelled(desk: Desk, n: int) -> None:
    """Have labels follow the alerts now; so many flows are malicious then."""
    with desk.server.client("admin") as client:
        assert client.post("/api/v2/flow/refresh").status_code == 200
        found = client.get("/api/v2/flow", params={"query": "label:malicious"}).json()
    assert found["queryRecordCount"] == n


def charted(page: Page) -> None:
    expect(page.locator("#timeline canvas")).to_have_count(1)


def test_flows_are_searched_by_what_is_offered_and_drawn_over_time(desk: Desk, open_page: Open) -> None:
    labelled(desk, 3)
    page = open_page("/flows")
    expect(page.locator(LINES)).to_have_count(21)
    charted(page)
    expect(page.locator("#timeline h2")).to_contain_text("3 named by alerts")

    page.keyboard.press("/")
    page.keyboard.type("lab")
    expect(page.locator("#offers li bdi").first).to_have_text("label:")
    page.keyboard.press("Tab")
    page.locator("#offers li", has_text="malicious").click()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("query=label%3Amalicious"))
    expect(page.locator(LINES)).to_have_count(3)
    charted(page)

    page.get_by_text("As a table").click()
    table = page.get_by_role("region", name="Flows over time, as a table")
    expect(table.locator("tbody tr")).to_have_count(3)
    table.get_by_role("link").first.click()
    expect(page).to_have_url(re.compile("since=2023-11-14T22%3A13%3A20Z&until="))
    expect(page.locator(LINES)).to_have_count(1)


def test_a_stretch_that_is_marked_in_the_chart_is_looked_at(desk: Desk, open_page: Open) -> None:
    page = open_page("/flows?query=tool%3Azeek")
    charted(page)
    box = page.locator("#timeline .u-over").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.02, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 40, steps=5)
    page.mouse.up()
    expect(page).to_have_url(
        re.compile("since=2023-11-14T22%3A13%3A20Z&until=2023-11-14T22%3A13%3A2.Z&query=tool%3Azeek")
    )
    assert 0 < page.locator(LINES).count() < 21


def test_one_goes_from_an_alertgroup_to_its_flows_to_the_alert_and_to_the_host(
    desk: Desk, open_page: Open, group: int
) -> None:
    labelled(desk, 3)
    page = open_page(f"/alerts/{group}")
    page.locator("#detail").evaluate("it => it.scrollTo(0, it.scrollHeight)")
    expect(page.locator(f"#flows {LINES}")).to_have_count(3)
    page.locator("#flows td.when a").last.click()
    expect(page.get_by_role("region", name="Fields").locator("dd", has_text=UID)).to_have_count(1)
    expect(page.get_by_role("region", name="Its connection").locator(LINES)).to_have_count(2)

    copy = page.get_by_role("button", name="Copy the AID")
    copy.click()
    expect(copy).to_contain_text("copied")
    page.locator("main h1 a").first.click()
    expect(page.locator("main h1")).to_have_text("10.0.0.5")
    charted(page)
    expect(page.get_by_role("table", name="Kinds")).to_contain_text("conn")
    page.get_by_role("link", name="those that alerts name").click()
    expect(page.locator(LINES)).to_have_count(3)
    page.locator("td.said a").first.click()
    expect(page).to_have_url(re.compile(rf"/alerts/{group}\?alert=\d+#record"))
    expect(page.locator("#record")).to_contain_text(UID)


def test_closing_as_false_by_its_key_makes_its_flows_benign_until_it_is_undone(
    desk: Desk, open_page: Open, group: int
) -> None:
    page = open_page(f"/alerts/{group}")
    page.keyboard.press("f")
    expect(page.locator("#notice")).to_contain_text("Closed 1 alert as false.")
    expect(page.locator("#labels")).to_contain_text("false_positive")
    labelled(desk, 0)
    page.keyboard.press("z")
    expect(page.locator("#notice")).to_contain_text("Undone")
    expect(page.locator("#labels")).not_to_contain_text("false_positive")
    assert desk.counts(group) == (1, 0)
    labelled(desk, 3)


def test_flows_are_searched_and_read_without_script(desk: Desk, open_page: Open, group: int) -> None:
    page = open_page("/flows", java_script_enabled=False)
    page.get_by_label("Search", exact=True).fill("uid:" + UID)
    page.get_by_role("button", name="Search").click()
    expect(page.locator(LINES)).to_have_count(3)
    page.get_by_role("link", name="Flows over time").click()
    page.get_by_text("As a table").click()
    expect(page.get_by_role("region", name="Flows over time, as a table").locator("tbody tr")).to_have_count(3)
    page.goto(f"/alerts/{group}")
    page.locator("#flows").get_by_role("link", name="all").click()
    expect(page.locator(LINES)).to_have_count(3)
    page.goto("/flows")
    page.get_by_role("button", name="last hour").click()
    expect(page.locator("main")).to_contain_text("No flow matches")
    page.get_by_role("link", name="Show all").click()
    expect(page.locator(LINES)).to_have_count(21)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("what", ["list", "trouble", "host", "flow", "of alertgroup", "table"])
def test_nothing_on_them_stands_in_anybody_s_way(
    desk: Desk, open_page: Open, axe: str, scheme: str, what: str, group: int
) -> None:
    with desk.server.client("viewer") as client:
        (flow,) = client.get("/api/v2/flow", params={"query": f"uid:{UID} and kind:conn"}).json()["records"]
    paths = {
        "list": "/flows",
        "trouble": "/flows?query=nonsense%3A1&since=never",
        "host": "/flows/host/10.0.0.5",
        "flow": f"/flows/{flow['id']}",
        "of alertgroup": f"/alerts/{group}/flows",
        "table": "/flows/timeline",
    }
    page = open_page(paths[what], color_scheme=scheme)
    if what in ("list", "host", "table"):
        charted(page)
        page.get_by_text("As a table").click()
    if what == "host":
        expect(page.get_by_role("table", name="Peers").get_by_role("row")).to_have_count(9)
    page.evaluate(axe)
    found = page.evaluate(f"() => axe.run(document, {RULES})")
    assert [
        f"{broken['id']}: {broken['help']}: {[node['html'] for node in broken['nodes']][:3]}"
        for broken in found["violations"]
    ] == []


@pytest.mark.parametrize("width", [720, 360])
def test_at_twice_the_size_only_tables_are_wider_than_the_page(desk: Desk, open_page: Open, width: int) -> None:
    page = open_page("/flows", viewport={"width": width, "height": 450})
    charted(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto("/flows/host/10.0.0.5")
    charted(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_thousands_of_flows_at_once_are_drawn_beside_few(desk: Desk, open_page: Open, tmp_path: Path) -> None:
    log = tmp_path / "conn.log"
    lines = (
        f'{{"ts":{1800000000 + (n // 3000) * 4000},"uid":"CMANY{n}","id.orig_h":"198.51.100.77","id.orig_p":{n + 1},'
        '"id.resp_h":"192.0.2.9","id.resp_p":80,"proto":"tcp","conn_state":"SF"}'
        for n in range(3005)
    )
    log.write_text("\n".join(lines) + "\n")
    desk.server.tocsin("flows", "import", str(log))
    page = open_page("/flows?query=src%3A198.51.100.77")
    charted(page)

    expect(page.locator("#timeline h2")).to_contain_text("all 3,005")
