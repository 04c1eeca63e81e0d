import pytest

from tocsin.entities import SCOT_TYPES, TYPES, Found, find, flair, flaired_row, marked, scot
from tocsin.model import Entity


def span(type: str, value: str, inner: str) -> str:
    return f'<span class="entity {type}" data-entity-type="{type}" data-entity-value="{value}">{inner}</span>'


IP = span("ipaddr", "10.0.0.1", "10.0.0.1")
GUID1 = "01234567-89ab-11ef-8123-0123456789ab"
GUID4 = "01234567-89ab-41ef-8123-0123456789ab"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("10.0.0.1", IP),
        ("from 10.0.0.1.", f"from {IP}."),
        ("10.0.0.1:443", f"{IP}:443"),
        ("10.0.0.0/8", span("cidr", "10.0.0.0/8", "10.0.0.0/8")),
        ("1[.]2[.]3[.]4", span("ipaddr", "1.2.3.4", "1[.]2[.]3[.]4")),
        ("2001:db8::1", span("ipv6", "2001:db8:0:0:0:0:0:1", "2001:db8::1")),
        ("EVIL.com", span("domain", "evil.com", "EVIL.com")),
        (
            "Joe <Joe@evil.com>",
            f"Joe &lt;{span('email', 'joe@evil.com', 'Joe@' + span('domain', 'evil.com', 'evil.com'))}&gt;",
        ),
        ("see bad.exe at", f"see {span('file', 'bad.exe', 'bad.exe')} at"),
        ("CVE-2021-44228", span("cve", "cve-2021-44228", "CVE-2021-44228")),
        (GUID1, span("uuid1", GUID1, GUID1)),
        (GUID4, span("clsid", GUID4, GUID4)),
        (r"HKLM\A", span("winregistry", r"hkey_local_machine\a", r"HKLM\A")),
        (
            "<1@det.example> message-id: <1@Det.example>",
            span("message_id", "&lt;1@det.example&gt;", "&lt;1@det.example&gt;")
            + " message-id: "
            + span("message_id", "&lt;1@Det.example&gt;", "&lt;1@Det.example&gt;"),
        ),
        ("AB" * 16, span("md5", "ab" * 16, "AB" * 16)),
        ('<script>alert("x")</script>', "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;"),
    ],
)  # fmt: skip
def test_a_cell_in_scots_markup_reads_as_scot_would_write_it(cell: str, expected: str) -> None:
    assert flair(cell, find(cell)) == expected


def test_every_type_has_its_name_in_scot() -> None:
    assert set(SCOT_TYPES) == set(TYPES)
    assert scot(Entity(type="jarm", value="a" * 62)) == ("jarm_hash", "a" * 62)
    assert scot(Entity(type="actor", value="Fancy Bear")) == ("actor", "fancy bear")


def test_a_url_holds_its_host() -> None:
    assert flair("http://evil.com/?a=1&b", find("http://evil.com/?a=1&b")) == span(
        "url", "http://evil.com/?a=1&amp;b", f"http://{span('domain', 'evil.com', 'evil.com')}/?a=1&amp;b"
    )


def test_a_row_keeps_its_columns_and_its_lists_and_loses_only_blanks() -> None:
    row = {
        "src": ["10.0.0.1", "", " ", None, "x"],
        "n": 5,
        "nested": {"a": "10.0.0.1"},
        "none": None,
        "columns": ["src", "n"],
        "_raw": "10.0.0.1",
        "Message_ID": "<joe@evil.com>",
    }

    assert flaired_row(row) == {
        "src": [f"<div>{IP}</div>", "<div>x</div>"],
        "n": "<div>5</div>",
        "nested": f"<div>{{&quot;a&quot;:&quot;{IP}&quot;}}</div>",
        "none": "<div></div>",
        "columns": ["src", "n"],
        "_raw": "10.0.0.1",
        "Message_ID": f"<div>{span('message_id', '&lt;joe@evil.com&gt;', '&lt;joe@evil.com&gt;')}</div>",
    }


def test_pieces_say_which_entities_they_lie_in_outermost_first() -> None:
    text = "to joe@evil.com!"

    pieces = [(piece.text, [f.entity.type for f in piece.founds]) for piece in marked(text, find(text))]

    assert pieces == [("to ", []), ("joe@", ["email"]), ("evil.com", ["email", "domain"]), ("!", [])]


def test_founds_of_another_text_or_that_cross_mark_nothing_and_lose_nothing() -> None:
    entity = Entity(type="file", value="x")
    founds = [Found(entity, 0, 3, "abc"), Found(entity, 2, 5, "cde"), Found(entity, 4, 99, ""), Found(entity, 3, 3, "")]

    assert [(p.text, len(p.founds)) for p in marked("abcdef", founds)] == [("abc", 1), ("def", 0)]
    assert marked("", []) == []
