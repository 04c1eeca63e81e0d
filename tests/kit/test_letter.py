"""Mails, decoded as far as they can be, and notes of what was guessed."""

import base64

import pytest

from neighbours.mails import mail_from, mailed
from tocsin.errors import Unreadable
from tocsin.kit.letter import Letter, letter


def opened(raw: bytes) -> Letter:
    return letter(mailed(raw))


def with_charset(charset: str, body: bytes) -> Letter:
    return opened(b"Content-Type: text/plain; charset=" + charset.encode() + b"\r\n\r\n" + body)


def test_reads_headers_texts_and_attachments() -> None:
    mail = letter(mail_from("generic/csv_and_json.eml"))

    assert (mail.subject, mail.sender, mail.sender_name) == ("Findings", "tool@example.com", "")
    assert (mail.message_id, mail.date) == ("<g3@example.com>", 1_772_439_120_000_000)
    assert (mail.text, mail.html, mail.notes) == ("Two files.", "", ())
    assert [(each.name, each.media_type) for each in mail.attachments] == [
        ("hosts.csv", "application/vnd.ms-excel"),
        ("findings.jsonl", "application/octet-stream"),
    ]
    assert mail.header("MIME-version") == "1.0"


def test_a_mail_is_decoded_once() -> None:
    message = mailed(b"Subject: x\r\n\r\ny")

    assert letter(message) is letter(message)


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        (b"plain", "plain"),
        (b"=?utf-8?q?gr=C3=BC=C3=9Fe?=", "grüße"),
        (b"=?UTF-8?B?Z3LDvMOfZQ==?=", "grüße"),
        (b"=?iso-8859-1*de?q?gr=FC=DFe_1?=", "grüße 1"),
        (b"=?utf-8?q?gr=C3?= =?utf-8?q?=BC=C3=9Fe?=", "grüße"),
        (b"=?utf-8?q?a?=\r\n =?utf-8?q?b?=", "ab"),
        (b"re: =?utf-8?q?a?= b =?utf-8?q?c?=", "re: a b c"),
        ("grüße".encode(), "grüße"),
        ("grüße".encode("latin-1"), "grüße"),
        ("ü =?utf-8?q?=C3=BC?=".encode(), "ü ü"),
        (b"two\r\n lines", "two lines"),
        (b"=?utf-8?x?no?=", "=?utf-8?x?no?="),
        (b"=?utf-8?q?a=00b?=", "a\ufffdb"),
        (b"=?utf-8?b?!!!?=", "!!!"),
    ],
)
def test_a_subject_reads_as_it_was_written(header: bytes, subject: str) -> None:
    assert opened(b"Subject: " + header + b"\r\n\r\n").subject == subject


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (b"Joe <Joe@Example.com>", ("Joe", "joe@example.com")),
        (b"joe@example.com", ("", "joe@example.com")),
        (b'"a, b" <x@y.example>', ("a, b", "x@y.example")),
        (b"=?utf-8?q?J=C3=B6?= <j@y.example>", ("Jö", "j@y.example")),
        (b"nobody", ("nobody", "")),
        (b"(" * 50 + b" j@y.example", ("(" * 50 + " j@y.example", "j@y.example")),
    ],
)
def test_a_senders_name_and_address(header: bytes, found: tuple[str, str]) -> None:
    mail = opened(b"From: " + header + b"\r\n\r\n")

    assert (mail.sender_name, mail.sender) == found


@pytest.mark.parametrize(
    ("date", "micros"),
    [
        (b"Mon, 02 Mar 2026 09:12:00 +0100", 1_772_439_120_000_000),
        (b"2 Mar 2026 08:12:00 GMT (comment)", 1_772_439_120_000_000),
        (b"Mon, 02 Mar 2026 08:12:00 -0000", 1_772_439_120_000_000),
        (b"Mon, 02 Mar 2026 03:12:00 EST", 1_772_439_120_000_000),
        (b"Mon, 02 Mar 2026 08:12:00", None),
        (b"Mon, 02 Mar 2026 08:12:00 CET", None),
        (b"Mon, 99 Mar 2026 99:12:00 +0000", None),
        (b"Thu, 01 Jan 1900 00:00:00 +0000", None),
        (b"yesterday", None),
    ],
)
def test_a_date_without_a_zone_or_out_of_bounds_is_none(date: bytes, micros: int | None) -> None:
    assert opened(b"Date: " + date + b"\r\n\r\n").date == micros


