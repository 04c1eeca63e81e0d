"""Receiving over REST: SCOT's documented request, what is told apart, what is refused and how."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tocsin.app import Hub
from web.conftest import Caller

POST = "/scot/api/v2/alertgroup"
OK = {"action": "post", "thing": "alertgroup", "status": "ok"}

DOCUMENTED = """{
    "message_id": "112233445566778899aabbccddeeff",
    "subject": "Detecor: Possible Issue",
    "data": [{"column1": "value1", "column2": "value2"}, {"column1": "value3", "column2": "value4"}],
    "tag": ["email", "malz"],
    "source": ["detector"],
    "columns": ["column1", "column2"]
}"""


def test_the_documented_curl_is_answered_as_scot_answers(sender: Caller, viewer: Caller) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = sender.post(POST, content=DOCUMENTED, headers=form)

    assert answer.status_code == 200
    assert answer.json() == {"id": 1, **OK}
    group = viewer.json("/scot/api/v2/alertgroup/1")
    assert group["subject"] == "Detecor: Possible Issue"
    assert (group["tag"], group["source"]) == (["email", "malz"], ["detector"])
    assert [alert["data"] for alert in group["alerts"]] == json.loads(DOCUMENTED)["data"]


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("path", ["/scot/api/v2/alertgroup", "/api/v2/alertgroup"])
@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", ""])
def test_json_is_taken_whatever_the_content_type_says(sender: Caller, path: str, media_type: str) -> None:
    assert sender.post(path, content=DOCUMENTED, headers={"content-type": media_type}).status_code == 200


def test_every_field_of_the_request_comes_back(sender: Caller, viewer: Caller) -> None:
    sent = {
        "message_id": "<a.b+c@x>",
        "tags": ["plural"],
        "sources": ["also plural"],
        "body": "<html>..</html>",
        "body_plain": "..",
        "ahrefs": [{"subject": "View results", "link": "https://splunk.example/x"}],
        "groups": {"read": ["a"], "modify": ["b"]},
        "tlp": "amber",
        "created": 1700000000,
    }
    group = viewer.json(f"/api/v2/alertgroup/{sender.post_group(**sent)}")

    assert (group["tag"], group["source"]) == (["plural"], ["also plural"])
    for name in ("message_id", "body", "body_plain", "ahrefs", "groups", "tlp", "created"):
        assert group[name] == sent[name]


def test_columns_not_given_are_the_union_of_the_rows_keys(sender: Caller, viewer: Caller) -> None:
    id = sender.post_group(data=[{"b": 1, "a": 2}, {"c": 3, "a": 4}])

    assert viewer.json(f"/api/v2/alertgroup/{id}")["columns"] == ["b", "a", "c"]


def test_cells_keep_their_exact_text(sender: Caller, viewer: Caller) -> None:
    row = (
        '{"n":1.00,"big":9223372036854775808,"e":1e5,"null":null,"list":[1,"two",null],'
        '"who":"Name <bob@example.com>","amp":"a & b","esc":"\\u00e9\\/","":"empty name"}'
    )
    answer = sender.post(POST, content=f'{{"subject":"exact","data":[{row}]}}')
    assert answer.status_code == 200

    text = viewer.get(f"/api/v2/alertgroup/{answer.json()['id']}/alert").text
    assert f'"data":{row},' in text


def test_the_same_message_under_the_same_key_gets_the_first_answer_again(sender: Caller, viewer: Caller) -> None:
    first, again = sender.post(POST, content=DOCUMENTED), sender.post(POST, content=DOCUMENTED)

    assert again.json() == first.json()
    assert viewer.json(POST)["totalRecordCount"] == 1


def test_an_id_used_again_for_another_body_is_another_alertgroup_and_marked(sender: Caller, viewer: Caller) -> None:
    first = sender.post_group(message_id="reused", subject="first")
    second = sender.post_group(message_id="reused", subject="second")

    assert second != first
    assert viewer.json(f"{POST}/{first}")["repeats"] is None
    assert viewer.json(f"{POST}/{second}")["repeats"] == first


def test_the_same_message_under_another_key_is_another_message(sender: Caller, admin: Caller) -> None:
    assert sender.post_group(message_id="m") != admin.post_group(message_id="m")


def test_without_an_id_each_post_is_its_own(sender: Caller) -> None:
    assert sender.post_group() != sender.post_group()


def test_an_idempotency_key_makes_two_posts_one(sender: Caller) -> None:
    keyed = {"headers": {"idempotency-key": "7"}, "json": {"subject": "s", "data": [{"a": 1}]}}
    first, again = sender.post(POST, **keyed), sender.post(POST, **keyed)
    other = sender.post(POST, headers={"idempotency-key": "8"}, json={"subject": "s", "data": [{"a": 1}]})

    assert first.json() == again.json()
    assert other.json()["id"] != first.json()["id"]


def test_a_hundred_equal_posts_at_once_are_one_alertgroup_and_a_hundred_equal_answers(
    sender: Caller, viewer: Caller
) -> None:
    async def all_at_once() -> list[tuple[int, Any]]:
        async with sender.client() as client:
            answers = await asyncio.gather(*(client.post(POST, content=DOCUMENTED) for _ in range(100)))
            return [(answer.status_code, answer.json()) for answer in answers]

    assert sender.runner.run(all_at_once()) == [(200, {"id": 1, **OK})] * 100
    assert viewer.json(POST)["totalRecordCount"] == 1


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("", "not JSON"),
        ("not json", "not JSON"),
        ('{"subject":"s","data":[{"a":NaN}]}', "not JSON"),
        ('{"subject":"s","data":[{"a":"\\ud800"}]}', "not JSON"),
        ('{"subject":"s","data":', "not JSON"),
        ('{"subject":"s"}', "data"),
        ('{"data":[{"a":1}]}', "subject"),
        ('{"subject":null,"data":[{"a":1}]}', "$.subject"),
        ('{"subject":"s","data":{}}', "$.data"),
        ('{"subject":"s","data":[]}', "$.data"),
        ('{"subject":"s","data":[{"a":1},[]]}', "$.data[1]"),
        ('{"subject":"s","data":[{"a":1},null]}', "$.data[1]"),
        ('{"subject":"s","data":[{"a":1}],"tag":"x"}', "$.tag"),
        ('{"subject":"s","data":[{"a":1}],"source":[1]}', "$.source[0]"),
        ('{"subject":"s","data":[{"a":1}],"tlp":"mauve"}', "$.tlp"),
        ('{"subject":"s","data":[{"a":1}],"status":"lost"}', "$.status"),
        ('{"subject":"s","data":[{"a":1}],"created":-1}', "$.created"),
        ('{"subject":"s","data":[{"a":1}],"created":99999999999999999999}', "created"),
        ('{"subject":"s\\u0000","data":[{"a":1}]}', "$.subject"),
        ("[" * 100_000, "object"),
        ('{"subject":"s","data":[{"a":' + "[" * 100_000 + "]" * 100_000 + "}]}", "nested"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_place(sender: Caller, viewer: Caller, body: str, place: str) -> None:
    answer = sender.post(POST, content=body)

    assert answer.status_code == 400, answer.text
    assert set(answer.json()) == {"error_msg"}
    assert place in answer.json()["error_msg"]
    assert "Traceback" not in answer.text
    assert viewer.json(POST)["totalRecordCount"] == 0


@pytest.mark.parametrize(
    "body",
    [
        '{"subject":"first","subject":"second","data":[{"a":1,"a":2}]}',
        '{"subject":"s","data":[{"a":9223372036854775808,"b":-9223372036854775809,"c":1e400}]}',
        '{"subject":"s","data":[{}]}',
        '{"subject":"","data":[{"a":1}]}',
        '{"subject":"s","data":[{"a":"\\u0000"}]}',
        '{"subject":"s","data":[{"a":1}],"unknown":{"x":1},"views":7,"id":99}',
    ],
)
def test_the_odd_is_kept_or_refused_but_never_breaks_the_door(sender: Caller, viewer: Caller, body: str) -> None:
    answer = sender.post(POST, content=body)

    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 200:
        assert viewer.get(f"{POST}/{answer.json()['id']}").status_code == 200


def test_bytes_that_are_no_utf8_are_refused(sender: Caller) -> None:
    assert sender.post(POST, content=b'{"subject":"\xff","data":[{"a":1}]}').status_code == 400


def test_nobody_can_forge_what_the_hub_counts(sender: Caller, viewer: Caller) -> None:
    id = sender.post_group(views=99, alert_count=7, open_count=5, id=1234, view_history={"x": {"when": 1}})
    group = viewer.json(f"{POST}/{id}")

    assert (group["views"], group["alert_count"], group["open_count"]) == (1, 2, 2)
    assert list(group["view_history"]) == ["test viewer"]


@pytest.mark.parametrize("http_options", [{"max_rows": 3}])
def test_more_rows_than_the_limit_are_too_large(sender: Caller, http_options: dict[str, Any]) -> None:
    answer = sender.post(POST, json={"subject": "s", "data": [{"a": n} for n in range(4)]})

    assert answer.status_code == 413
    assert "3" in answer.json()["error_msg"]


@pytest.mark.parametrize("http_options", [{"max_body_mib": 1}])
def test_a_larger_body_is_refused_whether_its_length_is_declared_or_not(sender: Caller, viewer: Caller) -> None:
    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 65536

    declared = sender.post(POST, content=b" " * (1024 * 1024 + 1))
    streamed = sender.post(POST, content=in_pieces())
    just_fits = sender.post(POST, content=DOCUMENTED.ljust(1024 * 1024))

    assert (declared.status_code, streamed.status_code, just_fits.status_code) == (413, 413, 200)
    assert "1,048,576" in streamed.json()["error_msg"]


@pytest.mark.parametrize("http_options", [{"split_rows": 100}])
def test_split_as_scot_splits_the_answer_is_an_array(sender: Caller, viewer: Caller) -> None:
    answer = sender.post(POST, json={"subject": "s", "data": [{"n": n} for n in range(250)]})

    assert answer.json() == [{"id": id, **OK} for id in (1, 2, 3)]
    groups = viewer.json(f"{POST}?sort=id")["records"]
    assert [(group["subject"], group["alert_count"]) for group in groups] == [
        ("s (part 1 of 3)", 100), ("s (part 2 of 3)", 100), ("s (part 3 of 3)", 50),
    ]  # fmt: skip


def test_a_large_body_is_read_beside_the_loop_and_stored_the_same(sender: Caller, viewer: Caller) -> None:
    rows = [{"n": n, "text": "x" * 100} for n in range(5000)]
    id = sender.post_group(data=rows)

    assert [alert["data"] for alert in viewer.json(f"{POST}/{id}")["alerts"]] == rows


def test_a_packed_body_is_told_apart_from_json(sender: Caller) -> None:
    answer = sender.post(POST, content=b"\x1f\x8b", headers={"content-encoding": "gzip"})

    assert answer.status_code == 415
    assert "gzip" in answer.json()["error_msg"]


def test_refused_posts_are_counted_in_the_balance(sender: Caller, viewer: Caller) -> None:
    sender.post_group()
    sender.post(POST, content="no")
    viewer.post(POST, content=DOCUMENTED)

    flow = viewer.json("/api/v2/flow-of-alerts")["all"]
    assert (flow["stored"], flow["refused"]) == (1, 1)
    assert flow["received"] == flow["stored"] + flow["quarantined"] + flow["refused"]


def test_a_store_that_cannot_write_answers_503_with_retry_after(
    sender: Caller, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tocsin.errors import StoreUnavailable

    def full(_entry: object) -> None:
        raise StoreUnavailable("the disk is full: free some space")

    monkeypatch.setattr(hub.store, "append", full)
    answer = sender.post(POST, content=DOCUMENTED)

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert "disk is full" in answer.json()["error_msg"]
