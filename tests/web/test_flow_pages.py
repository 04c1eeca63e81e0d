"""The pages of network flows: what they show, where their links lead, and what they say where there is nothing."""

import html
import re
from urllib.parse import quote

import pytest

from neighbours.flows_seen import NAMED, UID, ZEEK, import_into, label
from tocsin.app import Hub
from tocsin.flows import engine as duck
from tocsin.flows.kinds import KINDS
from web.conftest import Caller, with_role
from web.person import csrf, signed_in


@pytest.fixture
def seen(hub: Hub) -> Hub:
    """The hub with our samples of Zeek."""
    import_into(hub)
    return hub


@pytest.fixture
def person(admin: Caller) -> Caller:
    return signed_in(admin)


def text_of(page: str) -> str:
    """What a reader sees, with single blanks."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", page)).split())


def ids(page: str) -> list[int]:
    """The flows of a page's table, in order."""
    return [int(id) for id in re.findall(r'<tr id="f(\d+)"', page)]


def shown(caller: Caller, path: str, status: int = 200) -> str:
    answer = caller.get(path)
    assert answer.status_code == status, answer.text
    return answer.text


def flow_of(caller: Caller, query: str) -> int:
    (record,) = caller.json(f"/api/v2/flow?query={quote(query)}")["records"]
    return int(record["id"])


def post(caller: Caller, path: str, page: str, **fields: str) -> int:
    token = csrf(caller.get(page))
    return caller.post(path, data={"csrf_token": token, **fields}).status_code


def test_flows_stand_newest_first_and_every_one_on_one_page_only(seen: Hub, person: Caller) -> None:
    whole = [int(one["id"]) for one in person.json("/api/v2/flow?limit=1000")["records"]]
    page = shown(person, "/flows")

    assert ids(page) == whole
    assert len(whole) == 21
    assert "Label" in text_of(page)
    # The same without script, a few at a time.
    import_into(seen, ZEEK.parent / "eve.json")
    found, path = [], "/flows?query=" + quote("tool:*")
    while path:
        page = shown(person, path)
        found += ids(page)
        more = re.search(r'href="(/flows\?[^"]*after=[^"]*)"', page)
        path = html.unescape(more[1]) if more else ""
    assert found == [int(one["id"]) for one in person.json("/api/v2/flow?limit=1000")["records"]]


def test_a_query_and_a_span_leave_flows_out_and_stand_in_their_fields(seen: Hub, person: Caller) -> None:
    page = shown(person, "/flows?query=dport:443&since=2023-11-14T22:13:20Z&until=2023-11-14T22:13:30Z")

    assert [KINDS[person.json(f"/api/v2/flow/{id}")["kind"]].name for id in ids(page)] == ["ssl", "conn"]
    assert 'value="dport:443"' in page
    assert 'value="2023-11-14T22:13:20Z"' in page
    assert "/flows/timeline?query=dport%3A443&amp;since=2023" in page
    assert "No flow matches" in text_of(shown(person, "/flows?query=src:203.0.113.9"))


def test_a_button_s_span_becomes_the_address_that_says_so(seen: Hub, person: Caller) -> None:
    answer = person.get("/flows?query=dport:53&since=&until=&last=24h")
    assert (answer.status_code, answer.headers["location"]) == (303, "/flows?query=dport%3A53&since=now-24h")
    answer = person.get("/flows?query=&since=now-24h&until=&last=any")
    assert answer.headers["location"] == "/flows"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("query=nonsense:1", "no field"),
        ("query=src:", ""),
        ("since=yesteryear", "must be a date in UTC"),
        ("after=nowhere", "give back the"),
    ],
)
@pytest.mark.parametrize("engine", ["sqlite"])
def test_what_cannot_be_read_is_said_and_nothing_breaks(seen: Hub, person: Caller, asked: str, said: str) -> None:
    page = shown(person, f"/flows?{asked}")
    assert 'class="trouble"' in page
    assert said in text_of(page)
    assert ids(page) == []


