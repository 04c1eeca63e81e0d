"""What the pages read and change, on each engine: lists, filters, statuses, labels, rows."""

import re
from typing import Any

import pytest

from web.conftest import Caller
from web.person import csrf, signed_in


@pytest.fixture
def person(admin: Caller) -> Caller:
    return signed_in(admin)


def test_the_list_goes_on_behind_its_last_line_in_every_order(person: Caller, admin: Caller) -> None:
    for n in range(120):
        admin.post_group(subject=f"number {n % 7}", data=[{"n": n}] * (n % 3 + 1))
    for sort in ("-received", "id", "subject", "-subject", "status", "-alert_count", "views", "-updated", "created"):
        seen: list[int] = []
        path = f"/alerts?sort={sort}"
        while path:
            page = person.get(path).text
            seen += [int(found) for found in re.findall(r'<tr id="g(\d+)"', page)]
            more = re.search(r'<a href="([^"]*after=[^"]*)"', page)
            path = more[1].replace("&amp;", "&") if more else ""
        assert sorted(seen) == list(range(1, 121)), sort
        assert len(seen) == 120, sort


def test_a_filter_stands_in_the_address_and_in_its_fields(person: Caller, admin: Caller) -> None:
    admin.post_group(subject="Beacon one", tag=["c2"], source=["splunk"])
    admin.post_group(subject="Scan two", tag=["c2", "test"], source=["ids"])

    def subjects(**query: Any) -> list[str]:
        page = person.get("/alerts", params=query).text
        return [
            subject for subject in ("Beacon one", "Scan two") if f"<bdi>{subject}</bdi>" in page
        ]  # fmt: skip

    assert subjects(tag="c2") == ["Beacon one", "Scan two"]
    assert subjects(tag="c2,!test") == ["Beacon one"]
    assert subjects(source="ids") == ["Scan two"]
    assert subjects(subject="one beacon") == ["Beacon one"]
    assert subjects(id="2") == ["Scan two"]
    assert subjects(status="closed") == []
    assert subjects(last="1h") == ["Beacon one", "Scan two"]
    assert subjects(to="2020-01-01T00:00") == []
    page = person.get("/alerts", params={"subject": "one", "tag": "c2", "status": "open"}).text
    assert 'name="subject" value="one"' in page
    assert 'name="tag" value="c2"' in page
    assert "<option selected>open</option>" in page
    assert 'href="/alerts/1?status=open&amp;subject=one&amp;tag=c2"' in page
    assert "1 alertgroup matches" in page


def test_closing_the_ticked_alerts_or_all_when_none_is_ticked_and_taking_it_back(person: Caller, admin: Caller) -> None:
    group = admin.post_group()
    page = person.get(f"/alerts/{group}")
    token = csrf(page)
    first = re.findall(r'name="alert" value="(\d+)"', page.text)[0]

    def counts() -> tuple[int, int]:
        known = admin.json(f"/api/v2/alertgroup/{group}")
        return known["open_count"], known["closed_count"]

    some = person.post(f"/alerts/{group}/status", data={"csrf_token": token, "status": "closed", "alert": first})
    assert (some.status_code, counts()) == (303, (1, 1))
    told = person.get(some.headers["location"])
    assert "Closed 1 alert." in told.text
    before = re.search(r'name="before" value="([^"]*)"', told.text)
    assert before
    person.post(f"/alerts/{group}/undo", data={"csrf_token": token, "before": before[1]})
    assert counts() == (2, 0)
    person.post(f"/alerts/{group}/status", data={"csrf_token": token, "status": "closed"})
    assert counts() == (0, 2)


def test_labels_come_and_go_even_when_they_hold_quotes_and_line_ends(person: Caller, admin: Caller) -> None:
    group = admin.post_group(tag=['say "hi"\n', "kept"])
    token = csrf(person.get(f"/alerts/{group}"))

    def tags() -> list[str]:
        return [tag["value"] for tag in admin.json(f"/api/v2/alertgroup/{group}/tag")["records"]]

    removed = {"csrf_token": token, "kind": "tag", "remove": '"say \\"hi\\"\\n"'}
    person.post(f"/alerts/{group}/labels", data=removed)
    person.post(f"/alerts/{group}/labels", data={"csrf_token": token, "kind": "tag", "add": "new one, c2"})
    assert tags() == ["kept", "new one", "c2"]


def test_rows_behind_the_first_hundred_are_fetched_in_order(person: Caller, admin: Caller) -> None:
    group = admin.post_group(data=[{"n": n} for n in range(250)])

    page = person.get(f"/alerts/{group}").text
    assert page.count('name="alert"') == 100
    last = re.search(r'data-last="(\d+)"', page)
    assert last
    rest = person.json(f"/alerts/{group}/rows?after={last[1]}")
    assert [row[2] for row in rest["rows"]] == [[str(n)] for n in range(100, 250)]
    assert rest["more"] is False
    assert person.json(f"/alerts/{group}/rows?after={last[1]}&limit=10")["more"] is True
