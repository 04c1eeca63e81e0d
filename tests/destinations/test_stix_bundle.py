"""STIX_data.json: each delivery once, recalls revoked, what cannot be said skipped, valid at every moment."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from neighbours import stix_oracles as oracles
from tocsin.destinations.stix_bundle import StixBundle
from tocsin.errors import DeliveryError, Rejected, Skipped, Unavailable
from tocsin.formats.stix.feed import identity_id
from tocsin.kit.stix_options import TOLD
from tocsin.model import Alert, Alertgroup, Delivery, Detection, Endpoint, Kind, Receipt

HUB = "6f3ad0d0-0000-4000-8000-000000000001"
NOW = 1_795_290_092_000_000
MEANT = Detection(name="a scan", sources=(Endpoint(addresses=("192.0.2.7",)),))


def delivery(number: int, meant: Detection | None = MEANT, kind: Kind = "alert", **rest: Any) -> Delivery:
    alerts = (Alert(json="{}", uid=f"a-{number}", detection=meant),)
    group = Alertgroup(subject=f"s{number}", alerts=alerts, id=number, uid=f"g-{number}", received=NOW + number)
    return Delivery(id=number, uid=f"d-{number}", alertgroup=group, kind=kind, hub=HUB, owed=NOW + 10**6, **rest)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[StixBundle]:
    made = StixBundle.model_validate({}, context={"data": tmp_path})
    yield made
    made.close()


def again(made: StixBundle, **options: Any) -> StixBundle:
    """The same destination in a new process."""
    made.close()
    return StixBundle(path=made.path, **options)


def objects(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_bytes())["objects"])


def names(path: Path, type: str = "grouping") -> list[str]:
    return [one["name"] for one in objects(path) if one["type"] == type]


def test_the_bundle_is_valid_from_the_first_moment_to_the_last(made: StixBundle) -> None:
    assert made.path.name == "STIX_data.json"
    (outcome,), cursor = made.send_batch([delivery(0, None)], "")
    assert isinstance(outcome, Skipped)
    first = made.path.read_bytes()

    sent = made.send_batch([delivery(1), delivery(2)], cursor)
    sent = made.send_batch([delivery(3), delivery(1, kind="recall")], sent.cursor)

    assert all(isinstance(one, Receipt) for one in sent.outcomes)
    for text in (first, made.path.read_bytes()):
        assert oracles.complaints(text) == []
        assert len(oracles.read(text)) == len(json.loads(text)["objects"])
    assert names(made.path) == ["s1", "s2", "s3", "s1"]


def test_who_says_so_stands_once_over_starts_and_comes_again_with_another_name(made: StixBundle) -> None:
    sent = made.send_batch([delivery(1)], "")
    made = again(made)
    sent = made.send_batch([delivery(2), delivery(3)], sent.cursor)
    assert names(made.path, "identity") == ["Tocsin"]

    made = again(made, identity="CERT Example")
    made.send_batch([delivery(4)], sent.cursor)
    made = again(made, identity="CERT Example")
    made.send_batch([delivery(4), delivery(5)], sent.cursor)
    made.close()

    assert names(made.path, "identity") == ["Tocsin", "CERT Example"]
    known = {one["id"] for one in objects(made.path)}
    assert {one["created_by_ref"] for one in objects(made.path) if "created_by_ref" in one} <= known
    assert identity_id(HUB, "CERT Example") in known


def test_a_batch_is_written_once_over_crashes_the_same_bytes(made: StixBundle) -> None:
    sent = made.send_batch([delivery(1), delivery(2, None)], "")
    made = again(made)
    made.send_batch([delivery(3)], sent.cursor)
    there = made.path.read_bytes()
    made = again(made)

    made.send_batch([delivery(3)], sent.cursor)
    assert made.path.read_bytes() == there
    made.send_batch([delivery(3), delivery(4)], sent.cursor)
    made.close()

    assert names(made.path) == ["s1", "s3", "s4"]


def test_a_receipt_says_where_what_was_written_begins(made: StixBundle) -> None:
    outcomes = made.send_batch([delivery(1), delivery(2, None), delivery(3)], "").outcomes

    text = made.path.read_bytes()
    for outcome in (outcomes[0], outcomes[2]):
        assert isinstance(outcome, Receipt)
        name, _, place = outcome.remote_id.partition(":")
        assert name == "STIX_data.json"
        assert text[int(place) :].startswith(b'{"type":"ipv4-addr"')


def test_a_recall_revokes_what_was_said_under_the_same_ids(made: StixBundle) -> None:
    sent = made.send_batch([delivery(1)], "")
    made.send_batch([delivery(1, kind="recall")], sent.cursor)

    versions: dict[str, list[dict[str, Any]]] = {}
    for one in objects(made.path):
        if "created_by_ref" in one:
            versions.setdefault(one["id"], []).append(one)
    assert {id.partition("--")[0] for id in versions} == {
        "observed-data", "indicator", "sighting", "relationship", "grouping",
    }  # fmt: skip
    for said, taken in versions.values():
        assert taken == said | {"revoked": True, "modified": "2026-11-21T19:41:33.000000Z"}


def test_the_same_address_is_another_object_where_another_hub_says_it(made: StixBundle, tmp_path: Path) -> None:
    other = StixBundle(path=tmp_path / "other.json")
    made.send(delivery(1))
    one = delivery(1)
    other.send(Delivery(id=1, uid="d", alertgroup=one.alertgroup, hub="another"))
    other.close()

    ours, theirs = ({each["id"] for each in objects(path)} for path in (made.path, other.path))
    assert {id.partition("--")[0] for id in ours & theirs} == {"marking-definition", "ipv4-addr"}


def test_what_cannot_be_written_is_said_and_stops_nobody(made: StixBundle) -> None:
    bad = delivery(2)
    bad = Delivery(id=2, uid="d", alertgroup=Alertgroup(subject="s", alerts=bad.alertgroup.alerts), hub=HUB)

    first, refused, last = made.send_batch([delivery(1), bad, delivery(3)], "").outcomes

    assert isinstance(refused, Rejected)
    assert "no uid" in str(refused)
    assert isinstance(first, Receipt)
    assert isinstance(last, Receipt)
    with pytest.raises(Skipped, match="nothing to assert"):
        made.send(delivery(4, None))


def test_the_profile_slips_writes_slips_indicators_alone(tmp_path: Path) -> None:
    made = StixBundle(path=tmp_path / "S.json", profile="slips")
    (skipped,), cursor = made.send_batch([delivery(0, None)], "")
    assert isinstance(skipped, Skipped)
    assert objects(made.path) == []

    made.send_batch([delivery(1), delivery(1, kind="recall")], cursor)
    made.close()

    said, taken = objects(made.path)
    assert (said["type"], said["name"], said["x_slips_evidence_id"]) == ("indicator", "a scan", "a-1")
    assert taken == said | {"revoked": True, "modified": "2026-11-21T19:41:33.000000Z"}


def test_what_is_our_own_by_the_configuration_is_never_called_bad(tmp_path: Path) -> None:
    told = {"own_networks": ["192.0.2.0/24"]}
    made = StixBundle.model_validate({}, context={"data": tmp_path, TOLD: lambda: told})
    made.send(delivery(1))
    made.close()

    assert "indicator" not in {one["type"] for one in objects(made.path)}


def test_a_file_of_own_words_that_is_gone_is_said(tmp_path: Path) -> None:
    def told() -> dict[str, Any]:
        raise FileNotFoundError(2, "No such file or directory", "words.txt")

    made = StixBundle.model_validate({}, context={"data": tmp_path, TOLD: told})

    with pytest.raises(Unavailable, match="cannot be read"):
        made.send(delivery(1))
    made.close()


def test_each_run_begins_a_bundle_of_its_own_if_asked_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cursor = ""
    for hour, number in ((1, 1), (2, 2), (3, 2)):
        now = time.struct_time((2026, 11, 22, hour, 0, 0, 6, 326, 0))
        monkeypatch.setattr(time, "gmtime", lambda now=now: now)
        made = StixBundle(path=tmp_path / "STIX_data.json", per_run=True)
        sent = made.send_batch([delivery(number)], cursor)
        cursor = sent.cursor if hour == 1 else cursor
        made.close()

    files = sorted(tmp_path.glob("STIX_data-*.json"))
    assert [one.name for one in files] == [f"STIX_data-20261122T0{hour}0000Z.json" for hour in (1, 2, 3)]
    assert [names(one) for one in files] == [["s1"], [], ["s2"]]


def test_a_folder_in_the_way_is_unavailable_and_the_check_says_so_too(made: StixBundle) -> None:
    made.path.mkdir()

    (outcome,) = made.send_batch([delivery(1)], "").outcomes
    assert isinstance(outcome, Unavailable)
    for act in (made.check, lambda: made.send(delivery(1))):
        with pytest.raises(DeliveryError, match="it is a folder"):
            act()


@pytest.mark.parametrize(
    "options", [{"link": "no link"}, {"identity": ""}, {"least_severity": "bad"}, {"profile": "x"}, {"file": "x"}]
)
def test_wrong_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        StixBundle.model_validate(options)
