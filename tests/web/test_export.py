"""Exports over the API: a stream, and what is wrong said before it begins."""

import json

import pytest

from web.conftest import Caller


def test_a_selection_is_streamed_under_its_media_type(admin: Caller) -> None:
    admin.post_group(subject="one")
    admin.post_group(subject="two")

    answer = admin.get("/api/v2/export?format=jsonl&query=id:1")
    bundle = admin.get("/api/v2/export?format=stix")

    assert [json.loads(line)["subject"] for line in answer.text.splitlines()] == ["one"]
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["content-disposition"] == 'attachment; filename="tocsin-export.jsonl"'
    assert bundle.headers["content-type"] == "application/stix+json;version=2.1"
    assert bundle.json()["type"] == "bundle"


def test_whoever_asks_for_portions_is_told_how_far_it_is(admin: Caller) -> None:
    admin.post_group()

    answer = admin.get("/api/v2/export?format=csv&portions=1")

    size, _, numbers = answer.content.split(b"\n")[0].partition(b" ")
    assert int(size) > 0
    assert json.loads(numbers)["upto"] == 1
    assert answer.headers["content-type"] == "application/x-tocsin-portions"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "format must be one of"),
        ("format=pdf", "format must be one of"),
        ("format=csv&for=nobody", "there is no destination"),
        ("format=csv&query=severity>=", "severity"),
        ("format=csv&portions=x", "portions must be 0 or 1"),
        ("format=csv&colour=x", "There is no parameter"),
    ],
)
def test_what_is_wrong_is_said_before_it_begins(admin: Caller, query: str, said: str) -> None:
    answer = admin.get(f"/api/v2/export?{query}")

    assert answer.status_code == (422 if "severity" in query else 400)
    assert said in answer.json()["error_msg"]


def test_asked_for_the_head_it_exports_nothing(admin: Caller) -> None:
    answer = admin.request("HEAD", "/api/v2/export?format=csv")

    assert (answer.status_code, answer.content) == (200, b"")


def test_passwords_and_positions_are_in_no_export(admin: Caller) -> None:
    row = {"src": "192.0.2.7", "password": "hunter2-of-root", "latitude": "50.0755381"}
    admin.post_group(data=[row])

    for form in ("jsonl", "csv", "idea"):
        text = admin.get(f"/api/v2/export?format={form}").text
        assert "192.0.2.7" in text
        assert "hunter2" not in text
        assert "50.0755" not in text
