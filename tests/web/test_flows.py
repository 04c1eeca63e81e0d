"""Flows over the API, on each engine."""

from typing import Any

import pytest

from neighbours.flows import lay
from tocsin.app import Hub
from tocsin.flows import engine as duck
from web.conftest import Caller

S = 1_000_000
NOW = 1_700_000_000 * S


@pytest.fixture
def laid(hub: Hub) -> list[dict[str, Any]]:
    rows = [
        {"kind": "conn", "start": NOW + n * S, "uid": f"C{n}", "saddr": f"10.0.0.{n}", "daddr": "192.0.2.7", "bytes": n}
        for n in range(5)
    ]
    return lay(hub.dataset, [*rows, {"kind": "dns", "start": NOW, "uid": "C3", "query": "www.a.example"}])


def ids(answer: Any) -> list[int]:
    return [int(one["id"]) for one in answer["records"]]


def test_flows_are_listed_page_by_page_with_their_labels(hub: Hub, viewer: Caller, laid: list[dict[str, Any]]) -> None:
    first = viewer.json("/api/v2/flow?query=kind:conn&limit=3")
    second = viewer.json(f"/api/v2/flow?query=kind:conn&limit=3&after={first['after']}")

    assert ids(first) + ids(second) == [row["place"] for row in reversed(laid[:5])]
    assert (first["queryRecordCount"], first["totalRecordCount"], first["more"]) == (3, 5, False)
    assert (second["totalRecordCount"], second["after"]) == (None, "")
    assert first["records"][0] == {
        "id": str(laid[4]["place"]),
        "kind": "conn",
        "start": NOW // S + 4,
        "label": "benign",
        "alertgroup": None,
        "alert": None,
        "category": None,
        "flow": {"start": NOW + 4 * S, "uid": "C4", "saddr": "10.0.0.4", "daddr": "192.0.2.7", "bytes": 4},
    }
    assert viewer.json(f"/api/v2/flow/{laid[0]['place']}")["flow"]["uid"] == "C0"
    oldest = viewer.json(f"/api/v2/flow?order=oldest&since={NOW // S + 1}&until={NOW // S + 3}")
    assert ids(oldest) == [laid[1]["place"], laid[2]["place"]]


def test_the_flows_of_an_alertgroup_are_there_before_labels_are_brought_up_to_date(
    hub: Hub, admin: Caller, viewer: Caller, laid: list[dict[str, Any]]
) -> None:
    group = admin.post_group(data=[{"uid": "C3"}, {"uid": "C9"}])
    found = viewer.json(f"/api/v2/alertgroup/{group}/flow")

    assert sorted(ids(found)) == [laid[3]["place"], laid[5]["place"]]
    assert {one["alertgroup"] for one in found["records"]} == {group}
    assert ids(viewer.json("/api/v2/flow?query=label:malicious")) == []
    hub.tending.fresh()
    labelled = viewer.json("/api/v2/flow?query=label:malicious and kind:conn")
    assert [(one["alertgroup"], one["label"]) for one in labelled["records"]] == [(group, "malicious")]
    assert viewer.json("/api/v2/alertgroup/99/flow", 404)
    assert viewer.json(f"/api/v2/alertgroup/{group}/flow?query=query:*")["totalRecordCount"] == 1


def test_flows_are_counted_over_time_and_by_host(viewer: Caller, laid: list[dict[str, Any]]) -> None:
    found = viewer.json("/api/v2/flow/timeline?query=alternative:no&buckets=10")
    hosts = viewer.json("/api/v2/flow/host?query=alternative:no&limit=1")

    assert found["step"] == 1
    assert [one["flows"] for one in found["buckets"]] == [1] * 5
    assert hosts["records"][0]["address"] == "192.0.2.7"
    assert (hosts["records"][0]["received"], hosts["records"][0]["bytes"]) == (5, 10)


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/api/v2/flow?query=sadr:1", 422, "did you mean saddr"),
        ("/api/v2/flow?query=src:", 422, "character 5"),
        ("/api/v2/flow?order=sideways", 400, "newest or oldest"),
        ("/api/v2/flow?limit=0", 400, "limit"),
        ("/api/v2/flow?after=x", 400, "after"),
        ("/api/v2/flow?since=soon", 400, "since"),
        ("/api/v2/flow?offset=1", 400, "offset"),
        ("/api/v2/flow/99", 404, "no flow 99"),
        ("/api/v2/flow/timeline?buckets=-1", 400, "buckets"),
    ],
)
def test_what_cannot_be_answered_is_told_in_a_sentence(
    viewer: Caller, engine: str, path: str, status: int, told: str
) -> None:
    assert told in viewer.json(path, status)["error_msg"]


@pytest.mark.parametrize("engine", ["sqlite"])
def test_without_any_flows_there_are_none_and_without_what_reads_them_that_is_said(
    viewer: Caller, sender: Caller, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert viewer.json("/api/v2/flow")["records"] == []
    assert viewer.json("/api/v2/flow/timeline") == {"step": 1, "buckets": []}
    assert sender.get("/api/v2/flow").status_code == 403
    monkeypatch.setattr(duck, "installed", lambda: False)
    assert "pip install" in viewer.json("/api/v2/flow", 501)["error_msg"]
