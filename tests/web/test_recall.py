"""Recalls over the API: rehearsed, made, listed, and refused with the remedy."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tocsin.app import Hub, build
from tocsin.config import Config
from tocsin.store import Tx
from web.conftest import Caller


@pytest.fixture
def hub(engine: str, data: Path) -> Any:
    """A hub with two destinations, of which `files` understands no recall; nothing is sent until a test says so."""
    destinations = {"partner": {"type": "dummy"}, "files": {"type": "text_log", "path": "files.log"}}
    hub = build(Config.model_validate({"store": {"url": engine}, "destinations": destinations}), data)
    yield hub
    hub.stop()


def delivered(hub: Hub, *lanes: str) -> None:
    """As if the lanes had sent it."""
    for lane in lanes:
        hub.store.write(partial(_deliver, lane=lane))


def _deliver(tx: Tx, lane: str) -> None:
    tx.run(
        "UPDATE delivery SET state = 'delivered', attempt = 1, settled = 1795000000000000 WHERE lane = :lane", lane=lane
    )


def states(admin: Caller, group: int) -> set[tuple[str, str]]:
    return {(each["lane"], each["state"]) for each in admin.json(f"/api/v2/alertgroup/{group}/delivery")["records"]}


def test_a_dry_run_says_what_would_be_done_where_and_changes_nothing(analyst: Caller, hub: Hub, admin: Caller) -> None:
    group = admin.post_group()
    delivered(hub, "partner", "files")
    before = states(admin, group)

    answer = analyst.post(f"/api/v2/alertgroup/{group}/recall", json={"dry_run": True}).json()

    fates = {each["to"]: (each["fate"], each["sent"]) for each in answer["records"]}
    assert fates["partner"] == ("told", 1795000000)
    assert fates["files"] == ("cannot be told", 1795000000)
    assert fates["idea_log"] == ("held back", None)
    assert answer["dry_run"] is True
    assert states(admin, group) == before
    assert analyst.json(f"/api/v2/alertgroup/{group}/recall")["records"] == []


def test_a_recall_is_owed_written_down_and_told_in_the_history(analyst: Caller, hub: Hub, admin: Caller) -> None:
    groups = [admin.post_group(), admin.post_group()]
    delivered(hub, "partner")

    answer = analyst.post("/api/v2/recall", json={"alertgroups": groups, "reason": "our own test", "to": ["partner"]})

    assert answer.status_code == 200, answer.text
    assert [each["fate"] for each in answer.json()["records"]] == ["told", "told"]
    assert ("partner", "due") in states(admin, groups[0])
    assert ("files", "due") in states(admin, groups[0])
    [known] = analyst.json(f"/api/v2/alertgroup/{groups[1]}/recall")["records"]
    assert (known["reason"], known["to"], known["alertgroup"]) == ("our own test", ["partner"], groups[1])
    history = [line["what"] for line in admin.json(f"/api/v2/alertgroup/{groups[0]}/history")["records"]]
    assert "recalled (partner): our own test" in history


@pytest.mark.parametrize(
    ("wish", "status", "remedy"),
    [
        ({"alertgroups": [1]}, 400, "say why"),
        ({"alertgroups": [1], "reason": "x" * 1001}, 400, "1000"),
        ({"alertgroups": [4711], "reason": "wrong"}, 404, "4711"),
        ({"alertgroups": [], "reason": "wrong"}, 400, "alertgroups"),
        ({"alertgroups": [1], "reason": "wrong", "to": ["partnr"]}, 400, "partner"),
    ],
)
def test_what_cannot_be_recalled_is_refused_with_the_remedy(
    analyst: Caller, admin: Caller, wish: dict[str, Any], status: int, remedy: str
) -> None:
    admin.post_group()

    answer = analyst.post("/api/v2/recall", json=wish)

    assert answer.status_code == status, answer.text
    assert remedy in answer.text
    assert analyst.json("/api/v2/alertgroup/1/recall")["records"] == []


def test_one_who_may_only_look_may_not_recall(viewer: Caller, admin: Caller) -> None:
    admin.post_group()

    assert viewer.post("/api/v2/alertgroup/1/recall", json={"reason": "wrong"}).status_code == 403
