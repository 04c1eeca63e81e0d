"""Any bytes as a mail: understood, or a reason why not; never another exception, never silence, never for long."""

import base64
from collections.abc import Sequence
from email.message import EmailMessage

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from neighbours.mails import DATA, mailed
from tocsin.errors import Refused, Unreadable
from tocsin.kit.html_table import Page
from tocsin.kit.letter import letter
from tocsin.model import Alertgroup, Message
from tocsin.parsers.fireeye import Fireeye
from tocsin.parsers.forefront import Forefront
from tocsin.parsers.generic import Generic
from tocsin.parsers.sourcefire import Sourcefire
from tocsin.parsers.splunk import Splunk
from tocsin.parsers.stix_mail import StixMail
from tocsin.parsers.suricata import Suricata
from tocsin.plugin import Parser

PARSERS: Sequence[Parser] = (Splunk(), Sourcefire(), Fireeye(), Forefront(), Suricata(), StixMail(), Generic())
SAMPLES = [file.read_bytes() for file in sorted(DATA.rglob("*.eml"))]

FRAGMENTS = st.sampled_from(
    [
        *(b"\r\n", b"\n\n", b"\0", b"\xff\xfe", b"\xc3", b"--b", b"--b--\r\n", b"=3D=\r\n=", b" folded\r\n"),
        *(b"=?utf-7?q?+2AA-?=", b"=?x?b?////?=", b"=?utf-8?q?=C3?=", b"X-Splunk-Name: =?utf-8?q?=00?=\r\n"),
        *(b"Content-Type: multipart/mixed; boundary=b\r\n", b"Content-Type: text/html; charset=utf-7\r\n"),
        *(b"Content-Transfer-Encoding: base64\r\n", b"Content-Transfer-Encoding: quoted-printable\r\n"),
        *(b"Content-Disposition: attachment; filename*0*=utf-8''%C3; filename*1=x\r\n", b"charset=\0"),
        *(b"Content-Type: message/rfc822\r\n", b"Content-Type: text/csv; name=a.csv\r\n", b"charset=idna"),
        *(b"Content-Type: application/json; name=a.json\r\n", b"charset=unicode_escape", b'a,"b\nc', b"[{}, 1e999]"),
        *(b"Subject: Splunk Alert: x\r\n", b"From: snort, fireeye <forefront@x>\r\n", b"Key: value\r\n"),
        *(b"Date: Fri, 99 Foo 99999 99:99 -9999\r\n", b"alert (id:1, name:x):\r\n", b"[1:2:3]"),
        *(b"<table>", b"<tr><th>a<td colspan=999 rowspan=999>", b"<td>Alert:<td>x", b"</table>", b"<pre>", b"<!--"),
        *(b"&#xd800;", b"<svg><tr>", b"<template>", b"<a href='x'>", b'"x" [Priority: 9] {tcp} ::1:5 -> 1.2.3.4'),
        *(b'{"type":"bundle","objects":[', b'{"type":"indicator","pattern":"[a:b=\'', b"]}"),
        *(b'{"event_type":"alert","flow_id":1e5,"a":{"b":[{}]}}\n', b'{"alert":', b'{"a":"\\ud800"}'),
    ]
)
MAILS = st.one_of(
    st.binary(max_size=400),
    st.lists(st.one_of(FRAGMENTS, st.binary(max_size=12)), max_size=30).map(b"".join),
    st.builds(
        lambda raw, at, cut, more: raw[: at % len(raw)] + more + raw[at % len(raw) + cut :],
        *(
            st.sampled_from(SAMPLES),
            st.integers(0, 10**6),
            st.integers(0, 200),
            st.one_of(FRAGMENTS, st.binary(max_size=9)),
        ),
    ),
)


