"""The alertgroup as JSON holds everything, and the rows exactly as received."""

import json

from tocsin.formats import group_json
from tocsin.model import TLP, Alert, Alertgroup, Detection, Endpoint, Link, Severity, Status

ROW = '{"big": 12345678901234567890123, "float": 1.10, "text": "\\u003ca\\u003e & \\/", "b":1 ,"a":[null]}'
GROUP = Alertgroup(
    subject="two <rows>",
    alerts=(
        Alert(
            json=ROW,
            id=11,
            uid="a-1",
            status=Status.CLOSED,
            detection=Detection(
                name="n",
                severity=Severity.CRITICAL,
                confidence=0.0,
                detected=1_698_315_010_123_456,
                start=-1,
                sources=(Endpoint(addresses=("192.0.2.7",), ports=(0,)),),
                protocols=("tcp",),
                flow_uids=("C1",),
            ),
        ),
        Alert(json="{}", id=12, uid="a-2"),
    ),
    columns=("b", "a"),
    tags=("t",),
    sources=("s",),
    tlp=TLP.GREEN,
    message_id="<m@x>",
    created=1_698_315_010_000_000,
    ahrefs=(Link(subject="see", link="https://x.example/"),),
    groups={"read": ["wg"]},
    body="<b>x</b>",
    id=7,
    uid="g-1",
    received=1_698_315_011_000_000,
)


def test_the_whole_group_is_there() -> None:
    assert json.loads(group_json.document(GROUP)) == {
        "id": 7,
        "uid": "g-1",
        "subject": "two <rows>",
        "message_id": "<m@x>",
        "status": "open",
        "tlp": "green",
        "created": "2023-10-26T10:10:10Z",
        "received": "2023-10-26T10:10:11Z",
        "tags": ["t"],
        "sources": ["s"],
        "columns": ["b", "a"],
        "groups": {"read": ["wg"]},
        "ahrefs": [{"subject": "see", "link": "https://x.example/"}],
        "body": "<b>x</b>",
        "alerts": [
            {
                "id": 11,
                "uid": "a-1",
                "status": "closed",
                "data": json.loads(ROW),
                "detection": {
                    "name": "n",
                    "severity": "critical",
                    "confidence": 0.0,
                    "detected": "2023-10-26T10:10:10.123456Z",
                    "sources": [{"addresses": ["192.0.2.7"], "ports": [0]}],
                    "protocols": ["tcp"],
                    "flow_uids": ["C1"],
                },
            },
            {"id": 12, "uid": "a-2", "status": "open", "data": {}},
        ],
    }


def test_rows_keep_their_exact_text() -> None:
    assert ROW.encode() in group_json.document(GROUP)


def test_the_same_group_gives_the_same_bytes() -> None:
    assert group_json.document(GROUP) == group_json.document(GROUP)


def test_a_group_without_alerts_says_so() -> None:
    assert json.loads(group_json.document(Alertgroup(subject="s", alerts=())))["alerts"] == []
