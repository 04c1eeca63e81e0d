"""Replays over the API: begun, looked at before, followed, stopped and resumed."""

from pathlib import Path
from typing import Any

import pytest

from neighbours.indexed import put_all
from tocsin.app import Hub, build
from tocsin.config import Config
from web.conftest import Caller

REPLAY = "/api/v2/replay"


@pytest.fixture
def hub(engine: str, data: Path) -> Any:
    """A hub with a destination that new alertgroups are not sent to."""
    destinations = {"partner": {"type": "dummy", "clearance": "green"}}
    routes = [{"name": "none", "query": "tag:never", "to": ["partner"]}]
    hub = build(Config.model_validate({"store": {"url": engine}, "destinations": destinations, "routes": routes}), data)
    yield hub
    hub.stop()


def test_a_replay_is_begun_stopped_resumed_and_listed(admin: Caller, hub: Hub) -> None:
    for _ in range(3):
        admin.post_group(tlp="green")
    put_all(hub.store)

    begun = admin.post(REPLAY, json={"to": "partner", "from": "now-1d", "query": "beacon", "rate": "30/min"}).json()
    stopped = admin.post(f"{REPLAY}/{begun['id']}/stop").json()
    hub.replayer.turn()
    resumed = admin.post(f"{REPLAY}/{begun['id']}/resume").json()
    hub.replayer.turn()
    now = admin.json(f"{REPLAY}/{begun['id']}")

    assert (begun["state"], begun["upto"], begun["rate"], begun["until"]) == ("running", 3, "30/min", None)
    assert begun["created"] - begun["from"] in (86_399, 86_400, 86_401)
    assert [stopped["state"], stopped["owed"], resumed["state"]] == ["stopped", 0, "running"]
    assert (now["state"], now["cursor"], now["owed"], now["waits"]) == ("running", 1, 1, "")
    assert [line["what"] for line in now["history"]] == ["begun", "stopped", "resumed"]
    assert {line["who"] for line in now["history"]} == {"operator"}
    assert admin.json(REPLAY) == {"records": [now], "queryRecordCount": 1, "totalRecordCount": 1}
    assert [each["lane"] for each in admin.json("/api/v2/alertgroup/1/delivery")["records"]] == ["partner"]
    assert (
        admin.json("/api/v2/alertgroup/1/history")["records"][-1]["what"] == "sent to partner by replay 1 of operator"
    )


def test_a_dry_run_tells_how_many_and_makes_nothing(admin: Caller, hub: Hub) -> None:
    admin.post_group(tlp="green")
    admin.post_group(subject="guarded", tlp="red")

    before = admin.post(f"{REPLAY}/try", json={"to": "partner"}).json()
    put_all(hub.store)
    tried = admin.post(f"{REPLAY}/try", json={"to": "partner"}).json()

    assert (before["waiting"], tried["waiting"]) == (True, False)
    assert (tried["matched"], tried["sent"], tried["withheld"], tried["more"]) == (2, 1, 1, False)
    assert [(one["id"], one["subject"], one["fate"][:8]) for one in tried["samples"]] == [
        (1, "Beacon to evil.example", "sent"),
        (2, "guarded", "withheld"),
    ]
    assert admin.json(REPLAY)["totalRecordCount"] == 0


@pytest.mark.parametrize(
    ("wish", "status", "told"),
    [
        ({"to": "nowhere"}, 400, "to: there is no destination 'nowhere'"),
        ({"to": "partner", "query": "("}, 422, "character"),
        ({"to": "partner", "until": "later"}, 400, "until: 'later' is no time: write now-7d"),
        ({"to": "partner", "from": "now", "until": "now-1d"}, 400, "until: it is not later than from"),
        ({"to": "partner", "rate": "-1/s"}, 400, "rate: '-1/s' is no rate"),
        ({"to": "partner", "speed": 1}, 400, "speed"),
        ({}, 400, "to"),
    ],
)
@pytest.mark.parametrize("engine", ["sqlite"])
def test_what_cannot_be_begun_is_refused_with_the_remedy(
    admin: Caller, engine: str, wish: dict[str, str], status: int, told: str
) -> None:
    for path in (REPLAY, f"{REPLAY}/try"):
        refused = admin.post(path, json=wish)

        assert refused.status_code == status
        assert told in refused.json()["error_msg"]


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_replay_that_there_is_not_is_not_found(admin: Caller, engine: str) -> None:
    assert admin.get(f"{REPLAY}/7").status_code == 404
    assert admin.post(f"{REPLAY}/7/stop").status_code == 404
    assert admin.post(f"{REPLAY}/7/resume").status_code == 404
