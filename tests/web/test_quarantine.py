"""Quarantine over the API and on the pages: looked at safely, read again, accepted, discarded, put back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from neighbours.letters import HOSTILE_HTML, a_letter, received
from neighbours.parsers import Picky
from tocsin import registry
from tocsin.app import Hub, build
from tocsin.config import Config
from tocsin.model import Message
from tocsin.store import alertgroup, message
from tocsin.web.notes import now_micros
from web.conftest import Caller
from web.person import csrf, signed_in

API = "/api/v2/quarantine"


@pytest.fixture
def hub(engine: str, data: Path, http_options: dict[str, Any]) -> Iterator[Hub]:
    """With a parser that reads only what begins with its word, besides our own for what is posted."""
    found = registry.Registry()
    found.add("parser", "picky", Picky, "tests", "1")
    for each in registry.find().found():
        if each.kind == "destination" or each.name == "scot":
            found.add(*each)
    hub = build(Config.model_validate({"store": {"url": engine}, "parsers": {"picky": {}}}), data, found)
    yield hub
    hub.stop()


@pytest.fixture
def person(admin: Caller) -> Caller:
    return signed_in(admin)


def kept(hub: Hub, body: bytes = b"not for picky") -> int:
    """A message that nobody understands."""
    came = Message(source="dir", body=body, media_type="text/plain", received=now_micros())
    stored = hub.intake.accept(came)
    assert stored.quarantined
    return stored.message


def kept_mail(hub: Hub, body: bytes) -> int:
    stored = hub.intake.accept(received(body))
    assert stored.quarantined
    return stored.message


def test_one_in_quarantine_says_why_and_what_each_parser_makes_of_it(hub: Hub, analyst: Caller) -> None:
    one = kept(hub)
    found = analyst.json(f"{API}/{one}")

    assert "no parser claims it" in found["reason"]
    assert found["preview"] is None
    assert [(said["parser"], said["claims"]) for said in found["answers"]] == [("picky", False), ("scot", False)]
    assert "ValueError" in found["answers"][0]["reason"]
    assert "not JSON" in found["answers"][1]["reason"]


def test_a_parser_that_could_read_it_shows_its_alertgroups(hub: Hub, analyst: Caller) -> None:
    one = kept(hub, b"nobody 3")
    (said, _) = analyst.json(f"{API}/{one}")["answers"]

    (group,) = said["alertgroups"]
    assert (group["subject"], group["columns"], group["rows"]) == ("picky", ["n"], 3)
    assert group["examples"] == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_a_mail_is_shown_without_anything_that_loads_leads_or_runs(hub: Hub, analyst: Caller) -> None:
    body = a_letter("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "plain words", HOSTILE_HTML, {"../../x.exe": b"MZ"})
    one = kept_mail(hub, body)
    seen = analyst.json(f"{API}/{one}")["preview"]

    assert {"name": "Subject", "value": "Grüße"} in seen["headers"]
    assert seen["text"] == "plain words\n"
    for evil in (
        "script",
        "http",
        "src",
        "style",
        "onload",
        "onclick",
        "class",
        "id=",
        "form",
        "input",
        "iframe",
        "<a",
    ):
        assert evil not in seen["html"]
    assert '<td colspan="2">10.0.0.1</td>' in seen["html"]
    assert seen["links"] == [{"text": "sign in", "address": "https://evil.example/go"}]
    assert seen["attachments"] == [{"number": 0, "name": "x.exe", "media_type": "application/octet-stream", "size": 2}]


def test_an_attachment_is_a_file_to_keep_and_nothing_else(hub: Hub, analyst: Caller, viewer: Caller) -> None:
    one = kept_mail(hub, a_letter(attachments={"naïve report.html": b"<script>alert(1)</script>"}))
    got = analyst.get(f"/api/v2/message/{one}/attachment/0")

    assert got.content == b"<script>alert(1)</script>"
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in got.headers["content-security-policy"]
    assert got.headers["content-disposition"] == (
        "attachment; filename=\"na_ve_report.html\"; filename*=UTF-8''na%C3%AFve%20report.html"
    )
    assert analyst.get(f"/api/v2/message/{one}/attachment/1").status_code == 404
    assert analyst.get(f"/api/v2/message/{one}/attachment/x").status_code == 400
    assert analyst.get(f"/api/v2/message/{kept(hub)}/attachment/0").status_code == 404
    assert viewer.get(f"/api/v2/message/{one}/attachment/0").status_code == 403


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_mail_that_is_built_to_harm_is_kept_and_says_why_it_is_not_shown(
    hub: Hub, analyst: Caller, engine: str
) -> None:
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(2000))
    tags = a_letter(html="<div>" * 50_000)
    assert analyst.json(f"{API}/{kept_mail(hub, deep)}")["preview"]["reason"]
    seen = analyst.json(f"{API}/{kept_mail(hub, tags)}")["preview"]
    assert seen["html"] == ""
    assert "the HTML is not shown" in seen["notes"][0]


def test_reading_again_with_a_named_parser_releases_it(hub: Hub, analyst: Caller) -> None:
    one = kept(hub, b"nobody 2")
    done = analyst.post(f"{API}/{one}/read", json={"parser": "picky"})

    assert done.status_code == 200, done.text
    (group,) = done.json()["alertgroups"]
    assert done.json()["status"] == "ok"
    assert hub.store.read(lambda tx: alertgroup.get(tx, group)).alert_count == 2
    assert analyst.get(f"{API}/{one}").status_code == 404
    assert analyst.json(f"/api/v2/message/{one}")["alertgroups"] == [group]
    assert analyst.json("/api/v2/flow-of-alerts")["all"]["quarantined"] == 0
    again = analyst.post(f"{API}/{one}/read", json={})
    assert (again.status_code, again.json()["error_msg"]) == (
        400,
        f"message {one} does not stand in quarantine: it is stored",
    )


def test_reading_again_in_vain_keeps_it_with_the_new_reason(hub: Hub, analyst: Caller) -> None:
    one = kept(hub, b"nobody unreadable")
    done = analyst.post(f"{API}/{one}/read", json={"parser": "picky"}).json()

    assert (done["status"], done["alertgroups"]) == ("quarantined", [])
    assert "no line of the form x" in done["reason"]
    found = analyst.json(f"{API}/{one}")
    assert found["reason"] == done["reason"]
    assert [line["what"] for line in found["history"]] == [f"read again in vain: {done['reason']}"]
    assert found["history"][0]["who"] == "test analyst"
    assert analyst.post(f"{API}/{one}/read", json={"parser": "nobody"}).status_code == 400


def test_anything_can_be_accepted_as_it_stands(hub: Hub, analyst: Caller) -> None:
    odd, mail = kept(hub, b"\xff\x00 odd"), kept_mail(hub, a_letter("Odd mail", "with words"))
    (of_odd,) = analyst.post(f"{API}/{odd}/accept").json()["alertgroups"]
    (of_mail,) = analyst.post(f"{API}/{mail}/accept").json()["alertgroups"]

    assert analyst.json(f"/api/v2/alertgroup/{of_odd}")["alerts"][0]["data"] == {"text": "\ufffd\ufffd odd"}
    found = analyst.json(f"/api/v2/alertgroup/{of_mail}")
    assert (found["subject"], found["alerts"][0]["data"]) == ("Odd mail", {"text": "with words\n"})
    assert analyst.json(API)["totalRecordCount"] == 0


def test_a_discarded_message_is_listed_apart_and_can_be_put_back(hub: Hub, analyst: Caller) -> None:
    one = kept(hub)
    assert analyst.post(f"{API}/{one}/discard", json={"note": "spam"}).json()["state"] == "discarded"

    assert analyst.json(API)["totalRecordCount"] == 0
    listed = analyst.json(f"{API}?state=discarded")
    assert (listed["totalRecordCount"], listed["records"][0]["id"]) == (1, one)
    assert analyst.json(f"{API}/{one}")["history"][0]["what"] == "discarded: spam"
    assert analyst.post(f"{API}/{one}/discard", json={}).status_code == 400
    assert analyst.post(f"{API}/{one}/restore").json()["state"] == "quarantined"
    assert analyst.json(API)["records"][0]["id"] == one
    assert analyst.get(f"{API}?state=stored").status_code == 400


@pytest.mark.parametrize("action", ["read", "accept", "discard", "restore"])
def test_only_analysts_may_decide(hub: Hub, viewer: Caller, sender: Caller, action: str) -> None:
    one = kept(hub)
    for caller in (viewer, sender):
        assert caller.post(f"{API}/{one}/{action}", json={}).status_code == 403
    assert hub.store.read(lambda tx: message.get(tx, one)).state == "quarantined"


def decide(person: Caller, one: int, **form: str) -> str:
    """Post the form of a message's page and follow to what it shows."""
    page = person.get(f"/quarantine/{one}")
    answer = person.post(f"/quarantine/{one}", data={"csrf_token": csrf(page), **form})
    assert answer.status_code == 303, answer.text
    return person.get(answer.headers["location"]).text


