"""Flows of our own samples in the data set of a hub, and an alertgroup that names some of them."""

from pathlib import Path
from typing import Any

from neighbours.imported import SAMPLES
from tocsin.app import Hub
from tocsin.flows.importing import import_paths
from tocsin.flows.labelling import detections
from tocsin.store import detected

ZEEK = SAMPLES / "zeek-tab"
UID = "CAAAA00000000001"
"""Of a connection and what was seen inside it: a conn, an ssl and a notice."""
NAMED: dict[str, Any] = {
    "subject": "Beacon to 93.184.216.34",
    "data": [{"src": "10.0.0.5", "dst": "93.184.216.34", "uid": UID, "category": "Malware.C2"}],
}
"""What a detector posts of them."""


def import_into(hub: Hub, *paths: Path) -> None:
    """Have the hub's data set hold them."""
    import_paths(hub.dataset, paths or (ZEEK,))


def label(hub: Hub) -> None:
    """Bring labels up to date with all alerts, as the hub does by itself once it runs."""
    detections.refresh(
        hub.dataset,
        lambda since: detected.changed(hub.store, since),
        false=hub.config.flows.false_tags,
        names=hub.names,
    )
