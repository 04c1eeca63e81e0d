from typing import Any

from tocsin.entities import Known, Sighting, in_cell, in_group, in_text
from tocsin.model import Alertgroup


def places(sightings: list[Sighting]) -> list[tuple[Any, ...]]:
    return [(s.alert, s.column, s.path, s.in_key, s.found.entity.type, s.found.entity.value) for s in sightings]


def test_goes_through_subject_body_and_every_cell_with_its_place() -> None:
    group = Alertgroup.of_rows(
        "beacon to evil.com",
        [
            {"src": "10.0.0.1", "n": 5, "dst": ["192.0.2.1", {"also": "bad.exe", "seen.org": None}]},
            {"note": "nothing", "deep": {"a": [["CVE-2021-44228"]]}, "columns": ["evil.net"]},
        ],
        body="<b>evil.org</b>",
        body_plain="AS15169",
    )

    assert places(list(in_group(group))) == [
        (None, "subject", (), False, "domain", "evil.com"),
        (None, "body", (), False, "domain", "evil.org"),
        (None, "body_plain", (), False, "asn", "AS15169"),
        (0, "src", (), False, "ipv4", "10.0.0.1"),
        (0, "dst", (0,), False, "ipv4", "192.0.2.1"),
        (0, "dst", (1, "also"), False, "file", "bad.exe"),
        (0, "dst", (1, "seen.org"), True, "domain", "seen.org"),
        (1, "deep", ("a", 0, 0), False, "cve", "CVE-2021-44228"),
    ]


def test_a_cell_nested_deeper_than_anyone_looks_is_no_trouble() -> None:
    cell: Any = "evil.com"
    for _ in range(100_000):
        cell = [cell]

    assert list(in_cell(cell)) == []


def test_a_column_called_message_id_holds_one_whatever_it_looks_like() -> None:
    assert [(f.entity.type, f.text) for f in in_text(" <joe@example.com> ", "Message-ID")] == [
        ("message_id", "<joe@example.com>")
    ]
    assert [f.entity.type for f in in_text("<joe@example.com>", "from")] == ["email", "domain"]


def test_a_column_of_attachments_holds_file_names_with_spaces() -> None:
    (found,) = in_text("Invoice 2024 final.xyzzy", "attachment_name")

    assert (found.entity.type, found.entity.value) == ("file", "invoice 2024 final.xyzzy")


def test_own_networks_are_flagged_wherever_they_stand() -> None:
    known = Known(own_networks=["192.0.2.0/24"])
    group = Alertgroup.of_rows("x", [{"a": "192.0.2.9 198.51.100.1 http://192.0.2.9/ ::ffff:192.0.2.9 192.0.2.0/25"}])

    own = {(s.found.entity.type, s.found.entity.value): s.found.own for s in in_group(group, known)}

    assert own == {
        ("ipv4", "192.0.2.9"): True,
        ("ipv4", "198.51.100.1"): False,
        ("url", "http://192.0.2.9/"): True,
        ("ipv6", "::ffff:192.0.2.9"): True,
        ("cidr", "192.0.2.0/25"): True,
    }
