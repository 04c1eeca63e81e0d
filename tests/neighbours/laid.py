"""Alertgroups laid into a store as a query sees them, and into its index, with their ids as they are."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec

from tocsin import detection
from tocsin.indexing.reading import mended, read
from tocsin.query import View, addresses
from tocsin.store import Store, index
from tocsin.store.engine import Tx
from tocsin.store.index import Sighted

T = TypeVar("T")


def lay(tx: Tx, views: Iterable[View]) -> None:
    """Store and index them. The entities are those of the view, whatever stands in the cells."""
    for view in views:
        _insert(tx, "message", **_message(view))
        _insert(tx, "alertgroup", **_group(view))
        _lay_parts(tx, view)
        index.wait(tx, [view.group.id], 1)
        batch = read(detection.known(view.group), 1, None)
        seen = {(one.type, one.value): _sighted(one.type, one.value) for one in view.entities}
        index.put(tx, [msgspec.structs.replace(batch[0], entities=list(seen.values())), *batch[1:]])


def passing(store: Store, work: Callable[[Tx], T]) -> T:
    """What comes of work that is undone afterwards."""
    found: list[T] = []

    def undone(tx: Tx) -> None:
        found.append(work(tx))
        raise _Undone

    try:
        store.write(undone)
    except _Undone:
        return found[0]
    raise AssertionError(work)


class _Undone(Exception):
    """Nothing of it is kept."""


def _insert(tx: Tx, table: str, **row: Any) -> None:
    names = ", ".join(row)
    tx.run(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in row)})", **row)


def _message(view: View) -> dict[str, Any]:
    return {
        "id": view.message, "source": view.via, "sender": view.sender, "message_id": "", "hash": "h", "size": 0,
        "media_type": "", "received": view.group.received, "state": "stored", "parser": view.parser,
        "parser_version": "", "reason": "",
    }  # fmt: skip


def _group(view: View) -> dict[str, Any]:
    group = view.group
    counts = {
        f"{status}_count": sum(alert.status == status for alert in group.alerts)
        for status in ("open", "closed", "promoted")
    }
    lists = {name: msgspec.json.encode(getattr(group, name)).decode() for name in ("columns", "sources", "tags")}
    return {
        "id": group.id, "message": view.message, "subject": group.subject, "status": str(group.status),
        "alert_count": len(group.alerts), "severity": view.severity, "tlp": str(group.tlp), "owner": group.owner,
        "groups": "{}", "message_id": group.message_id, "repeats": view.repeats, "ahrefs": "[]",
        "received": group.received, "created": view.created, "updated": view.updated, "views": view.views,
        "firstview": view.viewed, "folded_into": view.folded, "seen": view.seen, "last_seen": view.last_seen,
        **counts, **lists,
    }  # fmt: skip


def _lay_parts(tx: Tx, view: View) -> None:
    group = view.group
    if group.body or group.body_plain:
        _insert(tx, "alertgroup_text", alertgroup=group.id, body=group.body, body_plain=group.body_plain)
    for alert in group.alerts:
        _insert(
            tx, "alert", id=alert.id, alertgroup=group.id, status=str(alert.status), data=alert.json, updated=0,
            detection=alert.detection and msgspec.json.encode(alert.detection).decode(),
        )  # fmt: skip
    for kind, values in (("source", group.sources), ("tag", group.tags)):
        for value in dict.fromkeys(values):
            _insert(tx, "label", kind=kind, value=value, alertgroup=group.id)
    for number, (lane, state) in enumerate(view.deliveries):
        _insert(
            tx, "delivery", id=group.id * 100 + number, alertgroup=group.id, lane=lane, state=state, attempt=0, due=0,
            lease=0, created=0,
        )  # fmt: skip


def _sighted(type: str, value: str) -> Sighted:
    low, high = addresses.span(value) or (None, None)
    return Sighted(type=type, value=mended(value), low=low, high=high, n=1, places="[]")