def test_the_page_reads_again_and_leads_to_what_came_of_it(hub: Hub, person: Caller) -> None:
    one = kept(hub, b"nobody 2")
    page = person.get(f"/quarantine/{one}").text
    assert '<option value="picky">picky</option>' in page
    assert "2 rows: <bdi>n</bdi>" in page

    assert "Still not understood" in decide(person, one, do="read", parser="scot")
    done = decide(person, one, do="read", parser="picky")
    assert "Understood by picky: 1 alertgroup made." in done
    assert 'href="/alerts/1"' in done
    assert "Read again</button>" not in done
    assert "read again in vain" in done


def test_the_page_accepts_discards_and_puts_back(hub: Hub, person: Caller) -> None:
    one, other = kept(hub), kept(hub)
    shown = decide(person, one, do="discard", note="<b>spam</b>")
    assert "Discarded." in shown
    assert "discarded: &lt;b&gt;spam&lt;/b&gt;" in shown
    assert f'href="/quarantine/{one}"' in person.get("/quarantine?state=discarded").text
    assert f'href="/quarantine/{one}"' not in person.get("/quarantine").text
    assert "It stands in quarantine again." in decide(person, one, do="restore")
    assert "1 alertgroup made" in decide(person, other, do="accept")
    assert person.post(f"/quarantine/{one}", data={"do": "accept"}).status_code == 403


