"""Reading and changing alertgroups and alerts over the API."""

from typing import Any

import pytest

from neighbours.indexed import put_all
from tocsin.app import Hub
from tocsin.model import Alertgroup
from tocsin.store import again
from web.conftest import Caller

GROUPS = "/scot/api/v2/alertgroup"
ALERTS = "/scot/api/v2/alert"

SCOT_ALERTGROUP = {
    *("ahrefs", "alert_count", "body", "body_flair", "body_plain", "closed_count", "columns", "created"),
    *("entry_count", "firstview", "groups", "id", "location", "message_id", "open_count", "owner", "parsed"),
    *("promoted_count", "promotion_id", "source", "status", "subject", "tag", "tlp", "updated", "view_history"),
    *("views", "when", "alerts"),
}
SCOT_ALERT = {
    *("alertgroup", "columns", "created", "data", "data_with_flair", "entry_count", "groups", "id", "location"),
    *("owner", "parsed", "promotion_id", "status", "subject", "tlp", "updated", "when"),
}


def counts(caller: Caller, id: int) -> tuple[str, int, int, int, int]:
    group = caller.json(f"{GROUPS}?id={id}")["records"][0]
    return (
        group["status"], group["alert_count"], group["open_count"], group["closed_count"], group["promoted_count"],
    )  # fmt: skip


def alert_ids(caller: Caller, id: int) -> list[int]:
    return [alert["id"] for alert in caller.json(f"{GROUPS}/{id}/alert")["records"]]


def test_an_alertgroup_has_every_field_scot_has(sender: Caller, viewer: Caller) -> None:
    group = viewer.json(f"{GROUPS}/{sender.post_group()}")

    assert set(group) >= SCOT_ALERTGROUP
    assert set(group["alerts"][0]) >= SCOT_ALERT
    assert (group["parsed"], group["promotion_id"], group["entry_count"]) == (0, 0, 0)


def test_times_are_whole_seconds(sender: Caller, viewer: Caller) -> None:
    group = viewer.json(f"{GROUPS}/{sender.post_group()}")

    for name in ("when", "created", "updated", "firstview"):
        assert isinstance(group[name], int)
        assert 1_600_000_000 < group[name] < 10_000_000_000


def test_looking_counts_a_view_and_says_who_looked(sender: Caller, viewer: Caller, analyst: Caller) -> None:
    id = sender.post_group()
    assert viewer.json(f"{GROUPS}?id={id}")["records"][0]["firstview"] == -1

    first, second = viewer.json(f"{GROUPS}/{id}"), analyst.json(f"{GROUPS}/{id}")
    viewer.request("HEAD", f"{GROUPS}/{id}")

    assert (first["views"], second["views"]) == (1, 2)
    assert set(second["view_history"]) == {"test viewer", "test analyst"}
    assert second["view_history"]["test viewer"]["where"] == "127.0.0.1"
    assert viewer.json(f"{GROUPS}?id={id}")["records"][0]["views"] == 2


