"""Exports: any selection as a document that others accept, whole or through a gate, a portion at a time."""

import csv
import io
import json
from typing import Any

import pytest

from neighbours import stix1_oracles, stix_oracles
from neighbours.destinations import owe
from neighbours.indexed import put_all
from tocsin import detection
from tocsin.delivery import exporting
from tocsin.delivery.exporting import FORMATS, Exporter, Portion, Unframed, framed, selection
from tocsin.entities import DEFAULT
from tocsin.errors import BadQuery, Malformed
from tocsin.formats.stix.feed import identity_id
from tocsin.kit.stix_options import StixOptions
from tocsin.model import TLP, Alertgroup, Delivery, Message, Receipt
from tocsin.plugin import Destination
from tocsin.sharing import Gate
from tocsin.store import Part, Store, entry

NOW = 1_795_000_000_000_000


class Partner(StixOptions, Destination):
    """One that writes STIX."""

    def send(self, delivery: Delivery) -> Receipt:
        raise AssertionError(delivery)


@pytest.fixture
def exporter(store: Store) -> Exporter:
    gate = Gate({"partner": TLP.GREEN})
    return Exporter(store, gate, detection.DEFAULT, DEFAULT, {"partner": Partner(identity="CERT Example")})


def stored(store: Store, *tlps: TLP) -> None:
    for number, tlp in enumerate(tlps, 1):
        owe(store, f"beacon {number}", tlp=tlp)
    put_all(store)


def portions(exporter: Exporter, format: str, **wish: str) -> list[Portion]:
    return list(exporter.portions(selection({"format": format} | wish, NOW), NOW))


def exported(exporter: Exporter, format: str, **wish: str) -> bytes:
    return b"".join(portion.text for portion in portions(exporter, format, **wish))


def subjects(document: bytes) -> list[str]:
    return [json.loads(line)["subject"] for line in document.splitlines()]


def test_a_bundle_is_valid_whatever_is_in_it_and_says_once_who_says_so(exporter: Exporter, store: Store) -> None:
    empty = exported(exporter, "stix")
    stored(store, *[TLP.GREEN] * 3)
    bundle = exported(exporter, "stix")

    for one in (empty, bundle):
        assert stix_oracles.complaints(one) == []
    found = json.loads(bundle)["objects"]
    assert [one["name"] for one in found if one["type"] == "grouping"] == ["beacon 1", "beacon 2", "beacon 3"]
    assert [one["id"] for one in found if one["type"] == "identity"] == [identity_id(store.uid, "Tocsin")]
    assert len([one for one in found if one["type"] == "marking-definition"]) == len(TLP) - 1


def test_packages_in_a_package_are_valid_by_the_schemas(exporter: Exporter, store: Store) -> None:
    empty = exported(exporter, "stix1")
    stored(store, TLP.GREEN, TLP.UNSET)
    package = exported(exporter, "stix1")

    assert stix1_oracles.complaints(empty) == []
    assert stix1_oracles.complaints(package) == []
    assert package.count(b"192.0.2.7") >= 2


def test_an_alert_is_a_line_of_csv_with_its_meaning_and_its_row(exporter: Exporter, store: Store) -> None:
    group = Alertgroup.of_rows('=cmd|"/c calc"', [{"src_ip": "192.0.2.7", "note": "a\nb, c"}, {"x": 1}])
    message = Message(source="rest", body=b"{}", media_type="application/json", received=NOW)
    store.append(entry(message, [Part(group=group, severity=None, lanes=())], "scot", "1")).result(30)
    put_all(store)

    first, second = csv.DictReader(io.StringIO(exported(exporter, "csv").decode(), newline=""))

    assert (first["subject"], first["src"], first["alertgroup"]) == ('\'=cmd|"/c calc"', "192.0.2.7", "1")
    assert json.loads(first["row"]) == {"src_ip": "192.0.2.7", "note": "a\nb, c"}
    assert (json.loads(second["row"]), second["src"], second["severity"]) == ({"x": 1}, "", "")


