"""Any mail: rows of attachments, or one alert with its text."""

import pytest

from neighbours.mails import a_mail, mail_from, mailed, only
from tocsin import detection
from tocsin.errors import Unreadable
from tocsin.model import Alertgroup, Detection
from tocsin.parsers.generic import Generic


def read(raw: bytes) -> Alertgroup:
    return only(Generic().parse(mailed(raw)))


def test_a_mail_is_one_alert_with_sender_subject_and_text() -> None:
    group = only(Generic().parse(mail_from("generic/text_and_html.eml")))

    assert [alert.data for alert in group.alerts] == [
        {
            "sender": "joerg@example.com",
            "subject": "Verdächtige Mail",
            "alert": "Please look at http://evil.example/ä now.",
        }
    ]
    assert (group.subject, group.columns) == ("Verdächtige Mail", ("sender", "subject", "alert"))
    assert (group.sources, group.tags, group.ahrefs) == (("email", "generic"), (), ())
    assert (group.message_id, group.created) == ("<g1@example.com>", 1_772_439_120_000_000)
    assert group.body.strip() == "<p>Please look</p>"


def test_who_sent_a_mail_is_not_taken_for_an_attacker() -> None:
    group = only(Generic().parse(mail_from("generic/text_and_html.eml")))

    assert detection.read(group.alerts[0]) == Detection(name="Verdächtige Mail", detected=1_772_439_120_000_000)


def test_html_is_made_text_without_gluing_words() -> None:
    group = only(Generic().parse(mail_from("generic/html_only.eml")))

    assert group.alerts[0].data["alert"] == "Scan\nFound 2 hosts\na b"


def test_each_attached_table_becomes_an_alertgroup_of_its_rows() -> None:
    csv, json = Generic().parse(mail_from("generic/csv_and_json.eml"))

    assert (csv.subject, json.subject) == ("Findings hosts.csv", "Findings findings.jsonl")
    assert [alert.data for alert in csv.alerts] == [
        {"host": "müller", "ip": "192.0.2.1", "ip_2": "192.0.2.2", "c4": "a;b\r\nc"},
        {"host": "short", "ip": "192.0.2.3"},
    ]
    assert (csv.columns, csv.tags) == (("host", "ip", "ip_2", "c4"), ("uneven_rows",))
    assert [alert.json for alert in json.alerts] == [
        '{"id":1.10,"host.name":"a","host.ips":["192.0.2.1", "192.0.2.2"],"note":null}',
        '{"id":123456789012345678901234567890,"host":{}}',
    ]
    assert json.columns == ("id", "host.name", "host.ips", "note", "host")
    assert csv.body_plain.strip() == json.body_plain.strip() == "Two files."


def test_bytes_that_are_no_mail_at_all_are_the_text_of_one_alert() -> None:
    assert [alert.data for alert in read(b"just a line\nand another\n").alerts] == [
        {"sender": "", "alert": "just a line\nand another"}
    ]


def test_a_mail_of_headers_alone_is_an_alert() -> None:
    assert [alert.data for alert in read(b"Subject: only this\n\n").alerts] == [
        {"sender": "", "subject": "only this", "alert": ""}
    ]
    assert read(b"From: a@b.example\n\n").subject == "Mail from a@b.example without a subject"


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\n", b"   \n"])
def test_a_mail_in_which_nothing_stands_says_so(raw: bytes) -> None:
    with pytest.raises(Unreadable, match="nothing stands in"):
        read(raw)


def test_an_attachment_that_is_no_table_is_named() -> None:
    raw = b"Subject: x\nContent-Type: application/pdf; name=a.pdf\n\n%PDF"

    assert [alert.data for alert in read(raw).alerts] == [
        {"sender": "", "subject": "x", "alert": "", "attachments": ["a.pdf"]}
    ]


def test_a_guessed_charset_is_said_by_a_tag() -> None:
    raw = b"Subject: x\nContent-Type: text/plain; charset=x-unknown\n\ngr\xfc\xdfe"
    group = read(raw)

    assert (group.alerts[0].data["alert"], group.tags) == ("grüße", ("charset_guessed",))


def test_a_very_long_text_is_cut_and_says_so() -> None:
    text = only(Generic().parse(a_mail(text="x" * 70 + ("y" * 70 + "\n") * 20_000))).alerts[0].data["alert"]

    assert text.startswith("xxx")
    assert text.endswith("characters; all of them stand in the original message)")
    assert len(text) < 1_000_200