@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_page_shows_a_mail_harmless_and_offers_its_attachments(hub: Hub, person: Caller, engine: str) -> None:
    one = kept_mail(hub, a_letter("Mind the \u202egap", "", HOSTILE_HTML, {"a.pdf": b"%PDF"}))
    page = person.get(f"/quarantine/{one}").text
    letter = page.split('aria-label="The mail\'s HTML">')[1].split("<details>")[0]

    assert "10.0.0.1" in letter
    assert "https://evil.example/go" in page
    assert 'href="https://evil' not in page
    assert 'src="https://evil' not in page
    assert letter.count("</div>") == 1
    assert 'data-c="202E"' in page
    assert f'href="/messages/{one}/attachments/0" download' in page
    got = person.get(f"/messages/{one}/attachments/0")
    assert (got.content, got.headers["content-type"]) == (b"%PDF", "application/octet-stream")
    assert got.headers["content-disposition"] == 'attachment; filename="a.pdf"'


@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_original_of_an_alertgroup_is_opened_too(hub: Hub, person: Caller, engine: str) -> None:
    one = kept_mail(hub, a_letter("Odd mail", "with words"))
    decide(person, one, do="accept")
    page = person.get("/alerts/1/original").text

    assert "with words" in page
    assert 'action="/quarantine' not in page


def lines(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_stored_messages_are_read_again_line_by_line(hub: Hub, admin: Caller, analyst: Caller) -> None:
    one = kept(hub, b"nobody 2")
    analyst.post(f"{API}/{one}/accept")
    looked = lines(admin.post("/api/v2/reparse", json={"with": "picky"}))
    (difference,) = [line["difference"] for line in looked if "difference" in line]

    assert (difference["columns_added"], difference["columns_removed"]) == (["n"], ["text"])
    assert (difference["rows_before"], difference["rows_after"]) == (1, 2)
    assert looked[-1] == {"done": {"messages": 1, "read": 1, "same": 0}}
    assert analyst.json("/api/v2/alertgroup/1")["columns"] == ["text"]
    lines(admin.post("/api/v2/reparse", json={"with": "picky", "dry_run": False}))
    assert analyst.json("/api/v2/alertgroup/1")["columns"] == ["n"]
    assert analyst.post("/api/v2/reparse", json={}).status_code == 403
    assert admin.post("/api/v2/reparse", json={"with": "nobody"}).status_code == 400