def test_lines_of_our_own_and_of_idea_are_as_the_destinations_write_them(exporter: Exporter, store: Store) -> None:
    stored(store, TLP.GREEN, TLP.RED)

    assert subjects(exported(exporter, "jsonl")) == ["beacon 1", "beacon 2"]
    assert [json.loads(line)["Format"] for line in exported(exporter, "idea").splitlines()] == ["IDEA0"] * 2


def test_for_a_destination_it_passes_its_gate_and_is_written_in_its_words(exporter: Exporter, store: Store) -> None:
    stored(store, TLP.GREEN, TLP.RED, TLP.CLEAR)

    found = portions(exporter, "stix", **{"for": "partner"})
    names = [one["name"] for one in json.loads(b"".join(one.text for one in found))["objects"] if "name" in one]

    assert (found[-1].written, found[-1].withheld, found[-1].last) == (2, 1, True)
    assert "CERT Example" in names
    assert [name for name in names if name.startswith("beacon") and ":" not in name] == ["beacon 1", "beacon 3"]
    assert portions(exporter, "jsonl")[-1].written == 3


@pytest.mark.parametrize("format", FORMATS)
def test_only_a_portion_is_held_at_a_time(
    exporter: Exporter, store: Store, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    stored(store, *[TLP.GREEN] * 7)
    monkeypatch.setattr(exporting, "PORTION", 2)
    monkeypatch.setattr(exporting, "PAGE", 3)
    whole = exported(exporter, "jsonl")

    found = portions(exporter, format)

    assert [(one.at, one.upto, one.written, one.last) for one in found] == [
        (2, 7, 2, False), (3, 7, 3, False), (5, 7, 5, False), (6, 7, 6, False), (7, 7, 7, False), (7, 7, 7, True),
    ]  # fmt: skip
    assert subjects(whole) == [f"beacon {number}" for number in range(1, 8)]


def test_what_comes_while_it_runs_is_left_out(
    exporter: Exporter, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(store, *[TLP.GREEN] * 3)
    monkeypatch.setattr(exporting, "PORTION", 1)
    run = exporter.portions(selection({"format": "jsonl"}, NOW), NOW)
    texts = [next(run).text]
    owe(store, "later")
    put_all(store)

    texts += [portion.text for portion in run]

    assert subjects(b"".join(texts)) == ["beacon 1", "beacon 2", "beacon 3"]


def test_what_a_format_has_nothing_to_say_of_is_counted(exporter: Exporter, store: Store) -> None:
    group = Alertgroup.of_rows("nothing seen", [{"note": "hello"}])
    message = Message(source="rest", body=b"{}", media_type="application/json", received=NOW)
    store.append(entry(message, [Part(group=group, severity=None, lanes=())], "scot", "1")).result(30)
    owe(store, "not indexed")

    end = portions(exporter, "stix")[-1]

    assert (end.written, end.empty, end.behind) == (1, 1, True)


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        ({"format": "pdf"}, Malformed),
        ({"format": "stix", "folded": "yes"}, Malformed),
        ({"format": "stix", "from": "soon"}, Malformed),
        ({"format": "stix", "query": "severity>="}, BadQuery),
        ({"format": "stix", "for": "nobody"}, Malformed),
    ],
)
def test_what_cannot_be_exported_is_said_before_anything_is(
    exporter: Exporter, wish: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        exporter.portions(selection(wish, NOW), NOW)


def test_times_bound_it(exporter: Exporter, store: Store) -> None:
    stored(store, TLP.GREEN)
    day: dict[str, Any] = {"from": "2026-01-01"}

    assert subjects(exported(exporter, "jsonl", **day)) == ["beacon 1"]
    assert exported(exporter, "jsonl", until="2026-01-01") == b""


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_frames_come_out_as_they_went_in_however_they_are_cut(size: int) -> None:
    given = [Portion(text=b"a\n1 {}\nb" * number, at=number, upto=3, last=number == 3) for number in range(4)]
    wire = b"".join(map(framed, given))
    frames = Unframed()

    assert [one for at in range(0, len(wire), size) for one in frames.take(wire[at : at + size])] == given
