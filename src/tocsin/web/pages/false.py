"""Closing an alertgroup as a false alarm, in one click: closed, with the tag that says so, and both undone together.

What a closed alertgroup of such a tag says of network flows does not count: they are benign again.
"""

from collections.abc import Sequence

from starlette.requests import Request

from tocsin.errors import Malformed
from tocsin.model import Micros, Status
from tocsin.store import alertgroup
from tocsin.store.alertgroup import Summary
from tocsin.store.engine import Tx
from tocsin.web.pages.notices import Notice
from tocsin.web.state import web_of

_TAGGED, _UNTAGGED = ";tagged", ";untagged"
"""Stand behind the statuses of an undo, where what is undone set the tag, or took it away."""


def tags_of(request: Request) -> Sequence[str]:
    """The tags that say so; the first is the one that is set."""
    return web_of(request).hub.config.flows.false_tags


def close(tx: Tx, known: Summary, tags: Sequence[str], who: str, now: Micros) -> Notice:
    """Close all of it with the tag, unless it bears one of them. Raises Malformed where there are none to set."""
    if not tags:
        raise Malformed("[flows] false_tags names no tag that says an alert was false.")
    if not bears(known, tags):
        alertgroup.set_labels(tx, known.id, "tag", [*known.tags, tags[0]], who, now)
    alertgroup.set_status(tx, known.id, Status.CLOSED, who, now)
    n = known.alert_count
    return Notice(f"Closed {n:,} {'alert' if n == 1 else 'alerts'} as false.")


def bears(known: Summary, tags: Sequence[str]) -> bool:
    """Whether it bears one of the tags, in whatever case."""
    return not {tag.lower() for tag in tags}.isdisjoint(tag.lower() for tag in known.tags)


def is_false(known: Summary, tags: Sequence[str]) -> bool:
    """Whether it is closed as false."""
    return known.status is Status.CLOSED and bears(known, tags)


def reopened(tx: Tx, group: int, tags: Sequence[str], who: str, now: Micros) -> str:
    """Take the tag away once no alert of it is closed any more; what an undo of that adds to the statuses."""
    known = alertgroup.get(tx, group)
    if known.closed_count or tags[:1] != [tag for tag in known.tags if tag in tags[:1]]:
        return ""
    _untag(tx, known, tags, who, now)
    return _UNTAGGED


def undo_of(before: str, known: Summary, tags: Sequence[str]) -> str:
    """What undoes closing it as false: the statuses before, and the tag if that was new."""
    return f"{before}{_TAGGED}" if before and not bears(known, tags) else before


def undone(tx: Tx, group: int, undo: str, tags: Sequence[str], who: str, now: Micros) -> None:
    """Take the tag away, or set it again, as an undo says."""
    known = alertgroup.get(tx, group)
    if undo.endswith(_TAGGED):
        _untag(tx, known, tags, who, now)
    elif undo.endswith(_UNTAGGED) and not bears(known, tags):
        alertgroup.set_labels(tx, group, "tag", [*known.tags, *tags[:1]], who, now)


def statuses_in(undo: str) -> str:
    """The statuses of an undo alone."""
    return undo.removesuffix(_TAGGED).removesuffix(_UNTAGGED)


def _untag(tx: Tx, known: Summary, tags: Sequence[str], who: str, now: Micros) -> None:
    after = [tag for tag in known.tags if tag not in tags[:1]]
    if after != list(known.tags):
        alertgroup.set_labels(tx, known.id, "tag", after, who, now)
