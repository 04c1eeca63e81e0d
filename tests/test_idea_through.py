"""IDEA0 in over REST, IDEA0 out in alerts.json, on both engines: every key it came with, each in its own spelling."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from neighbours.server import Server
from tocsin.formats.idea.schema import check

INCIDENT = Path(__file__).parent / "data" / "idea" / "incident.json"


def lines_once_there_are(count: int, file: Path, within: float = 60) -> list[str]:
    until = time.monotonic() + within
    lines: list[str] = []
    while time.monotonic() < until and len(lines) < count:
        lines = file.read_text().splitlines() if file.exists() else []
        time.sleep(0.05)
    assert len(lines) == count, f"{file.name}: {len(lines)} lines"
    return lines


def posted(server: Server, body: bytes) -> Any:
    with server.client("sender") as client:
        answer = client.post("/api/v2/alertgroup", content=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_events_leave_with_every_key_they_came_with(server: Server) -> None:
    body = INCIDENT.read_bytes()
    came = {event["ID"]: event for event in json.loads(body)}

    answers = posted(server, body)
    again = posted(server, body)
    lines = lines_once_there_are(4, server.data / "alerts.json")

    assert len(answers) == 2
    assert again == answers, "the same body is the same message"
    sent = {event["ID"]: event for event in map(json.loads, lines)}
    assert list(sent) == ["incident-1", "e2", "e1", "alone"]
    for line in lines:
        check(line)
    for id, event in came.items():
        ours, *theirs = sent[id].pop("Node")
        assert ours == {"Name": "tocsin", "Type": ["Relay"], "SW": ["Tocsin"]}
        assert theirs == event.pop("Node", [])
        assert "Received" not in sent[id].pop("_Tocsin")
        group = "AMBER" if id != "alone" else None
        assert sent[id].pop("TLP", None) == group, "the alertgroup's, which is its most guarded event's"
        event.pop("TLP", None)
        assert sent[id] == event


def test_an_object_that_is_none_of_idea_is_refused_with_its_place(server: Server) -> None:
    with server.client("sender") as client:
        answer = client.post("/api/v2/alertgroup", content=b'{"Format":"IDEA0","ID":"a"}\n{"ID":"b"}')

    assert answer.status_code in (400, 422)
    assert "object 2 of 2 is no event of IDEA0" in answer.text


@pytest.mark.parametrize("name", ["idmef/slips-alerts.jsonl", "slips/evidence.jsonl", "idea/slips-1.1.1.jsonl"])
def test_what_slips_writes_comes_in_whole(server: Server, name: str) -> None:
    body = (INCIDENT.parent.parent / name).read_bytes()
    rows = [json.loads(line) for line in body.splitlines()]

    posted(server, body)

    with server.client("viewer") as client:
        alerts = client.get("/api/v2/alert", params={"limit": "0", "sort": "id"}).json()["records"]
    by_id = {str(row.get("id") or f"{row['ID']}{row.get('profileid')}"): row for row in rows}
    stored = [alert["data"] for alert in alerts]
    assert {str(row.get("id") or f"{row['ID']}{row.get('profileid')}"): row for row in stored} == by_id
    assert len(stored) == len(rows)