def outcome(parser: Parser, message: Message) -> tuple[tuple[Alertgroup, ...], str]:
    """What the parser makes of it, or the reason why not; what comes back from a child process is the same."""
    groups: tuple[Alertgroup, ...] = ()
    reason = ""
    try:
        groups = tuple(parser.parse(message))
    except (Unreadable, Refused) as error:
        reason = str(error)
    assert all(group.alerts and group.subject for group in groups)
    assert "\0" not in "".join(group.subject + group.body + group.body_plain for group in groups)
    sent = msgspec.msgpack.decode(msgspec.msgpack.encode(groups), type=tuple[Alertgroup, ...])
    assert [[alert.data for alert in group.alerts] for group in sent] == [
        [alert.data for alert in group.alerts] for group in groups
    ]
    return groups, reason


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MAILS)
def test_any_bytes_are_understood_or_told_why_not(raw: bytes) -> None:
    for parser in PARSERS:
        message = mailed(raw)
        assert parser.claims(message) in (True, False)
        made, reason = outcome(parser, message)
        assert bool(made) != bool(reason)
        if isinstance(parser, Generic) and raw.strip() and not made:
            # Bytes that say nothing: empty parts, white space, boundaries.
            opened = letter(message)
            assert opened.html or not (opened.text.strip() or opened.attachments or opened.headers)


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=300)
    | st.lists(st.sampled_from(["<table>", "<tr>", "<td>", "<th>x", "</table>", "<p>", "y"])).map("".join)
)
def test_any_text_is_a_page(html: str) -> None:
    page = Page(html)
    assert all(isinstance(cell.text, str) for table in page.tables() for row in table for cell in row)
    assert isinstance(page.text(), str)
    assert isinstance(page.links(), tuple)


def html_mail(html: str) -> bytes:
    head = "Subject: Splunk Alert: x\r\nFrom: fireeye snort forefront@x.example\r\nContent-Type: text/html\r\n\r\n"
    return (head + html).encode()


def deep_mime(levels: int) -> bytes:
    head = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(levels))
    return b"Subject: Splunk Alert: deep\r\n" + head + b"\r\nbottom"


def zip_bomb() -> bytes:
    mail = EmailMessage()
    mail["Subject"] = "a bomb"
    mail.set_content("see attachment")
    mail.add_attachment(b"PK\x03\x04" + bytes(5_000_000), maintype="application", subtype="zip", filename="bomb.zip")
    return mail.as_bytes()