def test_a_named_flow_says_who_names_it_and_leads_there_and_back(seen: Hub, admin: Caller, person: Caller) -> None:
    group = admin.post_group(**NAMED)
    label(seen)
    (alert,) = admin.json(f"/api/v2/alertgroup/{group}/alert")["records"]
    flow = flow_of(person, f"uid:{UID} and kind:conn")
    where = f'href="/alerts/{group}?alert={alert["id"]}#record"'

    page = shown(person, "/flows?query=label:malicious")
    assert len(ids(page)) == 3
    assert where in page
    assert "Malware.C2" in page
    page = shown(person, f"/flows/{flow}")
    assert where in page
    assert "Beacon to 93.184.216.34" in page
    assert f'href="/flows/{flow}"' in shown(person, f"/alerts/{group}/flows")
    assert f'hx-get="/alerts/{group}/flows"' in shown(person, f"/alerts/{group}")


def test_a_flow_s_page_has_every_field_its_fingerprints_its_line_and_its_connection(seen: Hub, person: Caller) -> None:
    flow = flow_of(person, f"uid:{UID} and kind:conn")
    known = person.json(f"/api/v2/flow/{flow}")["flow"]
    page = shown(person, f"/flows/{flow}")
    said = text_of(page)

    for name in known:
        if name not in ("aid", "community_id"):
            assert f">{name}</dt>" in page
    assert f'data-copy="{html.escape(known["aid"])}"' in page
    assert f'data-copy="{html.escape(known["community_id"])}"' in page
    assert f"Line 9 of {ZEEK / 'conn.log'}" in said
    assert "zeek conn" in said
    beside = {person.json(f"/api/v2/flow/{id}")["kind"] for id in ids(page)}
    assert beside == {"ssl", "notice"}
    assert flow not in ids(page)
    assert "no alert names it" in said
    shown(person, "/flows/1", 404)


def test_a_host_s_page_counts_its_flows_peers_ports_and_kinds(seen: Hub, admin: Caller, person: Caller) -> None:
    admin.post_group(**NAMED)
    label(seen)
    page = shown(person, "/flows/host/10.0.0.5")
    assert 'hx-get="/flows/host/10.0.0.5/sums"' in page
    assert 'href="/entity?type=ipv4&amp;value=10.0.0.5"' in page
    assert len(ids(page)) == 18
    page = shown(person, "/flows/host/10.0.0.5/sums")
    assert "<dt>flows from it</dt><dd>14</dd>" in page
    assert "<dt>flows to it</dt><dd>4</dd>" in page
    assert '<dt>named by alerts</dt><dd class="bad">3</dd>' in page
    assert 'href="/flows/host/93.184.216.34"' in page
    assert "/flows?query=ip%3A%2210.0.0.5%22+and+dport%3A443+and+proto%3A%22tcp%22" in page
    assert "No flow that is kept" in text_of(shown(person, "/flows/host/203.0.113.9"))
    assert "2001:db8::1" in text_of(shown(person, "/flows/host/2001:DB8:0::1"))
    shown(person, "/flows/host/everybody", 400)


def test_the_page_of_an_address_leads_to_its_flows_where_there_are_some(seen: Hub, person: Caller) -> None:
    assert 'href="/flows/host/10.0.0.5"' in shown(person, "/entity?value=10.0.0.5")
    assert "/flows/host/" not in shown(person, "/entity?value=203.0.113.9")


def test_flows_over_time_are_a_table_as_well(seen: Hub, admin: Caller, person: Caller) -> None:
    admin.post_group(**NAMED)
    label(seen)
    page = shown(person, "/flows/timeline?query=tool:zeek")
    said = text_of(page)

    assert "all 21" in said
    assert "3 named by alerts" in said
    assert "/flows?query=tool%3Azeek&amp;since=2023-11-14T22%3A13%3A20Z&amp;until=2023-11-14T22%3A13%3A21Z" in page
    part = person.get("/flows/timeline", headers={"HX-Request": "true", "HX-Target": "section#timeline"}).text
    assert "<html" not in part
    assert 'data-step="1"' in part