def test_who_reads_does_not_wait_for_a_full_disk(
    sender: Caller, viewer: Caller, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tocsin.errors import StoreUnavailable

    id = sender.post_group()
    viewer.json(f"{GROUPS}/{id}")

    def full(_work: object) -> None:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(hub.store, "submit", full)
    assert viewer.json(f"{GROUPS}/{id}")["views"] == 1


def test_maxid_is_the_highest_id(sender: Caller, viewer: Caller) -> None:
    assert viewer.json(f"{GROUPS}/maxid") == {"max_id": 0, "collection": "alertgroup"}
    assert viewer.json(f"{GROUPS}/maxid")["max_id"] == sender.post_group() - 1


def test_lists_are_in_scots_envelope_without_bodies(sender: Caller, viewer: Caller) -> None:
    for _ in range(3):
        sender.post_group(body="<b>secret</b>", body_plain="secret")
    answer = viewer.get(f"{GROUPS}?limit=2")

    listed = answer.json()
    assert [record["id"] for record in listed["records"]] == [3, 2]
    assert (listed["queryRecordCount"], listed["totalRecordCount"]) == (2, 3)
    assert "secret" not in answer.text


def test_paging_and_sorting_in_every_form(sender: Caller, viewer: Caller) -> None:
    for subject in ("b", "a", "b"):
        sender.post_group(subject=subject)

    def ids(query: str) -> list[int]:
        return [record["id"] for record in viewer.json(f"{GROUPS}?{query}")["records"]]

    assert ids("") == [3, 2, 1]
    assert ids("sort=id") == ids("sort=%2Bid") == ids("sort=+id") == ids('sort={"id":1}') == [1, 2, 3]
    assert ids("sort=-id") == ids('sort={"id":-1}') == [3, 2, 1]
    for sort in ("sort=subject&sort=-id", 'sort={"subject":1,"id":-1}', 'sort=["subject","-id"]'):
        assert ids(sort) == [2, 3, 1]
    assert ids("limit=1&offset=1") == [2]
    assert ids("limit=0") == [3, 2, 1]
    assert ids("offset=9") == []


def test_columns_restrict_every_answer(sender: Caller, viewer: Caller) -> None:
    id = sender.post_group(subject="s", data=[{"n": 1.50}])

    assert viewer.json(f"{GROUPS}?columns=id&columns=subject")["records"] == [{"id": id, "subject": "s"}]
    assert viewer.json(f'{GROUPS}/{id}?columns=["subject"]') == {"subject": "s"}
    assert viewer.get(f"{ALERTS}/1?columns=data").text == '{"data":{"n":1.5}}'
    wrong = viewer.get(f"{GROUPS}?columns=id,subject")
    assert wrong.status_code == 400
    assert "repeat the parameter" in wrong.json()["error_msg"]


def test_parts_of_an_alertgroup(sender: Caller, viewer: Caller) -> None:
    id = sender.post_group(tag=["a", "b"], source=["s"])

    assert viewer.json(f"{GROUPS}/{id}/tag")["records"] == [{"value": "a"}, {"value": "b"}]
    assert viewer.json(f"{GROUPS}/{id}/source")["records"] == [{"value": "s"}]
    assert viewer.json(f"{GROUPS}/{id}/entry") == {"records": [], "queryRecordCount": 0, "totalRecordCount": 0}
    assert viewer.json(f"{GROUPS}/{id}/alert")["totalRecordCount"] == 2
    for part in ("", "/alert", "/tag", "/source", "/history", "/reading", "/entry", "/delivery"):
        assert viewer.get(f"{GROUPS}/99{part}").status_code == 404


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("id", ["0", "-1", "abc", "1.5", "%20", "9223372036854775808", "٣", "1%00"])
def test_an_id_that_is_none_is_told_so(viewer: Caller, id: str) -> None:
    answer = viewer.get(f"{GROUPS}/{id}")

    assert answer.status_code == 400
    assert "Invalid id" in answer.json()["error_msg"]


def test_closing_the_group_closes_every_alert_and_counts_are_right_at_once(sender: Caller, analyst: Caller) -> None:
    id = sender.post_group()
    assert counts(analyst, id) == ("open", 2, 2, 0, 0)

    assert analyst.put(f"{GROUPS}/{id}", json={"status": "closed"}).json() == {"id": id, "status": "ok"}
    assert counts(analyst, id) == ("closed", 2, 0, 2, 0)
    analyst.put(f"{GROUPS}/{id}", json={"status": "open"})
    assert counts(analyst, id) == ("open", 2, 2, 0, 0)


@pytest.mark.parametrize("key", ["alerts", "data"])
def test_a_bulk_change_of_some_alerts(sender: Caller, analyst: Caller, key: str) -> None:
    id = sender.post_group(data=[{"n": n} for n in range(4)])
    first, second, third, _ = alert_ids(analyst, id)
    change = {
        key: [
            {"id": first, "status": "closed", "closed": 1700000000},
            {"id": second, "status": "closed"},
            {"id": third, "status": "promoted"},
        ]
    }

    assert analyst.put(f"{GROUPS}/{id}", json=change).status_code == 200
    assert counts(analyst, id) == ("promoted", 4, 1, 2, 1)


def test_a_bulk_change_that_names_a_strange_alert_changes_nothing(sender: Caller, analyst: Caller) -> None:
    id, other = sender.post_group(), sender.post_group()
    mine, foreign = alert_ids(analyst, id)[0], alert_ids(analyst, other)[0]
    change = {"alerts": [{"id": each, "status": "closed"} for each in (mine, foreign, 999)], "tags": ["new"]}
    answer = analyst.put(f"{GROUPS}/{id}", json=change)

    assert answer.status_code == 400
    assert f"{foreign}, 999" in answer.json()["error_msg"]
    assert counts(analyst, id) == ("open", 2, 2, 0, 0)
    assert analyst.json(f"{GROUPS}/{id}")["tag"] == []


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"status": "lost"}, "$.status"),
        ({"status": 1}, "$.status"),
        ({"alerts": [{"id": 1, "status": "lost"}]}, "$.alerts[0].status"),
        ({"alerts": [{"id": 1}]}, "$.alerts[0]"),
        ({"alerts": [{"id": 0, "status": "open"}]}, "$.alerts[0].id"),
        ({"alerts": [{"id": 1, "status": "open", "owner": "me"}]}, "owner"),
        ({"alerts": [{"id": 1, "status": "open"}, {"id": 1, "status": "closed"}]}, "two different"),
        ({"alerts": [{"id": 1, "status": "open"}], "status": "closed"}, "not both"),
        ({"tag": "one"}, "$.tag"),
        ({"tag": [""]}, "$.tag[0]"),
        ({"tag": ["a\u0000"]}, "NUL"),
        ({"tag": ["a"], "tags": ["b"]}, "not both"),
        ({"tlp": "mauve"}, "$.tlp"),
        ({"owner": 7}, "$.owner"),
        ({"nonsense": 1}, "$.nonsense"),
        ({"promote": "new"}, "promote"),
        ([], "object"),
        ("closed", "object"),
    ],
)
def test_a_change_that_cannot_be_taken_is_refused_with_the_place(
    sender: Caller, analyst: Caller, change: Any, place: str
) -> None:
    id = sender.post_group()
    before = analyst.json(f"{GROUPS}?id={id}")
    answer = analyst.put(f"{GROUPS}/{id}", json=change)

    assert answer.status_code == 400, answer.text
    assert place in answer.json()["error_msg"]
    assert analyst.json(f"{GROUPS}?id={id}") == before