HOSTILE = {
    "unclosed tags": html_mail("<div>" * 400_000),
    "unclosed tags closed by others": html_mail("<div></b>" * 200_000),
    "unclosed tags closed in attributes": html_mail('<div title="</div>">' * 100_000),
    "unclosed tags in foreign content": html_mail("<svg>" + "<tr>" * 300_000),
    "unclosed formatting": html_mail("<p><font x>" * 100_000),
    "nested tables": html_mail("<table><tr><td>" * 100_000),
    "a tag that never ends": html_mail("<div " + "a='" * 500_000),
    "spans": html_mail("<table>" + "<tr><td colspan=1000 rowspan=1000>x" * 2_000 + "</table>"),
    "less-than signs": html_mail("<" * 1_000_000),
    "a million cells": html_mail("<table>" + "<tr><td>x</td><td>y</td></tr>" * 20_000 + "</table>"),
    "entities": html_mail("&amp;" * 500_000),
    "deep MIME": deep_mime(5_000),
    "deep messages": b"Content-Type: message/rfc822\r\n\r\n" * 5_000,
    "many parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 200_000,
    "boundaries that are none": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--bx" * 500_000,
    "a header of a megabyte": b"Subject: " + b"x" * 1_100_000 + b"\r\n\r\nx",
    "many headers": b"a: b\r\n" * 200_000 + b"\r\nx",
    "a long header of words": b"Subject: " + b"=?utf-8?q?=C3?= " * 50_000 + b"\r\n\r\nx",
    "comments in From": b"From: " + b"(" * 60_000 + b"\r\n\r\nx",
    "quotes in From": b"From: " + b'"a\\' * 60_000 + b"\r\n\r\nx",
    "parameters": b"Content-Type: text/plain" + b';a="' * 100_000 + b"\r\n\r\nx",
    "continued parameters": b"Content-Type: text/plain"
    + b"".join(b";a*%d=x" % n for n in range(20_000))
    + b"\r\n\r\nx",
    "a lying charset": b"Content-Type: text/plain; charset=utf-16\r\n\r\n\xff\xfe\x00\xd8x",
    "a charset that is none": b"Content-Type: text/plain; charset=rot13\r\n\r\nx",
    "a slow charset": b"Content-Type: text/plain; charset=punycode\r\n\r\n" + b"-" + b"9" * 1_000_000,
    "base64 that is none": b"Content-Transfer-Encoding: base64\r\n\r\n" + b"\xff=A" * 300_000,
    "a zip bomb": zip_bomb(),
    "JSON that is too deep": b"Content-Type: application/json; name=a.json\r\n\r\n" + b'{"a":' * 200_000,
    "JSON lists that are too deep": b"Content-Type: application/json; name=a.json\r\n\r\n"
    + b"[" * 200_000
    + b"]" * 200_000,
    "many braces": b"From: fireeye\r\n\r\n" + b'{"a":"' * 200_000,
    "JSON in JSON": b"From: fireeye\r\n\r\n" + b'{"alert":' * 900 + b"1" + b"}" * 900,
    "rule hits without an end": b"From: snort\r\n\r\n" + b'[1:2:3] "x" [Impact: ' * 50_000,
    "times without a hit": b"From: snort\r\n\r\n" + b"03/02-08:00:00.123456  [**] [1:2:3] " * 30_000,
    "brackets": b"From: snort\r\n\r\n" + b"[1:2:3] " + b"[" * 500_000,
    "spaces": b"From: snort forefront\r\n\r\n[1:2:3]" + b" " * 1_000_000,
    "keys": b"From: forefront\r\n\r\n" + b"a" * 1_000_000 + b"\n" + b"a: b\n" * 100_000,
    "quotes in CSV": b"Content-Type: text/csv; name=a.csv\r\n\r\na,b\r\n" + b'"' * 1_000_000,
    "wide CSV": b"Content-Type: text/csv; name=a.csv\r\n\r\n" + b"," * 200_000 + b"\r\n" + b"," * 200_000,
    "columns of one name": b"Content-Type: text/csv; name=a.csv\r\n\r\n" + b"a," * 20_000 + b"\r\n" + b"1," * 20_000,
    "searches": html_mail("<table><tr><td>Alert:<td>x<tr><td>Search:<td>" + "index=" * 200_000 + "</table>"),
    "eve": b"Content-Type: text/plain\r\n\r\n" + b'{"event_type":"alert","flow_id":1,"a":{"a":' * 20_000,
    "a bundle that is too deep": b'Content-Type: application/json; name=a.json\r\n\r\n{"type":"bundle","objects":['
    + b'{"a":' * 200_000,
    "a bundle of nothing": b'Content-Type: application/json; name=a.json\r\n\r\n{"type":"bundle","objects":['
    + b"{}," * 40_000
    + b"{}]}",
    "packed": b"Content-Transfer-Encoding: base64\r\nContent-Type: text/html\r\n\r\n"
    + base64.encodebytes(b"<b>" * 500_000),
}


@pytest.mark.timeout(300)  # all parsers one after the other; a child process has ten seconds
@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_built_to_harm_ends_soon_with_groups_or_a_reason(name: str) -> None:
    for parser in PARSERS:
        message = mailed(HOSTILE[name])
        parser.claims(message)
        made, reason = outcome(parser, message)
        assert bool(made) != bool(reason)


def test_a_zip_bomb_stays_the_bytes_it_is() -> None:
    opened = letter(mailed(HOSTILE["a zip bomb"]))

    assert [len(each.body) for each in opened.attachments] == [5_000_004]
