"""Who may send: the same answer for the same mail, always, and never one that a stranger can talk his way into."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from tocsin.kit.envelope import as_message, envelope
from tocsin.kit.senders import Sender, authenticated, refusal


def permitted(sender: str, *entries: str) -> bool:
    given = [TypeAdapter(Sender).validate_python(entry) for entry in entries]
    return refusal(envelope(f"From: {sender}\r\n\r\n".encode()), given) == ""


@pytest.mark.parametrize(
    ("sender", "entry", "may"),
    [
        ("ids@example.com", "ids@example.com", True),
        ("IDS <Ids@Example.COM>", "ids@example.com", True),
        ("ids2@example.com", "ids@example.com", False),
        ("ids@example.com", "example.com", True),
        ("ids@a.b.example.com", "example.com", True),
        ("ids@a.b.example.com", "@example.com", True),
        ("ids@example.com", "mail.example.com", False),
        ("ids@com", "example.com", False),
        ("ids@notexample.com", "example.com", False),
        ("ids@example.com.evil.example", "example.com", False),
        ("ids@exampleXcom", "example.com", False),
        ("ids-7@example.com", "ids-*@example.com", True),
        ("ids-7@sub.example.com", "ids-*@example.com", False),
        ("x-ids-7@example.com", "ids-*@example.com", False),
        ("ids@sub.example.com", "*@*.example.com", True),
        ("ids@example.com", "*.example.com", False),
        ("ids@sub.example.com", "*.example.com", True),
        ("anything at all", "*", True),
        ("", "*", True),
        ("", "example.com", False),
        ('"ids@example.com" <x@evil.example>', "example.com", False),
        ("ids@example.com <x@evil.example>", "example.com", False),
        ("x@evil.example (ids@example.com)", "example.com", False),
        ("ids@example.com, x@evil.example", "example.com", False),
        ("ids@example.com, other@example.com", "example.com", True),
        ("<ids@example.com><x@evil.example>", "example.com", False),
        ("x@evil.example\r\nFrom: ids@example.com", "example.com", False),
        ("ids@example.com\r\nFROM : x@evil.example", "example.com", False),
        ("Team: ids@example.com;", "example.com", False),
        ('"Last, First" <ids@example.com>', "example.com", True),
        ("=?utf-8?q?ids=40example=2Ecom?= <x@evil.example>", "example.com", False),
    ],
)
def test_a_sender_is_permitted_by_its_address_alone(sender: str, entry: str, may: bool) -> None:
    assert permitted(sender, entry) is may


@pytest.mark.parametrize("entry", ["", "a b", "<a@example.com>", "a@b@c", "a@", ".example.com", "a@.example.com"])
def test_what_can_be_no_sender_is_refused_when_it_is_configured(entry: str) -> None:
    with pytest.raises(ValidationError, match="a sender is an address"):
        TypeAdapter(Sender).validate_python(entry)


@pytest.mark.parametrize(
    ("headers", "proven"),
    [
        ("mx.example.com; dkim=pass header.d=example.com", True),
        ("mx.example.com 1; spf=fail smtp.mailfrom=x; dmarc=pass (p=none) header.from=example.com", True),
        ("MX.example.com; spf=pass smtp.mailfrom=bounce@example.com", True),
        ("mx.example.com; dkim=fail header.d=example.com", False),
        ("mx.example.com; dkim=pass header.d=evil.example", False),
        ("mx.example.com; dkim=pass header.d=com", False),
        ("mx.example.com; dkim=pass", False),
        ("mx.example.com; none", False),
        ("mx.evil.example; dmarc=pass header.from=example.com", False),
        ('mx.example.com; dkim=fail reason="; dmarc=pass header.from=example.com" header.d=x.example', False),
        ("mx.example.com; dkim=fail (; dmarc=pass header.from=example.com) header.d=x.example", False),
        ('mx.example.com; spf=pass smtp.mailfrom="x header.from=example.com"@evil.example', False),
        ("mx.example.com; auth=pass smtp.auth=example.com", False),
        (
            "mx.example.com; dmarc=none\r\nAuthentication-Results: mx.example.com; dkim=pass header.d=example.com",
            True,
        ),
        (
            "mx.example.com; dmarc=fail\r\nReceived: x\r\n\
Authentication-Results: mx.example.com; dkim=pass header.d=example.com",
            False,
        ),
    ],
)
def test_only_results_about_the_senders_domain_on_top_of_the_mail_count(headers: str, proven: bool) -> None:
    raw = f"Authentication-Results: {headers}\r\nFrom: ids@example.com\r\n\r\n".encode()

    assert authenticated(envelope(raw), "mx.example.com") is proven


@given(st.binary(max_size=300) | st.lists(st.sampled_from(b'From:@<>(),;"\\ \r\nax.=?*')).map(bytes))
def test_no_bytes_break_the_outside_of_a_mail(raw: bytes) -> None:
    outside = envelope(raw)
    message = as_message(raw, 1)
    given = f"{outside.sender} {outside.subject} {outside.message_id}"

    assert given.encode()
    assert "\0" not in given
    assert message.by_bytes != bool(message.message_id)
    assert refusal(outside, ["example.com"], "mx.example.com") != "" or outside.sender.endswith("example.com")


def test_a_header_that_is_made_to_be_slow_or_deep_is_not() -> None:
    for part in (b"(", b'"', b"<", b"a@", b"\\", b",", b"=?utf-8?q?", b" \t", b"\r\n "):
        raw = b"From: " + part * 100_000 + b"\r\nAuthentication-Results: mx;" + part * 100_000 + b"\r\n\r\n"
        assert refusal(envelope(raw), ["*@*a*a*a*a*b.example"], "mx") != ""
