"""What the pages read and change, on each engine: lists, filters, statuses, labels, rows."""

import re
from typing import Any
from urllib.parse import quote

import pytest

from neighbours.indexed import put_all
from tocsin.app import Hub
from tocsin.errors import TooSlow
from tocsin.indexing import freshly
from tocsin.store import search
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


def subjects(person: Caller, **query: Any) -> list[str]:
    page = person.get("/alerts", params=query)
    assert page.status_code == 200
    return re.findall(r'<a class="subject"[^>]*><bdi>([^<]*)</bdi>', page.text)


def test_addresses_of_old_find_what_they_found(person: Caller, admin: Caller, hub: Hub) -> None:
    admin.post_group(subject="Beacon one", tag=["c2"], source=["splunk"])
    admin.post_group(subject="Scan two", tag=["c2", "test"], source=["ids"])
    put_all(hub.store)

    assert subjects(person, tag="c2") == ["Scan two", "Beacon one"]
    assert subjects(person, tag="c2,!test") == ["Beacon one"]
    assert subjects(person, source="ids") == ["Scan two"]
    assert subjects(person, subject="one beac") == ["Beacon one"]
    assert subjects(person, id="2") == ["Scan two"]
    assert subjects(person, status="closed") == []
    assert subjects(person, last="1h") == ["Scan two", "Beacon one"]
    assert subjects(person, to="2020-01-01T00:00") == []
    page = person.get("/alerts", params={"subject": "one", "tag": "c2", "status": "open"}).text
    assert 'name="q" value="status:open and subject:one* and tag:c2"' in page
    assert 'name="subject" value="one"' in page
    assert 'name="tag" value="c2"' in page
    assert "<option selected>open</option>" in page
    assert 'href="/alerts/1?q=status%3Aopen+and+subject%3Aone%2A+and+tag%3Ac2"' in page
    assert "1 alertgroup matches" in page


def test_the_query_finds_what_it_means(person: Caller, admin: Caller, hub: Hub) -> None:
    admin.post_group(subject="Beacon one", tag=["c2"], source=["splunk"], data=[{"src_ip": "10.1.2.3", "user": "root"}])
    admin.post_group(subject="Scan two", tag=["c2", "test"], source=["ids"], data=[{"src_ip": "192.0.2.7", "n": 17}])
    put_all(hub.store)

    for query, found in (
        ("", ["Scan two", "Beacon one"]),
        ("source:splunk and src:10.0.0.0/8 and not tag:test", ["Beacon one"]),
        ("data.user:root or data.n>16", ["Scan two", "Beacon one"]),
        ('"scan two"', ["Scan two"]),
        ("entity:192.0.2.0/24 received>now-1h", ["Scan two"]),
        ("tag:c2 and tag:none", []),
    ):
        assert subjects(person, q=query) == found, query


def test_the_form_of_the_list_is_answered_at_an_address_that_is_the_query(person: Caller, admin: Caller) -> None:
    admin.post_group(tag=["c2"])
    form = {"was": "tag:c2", "q": "tag:c2", "tag": "c2", "status": "open", "sort": "-views"}

    sent = person.get("/alerts", params=form)
    assert (sent.status_code, sent.headers["location"]) == (303, "/alerts?q=tag%3Ac2+and+status%3Aopen&sort=-views")
    script = person.anonymous(**person.headers, HX_Request="true", HX_Target="tbody#groups")
    part = script.get("/alerts", params=form)
    assert (part.status_code, part.headers["hx-push-url"]) == (200, sent.headers["location"])
    assert "<html" not in part.text
    assert "1 alertgroup matches" in part.text


def test_a_wrong_query_is_told_where_and_loses_nothing(person: Caller, admin: Caller) -> None:
    admin.post_group()
    script = person.anonymous(**person.headers, HX_Request="true", HX_Target="tbody#groups")

    page = person.get("/alerts", params={"q": "tag:a and sorce:x"})
    assert page.status_code == 200
    assert 'value="tag:a and sorce:x"' in page.text
    assert 'aria-invalid="true"' in page.text
    assert "<bdi>tag:a and </bdi><mark>s</mark><bdi>orce:x</bdi>" in page.text
    assert "did you mean source?" in page.text
    assert "Nothing was searched for" in page.text
    part = script.get("/alerts", params={"q": "tag:a and sorce:x", "was": ""})
    assert (part.status_code, part.headers["hx-reswap"], part.headers["hx-push-url"]) == (200, "none", "false")
    assert "did you mean source?" in part.text
    assert "tbody" not in part.text
    assert person.get("/alerts/1", params={"q": "sorce:x"}).status_code == 200
    assert person.get("/alerts/news", params={"q": "sorce:x", "ids": "1"}).text.strip() == ""


