"""Repeats over the API: counted, listed, taken out, kept apart."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tocsin.app import Hub, build
from tocsin.config import Config
from web.conftest import Caller

GROUPS = "/scot/api/v2/alertgroup"


@pytest.fixture
def hub(engine: str, data: Path) -> Iterator[Hub]:
    """A hub that folds what comes from `splunk`."""
    config = {"store": {"url": engine}, "repeats": {"splunk": {"window_h": 24}}}
    hub = build(Config.model_validate(config), data)
    yield hub
    hub.stop()


def posted(sender: Caller, n: int = 1, **fields: object) -> list[int]:
    return [sender.post_group(source=["splunk"], message_id=f"m{fields}{i}", **fields) for i in range(n)]


def test_each_post_gets_its_own_id_and_is_counted_in_the_first(sender: Caller, viewer: Caller) -> None:
    first, second, third = posted(sender, 3)
    (again,) = posted(sender, 1)

    assert again == first
    assert [one["id"] for one in viewer.json(GROUPS)["records"]] == [first]
    assert viewer.json(GROUPS)["totalRecordCount"] == 1
    assert viewer.json(f"{GROUPS}?seen=x%3E2")["records"][0]["seen"] == 3
    assert [one["id"] for one in viewer.json(f"{GROUPS}?folded_into={first}")["records"]] == [third, second]
    whole = viewer.json(f"{GROUPS}/{second}")
    assert (whole["folded_into"], len(whole["alerts"]), whole["message_id"]) == (first, 2, "m{}1")
    told = viewer.json(f"{GROUPS}/{first}/repeat")
    assert (told["seen"], told["folded"], told["apart"], told["folded_into"]) == (3, 2, False, None)
    assert told["first_seen"] <= told["last_seen"]
    assert [one["id"] for one in told["records"]] == [third, second]
    assert told["records"][0]["held"] == ["idea_log", "text_log"]


def test_repeats_come_in_pages(sender: Caller, viewer: Caller) -> None:
    first, *rest = posted(sender, 6)
    newest = viewer.json(f"{GROUPS}/{first}/repeat?limit=3")["records"]
    older = viewer.json(f"{GROUPS}/{first}/repeat?limit=3&before={newest[-1]['id']}")["records"]

    assert [one["id"] for one in (*newest, *older)] == rest[::-1]
    for wrong in ("limit=0", "limit=1001", "before=x", "offset=3"):
        assert viewer.get(f"{GROUPS}/{first}/repeat?{wrong}").status_code == 400
    assert viewer.get(f"{GROUPS}/99/repeat").status_code == 404


def test_an_analyst_takes_one_out_or_all(sender: Caller, viewer: Caller, analyst: Caller) -> None:
    first, *rest = posted(sender, 4)
    assert viewer.post(f"{GROUPS}/{rest[0]}/unfold").status_code == 403

    assert analyst.post(f"{GROUPS}/{rest[1]}/unfold").json()["unfolded"] == [rest[1]]
    assert [one["id"] for one in viewer.json(GROUPS)["records"]] == [rest[1], first]
    lanes = {one["lane"] for one in viewer.json(f"{GROUPS}/{rest[1]}/delivery")["records"]}
    assert lanes == {"idea_log", "text_log"}

    assert analyst.post(f"{GROUPS}/{first}/unfold").json()["unfolded"] == [rest[0], rest[2]]
    assert viewer.json(f"{GROUPS}/{first}/repeat")["seen"] == 1
    answer = analyst.post(f"{GROUPS}/{first}/unfold")
    assert (answer.status_code, "nothing is folded into it" in answer.json()["error_msg"]) == (400, True)
    assert viewer.json(f"{GROUPS}/{first}/history")["records"][-1]["who"] == "test analyst"


def test_a_kind_is_kept_apart_until_it_is_said_otherwise(sender: Caller, viewer: Caller, analyst: Caller) -> None:
    first, second = posted(sender, 2)
    assert analyst.put(f"{GROUPS}/{first}/repeat", json={"apart": True}).json()["apart"] is True
    third = posted(sender, 3)[-1]
    assert viewer.json(f"{GROUPS}/{third}")["folded_into"] is None
    assert viewer.json(f"{GROUPS}/{second}")["folded_into"] == first

    analyst.put(f"{GROUPS}/{first}/repeat", json={"apart": False})
    fourth = posted(sender, 4)[-1]
    assert viewer.json(f"{GROUPS}/{fourth}")["folded_into"] == first
    assert analyst.put(f"{GROUPS}/{first}/repeat", json={"apart": "no"}).status_code == 400


def test_what_comes_from_elsewhere_is_not_folded(sender: Caller, viewer: Caller, analyst: Caller) -> None:
    ids = [sender.post_group(source=["sensor"], message_id=f"m{n}") for n in range(2)]

    assert [one["id"] for one in viewer.json(GROUPS)["records"]] == ids[::-1]
    assert viewer.json(f"{GROUPS}/{ids[0]}/repeat")["fingerprint"] == ""
    assert analyst.put(f"{GROUPS}/{ids[0]}/repeat", json={"apart": True}).status_code == 400


def test_counts_cannot_be_written(sender: Caller, analyst: Caller) -> None:
    (first,) = posted(sender)

    answer = analyst.put(f"{GROUPS}/{first}", json={"seen": 9, "folded_into": 1, "tag": ["x"]})
    assert set(answer.json()["ignored"]) == {"seen", "folded_into"}
