"""The table of fields is whole, and every name in it can be asked for."""

import pytest

from query.trees import NOW
from tocsin.errors import BadQuery
from tocsin.model import Alert, Alertgroup, Detection, Endpoint
from tocsin.query import FIELDS, Kind, View, parse, predicate
from tocsin.query.fields import NAMES, find

A_VALUE = {
    Kind.WHOLE: "5",
    Kind.FRACTION: "0.5",
    Kind.DATE: "now",
    Kind.WORDS: "a",
    Kind.KEYWORD: "a",
    Kind.ADDRESS: "10.0.0.1",
    Kind.ENDPOINT: "a",
    Kind.MAC: "00:00:5e:00:53:01",
    Kind.CELL: "a",
}
SIDE = Endpoint(
    addresses=("10.0.0.1",),
    hostnames=("h.example",),
    ports=(17,),
    macs=("00:00:5e:00:53:01",),
    urls=("u://x",),
    emails=("e@x",),
)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_and_alias_can_be_asked_for(name: str) -> None:
    field = FIELDS[NAMES[name]]
    written = f"{name}.x" if field.behind == "NAME" else name
    value = field.choices[0] if field.choices else A_VALUE[field.kind]

    asked = str(parse(f"{written}:{value}"))

    assert asked.startswith(field.name)
    assert str(parse(f"{written.upper()}:*" if not field.behind else f"{written}:*")).endswith(":*")
    assert predicate(parse(f"{written}:{value}"), NOW)(View.fresh(Alertgroup(subject="", alerts=()))) in (True, False)


def test_no_name_means_two_fields() -> None:
    names = [name for field in FIELDS.values() for name in (field.name, *field.aliases)]

    assert sorted(names) == sorted(set(names))
    assert all(name == name.lower() and "-" not in name for name in names)
    assert all(field.about for field in FIELDS.values())


def test_a_hyphen_is_taken_for_an_underscore() -> None:
    assert find("Message-ID") == (FIELDS["message_id"], "")
    assert find("data") is None
    assert find("subject.x") is None


@pytest.mark.parametrize(
    ("query", "src", "dst"),
    [
        ("src:10.0.0.1", True, False), ("src:h.example", True, False), ("src:00-00-5e-00-53-01", True, False),
        ("src:u://x", True, False), ("src:e@x", True, False), ("src:17", False, False), ("src_port:17", True, False),
        ("src_host:h.*", True, False), ("src_mac:*:01", True, False), ("src_url:*", True, False),
        ("src_email:E@X", True, False),
        ("dst:10.0.0.1", False, True), ("dst_ip:10.0.0.0/30", False, True), ("dst_port:[10 TO 20]", False, True),
        ("dst_host:h.example", False, True), ("dst_mac:*", False, True), ("dst_url:u*", False, True),
        ("dst_email:*", False, True),
        ("endpoint:h.example", True, True), ("ip:10.0.0.1", True, True), ("host:H.EXAMPLE", True, True),
        ("port:17", True, True),
        ("mac:0000.5e00.5301", True, True), ("url:*", True, True), ("email:e@?", True, True),
    ],
)  # fmt: skip
def test_sides_hold_what_stands_on_them(query: str, src: bool, dst: bool) -> None:
    asked = predicate(parse(query), NOW)
    for sources, targets, wanted in (((SIDE,), (), src), ((), (SIDE,), dst)):
        alert = Alert.of({}, Detection(sources=sources, targets=targets))
        assert asked(View.fresh(Alertgroup(subject="", alerts=(alert,)))) is wanted


@pytest.mark.parametrize(
    ("query", "position", "told"),
    [
        ("nme:x", 0, "did you mean name?"),
        ("src_prot:5", 0, "did you mean src_port?"),
        ("id:1.5", 3, "whole number"),
        ("id:5*", 3, "whole number"),
        ("id:/5/", 3, "whole number"),
        ("confidence:2", 11, "from 0 to 1"),
        ("status:opn", 7, "did you mean open?"),
        ("tlp:ambr", 4, "did you mean amber?"),
        ("tlp>unset", 4, "clear"),
        ("status>open", 7, "status:value"),
        ("tag>a", 4, "tag:value"),
        ("src>=10.0.0.0/8", 5, "single address"),
        ("src:[10.0.0.1 TO 2001:db8::1]", 4, "one family"),
        ("data.x:[1 TO 10.0.0.1]", 7, "two numbers"),
        ("data.x>y", 7, "a number or an address"),
        ("id>(1 or 2)", 4, "write id>value"),
        ("id:[1 TO", 8, "write what follows"),
        ("src_mac:aa", 8, "MAC address"),
        ("data:x", 0, "data.user:root"),
        ("alert:{free}", 7, "outside"),
        ("alert:{alert:{src:a}}", 7, "leave the inner one out"),
        ("alert:{}", 7, "leave it out"),
        ("...", 0, "write a word"),
        ("subject:...", 8, "write a word"),
        ("/a/", 0, "name the field"),
        ('owner:""', 6, "not owner:*"),
        ("a) b", 1, "leave it out"),
        ("a and", 5, "write what follows"),
        ("tag: and tag:b", 5, "for the word itself"),
        ("detected:2026-13", 9, "write a date"),
        ("detected:2026-02-30", 9, "write a date"),
    ],
)
def test_a_mistake_is_pointed_at(query: str, position: int, told: str) -> None:
    with pytest.raises(BadQuery) as caught:
        parse(query)

    assert caught.value.position == position
    assert told in caught.value.remedy
    assert f"character {position + 1}" in str(caught.value)
