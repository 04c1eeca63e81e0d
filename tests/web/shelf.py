"""Collections for the tests of the TAXII server: put on the shelf by hand, read as clients read them."""

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid5

from tocsin.app import Hub
from tocsin.store import collection
from tocsin.store.collection import Item

MEDIA = "application/taxii+json;version=2.1"
AT = 1_795_290_092_000_000
"""2026-11-21T19:41:32Z"""
SPACE = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


def object_id(type: str, name: str | int) -> str:
    """An id of STIX, the same for the same name."""
    return f"{type}--{uuid5(SPACE, str(name))}"


def item(type: str, name: str | int, version: int | None = AT, **rest: Any) -> Item:
    """An object with little in it."""
    id = object_id(type, name)
    held = {"type": type, "spec_version": "2.1", "id": id, "name": str(name)} | rest
    return Item(id=id, type=type, version=version, json=json.dumps(held))


def put(hub: Hub, name: str, items: Iterable[Item], now: int = AT) -> list[Item]:
    """Put objects into a collection; what was new."""
    return hub.store.write(lambda tx: collection.put(tx, name, items, now))


def names(envelope: dict[str, Any]) -> list[str]:
    """The objects of a page."""
    return [each["name"] for each in envelope.get("objects", [])]
