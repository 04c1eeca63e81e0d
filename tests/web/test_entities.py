"""Entities over HTTP: marked on the pages, listed by the API in SCOT's form, found by any spelling."""

import html
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from tocsin import detection
from tocsin.app import Hub
from tocsin.entities import DEFAULT
from tocsin.indexing.reading import read
from tocsin.store import alertgroup, index
from tocsin.store.entity import asked
from tocsin.web.pages.entities import defanged
from web.conftest import Caller
from web.person import signed_in

ROWS: list[dict[str, Any]] = [
    {"src": ["10.0.0.1", "10.0.0.2"], "host": ["a.example.com"], "columns": ["src", "host"]},
    {"src": "10.0.0.3", "host": "b.example.com", "columns": ["src", "host"]},
]


@pytest.fixture
def person(admin: Caller) -> Caller:
    return signed_in(admin)


def indexed(hub: Hub) -> None:
    """What the worker does, at once."""
    waiting = hub.store.read(lambda tx: index.waiting(tx, 100))
    groups = hub.store.read(lambda tx: alertgroup.load(tx, [each.group for each in waiting]))
    batch = [part for each in waiting for part in read(detection.known(groups[each.group]), each.since, DEFAULT)]
    hub.store.write(lambda tx: index.put(tx, batch))


