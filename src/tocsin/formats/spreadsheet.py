"""Alertgroups as CSV (RFC 4180), one line for each alert: the same columns for all, so that it can be streamed.

What columns a detector used differs from one alertgroup to the next; they stand together in the last one, `row`, as
JSON. A cell that a spreadsheet would take for a formula has an apostrophe before it: what stands in alerts is written
by attackers too.
"""

import csv
import io
from collections.abc import Iterable, Iterator

from tocsin.formats.times import rfc3339, writable
from tocsin.model import Alert, Alertgroup, Detection, Endpoint, Micros

COLUMNS = (
    "alertgroup", "uid", "received", "subject", "tlp", "status", "owner", "tags", "sources", "message_id",
    "alert", "alert_uid", "alert_status", "name", "category", "description", "severity", "confidence", "detected",
    "start", "end", "src", "src_port", "dest", "dest_port", "protocol", "row",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")
_EMPTY = Detection()


def heading() -> bytes:
    """The first line, in UTF-8."""
    return _lines([COLUMNS])


def lines(group: Alertgroup) -> bytes:
    """A line for each alert of a group."""
    return _lines(tuple(_row(group, alert)) for alert in group.alerts)


def _lines(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def _row(group: Alertgroup, alert: Alert) -> Iterator[str]:
    meant = alert.detection or _EMPTY
    yield from (str(group.id), group.uid, _time(group.received), _plain(group.subject), group.tlp.value)
    yield from (group.status.value, _plain(group.owner), _joined(group.tags), _joined(group.sources))
    yield from (_plain(group.message_id), str(alert.id), alert.uid, alert.status.value)
    yield from (_plain(meant.name), _plain(meant.category), _plain(meant.description))
    yield "" if meant.severity is None else meant.severity.name.lower()
    yield "" if meant.confidence is None else f"{meant.confidence:g}"
    yield from (_time(meant.detected), _time(meant.start), _time(meant.end))
    for side in (meant.sources, meant.targets):
        yield _joined(dict.fromkeys(value for end in side for value in _names(end)))
        yield " ".join(dict.fromkeys(str(port) for end in side for port in end.ports))
    yield _joined(meant.protocols)
    yield alert.json


def _names(end: Endpoint) -> Iterator[str]:
    yield from (*end.addresses, *end.hostnames, *end.urls, *end.emails, *end.macs)


def _joined(words: Iterable[str]) -> str:
    return _plain(" ".join(words))


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def _time(micros: Micros | None) -> str:
    return rfc3339(micros) if micros is not None and writable(micros) else ""
