"""What is delivered to Slack in tests, and the destinations that deliver it."""

import json
from typing import Any

from msgspec.structs import replace

from neighbours.slack import CHANNEL, TOKEN, Slack
from tocsin.destinations.slack import Slack as Destination
from tocsin.kit.secrets import Secret
from tocsin.model import TLP, Alert, Alertgroup, Delivery, Detection, Endpoint, Kind, Receipt, Severity


class Open:
    """Destinations of a test, closed at its end."""

    def __init__(self, slack: Slack) -> None:
        self.slack = slack
        self.made: list[Destination] = []

    def __call__(self, **rest: Any) -> Destination:
        options: dict[str, Any] = {"token": Secret(TOKEN), "channel": CHANNEL, "api": self.slack.api} | rest
        destination = Destination(link="https://tocsin.example/", **options)
        self.made.append(destination)
        return destination


def a_group(n: int = 1, subject: str = "Beacon to evil.example.com", rows: int = 2) -> Alertgroup:
    said = Detection(
        name="Beacon", description="Beacon seen", severity=Severity.HIGH, sources=(Endpoint(addresses=("192.0.2.7",)),)
    )
    alerts = tuple(Alert.of({"src": "192.0.2.7", "what": "<!channel> *hi*"}, said) for _ in range(rows))
    return Alertgroup(subject=subject, alerts=alerts, tags=("vpn",), sources=("suricata",), tlp=TLP.GREEN, id=n)


def a_delivery(n: int = 1, attempt: int = 1, **rest: Any) -> Delivery:
    return Delivery(id=n, uid=f"uid-{n}", alertgroup=a_group(n, **rest), attempt=attempt)


def after(first: Delivery, receipt: Receipt, kind: Kind = "update", attempt: int = 1, **rest: Any) -> Delivery:
    """What follows a delivery of which this came back; `status` and `bare` change its alertgroup."""
    group, n = first.alertgroup, first.id + 1000
    if status := rest.pop("status", None):
        group = replace(group, status=status)
    if rest.pop("bare", False):
        group = Alertgroup(subject="", alerts=(), id=group.id, uid=group.uid)
    options: dict[str, Any] = {"owed": 1_795_000_100_500_000, "earlier": (receipt,)} | rest
    return Delivery(id=n, uid=f"{kind}-{first.uid}", alertgroup=group, attempt=attempt, kind=kind, **options)


def text_of(message: dict[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False)
