"""What the search box offers."""

import pytest

from tocsin.query import FIELDS, Kind, complete, parse

KNOWN = {"tag": ["test", "two words", "and"], "data": ["user", "My Col"], "delivery": ["webhook"], "entity": ["cve"]}
KNOWN |= {"entity:": ["10.0.0.1"], "entity:cve": ["CVE-2024-3094"]}

CASES = [
    ("", "id:"),
    ("sev", "severity:"),
    ("not sev", "severity:"),
    ("(sev", "severity:"),
    ("tag:a an", "and"),
    ("source.i", "source.ip:"),
    ("severity:", "critical"),
    ("severity>=h", "high"),
    ("severity : h", "high"),
    ("status:(open or cl", "closed"),
    ("tag:", '"and"'),
    ("tag:tw", '"two words"'),
    ("-tag:te", "test"),
    ("received>", "now-15m"),
    ("data.", "data.user:"),
    ("data.m", 'data."My Col":'),
    ("dat", "data."),
    ("delivery.w", "delivery.webhook:"),
    ("delivery.webhook:f", "failed"),
    ("entity.", "entity.cve:"),
    ("entity:10", "10.0.0.1"),
    ("entity.cve:cve-2", "CVE-2024-3094"),
    ("entity.ty", "entity.type:"),
    ("aler", "alert:{"),
    ("alert:{alert.st", "alert.status:"),
    ("tlp>", "amber+strict"),
]


@pytest.mark.parametrize(("text", "offered"), CASES)
def test_a_beginning_is_completed(text: str, offered: str) -> None:
    assert offered in [offer.text for offer in complete(text, len(text), KNOWN)]


@pytest.mark.parametrize("text", ['"sev', 'subject:"sev', "nonsense:", "nonsense:a", "id:", "tag>", "xyzzy"])
def test_nothing_is_offered_where_nothing_is_known(text: str) -> None:
    assert complete(text, len(text), KNOWN) == []


def test_an_offer_takes_the_place_of_what_was_typed_before_the_cursor() -> None:
    text = "tag:test and sev status:open"
    first = complete(text, 16)[0]

    assert text[: first.start] + first.text + text[first.end :] == "tag:test and severity: status:open"


def test_no_order_is_offered_for_what_has_none() -> None:
    assert complete("status>", 7) == []
    assert "unset" not in [offer.text for offer in complete("tlp>=", 5)]


@pytest.mark.parametrize("name", [field.name for field in FIELDS.values() if field.kind is Kind.CHOICE])
def test_every_offered_choice_can_be_asked_for(name: str) -> None:
    offers = complete(f"{name}:", len(name) + 1)

    assert offers
    for offer in offers:
        assert str(parse(f"{name}:{offer.text}")) == f"{name}:{offer.text}"