def test_a_search_that_takes_too_long_says_so_and_how_to_narrow_it(
    person: Caller, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.post_group()

    monkeypatch.setattr(search, "page", slow)
    page = person.get("/alerts", params={"q": "data.a:/x/"})
    assert page.status_code == 200
    assert "Too slow: narrow it." in page.text


def test_a_number_that_takes_too_long_to_count_is_not_waited_for(
    person: Caller, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(51):
        admin.post_group()

    monkeypatch.setattr(search, "count_up_to", slow)
    page = person.get("/alerts")
    assert "more match than can be counted soon" in page.text
    assert page.text.count('<tr id="g') == 50


def slow(*_: object) -> None:
    raise TooSlow("too slow: narrow it")


def test_news_of_what_is_not_in_the_index_yet_are_let_through_if_the_query_means_them(
    person: Caller, admin: Caller, hub: Hub
) -> None:
    def news(query: str) -> list[str]:
        page = person.get("/alerts/news", params={"q": query, "ids": "1-3"})
        assert page.status_code == 200
        return re.findall(r'<tr id="g(\d+)"', page.text)

    admin.post_group(subject="Beacon", data=[{"src_ip": "10.1.2.3"}])
    put_all(hub.store)
    admin.post_group(subject="Beacon again", data=[{"src_ip": "10.1.2.4"}, {"src_ip": "198.51.100.7"}])
    admin.post_group(subject="Scan", data=[{"dest_ip": "10.1.2.4"}])

    expected = {
        "beacon": ["2", "1"],
        "src:10.0.0.0/8": ["2", "1"],
        "entity:10.1.2.4": ["3", "2"],
        "not subject:beacon": ["3"],
        "status:open": ["3", "2", "1"],
        "alert:{src:10.1.2.4}": ["2"],
        "tag:none": [],
    }
    for query, found in expected.items():
        assert news(query) == found, query
    put_all(hub.store)
    for query, found in expected.items():
        assert news(query) == found, f"{query} in the index"
    admin.delete("/api/v2/alertgroup/2")
    assert news("beacon") == ["1"]


def test_many_alerts_that_wait_are_left_to_the_index(
    person: Caller, admin: Caller, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freshly, "MOST_ALERTS", 3)
    for _ in range(2):
        admin.post_group(subject="Beacon", data=[{"n": 1}, {"n": 2}])

    assert '<tr id="g2"' in (page := person.get("/alerts/news?q=beacon&ids=1-2").text)
    assert '<tr id="g1"' not in page
    put_all(hub.store)
    assert '<tr id="g1"' in person.get("/alerts/news?q=beacon&ids=1-2").text


def test_what_may_be_typed_next_is_what_there_is(person: Caller, admin: Caller, hub: Hub) -> None:
    admin.post_group(tag=["two words", "c2"], source=["splunk"], columns=["User name", "src_ip", "dest_port"],
                     data=[{"User name": "root", "src_ip": "10.1.2.3", "dest_port": 443}], owner="alice")  # fmt: skip
    put_all(hub.store)

    def offered(text: str, at: int | None = None) -> list[str]:
        found = person.json(f"/alerts/complete?at={len(text) if at is None else at}&q={quote(text)}")
        return [one["text"] for one in found["offers"]]

    assert offered("sou")[0] == "source:"
    assert offered("tag:") == ["c2", '"two words"']
    assert offered("tag:c x", 5) == ["c2"]
    assert offered("source:SP") == ["splunk"]
    assert offered("parser:sc") == ["scot"]
    assert offered("owner:") == ["alice"]
    assert offered("via:r") == ["rest"]
    assert offered("data.us") == ['data."User name":']
    assert offered("column:s")[:2] == ["src_ip", '"User name"']
    assert offered("src:10") == offered("ip:10.") == offered("src_ip:1") == ["10.1.2.3"]
    assert offered("port:4") == ["443"]
    assert offered("entity:10.1") == offered("entity.ipv4:10") == ["10.1.2.3"]
    assert "entity.domain:" in offered("entity.do")
    assert offered("delivery.idea")[0] == "delivery.idea_log:"
    assert offered("severity>=h") == ["high"]
    assert offered('"in quotes') == offered("nofield:x") == []
    assert person.get("/alerts/complete?q=a&at=x").status_code == 400


def test_of_very_many_tags_those_that_begin_so_are_offered(person: Caller, admin: Caller) -> None:
    admin.post_group(tag=[f"Tag {n:03}" for n in range(250)])

    found = person.json("/alerts/complete?q=tag:tag&at=7")["offers"]
    assert [one["text"] for one in found] == [f'"Tag {n:03}"' for n in range(20)]
    assert (found[0]["start"], found[0]["end"]) == (4, 7)


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