def test_what_the_hub_keeps_is_ignored_with_the_reason(sender: Caller, analyst: Caller) -> None:
    id = sender.post_group(subject="immutable")
    answer = analyst.put(f"{GROUPS}/{id}", json={"subject": "other", "views": 99, "open_count": 9, "tags": ["t"]})

    assert answer.status_code == 200
    assert set(answer.json()["ignored"]) == {"subject", "views", "open_count"}
    group = analyst.json(f"{GROUPS}/{id}")
    assert (group["subject"], group["views"], group["tag"]) == ("immutable", 1, ["t"])


@pytest.mark.parametrize(("tags", "sources"), [("tag", "source"), ("tags", "sources")])
def test_labels_tlp_and_owner_are_replaced(sender: Caller, analyst: Caller, tags: str, sources: str) -> None:
    id = sender.post_group(tag=["old"], source=["old"])
    change = {tags: ["a", "b", "a"], sources: [], "tlp": "WHITE", "owner": "kim"}

    assert analyst.put(f"{GROUPS}/{id}", json=change).status_code == 200
    group = analyst.json(f"{GROUPS}/{id}")
    assert (group["tag"], group["source"], group["tlp"], group["owner"]) == (["a", "b"], [], "clear", "kim")
    assert analyst.json(f"{GROUPS}?tag=old")["totalRecordCount"] == 0
    assert analyst.json(f"{GROUPS}?tag=b")["totalRecordCount"] == 1


def test_deleting_hides_and_undeleting_brings_back(sender: Caller, analyst: Caller) -> None:
    id = sender.post_group()
    alert = alert_ids(analyst, id)[0]

    assert analyst.delete(f"{GROUPS}/{id}").json() == {"id": id, "status": "ok"}
    assert analyst.get(f"{GROUPS}/{id}").status_code == 404
    assert analyst.get(f"{ALERTS}/{alert}").status_code == 404
    assert analyst.json(GROUPS)["totalRecordCount"] == analyst.json(ALERTS)["totalRecordCount"] == 0
    assert analyst.put(f"{GROUPS}/{id}", json={"status": "closed"}).status_code == 404
    assert analyst.delete(f"{GROUPS}/{id}").status_code == 404

    brought_back = analyst.put(f"{GROUPS}/{id}", json={"status": "undelete"})
    assert brought_back.json() == {"id": id, "action": "post", "thing": "alertgroup", "status": "ok"}
    assert counts(analyst, id) == ("open", 2, 2, 0, 0)


def test_undeleting_as_scot_does(sender: Caller, analyst: Caller) -> None:
    id = sender.post_group()
    analyst.delete(f"{GROUPS}/{id}")

    assert analyst.put(f"/scot/api/v2/deleted/{id}", json={"status": "undelete"}).json()["id"] == id
    assert analyst.get(f"{GROUPS}/{id}").status_code == 200
    assert analyst.put(f"/scot/api/v2/deleted/{id}", json={}).status_code == 400
    assert analyst.put("/scot/api/v2/deleted/99", json={"status": "undelete"}).status_code == 404


def test_history_says_who_did_what(sender: Caller, analyst: Caller) -> None:
    id = sender.post_group()
    analyst.put(f"{GROUPS}/{id}", json={"status": "closed"})
    alert = alert_ids(analyst, id)[0]
    analyst.put(f"{ALERTS}/{alert}", json={"tags": ["seen"]})

    lines = analyst.json(f"{GROUPS}/{id}/history")["records"]
    assert all(line["who"] == "test analyst" for line in lines)
    assert lines[0]["target"] == {"type": "alertgroup", "id": id}
    assert lines[-1]["target"] == {"type": "alert", "id": alert}
    assert [line["what"] for line in analyst.json(f"{ALERTS}/{alert}/history")["records"]] == ["tags set to seen"]


