"""Evidence over the API: left out of lists, told how much there is, sent by hand, tried over what came."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from neighbours.evidence import evidence
from tocsin.app import Hub, build
from tocsin.config import Config
from web.conftest import Caller

GROUPS = "/api/v2/alertgroup"


@pytest.fixture
def hub(engine: str, data: Path) -> Iterator[Hub]:
    """A hub that gathers evidence of Slips; 3 is enough."""
    rule = {"query": "parser:slips", "threshold": 3}
    hub = build(Config.model_validate({"store": {"url": engine}, "accumulate": {"slips": rule}}), data)
    yield hub
    hub.stop()


def posted(sender: Caller, n: int, begin: int = 0, **fields: Any) -> list[int]:
    found = []
    for number in range(begin, begin + n):
        answer = sender.post(GROUPS, content=evidence(str(number), **fields))
        assert answer.status_code == 200, answer.text
        found.append(int(answer.json()["id"]))
    return found


def test_evidence_is_left_out_of_lists_unless_it_is_asked_for(sender: Caller, viewer: Caller) -> None:
    first, second = posted(sender, 2)

    assert viewer.json(GROUPS) == {"records": [], "queryRecordCount": 0, "totalRecordCount": 0}
    assert viewer.json(f"{GROUPS}?status=open")["totalRecordCount"] == 0
    below = viewer.json(f"{GROUPS}?q=gathered:below")["records"]
    assert [(one["id"], one["gathered"]) for one in below] == [(second, "below"), (first, "below")]
    assert [one["id"] for one in viewer.json(f"{GROUPS}?id={first}")["records"]] == [first]


def test_how_much_there_is_and_what_was_raised_is_told(sender: Caller, viewer: Caller) -> None:
    ids = posted(sender, 4)
    told = viewer.json(f"{GROUPS}/{ids[0]}/evidence")
    assert told == {
        "id": ids[0], "gathered": "below", "rule": "slips", "source": "10.0.0.5", "begun": 1728046800,
        "ended": 1728050400, "weight": 2.88, "threshold": 3.0, "into": [], "made_of": 0, "pieces": [],
    }  # fmt: skip
    ids += posted(sender, 1, 4)

    (raised,) = viewer.json(GROUPS)["records"]
    assert viewer.json(f"{GROUPS}/{ids[0]}/evidence")["into"] == [raised["id"]]
    told = viewer.json(f"{GROUPS}/{raised['id']}/evidence")
    assert (told["gathered"], told["made_of"], told["begun"]) == (None, 5, None)
    assert [(one["alertgroup"], one["weight"]) for one in told["pieces"]] == [(id, 0.72) for id in ids]
    why = viewer.json(f"{GROUPS}/{raised['id']}/why")["rules"]
    assert [(one["kind"], one["name"]) for one in why] == [("accumulate", "slips")]
    flow = viewer.json("/api/v2/flow-of-alerts")["all"]
    assert flow["received"] == flow["stored"] == 6


def test_an_analyst_sends_one_and_a_viewer_does_not(sender: Caller, viewer: Caller, analyst: Caller) -> None:
    (group,) = posted(sender, 1)
    path = f"{GROUPS}/{group}/evidence/send"

    assert viewer.post(path).status_code == 403
    assert analyst.post(path).json() == {"id": group, "lanes": ["idea_log", "text_log"], "status": "ok"}
    assert analyst.post(path).status_code == 400
    assert analyst.post(f"{GROUPS}/99/evidence/send").status_code == 404
    assert viewer.json(f"{GROUPS}/99/evidence", 404)
    assert [one["id"] for one in viewer.json(GROUPS)["records"]] == [group]


def test_a_rule_is_tried_and_what_is_wrong_with_it_is_named(sender: Caller, viewer: Caller, analyst: Caller) -> None:
    posted(sender, 6)

    def tried(**wish: Any) -> Any:
        answer = analyst.post("/api/v2/rule/accumulate", json=wish)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text.splitlines()[-1])

    done = tried(name="slips")["done"]
    assert {name: done[name] for name in ("evidence", "pieces", "raised", "threshold", "unknown")} == {
        "evidence": 6, "pieces": 6, "raised": 1, "threshold": 3.0, "unknown": 0,
    }  # fmt: skip
    assert done["samples"] == [
        {
            "source": "10.0.0.5",
            "begun": 1728046800,
            "ended": 1728050400,
            "weight": 3.6,
            "pieces": 5,
            "first": 1,
            "last": 5,
        }
    ]
    assert tried(name="other", options={"query": "parser:slips", "threshold": 0.7})["done"]["raised"] == 6
    for wrong, named in (
        ({"name": "other"}, "there is no rule 'other'"),
        ({"options": {"window_h": 0}}, "window_h"),
        ({"options": {"windw_h": 1}}, "options are query, by, window_h"),
        ({"options": {"query": "nope:1"}}, "nope"),
        ({"options": {"weights": {"grave": 1}}}, "weights.grave"),
    ):
        answer = analyst.post("/api/v2/rule/accumulate", json=wrong)
        assert (answer.status_code in (400, 422), named in answer.text) == (True, True), answer.text
    assert viewer.post("/api/v2/rule/accumulate", json={"name": "slips"}).status_code == 403
