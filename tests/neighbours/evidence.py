"""Evidence as Slips says it in the JSON form of its dataclasses."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from tocsin.model import Alert, Alertgroup, Detection, Endpoint, Message, Severity
from tocsin.parsers.slips import Slips

AT = "2024/10/04 15:45:30.123456+0200"
"""In the hour from 13:00 to 14:00 UTC."""


def evidence(id: str = "1", address: str = "10.0.0.5", **fields: Any) -> bytes:
    """A horizontal port scan of an address, threat level high and confidence 0.9: it weighs 0.72."""
    attacker = {"direction": "SRC", "ioc_type": "IP", "value": address, "profile": {"ip": address}, "TI": None}
    told = {
        "evidence_type": "HORIZONTAL_PORT_SCAN",
        "description": f"Horizontal port scan {id}",
        "attacker": attacker,
        "threat_level": "HIGH",
        "profile": {"ip": address},
        "timewindow": {"number": 1, "start_time": "", "end_time": ""},
        "uid": [f"C{id}"],
        "timestamp": AT,
        "interface": "default",
        "victim": False,
        "proto": "TCP",
        "dst_port": 23,
        "src_port": None,
        "method": "HEURISTIC",
        "id": id,
        "confidence": 0.9,
        "rel_id": None,
    }
    return json.dumps(told | fields).encode()


class Milder(Slips):
    """Reads everything as one detection of severity low."""

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        """As Slips' parser has them, with other rows."""
        for group in super().parse(message):
            said = Detection(name="MILD", severity=Severity.LOW, sources=(Endpoint(addresses=("10.0.0.5",)),))
            alerts = tuple(Alert(json='{"mild": 1}', detection=said) for _ in group.alerts)
            yield msgspec.structs.replace(group, alerts=alerts)