@pytest.mark.parametrize(
    ("charset", "body", "text", "guessed"),
    [
        ("utf-8", "ü".encode(), "ü", False),
        ("iso-8859-15", b"\xa4", "€", False),
        ("utf-16", "ü".encode("utf-16"), "ü", False),
        ("utf-8", b"\xfc", "ü", True),
        ("us-ascii", "ü".encode(), "ü", True),
        ("x-unknown", b"\x80uro", "€uro", True),
        ("utf-8", b"\x81\x8d", "\x81\x8d", True),
        ("rot13", b"x", "x", True),
        ("punycode", b"x-9", "x-9", True),
        ("unicode_escape", rb"\u0041", r"\u0041", True),
        ("utf-7", b"+2AA-", "\ufffd", False),
        ("utf-8", b"\xef\xbb\xbfa\0b", "a\ufffdb", False),
    ],
)
def test_a_charset_that_lies_or_is_unknown_is_guessed_and_said(
    charset: str, body: bytes, text: str, guessed: bool
) -> None:
    mail = with_charset(charset, body)

    assert mail.text == text
    assert mail.notes == ((f"the text is not the {charset} it says it is",) if guessed else ())


@pytest.mark.parametrize(
    ("encoding", "body", "text"),
    [
        (b"base64", base64.b64encode("grüße".encode()), "grüße"),
        (b"BASE64 ", b"Z3LD\r\nvMOf\r\nZQ", "grüße"),
        (b"base64", b"\xff*", "ÿ*"),
        (b"quoted-printable", b"gr=C3=BC=\r\n=C3=9Fe=zz", "grüße=zz"),
        (b"8bit", "grüße".encode(), "grüße"),
        (b"x-nothing", b"x", "x"),
    ],
)
def test_a_body_is_read_without_its_transfer_encoding(encoding: bytes, body: bytes, text: str) -> None:
    assert opened(b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n" + body).text == text


def test_parts_are_found_without_their_end_and_with_preamble() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b\n\npreamble --b\n--b\n\none\n--bx\n--b  \n\ntwo\n"

    assert opened(raw).text == "one\n--bx\ntwo\n"


def test_what_follows_the_last_boundary_is_no_part() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b--\r\n--b\r\n\r\ntwo"

    assert opened(raw).text == "one"


def test_a_multipart_without_parts_is_text() -> None:
    assert opened(b"Content-Type: multipart/mixed; boundary=b\r\n\r\nall of it").text == "all of it"
    assert opened(b"Content-Type: multipart/mixed\r\n\r\nall of it").text == "all of it"


def test_html_that_does_not_say_so_is_html() -> None:
    assert opened(b"Subject: x\n\n<!DOCTYPE html><p>y").html == "<!DOCTYPE html><p>y"


def test_lines_that_are_no_headers_are_text() -> None:
    mail = opened(b"no header\nSubject: x\n\nand more")

    assert mail.text == "no header\nSubject: x\n\nand more"
    assert mail.subject == ""


def test_a_forwarded_mail_is_attached_as_it_is_and_read_when_there_is_no_other_text() -> None:
    inner = b"Subject: in\r\n\r\nthe text"
    raw = (
        b"Subject: out\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
    )
    mail = opened(raw + inner + b"\r\n--b--\r\n")

    assert (mail.subject, mail.text, mail.notes) == ("out", "the text", ())
    assert [(each.name, each.body) for each in mail.attachments] == [("forwarded.eml", inner)]


def test_names_of_attachments_are_decoded_and_hold_no_path() -> None:
    def name(disposition: bytes) -> str:
        raw = b"Content-Type: application/pdf\r\nContent-Disposition: attachment; " + disposition + b"\r\n\r\nx"
        return opened(raw).attachments[0].name

    assert name(b"filename*=utf-8''%C3%BC.pdf") == "ü.pdf"
    assert name(b'filename="=?utf-8?q?=C3=BC?=.pdf"') == "ü.pdf"
    assert name(b'filename="C:\\\\x\\\\y.pdf"') == "y.pdf"
    assert name(b'filename="../../etc/passwd"') == "passwd"


@pytest.mark.parametrize(
    "raw",
    [
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(50)),
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 3000,
        b"Subject: x" + b"\r\n y" * 600_000,
    ],
)
def test_what_no_mail_has_is_unreadable(raw: bytes) -> None:
    message = mailed(raw)
    for _ in range(2):
        with pytest.raises(Unreadable):
            letter(message)


def test_the_group_of_a_mail_has_its_header_and_texts() -> None:
    group = opened(b"Subject: s\r\nMessage-ID: <i>\r\n\r\nt").group(rows=[{"a": 1}], sources=("email",), tags=("x",))

    assert (group.subject, group.message_id, group.body_plain, group.columns) == ("s", "<i>", "t", ("a",))
    assert (group.sources, group.tags, group.created) == (("email",), ("x",), None)