def foreign(page: str) -> list[str]:
    """What runs and is not ours."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = dict(attrs)
            found.extend(name for name in given if name.startswith("on") or name == "style")
            if tag in ("img", "style", "iframe") or (tag == "script" and "src" not in given):
                found.append(tag)

    Reader().feed(page)
    return found


# --- the API ---------------------------------------------------------------------------------------------------------


def test_the_entities_of_an_alertgroup_are_told_in_scots_form(admin: Caller, viewer: Caller, hub: Hub) -> None:
    group = admin.post_group(subject="Splunk Alert: beacon", data=ROWS)
    early = viewer.json(f"/scot/api/v2/alertgroup/{group}/entity")
    assert set(early["records"]) == {"10.0.0.1", "10.0.0.2", "10.0.0.3", "a.example.com", "b.example.com"}
    assert early["records"]["10.0.0.1"]["id"] == 0

    admin.post_group(data=[{"src": "10.0.0.1"}])
    indexed(hub)
    answer = viewer.json(f"/scot/api/v2/alertgroup/{group}/entity")
    assert (answer["queryRecordCount"], answer["totalRecordCount"]) == (5, 5)
    one = answer["records"]["10.0.0.1"]
    assert one.pop("id") > 0
    assert one == {
        "count": 2, "entry": 0, "type": "ipaddr", "classes": [], "data": {}, "status": "tracked", "entries": [],
    }  # fmt: skip


def test_the_entities_of_one_alert_are_those_of_its_row(admin: Caller, hub: Hub) -> None:
    group = admin.post_group(data=ROWS, subject="from 192.0.2.99")
    first, second = (each["id"] for each in admin.json(f"/api/v2/alertgroup/{group}")["alerts"])
    for _ in range(2):
        assert set(admin.json(f"/api/v2/alert/{first}/entity")["records"]) == {"10.0.0.1", "10.0.0.2", "a.example.com"}
        assert set(admin.json(f"/api/v2/alert/{second}/entity")["records"]) == {"10.0.0.3", "b.example.com"}
        indexed(hub)
    assert admin.get(f"/api/v2/alert/{second + 1}/entity").status_code == 404


def test_two_types_of_one_value_are_both_told(admin: Caller) -> None:
    group = admin.post_group(data=[{"attachments": "evil.com", "note": "evil.com"}])

    records = admin.json(f"/api/v2/alertgroup/{group}/entity")["records"]
    assert sorted((name, one["type"]) for name, one in records.items()) == [
        ("evil.com", "file"),
        ("evil.com (domain)", "domain"),
    ]


SPAN = '<span class="entity {0}" data-entity-type="{0}" data-entity-value="{1}">{2}</span>'


@pytest.mark.parametrize(
    ("column", "cell", "flaired"),
    [
        ("src", "10.0.0.1", SPAN.format("ipaddr", "10.0.0.1", "10.0.0.1")),
        ("a", "10.0.0.1:443", SPAN.format("ipaddr", "10.0.0.1", "10.0.0.1") + ":443"),
        ("a", "192.0.2.0/24", SPAN.format("cidr", "192.0.2.0/24", "192.0.2.0/24")),
        ("a", "2001:DB8::1", SPAN.format("ipv6", "2001:db8:0:0:0:0:0:1", "2001:DB8::1")),
        ("a", "D41D8CD98F00B204E9800998ECF8427E",
         SPAN.format("md5", "d41d8cd98f00b204e9800998ecf8427e", "D41D8CD98F00B204E9800998ECF8427E")),
        ("a", "CVE-2021-44228", SPAN.format("cve", "cve-2021-44228", "CVE-2021-44228")),
        ("a", "invoice.pdf.exe", SPAN.format("file", "invoice.pdf.exe", "invoice.pdf.exe")),
        ("a", "joe@evil.com", SPAN.format("email", "joe@evil.com",
         "joe@" + SPAN.format("domain", "evil.com", "evil.com"))),
        ("message_id", "<A@b.example>", SPAN.format("message_id", "&lt;A@b.example&gt;", "&lt;A@b.example&gt;")),
        ("a", "01234567-89ab-41de-8f00-0123456789ab",
         SPAN.format("clsid", "01234567-89ab-41de-8f00-0123456789ab", "01234567-89ab-41de-8f00-0123456789ab")),
        ("a", "01234567-89ab-11de-8f00-0123456789ab",
         SPAN.format("uuid1", "01234567-89ab-11de-8f00-0123456789ab", "01234567-89ab-11de-8f00-0123456789ab")),
        ("a", "evil[.]example[.]com", SPAN.format("domain", "evil.example.com", "evil[.]example[.]com")),
        ("a", "v1.2.3.4 <b>bold</b>", "v1.2.3.4 &lt;b&gt;bold&lt;/b&gt;"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_cell_in_scots_markup(admin: Caller, column: str, cell: str, flaired: str, engine: str) -> None:
    group = admin.post_group(data=[{column: cell}])

    (row,) = admin.json(f"/scot/api/v2/alertgroup/{group}/alert?flair=1")["records"]
    assert row["data_with_flair"] == {column: f"<div>{flaired}</div>"}
    assert row["data"] == {column: cell}


def test_markup_is_made_only_when_it_is_asked_for(admin: Caller) -> None:
    group = admin.post_group(subject="from 10.0.0.9", body_plain="see 10.0.0.8", data=ROWS)
    plain = admin.json(f"/api/v2/alertgroup/{group}")
    assert (plain["body_flair"], plain["subject_with_flair"]) == ("", "")
    assert [each["data_with_flair"] for each in plain["alerts"]] == [{}, {}]

    full = admin.json(f"/api/v2/alertgroup/{group}?flair=1")
    assert full["subject_with_flair"] == f"<div>from {SPAN.format('ipaddr', '10.0.0.9', '10.0.0.9')}</div>"
    assert full["body_flair"] == f"<div>see {SPAN.format('ipaddr', '10.0.0.8', '10.0.0.8')}</div>"
    flaired = full["alerts"][0]["data_with_flair"]
    assert flaired["src"] == [f"<div>{SPAN.format('ipaddr', one, one)}</div>" for one in ("10.0.0.1", "10.0.0.2")]
    assert flaired["columns"] == ["src", "host"]

    alert = full["alerts"][0]["id"]
    for path in (f"/api/v2/alert/{alert}?columns=data_with_flair", f"/api/v2/alert/{alert}?flair=1"):
        assert admin.json(path)["data_with_flair"] == flaired
    listed = admin.json(f"/api/v2/alert?id={alert}&columns=data_with_flair")["records"]
    assert listed == [{"data_with_flair": flaired}]
    assert admin.get(f"/api/v2/alert/{alert}?flair=yes").status_code == 400


def test_an_entity_is_told_by_any_spelling_known_or_not(admin: Caller, viewer: Caller, hub: Hub) -> None:
    first = admin.post_group(subject="first", data=[{"src": "2001:db8::1"}])
    second = admin.post_group(subject="second", data=[{"src": "2001:db8::1"}, {"src": "2001:db8:0::1"}])
    indexed(hub)

    answer = viewer.json("/api/v2/entity?value=2001:DB8:0:0:0::1")
    (one,) = answer["records"]
    assert (one["type"], one["value"], one["known"], one["own"]) == ("ipv6", "2001:db8::1", True, False)
    assert (one["alertgroup_count"], one["sighting_count"]) == (2, 3)
    assert one["first_seen"] <= one["last_seen"]
    assert [(each["id"], each["subject"], each["count"]) for each in one["alertgroups"]] == [
        (second, "second", 2),
        (first, "first", 1),
    ]
    (strange,) = viewer.json("/api/v2/entity?value=evil[.]example[.]org&type=domain")["records"]
    assert (strange["id"], strange["known"], strange["value"]) == (None, False, "evil.example.org")
    assert viewer.json("/api/v2/entity?value=nothing+at+all")["records"] == []
    assert viewer.json("/api/v2/entity?value=2001:db8::1&type=ipaddr")["records"] == []
    assert viewer.get("/api/v2/entity").status_code == 400


def test_the_alertgroups_of_an_entity_are_paged_by_the_last_id(admin: Caller, viewer: Caller, hub: Hub) -> None:
    groups = [admin.post_group(subject=f"s{n}", data=[{"src": "192.0.2.7"}]) for n in range(5)]
    indexed(hub)
    admin.delete(f"/api/v2/alertgroup/{groups[2]}")
    indexed(hub)
    id = viewer.json("/api/v2/entity?value=192.0.2.7")["records"][0]["id"]

    page = viewer.json(f"/api/v2/entity/{id}/alertgroup?limit=3")
    assert [one["id"] for one in page["records"]] == [groups[4], groups[3], groups[1]]
    assert (page["queryRecordCount"], page["totalRecordCount"]) == (3, 4)
    rest = viewer.json(f"/api/v2/entity/{id}/alertgroup?limit=3&after={groups[1]}")["records"]
    assert [one["subject"] for one in rest] == ["s0"]
    assert viewer.get(f"/api/v2/entity/{id + 99}/alertgroup").status_code == 404
    for wrong in ("limit=0", "limit=x", "after=-1", "offset=2"):
        assert viewer.get(f"/api/v2/entity/{id}/alertgroup?{wrong}").status_code == 400


# --- the pages -------------------------------------------------------------------------------------------------------

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"])


@sqlite_only
def test_entities_are_marked_at_once_and_counted_when_they_are_indexed(
    person: Caller, admin: Caller, hub: Hub, engine: str
) -> None:
    group = admin.post_group(subject="Beacon to evil[.]example[.]com", data=[{"src": "10.0.0.1"}])
    page = person.get(f"/alerts/{group}").text
    link = (
        '<a class="en address own" href="/entity?type=ipv4&amp;value=10.0.0.1" title="{}" data-n="{}" tabindex="-1">'
        "10.0.0.1</a>"
    )
    assert link.format("IPv4 address, own network", "") in page
    assert 'title="domain, not own" data-n="">evil[.]example[.]com</a></bdi></h1>' in page
    assert "Not counted yet" in page

    admin.post_group(data=[{"src": "10.0.0.1"}])
    indexed(hub)
    page = person.get(f"/alerts/{group}").text
    assert link.format("IPv4 address, own network, seen in 1 other alertgroup", "1") in page
    assert "domain, not own, seen in no other alertgroup" in page
    section = page[page.index('id="entities"') : page.index("</section>", page.index('id="entities"'))]
    assert re.findall(r"<dt>([^<]*)", section.replace("<bdi>", "").replace("</bdi>", "")) == [
        "IPv4 address ",
        "domain ",
    ]
    assert "10.0.0.1" in person.get(f"/alerts/{group}/now").text


@sqlite_only
def test_entities_inside_each_other_each_have_their_link_and_the_text_stays(
    person: Caller, admin: Caller, hub: Hub, engine: str
) -> None:
    text = "GET hxxps://user@evil[.]example[.]com:8443/gate?x=<1>&y=10.0.0.1 done"
    group = admin.post_group(data=[{"a": text}])

    page = person.get(f"/alerts/{group}").text
    cell = page[page.index("<td><bdi>GET") :].partition("</td>")[0]
    assert html.unescape(re.sub(r"<[^>]*>", "", cell)) == text
    assert len(re.findall(r'class="en name"', cell)) >= 3
    assert cell.count(" data-n=") == len(set(re.findall(r'href="([^"]*)"', cell)))  # one number each, at its end


@sqlite_only
def test_rows_behind_the_first_come_in_pieces_that_join_to_the_text(person: Caller, admin: Caller, engine: str) -> None:
    cells = {"a": "from 10.0.0.1 to evil.example.com", "b": ["10.0.0.1", "plain"], "c": None, "d": {"k": ["10.0.0.2"]}}
    group = admin.post_group(data=[{"n": n, **cells} for n in range(150)])
    first = person.json(f"/api/v2/alertgroup/{group}")["alerts"][99]["id"]

    found = person.json(f"/alerts/{group}/rows?after={first}&limit=2")
    assert found["more"] is True
    id, status, (n, a, b, c, d) = found["rows"][0]
    assert (id, status, n, c) == (first + 1, "open", "100", None)
    assert a == {"p": ["from ", ["10.0.0.1", 0, 1], " to ", ["evil.example.com", 1, 1]]}
    assert b == [{"p": [["10.0.0.1", 0, 1]]}, "plain"]
    assert "".join(one if isinstance(one, str) else one[0] for one in d["p"]) == '{"k":["10.0.0.2"]}'
    assert [mark[0] for mark in found["marks"][:2]] == [
        "/entity?type=ipv4&value=10.0.0.1",
        "/entity?type=domain&value=evil.example.com",
    ]


HOSTILE = (
    "<script>alert('10.0.0.1')</script>",
    'http://evil.com/"onmouseover="alert(1)',
    "http://evil.com/'><img src=x onerror=alert(1)>",
    "\u202emoc.live\u202c 10.0.0.1\u202e \u2066a@evil.com\u2069",
    "nul\x00evil.com\x00 and \x1b[31m10.0.0.1",
    "{{ 7 * 7 }} evil.com ${alert(4)}",
    "10.0.0.1</td></tr></table>" + "evil.com " * 3,
    "\U0001f469\u200d\U0001f467evil.com\u0301 x\u0301@evil.com",
)


@sqlite_only
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:24])
def test_hostile_text_with_entities_in_it_stays_text(
    person: Caller, admin: Caller, hub: Hub, text: str, engine: str
) -> None:
    subject = text.replace("\x00", "")  # refused in a subject
    group = admin.post_group(subject=subject, body_plain=subject, data=[{"c": text, "l": [text, text]}] * 101)
    indexed(hub)
    alert = person.json(f"/api/v2/alertgroup/{group}")["alerts"][0]["id"]

    page = person.get(f"/alerts/{group}?alert={alert}").text
    heading = page[page.index('<h1 id="subject"') :].partition("</h1>")[0]
    assert html.unescape(re.sub(r"<[^>]*>", "", heading)) == subject
    assert foreign(page) == []
    (row,) = person.json(f"/alerts/{group}/rows?after={alert + 99}")["rows"]
    pieces = row[2][0]["p"]
    assert "".join(one if isinstance(one, str) else one[0] for one in pieces) == text
    for address in re.findall(r'href="(/entity[^"]*)"', page)[:6]:
        answer = person.get(html.unescape(address))
        assert answer.status_code == 200
        assert foreign(answer.text) == []
    flaired = person.json(f"/api/v2/alert/{alert}?flair=1")["data_with_flair"]["c"]
    assert html.unescape(re.sub(r"</?(?:span|div)[^>]*>", "", flaired)) == text


@sqlite_only
def test_a_cell_of_a_megabyte_is_shown_whole_and_marked_at_its_beginning(
    person: Caller, admin: Caller, engine: str
) -> None:
    text = "10.0.0.1 evil.example.com " * 40_000
    group = admin.post_group(data=[{"a": text}])

    page = person.get(f"/alerts/{group}").text
    cell = page[page.index('<td><bdi><a class="en') :].partition("</td>")[0]
    assert html.unescape(re.sub(r"<[^>]*>", "", cell)) == text
    assert 1000 < cell.count('class="en') < 2000


@sqlite_only
@pytest.mark.parametrize("spelling", ["10.0.0.1", "10[.]0[.]0[.]1", "seen: 10.0.0.1:443,"])
def test_the_page_of_an_entity_takes_any_spelling(
    person: Caller, admin: Caller, hub: Hub, spelling: str, engine: str
) -> None:
    groups = [admin.post_group(subject=f"group {n}", data=[{"src": "10.0.0.1"}]) for n in range(3)]
    indexed(hub)

    page = person.get("/entity", params={"value": spelling}).text
    assert "IPv4 address" in page
    assert "10[.]0[.]0[.]1" in page
    assert "3 in 3 alertgroups" in page
    assert re.findall(r'<a href="/alerts/(\d+)">', page) == [str(each) for each in reversed(groups)]
    assert "/alerts?q=entity%3A%2210.0.0.1%22" in page
    beside = person.get(
        "/entity",
        params={"type": "ipv4", "value": "10.0.0.1", "beside": groups[1]},
        headers={"HX-Target": "div#entity"},
    ).text
    assert "<html" not in beside
    assert "2 other alertgroups" in beside
    assert re.findall(r'<a href="/alerts/(\d+)">', beside) == [str(groups[2]), str(groups[0])]


@pytest.mark.parametrize(
    ("type", "value", "harmless"),
    [
        ("ipv4", "192.0.2.7", "192[.]0[.]2[.]7"),
        ("ipv6", "2001:db8::1", "2001[:]db8::1"),
        ("cidr", "192.0.2.0/24", "192[.]0[.]2[.]0/24"),
        ("domain", "evil.example.com", "evil[.]example[.]com"),
        ("email", "a.b@evil.com", "a[.]b[@]evil[.]com"),
        ("url", "https://evil.com:8443/a.b?c=d.e", "hxxps://evil[.]com:8443/a.b?c=d.e"),
        ("md5", "d41d8cd98f00b204e9800998ecf8427e", "d41d8cd98f00b204e9800998ecf8427e"),
    ],
)
def test_a_defanged_copy_is_harmless_and_means_the_same(type: str, value: str, harmless: str) -> None:
    assert defanged(type, value) == harmless
    assert (type, value) in asked(harmless)


def test_all_alertgroups_of_an_entity_are_found_by_its_link(person: Caller, admin: Caller, hub: Hub) -> None:
    group, other = admin.post_group(data=[{"src": "2001:db8::7"}]), admin.post_group(data=[{"src": "2001:db8::8"}])
    indexed(hub)

    page = person.get("/entity?value=2001:db8:0::7").text
    found = person.get(html.unescape(re.findall(r'href="(/alerts\?q=entity[^"]*)"', page)[0])).text
    assert f'id="g{group}"' in found
    assert f'id="g{other}"' not in found


@sqlite_only
def test_the_page_says_so_when_nothing_is_known(person: Caller, engine: str) -> None:
    assert "Paste one" in person.get("/entity").text
    assert "has not been seen in any alert" in person.get("/entity?value=198.51.100.1").text
    assert "There is no entity in that text" in person.get("/entity?value=%3Cb%3Ehello").text
    assert person.get("/entity?value=x&after=x").status_code == 400


@sqlite_only
def test_an_alertgroup_of_many_entities_shows_some_and_leads_to_all(
    person: Caller, admin: Caller, hub: Hub, engine: str
) -> None:
    group = admin.post_group(data=[{"src": f"10.0.{n}.1", "host": "a.example.com"} for n in range(40)])
    assert "Not counted yet" in person.get(f"/alerts/{group}/entities").text
    indexed(hub)

    page = person.get(f"/alerts/{group}").text
    assert "and 28 more" in page
    assert f'<a href="/alerts/{group}/entities">all 41</a>' in page
    every = person.get(f"/alerts/{group}/entities").text
    assert len(re.findall(r'class="en address own"', every)) == 40
    admin.delete(f"/api/v2/alertgroup/{group}")
    assert person.get(f"/alerts/{group}/entities").status_code == 404