def test_what_it_was_before_it_was_read_again_stays_to_be_seen(sender: Caller, viewer: Caller, hub: Hub) -> None:
    id = sender.post_group(subject="before")
    rows = [row["data"] for row in viewer.json(f"{GROUPS}/{id}/alert")["records"]]
    new = Alertgroup.of_rows("after", [{"m": 1}])
    hub.store.write(lambda tx: again.replace(tx, id, new, None, "splunk", "2", "ann", 5_000_000))

    (older,) = viewer.json(f"{GROUPS}/{id}/reading")["records"]
    assert (older["subject"], older["rows"], older["who"], older["replaced"]) == ("before", rows, "ann", 5)
    assert viewer.json(f"{GROUPS}/{id}")["subject"] == "after"


def test_one_alert_is_read_and_changed(sender: Caller, analyst: Caller) -> None:
    id = sender.post_group(subject="of the group")
    alert = alert_ids(analyst, id)[0]

    assert analyst.put(f"{ALERTS}/{alert}", json={"status": "closed", "tag": ["x"]}).json() == {
        "id": alert,
        "status": "ok",
    }
    read = analyst.json(f"{ALERTS}/{alert}")
    assert (read["subject"], read["status"], read["tag"]) == ("of the group", "closed", ["x"])
    assert counts(analyst, id) == ("open", 2, 1, 1, 0)
    assert analyst.json(f"{ALERTS}/{alert}/tag")["records"] == [{"value": "x"}]


def test_the_row_of_an_alert_is_replaced_whole_and_to_the_letter(sender: Caller, analyst: Caller) -> None:
    alert = alert_ids(analyst, sender.post_group())[0]
    answer = analyst.put(f"{ALERTS}/{alert}", content='{"data": {"price":1.10,"n":18446744073709551616}}')

    assert answer.status_code == 200
    assert '"data":{"price":1.10,"n":18446744073709551616}' in analyst.get(f"{ALERTS}/{alert}").text


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("change", [{"data": []}, {"data": "x"}, {"status": "x"}, {"alertgroup": 5, "wrong": 1}])
def test_an_alert_is_not_changed_by_what_cannot_be_taken(sender: Caller, analyst: Caller, change: Any) -> None:
    alert = alert_ids(analyst, sender.post_group())[0]

    assert analyst.put(f"{ALERTS}/{alert}", json=change).status_code == 400
    assert analyst.put(f"{ALERTS}/999", json={"status": "open"}).status_code == 404


def test_the_list_of_alerts_has_the_subjects_of_their_groups(sender: Caller, viewer: Caller) -> None:
    first = sender.post_group(subject="first", data=[{"n": 1}])
    sender.post_group(subject="second", data=[{"n": 2}, {"n": 3}])
    listed = viewer.json(f"{ALERTS}?withsubject=1&limit=2")

    assert [(one["subject"], one["data"]) for one in listed["records"]] == [("second", {"n": 3}), ("second", {"n": 2})]
    assert listed["totalRecordCount"] == 3
    assert [one["id"] for one in viewer.json(f"{ALERTS}?alertgroup={first}")["records"]] == [1]


def test_a_list_is_asked_for_in_the_query_language_beside_scots_filters(
    admin: Caller, viewer: Caller, hub: Hub
) -> None:
    admin.post_group(subject="Beacon one", tag=["c2"], data=[{"src_ip": "10.1.2.3"}])
    admin.post_group(subject="Beacon two", tag=["test"], data=[{"src_ip": "192.0.2.7"}])
    admin.post_group(subject="Scan", tag=["c2"], data=[{"src_ip": "10.9.9.9"}])
    put_all(hub.store)

    def found(query: str) -> tuple[list[int], int]:
        answer = viewer.json(f"/scot/api/v2/alertgroup?{query}")
        return [one["id"] for one in answer["records"]], answer["totalRecordCount"]

    assert found("q=src:10.0.0.0/8") == ([3, 1], 2)
    assert found("q=beacon+and+not+tag:test") == ([1], 1)
    assert found("q=src:10.0.0.0/8&subject=beac") == ([1], 1)
    assert found("q=tag:c2&q=beacon") == ([1], 1)
    assert found("q=status:open&sort=id&limit=1&offset=1") == ([2], 3)
    assert found("q=") == ([3, 2, 1], 3)


def test_a_wrong_query_is_told_where_and_what_to_write_instead(viewer: Caller) -> None:
    answer = viewer.json("/api/v2/alertgroup?q=tag:a+and+sorce:x", 422)

    assert "There is no field 'sorce' (character 11): did you mean source?" in answer["error_msg"]
    assert "There is no filter 'q'" in viewer.json("/api/v2/alert?q=x", 400)["error_msg"]
