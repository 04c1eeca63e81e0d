"""EVE events in mails: the same rows as those that are posted."""

import json
import sys
from typing import Any

import pytest

from neighbours.mails import DATA, a_mail, mail_from, only
from tocsin.errors import Unreadable
from tocsin.model import Message
from tocsin.parsers.suricata import Suricata

sys.path.append(str(DATA.parent.parent / "examples"))

from post_eve import alert_events, flat  # the rows of the example are the measure

POSTED: list[dict[str, Any]] = [flat(event) for event in alert_events(DATA / "suricata" / "eve.json")]


def test_alert_events_of_an_attachment_become_the_rows_that_would_be_posted() -> None:
    message = mail_from("suricata/attached.eml")
    group = only(Suricata().parse(message))

    assert Suricata().claims(message)
    assert [alert.data for alert in group.alerts] == POSTED
    assert [list(alert.data) for alert in group.alerts] == [list(row) for row in POSTED]
    assert (group.tags, group.sources, group.subject) == (("ids",), ("email", "suricata"), "Suricata on sensor-1")


def test_events_in_the_text_are_read_and_other_events_left_out() -> None:
    group = only(Suricata().parse(mail_from("suricata/inline.eml")))

    assert [alert.data for alert in group.alerts] == POSTED[:1]


def test_numbers_keep_their_spelling() -> None:
    line = '{"event_type":"alert","flow_id":2251799813685248123456789,"x":{"score":1.10,"list":[1, 2.0]}}'
    group = only(Suricata().parse(a_mail(subject="s", sender="a@b.example", text=line)))

    assert group.alerts[0].json == (
        '{"event_type":"alert","flow_id":2251799813685248123456789,"x.score":1.10,"x.list":[1, 2.0]}'
    )


def test_another_tools_events_are_not_claimed() -> None:
    assert not Suricata().claims(a_mail(subject="s", text='{"event_type": "login"}'))
    assert not Suricata().claims(a_mail(subject="s", text="nothing"))


def test_events_without_an_alert_say_what_was_looked_for() -> None:
    with pytest.raises(Unreadable, match='"event_type": "alert"'):
        list(Suricata().parse(a_mail(subject="s", text=json.dumps({"event_type": "flow", "flow_id": 1}))))


def lines(body: bytes) -> Message:
    return Message(source="files", body=body, media_type="application/x-ndjson", received=0)


def test_lines_as_they_stand_become_an_alertgroup_for_each_signature() -> None:
    message = lines((DATA / "suricata" / "eve.json").read_bytes())
    groups = list(Suricata().parse(message))

    assert Suricata().claims(message)
    assert {group.subject for group in groups} == {row["alert.signature"] for row in POSTED}
    assert sorted(str(alert.data) for group in groups for alert in group.alerts) == sorted(map(str, POSTED))
    assert {(group.tags, group.sources) for group in groups} == {(("ids",), ("suricata",))}


def test_lines_of_others_are_not_claimed_and_lines_without_an_alert_say_so() -> None:
    assert not Suricata().claims(lines(b'{"event_type": "login"}\n'))
    assert not Suricata().claims(lines(b'{"x": "event_type", "flow_id": 1}\n'))
    with pytest.raises(Unreadable, match="alert"):
        list(Suricata().parse(lines(b'{"event_type": "flow", "flow_id": 1}\n')))


@pytest.mark.parametrize("signature", ['"\\u0000"', '""', "7", "null", "[1]"])
def test_an_odd_signature_is_still_a_name(signature: str) -> None:
    text = f'{{"event_type": "alert", "flow_id": 1, "alert": {{"signature": {signature}}}}}'
    (group,) = Suricata().parse(lines(text.encode()))

    assert group.subject
    assert "\0" not in group.subject