def test_closing_as_false_tags_and_closes_and_both_are_undone(seen: Hub, admin: Caller, person: Caller) -> None:
    group = admin.post_group(**NAMED, tag=["c2"])
    page = f"/alerts/{group}"

    def known() -> tuple[str, list[str]]:
        one = admin.json(f"/api/v2/alertgroup/{group}")
        return one["status"], [tag["value"] if isinstance(tag, dict) else tag for tag in one["tag"]]

    assert post(person, f"{page}/status", page, status="false") == 303
    assert known() == ("closed", ["c2", "false_positive"])
    label(seen)
    assert ids(shown(person, "/flows?query=label:malicious")) == []
    own = shown(person, f"{page}/flows")
    assert len(ids(own)) == 3
    assert "they count as benign" in text_of(own)

    assert post(person, f"{page}/undo", page, before="open:all;tagged") == 303
    assert known() == ("open", ["c2"])
    post(person, f"{page}/status", page, status="false")
    assert post(person, f"{page}/status", page, status="open") == 303
    assert known() == ("open", ["c2"])
    assert post(person, f"{page}/undo", page, before="closed:all;untagged") == 303
    assert known() == ("closed", ["c2", "false_positive"])
    post(person, f"{page}/status", page, status="open")
    label(seen)
    assert len(ids(shown(person, "/flows?query=label:malicious"))) == 3
    said = text_of(shown(person, page))
    assert "tags set to c2, false_positive" in said


def test_a_tag_of_the_sender_s_that_says_so_is_kept(admin: Caller, person: Caller) -> None:
    group = admin.post_group(tag=["FP"])
    page = f"/alerts/{group}"
    post(person, f"{page}/status", page, status="false")
    post(person, f"{page}/status", page, status="open")
    assert 'aria-label="Remove the tag FP"' in shown(person, page)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_what_a_viewer_may_see_and_a_sender_may_not(seen: Hub, admin: Caller) -> None:
    viewer, sender = signed_in(admin, "viewer"), with_role(admin, "sender")
    group = admin.post_group(**NAMED)
    for path in ("/flows", "/flows/timeline", "/flows/host/10.0.0.5", f"/alerts/{group}/flows"):
        assert viewer.get(path).status_code == 200
        assert sender.get(path).status_code == 403
    assert "Close as false" not in shown(viewer, f"/alerts/{group}")
    assert post(viewer, f"/alerts/{group}/status", "/flows", status="false") == 403


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("path", ["/flows", "/flows/timeline", "/flows/host/10.0.0.5", "/flows/7", "/alerts/{}/flows"])
def test_a_page_without_flows_says_what_to_do(
    admin: Caller, person: Caller, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = admin.post_group()
    said = text_of(shown(person, path.format(group)))
    assert "tocsin flows import" in said
    assert "follow = [" in said
    assert 'id="flows"' not in shown(person, f"/alerts/{group}")

    monkeypatch.setattr(duck, "installed", lambda: False)
    assert "pip install 'tocsin[flows]'" in text_of(shown(person, path.format(group)))
    assert person.get(f"/alerts/{group}").status_code == 200
    assert person.get("/entity?value=10.0.0.5").status_code == 200


@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_box_offers_fields_of_flows_and_their_values(person: Caller) -> None:
    def offered(text: str) -> list[str]:
        found = person.json(f"/flows/complete?q={quote(text)}&at={len(text)}")["offers"]
        return [one["text"] for one in found]

    assert "dport:" in offered("dpo")
    assert offered("label:") == ["malicious", "benign"]
    assert "conn" in offered("kind:")
    assert person.get("/flows/complete?q=a&at=x").status_code == 400


@pytest.mark.parametrize("engine", ["sqlite"])
def test_what_stands_in_a_log_is_text_on_the_page(hub: Hub, person: Caller) -> None:
    log = hub.data / "dns.log"
    log.write_text(
        '{"_path":"dns","ts":1700000000.0,"uid":"<b>u</b>","id.orig_h":"10.0.0.5","id.orig_p":5,"id.resp_h":'
        '"10.0.0.1","id.resp_p":53,"proto":"udp","query":"<script>alert(1)</script>\\u202e","qtype_name":"A"}\n'
    )
    import_into(hub, log)
    page = shown(person, "/flows")
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    (flow,) = ids(page)
    assert "<b>u</b>" not in shown(person, f"/flows/{flow}")
