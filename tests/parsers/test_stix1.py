"""STIX 1.x packages by post and by mail."""

from pathlib import Path

import pytest

from neighbours.letters import a_letter, received
from tocsin.errors import Unreadable
from tocsin.model import Message
from tocsin.parsers.stix1 import Stix1

FEED = (Path(__file__).parent.parent / "data" / "stix1" / "feed.xml").read_bytes()


def message(body: bytes, media_type: str = "application/xml") -> Message:
    return Message(source="taxii1", body=body, media_type=media_type, received=1)


@pytest.mark.parametrize("opening", [b"", b"\xef\xbb\xbf", b"<?xml version='1.0'?>\n", b"\n\t "])
def test_a_package_is_claimed_by_its_namespace_whatever_it_is_called(opening: bytes) -> None:
    for media_type in ("application/xml", "text/plain", "application/octet-stream"):
        assert Stix1().claims(message(opening + FEED, media_type))


@pytest.mark.parametrize("body", [b"", b"{}", b'"http://stix.mitre.org/stix-1"', b"<IDMEF-Message/>"])
def test_anything_else_is_left_to_others(body: bytes) -> None:
    assert not Stix1().claims(message(body))


def test_a_package_in_another_encoding_is_read_as_well() -> None:
    (group,) = Stix1().parse(message(FEED.decode().encode("utf-16")))

    assert Stix1().claims(message(FEED.decode().encode("utf-16")))
    assert group.subject == "Botnet C2"


def test_packages_attached_to_a_mail_are_an_alertgroup_each() -> None:
    mail = received(a_letter("feed", "see attachment", attachments={"a.xml": FEED, "b.xml": FEED, "c.txt": b"no"}))

    assert Stix1().claims(mail)
    assert [group.subject for group in Stix1().parse(mail)] == ["Botnet C2", "Botnet C2"]
    assert not Stix1().claims(received(a_letter("feed", "none")))


def test_a_package_that_cannot_be_read_says_why() -> None:
    with pytest.raises(Unreadable, match="well-formed"):
        list(Stix1().parse(message(FEED[:-10])))
